"""Hooks of both generations, before, after and in backward."""

import warnings

import pytest

import flambeau as torch
from flambeau import nn
from flambeau.nn.modules.module import (
    register_module_forward_hook,
    register_module_full_backward_hook,
)


class Half(nn.Module):
    def forward(self, x):
        return x / 2


class Product(nn.Module):
    def forward(self, x, y=None, scale=1.0):
        return x * y * scale


def test_forward_hooks_see_and_replace():
    module = Half()
    seen = []
    pre = module.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
    post = module.register_forward_hook(lambda m, args, out: seen.append(args[0].item()))
    last = module.register_forward_hook(lambda m, args, out: out * 10)
    assert module(torch.tensor(3.0)).item() == 20.0
    assert seen == [4.0]
    for handle in (pre, post, last):
        handle.remove()
    assert module(torch.tensor(3.0)).item() == 1.5


def test_order_and_prepend():
    module = Half()
    order = []
    module.register_forward_hook(lambda *_: order.append("first"))
    module.register_forward_hook(lambda *_: order.append("prepended"), prepend=True)
    handle = register_module_forward_hook(lambda *_: order.append("global"))
    try:
        module(torch.tensor(1.0))
    finally:
        handle.remove()
    assert order == ["global", "prepended", "first"]


def test_kwargs():
    module = Product()
    x, y = torch.tensor(2.0), torch.tensor(3.0)
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {**kwargs, "scale": 2.0}), with_kwargs=True
    )
    module.register_forward_hook(
        lambda m, args, kwargs, out: out + kwargs["scale"], with_kwargs=True
    )
    assert module(x, y=y).item() == 14.0
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        module(x, y=y)


def test_always_call():
    module = Product()
    seen = []
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(TypeError):
        module(torch.tensor(1.0), None)
    assert seen == [None]


def test_full_backward_hook_is_the_modules():
    module = Product()
    seen = []
    module.register_full_backward_hook(
        lambda m, gi, go: seen.append(
            ([None if g is None else g.item() for g in gi], [g.item() for g in go])
        )
    )
    x = torch.tensor(2.0, requires_grad=True)
    module(x, torch.tensor(3.0), 4.0).backward()
    # The second argument needs no gradient: its place holds a zero, the number's None.
    assert seen == [([12.0, 0.0, None], [1.0])]


def test_full_backward_hook_replaces_grad_input():
    module = Half()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x = torch.tensor(2.0, requires_grad=True)
    module(x).backward()
    assert x.grad.item() == 5.0


def test_backward_pre_hook_replaces_grad_output():
    module = Half()
    module.register_full_backward_pre_hook(lambda m, go: (go[0] * 4,))
    x = torch.tensor(2.0, requires_grad=True)
    module(x).backward()
    assert x.grad.item() == 2.0


def test_no_input_requires_grad():
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(3.0))

        def forward(self, x):
            return x * self.weight

    module = Weighted()
    seen = []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].item())))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        module(torch.tensor(2.0)).backward()
    assert seen == [((None,), 1.0)]
    assert module.weight.grad.item() == 2.0


def test_older_generation_sees_the_last_node():
    module = Half()
    seen = []
    module.register_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = torch.tensor(2.0, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (module(x * 1)).backward()
    (grad_input, grad_output), *_ = seen
    assert grad_input[0].item() == 0.5 and grad_input[1] is None
    assert grad_output[0].item() == 1.0


def test_older_generation_warns_of_several_nodes():
    module = Product()
    module.register_backward_hook(lambda m, gi, go: None)
    x = torch.tensor(2.0, requires_grad=True)
    with pytest.warns(FutureWarning, match="multiple autograd Nodes"):
        module(x, torch.tensor(3.0))


def test_generations_do_not_mix():
    module = Half()
    module.register_backward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match="Cannot use both"):
        module.register_full_backward_hook(lambda *_: None)


def test_global_backward_hook():
    seen = []
    handle = register_module_full_backward_hook(lambda m, gi, go: seen.append(type(m).__name__))
    try:
        x = torch.tensor(2.0, requires_grad=True)
        Half()(x).backward()
    finally:
        handle.remove()
    assert seen == ["Half"]


@pytest.mark.parametrize(
    "hooked", ("register_full_backward_hook", "register_full_backward_pre_hook")
)
@pytest.mark.parametrize("layer", ("Flatten()", "Identity()", "ReLU()", "ReLU(inplace=True)"))
def test_what_passed_a_full_hook_is_not_written(hooked, layer, oracle):
    found = []
    for t in (torch, oracle):
        module = eval(f"t.nn.{layer}", {"t": t})
        getattr(module, hooked)(lambda *_: None)
        try:
            module(t.ones(2, 2, requires_grad=True) * 1).mul_(2)
        except RuntimeError as error:
            found.append("is being modified inplace" in str(error))
    assert found == [True, True]
