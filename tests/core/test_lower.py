"""`__torch_dispatch__`: wrappers, modes, gradients through them, beside PyTorch's."""

from __future__ import annotations

import copy
from importlib import import_module

import pytest

import flambeau
from flambeau.core import lower, state
from flambeau.utils._python_dispatch import _disable_current_modes


def tools(torch):
    """A wrapper that notes the operations it sees, and a mode that does."""
    tree_map = import_module(f"{torch.__name__}.utils._pytree").tree_map
    dispatch = import_module(f"{torch.__name__}.utils._python_dispatch")
    log: list[str] = []

    class Wrapper(torch.Tensor):
        __slots__ = ["elem"]
        __torch_function__ = torch._C._disabled_torch_function_impl

        @staticmethod
        def __new__(cls, elem, requires_grad=False):
            made = torch.Tensor._make_wrapper_subclass(
                cls, elem.size(), strides=elem.stride(), dtype=elem.dtype, device=elem.device,
                requires_grad=requires_grad,
            )  # fmt: skip
            made.elem = elem
            return made

        def __repr__(self):
            return f"Wrapper({self.elem})"

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            assert cls in types
            log.append(str(func))
            bare = tree_map(lambda t: t.elem if isinstance(t, cls) else t, (args, kwargs or {}))
            found = func(*bare[0], **bare[1])
            return tree_map(lambda t: cls(t) if isinstance(t, torch.Tensor) else t, found)

    class Log(dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            log.append(str(func))
            return func(*args, **(kwargs or {}))

    return Wrapper, Log, log


# Expressions of one wrapper: the operations' names are PyTorch's, and so are their values.
FORWARD = (
    "x + 1", "x * x", "2 - x", "x / 2", "x ** 2", "2 ** x", "x > 1", "x % 2", "x.sum()", "x.sum(1)",
    "x.sum((0, 1), True)", "x.mean(0)", "x.max(1).values", "x.max()", "x.var(1)", "x.view(4)",
    "x.reshape(1, 4)", "x.t()", "x.transpose(0, 1)", "x[0]", "x[0, 1]", "x[None]", "x.unsqueeze(0)",
    "x.clone()", "x.detach()", "x.to(torch.float64)", "x.exp()", "x.relu()", "x @ x", "x.tril()",
    "torch.cat([x, x], 1)", "torch.stack([x, x])", "torch.where(x > 1, x, x)", "x.cumsum(0)",
    "torch.softmax(x, 1)", "torch.zeros_like(x)", "x.argmax(1)", "x.amax(0)", "x.permute(1, 0)",
    "x.expand(2, 2, 2)", "x.gather(1, torch.tensor([[0], [1]]))",
    "x.clamp(0.5, 1.5)", "torch.nn.functional.linear(x, x)", "x.flip(0)", "x.repeat(2, 1)",
    "torch.nn.functional.linear(x, x, x[0])", "torch.nn.functional.gelu(x)", "x.pow(3)",
)  # fmt: skip
INPLACE = ("x.add_(1)", "x.mul_(x)", "x.zero_()", "x.copy_(x)", "x.clamp_(0)", "x.relu_()")


def ran(torch, text, grad=False):
    kind, _, log = tools(torch)
    x = kind(torch.tensor([[1.0, 2.0], [0.25, 4.0]]), requires_grad=grad)
    found = eval(text, {"torch": torch, "x": x})
    assert type(found) is kind, text
    return log, found, x


@pytest.mark.parametrize("text", FORWARD + INPLACE)
def test_a_wrapper_sees_pytorchs_operations(oracle, text):
    (ours, found, _), (theirs, wanted, _) = ran(flambeau, text), ran(oracle, text)
    assert [n for n in ours if "detach" not in n] == [n for n in theirs if "detach" not in n]
    values = found.elem.flatten().tolist()
    assert values == pytest.approx(wanted.elem.flatten().tolist(), rel=1e-6)
    assert (found.shape, str(found.dtype), found.stride()) == (
        tuple(wanted.shape), str(wanted.dtype), wanted.stride(),
    )  # fmt: skip


SMOOTH = (
    "x * x + x.exp()", "x @ x.t()", "torch.softmax(x, 1) * x", "torch.cat([x, 2 * x], 1).tanh()",
    "x[0] * x[:, 1]", "x.pow(3).mean(0)", "torch.nn.functional.linear(x, x, x[0]).sigmoid()",
    "torch.nn.functional.layer_norm(x, (2,)) * x", "x.view(4).cumsum(0).log()", "x.max(1).values",
    "torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]))", "x.clone().mul_(x).add_(x)",
)  # fmt: skip


@pytest.mark.parametrize("text", SMOOTH)
def test_gradients_go_through_a_wrapper(oracle, text):
    grads = []
    for torch in (flambeau, oracle):
        _, found, x = ran(torch, text, grad=True)
        assert found.requires_grad
        found.sum().backward()
        assert type(x.grad) is type(x)
        grads.append(x.grad.elem.tolist())
    assert grads[0] == [pytest.approx(row, rel=1e-5, abs=1e-6) for row in grads[1]]


def test_modes_nest_innermost_first_and_are_off_inside(oracle):
    for torch in (flambeau, oracle):
        _, kind, log = tools(torch)
        with kind(), kind():
            torch.ones(2) * 3
        assert log == [
            "aten.ones.default",
            "aten.ones.default",
            "aten.mul.Tensor",
            "aten.mul.Tensor",
        ]
        log.clear()
        torch.ones(2) * 3
        assert log == []


def test_a_mode_sees_a_module_and_its_backward(oracle):
    def seen(torch):
        _, kind, log = tools(torch)
        model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
        with kind():
            loss = model(torch.ones(4, 3)).sum()
            forward = list(log)
            loss.backward()
        assert model[0].weight.grad.shape == (2, 3) and "aten.mm.default" in log[len(forward) :]
        return [name for name in forward if "detach" not in name]

    assert seen(flambeau) == seen(oracle)


def test_a_mode_may_answer_otherwise():
    class Ones(import_module("flambeau.utils._python_dispatch").TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func is flambeau.ops.aten.add.Tensor:
                return flambeau.ones(1)
            return func(*args, **(kwargs or {}))

    with Ones():
        assert (flambeau.zeros(3) + 5).tolist() == [1.0]
        with _disable_current_modes() as modes:
            assert (flambeau.zeros(1) + 5).tolist() == [5.0] and len(modes) == 1
    with pytest.raises(TypeError, match="NotImplemented"):
        with type("No", (Ones,), {"__torch_dispatch__": lambda *a, **k: NotImplemented})():
            flambeau.zeros(3)


def test_a_parameter_of_a_wrapper_keeps_its_class(oracle):
    for torch in (flambeau, oracle):
        kind, _, _ = tools(torch)
        weight = torch.nn.Parameter(kind(torch.ones(2, 3)))
        assert isinstance(weight, kind) and isinstance(weight, torch.nn.Parameter)
        out = torch.nn.functional.linear(torch.ones(1, 3), weight)
        out.sum().backward()
        assert isinstance(weight.grad, kind) and weight.grad.elem.tolist() == [[1.0] * 3] * 2


def test_nothing_is_left_behind():
    _, found, x = ran(flambeau, "x * x", grad=True)
    assert len(lower.LIVE)
    found.sum().backward()
    del found, x
    assert not len(lower.LIVE) and state.mode() is None


def test_what_a_wrapper_gives_stays_what_it_is(oracle):
    def program(torch):
        class Scaled(torch.Tensor):
            @staticmethod
            def __new__(cls, whole, scale):
                return torch.Tensor._make_wrapper_subclass(cls, whole.shape, dtype=torch.float32)

            def __init__(self, whole, scale):
                self.whole, self.scale = whole, scale

            @classmethod
            def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
                told.append(f"{func} {len(args)}")
                if func is torch.ops.aten.t.default:
                    return cls(args[0].whole.t(), args[0].scale)

                def plain(each):
                    if isinstance(each, (list, tuple)):
                        return [plain(one) for one in each]
                    return each.whole * each.scale if isinstance(each, cls) else each

                return func(*plain(args), **(kwargs or {}))

        told, x = [], torch.ones(5, 3)
        weight = Scaled(torch.arange(12).reshape(4, 3).to(torch.int8), 0.5)
        for found in (
            torch.nn.functional.linear(x, weight),
            x @ weight.t(),
            weight * 2 / weight,
            torch.cat([weight, weight]),
            torch.stack([weight, weight]),
            torch.nn.functional.embedding(torch.tensor([1, 2]), weight),
        ):
            told.append((type(found).__name__, found.nan_to_num().tolist()))
        return told

    assert program(flambeau) == program(oracle)


WHOLE = (
    "x.new_zeros(3)", "x.new_ones((2, 1))", "x.new_full((2,), 3.0)", "torch.equal(x, x)",
    "x.equal(x + 1)", "torch.allclose(x, x)", "x.allclose(x + 1)",
)  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_functions_of_several_operations_ask_once(oracle, text):
    seen = []
    for torch in (flambeau, oracle):
        Wrapper, _, log = tools(torch)
        found = eval(text, {"torch": torch, "x": Wrapper(torch.arange(4.0).view(2, 2))})
        seen.append((repr(found), log[-1], len(log)))
    assert seen[0] == seen[1]


def test_a_wrapper_is_copied_and_saved_with_what_it_holds(oracle):
    def observed(torch):
        Wrapper, _, log = tools(torch)
        x = Wrapper(torch.arange(4.0).view(2, 2), requires_grad=True)
        x.note = [1]
        twin = copy.deepcopy(x)
        function, arguments = x.__reduce_ex__(2)
        again = function(*arguments)
        return (
            [repr(t) for t in (twin, again)],
            [(type(t) is Wrapper, t.note, t.shape, t.requires_grad) for t in (twin, again)],
            twin.elem is x.elem, twin.note is x.note, function.__name__, arguments[0].__name__, log,
        )  # fmt: skip

    assert observed(flambeau) == observed(oracle)


def test_a_wrapper_prints_what_it_is_told_to(oracle):
    def observed(torch):
        class Named(torch.Tensor):
            @staticmethod
            def __new__(cls, *size, **options):
                return torch.Tensor._make_wrapper_subclass(cls, size, **options)

            def __repr__(self):
                return super().__repr__(tensor_contents="inside")

            @classmethod
            def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
                return cls(2)

        made = Named(2), Named(0, 2), Named(2, device="meta"), Named(2, dtype=torch.float64)
        made += Named(2, requires_grad=True), Named(2, requires_grad=True) * 2
        return [repr(each) for each in made]

    assert observed(flambeau) == observed(oracle)


def test_a_wrapper_has_no_numbers(oracle):
    for torch in (flambeau, oracle):
        x = tools(torch)[0](torch.ones(2))
        for call in (x.tolist, x.numpy):
            with pytest.raises(RuntimeError):
                call()


@pytest.mark.parametrize(
    "text",
    ["a + b", "a.add_(1) is a", "torch.cat([a, b])", "a.detach()", "a.view(1, 2)", "a[0]",
     "(a * a).sum()", "a.data", "torch.randint_like(a, 5).shape", "a.exp_() is a"],
)  # fmt: skip
def test_the_handler_of_the_base_takes_instances_as_plain_tensors(oracle, text):
    def seen(torch):
        asked = []

        class Sub(torch.Tensor):
            __torch_function__ = torch._C._disabled_torch_function_impl

            @staticmethod
            def __new__(cls, elem):
                return torch.Tensor._make_subclass(cls, elem)

            @classmethod
            def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
                asked.append(str(func))
                return super().__torch_dispatch__(func, types, args, kwargs)

        scope = {"torch": torch, "a": Sub(torch.ones(2)), "b": Sub(torch.ones(2))}
        found = eval(text, scope)
        return repr(found), type(found).__name__, asked

    assert seen(flambeau) == seen(oracle)


def test_a_handler_may_record_gradients(oracle):
    def observed(torch, recording):
        class Held(torch.Tensor):
            @staticmethod
            def __new__(cls, elem):
                made = torch.Tensor._make_wrapper_subclass(cls, elem.size())
                made.elem = elem
                return made

            @classmethod
            def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
                bare = [a.elem if isinstance(a, cls) else a for a in args]
                with torch.overrides.enable_reentrant_dispatch():
                    return cls(func(*bare, **(kwargs or {})))

        x = torch.ones(2, requires_grad=True)
        with torch.set_grad_enabled(recording):
            out = Held(x) * 3
        return out.requires_grad, out.elem.requires_grad

    for recording in (True, False):
        assert observed(flambeau, recording) == observed(oracle, recording)


def test_a_wrapper_needs_a_handler_and_keeps_its_class(oracle):
    def kinds(torch):
        Wrapper = tools(torch)[0]
        x = Wrapper(torch.ones(2))

        class Bare(torch.Tensor):
            pass

        calls = (
            lambda: torch.Tensor._make_wrapper_subclass(Bare, (2,)),
            lambda: x.as_subclass(Bare),
            lambda: torch.Tensor._make_subclass(Bare, x),
        )
        found = []
        for call in calls:
            with pytest.raises((TypeError, RuntimeError)) as caught:
                call()
            found.append(caught.type)
        return found

    assert kinds(flambeau) == kinds(oracle)
