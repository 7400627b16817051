"""`__torch_function__`: subclasses, foreign classes, modes."""

import operator
import subprocess
import sys
import warnings

import pytest

import flambeau as torch
from flambeau.overrides import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function,
)


class Plain(torch.Tensor):
    pass


def test_a_subclass_is_preserved():
    x = torch.ones(2, 3).as_subclass(Plain)
    for made in (
        x + 1,
        1 + x,
        x.sum(),
        x.reshape(3, 2),
        x[0],
        torch.cat([x, x]),
        x.max(0).values,
        x.clone(),
    ):
        assert type(made) is Plain
    with DisableTorchFunctionSubclass():
        assert type(x + 1) is torch.Tensor


def test_a_handler_sees_whole_functions():
    seen = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs or {})

    x = torch.ones(2, 3).as_subclass(Logged)
    torch.flatten(x)
    torch.nn.functional.linear(x, torch.ones(4, 3))
    assert seen == ["flatten", "linear"]
    with DisableTorchFunction():
        x.sum()
    assert len(seen) == 2


def test_modes_nest():
    seen = []

    class Mode(TorchFunctionMode):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append((self.name, func.__name__))
            return func(*args, **(kwargs or {}))

    x = torch.ones(2)
    with Mode("outer"), Mode("inner"):
        y = torch.sin(x)
    assert y.tolist() == torch.sin(x).tolist()
    assert seen == [("inner", "sin"), ("outer", "sin")]


def test_a_function_of_ones_own():
    class Foreign:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    def mine(x):
        if has_torch_function((x,)):
            return handle_torch_function(mine, (x,), x)
        return x

    assert mine(3) == 3
    with pytest.raises(TypeError, match="no implementation found"):
        mine(Foreign())


def test_indexing_is_dispatched_by_its_dunder(oracle):
    for t in (oracle, torch):
        seen = []

        class Log(t.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                seen.append(func.__name__)  # noqa: B023
                return super().__torch_function__(func, types, args, kwargs or {})

        x = t.ones(2).as_subclass(Log)
        x[0]
        x[0] = 2
        assert seen == ["__getitem__", "__setitem__"]


GIVEN = (
    "torch.sum(s)", "torch.sum(s, 1)", "torch.sum(s, dim=1)", "torch.sum(s, 1, True)",
    "torch.mean(input=s)", "torch.add(s, t, alpha=2)", "torch.sub(s, 1, alpha=3)",
    "torch.topk(s, 2, largest=False)", "torch.cumsum(s, dim=0)", "torch.gather(s, 1, index=t)",
    "torch.addmm(s, t, t, beta=2)", "torch.argmax(s, dim=-1)", "torch.softmax(s, -1)",
    "torch.cat([s, s])", "torch.pow(s, 2)", "torch.tril(s, diagonal=1)", "torch.matmul(s, t)",
)  # fmt: skip
GIVEN_TO_A_SUBCLASS = (
    "x.sum()", "x.sum(dim=1)", "x.sum(-1, keepdim=True)", "x + 1", "x / 2", "x ** 2", "x @ x",
    "x.mean(dim=0)", "x.max(dim=1)", "x.to(torch.float64)", "x.float()", "x.size(0)", "x.item()",
    "x.tolist()", "x.numel()", "x.add(1, alpha=2)", "x[0]", "x.type(torch.int32)", "x.cpu()",
    "F.relu(x)", "F.softmax(x, dim=1)", "F.layer_norm(x, (3,), eps=1e-3)", "F.linear(x, x)",
    "F.cross_entropy(x, x, reduction='sum')", "F.dropout(x, 0.5, training=False)",
    "F.embedding(x, x)", "F.interpolate(x, scale_factor=2)", "F.conv2d(x, x, stride=2)",
    "torch.linalg.norm(x, ord=2)", "torch.flatten(x, 1)", "torch.clamp(x, min=0)",
)  # fmt: skip


def _handled(torch, text):
    """What a handler is given: the function's name, the arguments, the keyword arguments."""

    def plain(value):
        return "T" if isinstance(value, (Foreign, torch.Tensor)) else value

    def handler(cls, func, types, args=(), kwargs=None):
        named = {name: plain(value) for name, value in (kwargs or {}).items()}
        shown = [[*map(plain, a)] if isinstance(a, list) else plain(a) for a in args]
        return func.__name__, shown, named

    class Foreign:
        __torch_function__ = classmethod(handler)

    kind = torch.Tensor
    if " x" in f" {text}".replace("(", " "):
        kind = type("Sub", (torch.Tensor,), {"__torch_function__": classmethod(handler)})
    names = {
        "torch": torch, "F": torch.nn.functional, "s": Foreign(), "t": torch.ones(2, 3),
        "x": torch.ones(2, 3).as_subclass(kind),
    }  # fmt: skip
    return str(eval(text, names)).replace("flambeau.", "torch.")


@pytest.mark.parametrize("text", GIVEN + GIVEN_TO_A_SUBCLASS)
def test_handlers_get_what_was_given(oracle, text):
    assert _handled(torch, text).replace("linalg_", "") == _handled(oracle, text).replace(
        "linalg_", ""
    )


def test_modes_see_methods_and_keywords(oracle):
    def seen(torch):
        log = []

        class Mode(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                log.append((func.__name__, len(args), sorted(kwargs or {})))
                return func(*args, **(kwargs or {}))

        x = torch.ones(2, 3)
        with Mode():
            x.sum(dim=1), x[0], x.requires_grad_(), x.mean(), torch.cat([x, x], dim=0)
            torch.nn.functional.linear(x, x), x + 1, x.view(-1)
        return log

    assert seen(torch) == seen(oracle)


FOREIGN = """
import flambeau as torch
class Tagged:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return func.__name__
assert torch.add(torch.ones(2), Tagged()) == "add"
for name, args in {
    "broadcast_tensors": (Tagged(), Tagged()), "einsum": ("i,i->i", Tagged(), Tagged()),
    "hstack": ([Tagged()],), "meshgrid": (Tagged(),), "movedim": (Tagged(), 0, 1),
}.items():
    assert getattr(torch, name)(*args) == name
assert torch.nn.functional.mse_loss(Tagged(), Tagged()) == "mse_loss"
"""

GRAPH = """
import flambeau as torch
from flambeau import fx
graph = fx.Graph()
x = fx.Proxy(graph.placeholder("x"), fx.proxy.GraphAppendingTracer(graph))
graph.output(torch.einsum("ij->j", torch.cat([x, torch.broadcast_tensors(x, x)[0]])).node)
assert [n.name for n in graph.nodes][1:4] == ["broadcast_tensors", "getitem", "cat"]
found = fx.GraphModule(torch.nn.Module(), graph)(torch.ones(2, 3))
assert found.tolist() == [4.0, 4.0, 4.0]
"""


@pytest.mark.parametrize("program", [FOREIGN, GRAPH])
def test_functions_over_others_ask_from_the_first_handler_on(program):
    # A process of its own: once they ask, they always do.
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


DUCKS = (
    "torch.mean(d)", "torch.div(d, 1)", "torch.cat([d])", "torch.nn.functional.linear(d, d)",
    "torch.allclose(d, d)", "torch.tensor([5])[d]", "torch.tensor([5])[0, d]",
    "torch.tensor([5]).__setitem__(d, 1)", "torch.tensor([5]).__setitem__(0, d)",
    "torch.autograd.grad(d, d)",
)  # fmt: skip


@pytest.mark.parametrize("text", DUCKS)
def test_a_table_by_function_serves_a_class_that_is_no_tensor(oracle, text):
    def seen(t):
        table = {
            t.mean: "mean", t.div: "div", t.cat: "cat", t.nn.functional.linear: "linear",
            t.allclose: "allclose", t.Tensor.__getitem__: "get", t.Tensor.__setitem__: "set",
            t.autograd.grad: "grad",
        }  # fmt: skip

        class Duck:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                seen.append(table.get(func, NotImplemented))
                return seen[-1]

        seen: list = []
        for _ in range(2):
            eval(text, {"torch": t, "d": Duck()})
        return seen

    assert seen(torch) == seen(oracle)


def test_functions_that_ask_as_a_whole_are_the_ones_before():
    script = (
        "import flambeau as torch, pickle, inspect\n"
        "before = torch.div, torch.Tensor.reshape, torch.nn.functional.linear\n"
        "class Sub(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        "        return super().__torch_function__(func, types, args, kwargs)\n"
        "after = torch.div, torch.Tensor.reshape, torch.nn.functional.linear\n"
        "assert before == after and not set(before) - set(after)\n"
        "assert [f.__name__ for f in after] == ['div', 'reshape', 'linear']\n"
        "assert pickle.loads(pickle.dumps(torch.div)) == torch.div\n"
        "assert inspect.signature(torch.div) == inspect.signature(before[0])\n"
        "assert torch.ones(4).reshape(2, 2).shape == (2, 2)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", ["torch.abs(d)", "torch.nn.functional.dropout(d)"])
def test_a_handler_that_is_a_plain_method_is_warned_of(oracle, text):
    def warned(t):
        class Plain:
            def __torch_function__(self, *args, **kwargs):
                return 3

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = eval(text, {"torch": t, "d": Plain()})
        return found, caught[0].category

    assert warned(torch) == warned(oracle)


def test_new_tensors_of_a_subclass_are_of_it(oracle):
    def kinds(t):
        class Sub(t.Tensor):
            pass

        x = t.ones(2).as_subclass(Sub)
        made = x.new_ones(2), x.new_zeros(2), x.new_full((2,), 3.0), x.new_empty(2), x.new_tensor(2)
        return [type(each).__name__ for each in made]

    assert kinds(torch) == kinds(oracle)


def test_new_tensors_are_of_the_subclass():
    x = torch.ones(2, 3).as_subclass(Plain)
    for made in (
        x.new_zeros(2),
        x.new_ones(2),
        x.new_full((2,), 1.0),
        x.new_tensor([1.0]),
        x.new_empty_strided((2,), (1,)),
    ):
        assert type(made) is Plain


AFTER_A_DISPATCHER = """
import flambeau as torch

class Dispatching(torch.Tensor):
    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))

class Asking(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        asked.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})

asked = []
made = torch.zeros_like(torch.ones(2).as_subclass(Asking))
assert type(made) is Asking and "zeros_like" in asked, (type(made), asked)
"""


def test_factories_ask_beside_dispatchers():
    """In a process of its own: what asks is made when the first such class appears."""
    subprocess.run([sys.executable, "-c", AFTER_A_DISPATCHER], check=True)


def test_a_mode_that_declines_is_named():
    class Mode(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    with Mode(), pytest.raises(TypeError, match="nor in mode") as caught:
        torch.ones(2)
    assert caught.typename == "TypeError"


class Declining:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


class Reflecting(Declining):
    def answer(self, other):
        return -1

    __radd__ = __rsub__ = __rmul__ = __rpow__ = __rmatmul__ = __rtruediv__ = answer
    __gt__ = __rmod__ = __rand__ = __rfloordiv__ = answer


@pytest.mark.parametrize(
    "name", "add sub mul pow matmul truediv lt mod and_ floordiv iadd imul".split()
)
def test_operators_go_on_where_handlers_decline(name):
    act = getattr(operator, name)
    assert act(torch.ones(2), Reflecting()) == -1
    for pair in ((torch.ones(2), Declining()), (Declining(), torch.ones(2))):
        with pytest.raises(TypeError, match="support"):
            act(*pair)
    assert not torch.ones(2) == Declining()


def test_a_subclass_goes_on_where_the_mode_declines(oracle):
    def heard(torch):
        class Mode(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                seen.append([kind.__name__ for kind in types])
                return NotImplemented if types else func(*args, **(kwargs or {}))

        class Sub(torch.Tensor):
            pass

        def own(x):
            if torch.overrides.has_torch_function((x,)):
                return torch.overrides.handle_torch_function(own, (x,), x)
            return x

        seen, x = [], torch.ones(2).as_subclass(Sub)
        with Mode():
            kinds = [type(torch.neg(x)).__name__, type(own(x)).__name__]
        return kinds, seen

    assert heard(torch) == heard(oracle)
