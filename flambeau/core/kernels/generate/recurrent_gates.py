"""What a recurrent layer does to the sums of one step, on registers: the gates, the new state, and
their gradients. LSTM, GRU, tanh and relu.

Products, steps and memory are ``recurrent``'s, which hands in a `Cell`. Stands on the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.formulas import relu, sigmoid, tanh

__all__ = ["GATES", "STEPS", "Cell", "Step"]

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


class Cell(NamedTuple):
    """Access to one register of the state's columns in one row: `get` and `put` take a name of the
    context and, for gates, which one.
    """

    f: Function
    get: Callable[..., Value]
    put: Callable[..., None]


class Step(NamedTuple):
    """Both ways of one kind of layer."""

    forward: Callable[[Cell, list[Value]], Value]
    """From the sums, one for each gate, to the new state."""
    backward: Callable[[Cell, Value], Value | None]
    """Takes the gradient of the new state; puts the gates' gradients, and gives what goes to the
    old state on other ways than the product.
    """
    from_input: int
    """How many of the sums begin with the input's part; the others begin with the bias."""


def _lstm(cell: Cell, sums: list[Value]) -> Value:
    f = cell.f
    i, forget, o = (sigmoid(f, sums[k]) for k in (0, 1, 3))
    a = tanh(f, sums[2])
    before = cell.get("c")
    new = f.fma(forget, before, i * a)
    high = tanh(f, new)
    for k, gate in enumerate((i, forget, a, o)):
        cell.put("gates", gate, k)
    cell.put("first", before)
    cell.put("second", high)
    cell.put("c", new)
    return o * high


def _lstm_back(cell: Cell, slope: Value) -> None:
    f = cell.f
    i, forget, a, o = (cell.get("gates", k) for k in range(4))
    before, high = cell.get("first"), cell.get("second")
    one = f.value(slope.type, 1.0)
    inner = cell.get("c") + slope * o * (one - high * high)
    cell.put("slope", inner * a * i * (one - i), 0)
    cell.put("slope", inner * before * forget * (one - forget), 1)
    cell.put("slope", inner * i * (one - a * a), 2)
    cell.put("slope", slope * high * o * (one - o), 3)
    cell.put("c", inner * forget)


def _gru(cell: Cell, sums: list[Value]) -> Value:
    f = cell.f
    reset, update = sigmoid(f, sums[0]), sigmoid(f, sums[1])
    new = tanh(f, f.fma(reset, sums[2], cell.get("gates", 2)))
    for k, gate in enumerate((reset, update, new)):
        cell.put("gates", gate, k)
    cell.put("first", sums[2])
    return f.fma(cell.get("states") - new, update, new)


def _gru_back(cell: Cell, slope: Value) -> Value:
    reset, update, new = (cell.get("gates", k) for k in range(3))
    one = cell.f.value(slope.type, 1.0)
    inside = slope * (one - update) * (one - new * new)
    to_reset = inside * cell.get("first") * reset * (one - reset)
    to_update = slope * (cell.get("states") - new) * update * (one - update)
    for k, (outer, inner) in enumerate(
        ((to_reset, to_reset), (to_update, to_update), (inside, inside * reset))
    ):
        cell.put("slope", outer, k)
        cell.put("inner_slope", inner, k)
    return slope * update


def _tanh(cell: Cell, sums: list[Value]) -> Value:
    new = tanh(cell.f, sums[0])
    cell.put("gates", new, 0)
    return new


def _tanh_back(cell: Cell, slope: Value) -> None:
    new = cell.get("gates", 0)
    cell.put("slope", slope * (cell.f.value(slope.type, 1.0) - new * new), 0)


def _relu(cell: Cell, sums: list[Value]) -> Value:
    new = relu(cell.f, sums[0])
    cell.put("gates", new, 0)
    return new


def _relu_back(cell: Cell, slope: Value) -> None:
    cell.put("slope", cell.f.select(cell.get("gates", 0).gt(0), slope, 0.0), 0)


STEPS = {
    "lstm": Step(_lstm, _lstm_back, 4),
    "gru": Step(_gru, _gru_back, 2),
    "rnn_tanh": Step(_tanh, _tanh_back, 1),
    "rnn_relu": Step(_relu, _relu_back, 1),
}
