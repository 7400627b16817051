"""The four operations: `alpha` multiplies in the dtype of the sum."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau


@pytest.mark.parametrize("name", ["add", "sub", "rsub"])
@pytest.mark.parametrize(("first", "second"), [("float32", "bfloat16"), ("float64", "int64")])
def test_alpha_multiplies_in_the_dtype_of_the_sum(
    name: str, first: str, second: str, oracle: Any
) -> None:
    found = []
    for engine in (flambeau, oracle):
        x = engine.linspace(-1, 1, 9, dtype=getattr(engine, first))
        y = engine.arange(1, 10).to(getattr(engine, second))
        pair = (y, x) if name == "rsub" else (x, y)
        made = getattr(engine, name)(*pair, alpha=0.001)
        found.append((str(made.dtype), made.double()))
    assert found[0][0] == found[1][0]
    assert found[0][1].tolist() == pytest.approx(found[1][1].tolist(), rel=1e-7)


def test_numbers_may_stand_alone_in_the_four_operations(oracle):
    calls = {
        "add": [(2, 3), (2.0, 3), (True, False)],
        "sub": [(2, 3), (2.5, 1)],
        "mul": [(2, 3), (2.0, 3j)],
        "div": [(1, 4), (True, True)],
        "true_divide": [(1, 4)],
        "floor_divide": [(7, 2), (-7.0, 2)],
    }
    for name, pairs in calls.items():
        for pair in pairs:
            ours, theirs = getattr(flambeau, name)(*pair), getattr(oracle, name)(*pair)
            assert str(ours) == str(theirs)
            assert str(ours.dtype) == str(theirs.dtype)
    assert flambeau.div(7, 2, rounding_mode="floor").item() == 3
    for name in ("remainder", "pow", "maximum", "atan2", "eq"):
        with pytest.raises(TypeError, match="must be Tensor"):
            getattr(flambeau, name)(2.0, 3.0)


def test_a_bool_is_not_subtracted():
    x = flambeau.ones(3)
    for call in (lambda: x - True, lambda: True - x, lambda: flambeau.sub(x, False)):
        with pytest.raises(RuntimeError, match="with a bool is not supported"):
            call()


@pytest.mark.parametrize(
    "form",
    [
        "t.add(a, b, alpha=2)", "t.sub(a, b, alpha=0.5)", "(a * 1).add_(b, alpha=2)",
        "(a * 1).sub_(b, alpha=2)", "t.add(a, k, alpha=2)", "t.add(k, k, alpha=3)",
        "t.add(k, k, alpha=0.5)", "t.add(a, 2, alpha=3)", "t.add(a, b, alpha=True)",
        "t.add(a, b[:, :1], alpha=2)", "t.sub(k, a, alpha=0.5)",
    ],
)  # fmt: skip
def test_alpha(form, oracle):
    found = []
    for t in (flambeau, oracle):
        a, b = (t.tensor([[1.0, 2.0], [x, 4.0]], requires_grad=True) for x in (3.0, 5.0))
        names = {"t": t, "a": a, "b": b, "k": t.tensor([[1, 2], [3, 4]])}
        try:
            y = eval(form, names)
        except Exception as problem:
            found.append(type(problem).__name__)
            continue
        if y.requires_grad:
            (y * y).sum().backward()
        node = y.grad_fn and (y.grad_fn.name(), len(y.grad_fn.next_functions))
        grads = [x.grad is not None and x.grad.tolist() for x in (a, b)]
        found.append((y.tolist(), str(y.dtype), node, grads))
    assert found[0] == found[1]


BOOLS = {
    "add": lambda t, b: t.add(b, b, alpha=3),
    "add in place": lambda t, b: b.add_(b, alpha=3),
    "add a number": lambda t, b: t.add(b, True, alpha=3),
    "pow": lambda t, b: t.pow(b, True),
    "pow of none": lambda t, b: b**False,
    "pow in place": lambda t, b: b.pow_(True),
    "clamp_min": lambda t, b: t.clamp_min(b, True),
    "clamp_max in place": lambda t, b: b.clamp_max_(True),
    "clamp": lambda t, b: t.clamp(b, False, True),
    "clamp to whole numbers": lambda t, b: t.clamp(b, 1),
}


@pytest.mark.parametrize("name", BOOLS)
def test_bools_stay_bools(name, oracle):
    found = []
    for t in (oracle, flambeau):
        try:
            made = BOOLS[name](t, t.tensor([True, False]))
            found.append((made.tolist(), str(made.dtype).rpartition(".")[2]))
        except NotImplementedError as error:
            found.append((type(error), ""))
    assert found[0] == found[1]


def test_every_reflected_operator_lets_strangers_answer():
    class Stranger:
        pass

    x = flambeau.ones(2)
    for name in "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul".split():
        assert getattr(x, f"__r{name}__")(Stranger()) is NotImplemented, name
