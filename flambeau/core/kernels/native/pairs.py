"""Formulas of losses of corresponding elements, and their gradients: smooth absolute, Huber, cross
entropy of logits. 16-bit floats are rounded step by step, as PyTorch's. Stands on formulas and
smooth.
"""

from __future__ import annotations

from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.elementwise import FLOATS, Formula
from flambeau.core.kernels.native.formulas import exp, maximum, sigmoid
from flambeau.core.kernels.native.narrow import HALVES, settled
from flambeau.core.kernels.native.smooth import log1p

__all__ = ["PAIRS"]


def smooth_l1(f: Function, x: Value, target: Value, beta: Value) -> Value:
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``."""
    d = f.intrinsic("fabs", x - target)
    return f.select(d.lt(beta), d * 0.5 * d / beta, d - beta * 0.5)


def square_backward(f: Function, g: Value, x: Value, target: Value, worth: Value) -> Value:
    """``worth (x - t) g``, rounded where PyTorch rounds."""
    return settled(f, settled(f, x - target) * settled(f, worth)) * g


def smooth_l1_backward(f: Function, g: Value, x: Value, target: Value, beta: Value) -> Value:
    """Its gradient."""
    d = x - target
    return _slope(f, d, beta, d * (f.value(d.type, 1.0) / beta), f.value(d.type, 1.0)) * g


def huber(f: Function, x: Value, target: Value, delta: Value) -> Value:
    """``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``."""
    d = f.intrinsic("fabs", x - target)
    return f.select(d.lt(delta), d * 0.5 * d, delta * (d - delta * 0.5))


def huber_backward(f: Function, g: Value, x: Value, target: Value, delta: Value) -> Value:
    """Its gradient."""
    d = x - target
    return _slope(f, d, delta, d, delta) * g


def _slope(f: Function, d: Value, bound: Value, inside: Value, outside: Value) -> Value:
    """`inside` where d is within the bound, else `outside` with d's sign; NaN stays."""
    far = f.select(d.isnan(), d, f.intrinsic("copysign", outside, d))
    return f.select(f.intrinsic("fabs", d).lt(bound), inside, far)


def logits(f: Function, x: Value, target: Value) -> Value:
    """``(1 - t) x + log1p(exp(-|x|)) + max(-x, 0)``."""
    tail = log1p(f, exp(f, -f.intrinsic("fabs", x)))
    tail = settled(f, tail + maximum(f, -x, f.value(x.type, 0.0)))
    return settled(f, settled(f, f.value(x.type, 1.0) - target) * x) + tail


def logits_backward(f: Function, g: Value, x: Value, target: Value, count: Value) -> Value:
    """``(sigmoid(x) - t) g / count``."""
    away = settled(f, settled(f, sigmoid(f, x)) - target)
    return settled(f, away * g) / settled(f, count)


def square(f: Function, x: Value, target: Value) -> Value:
    """``(x - t)^2``."""
    d = settled(f, x - target)
    return d * d


PAIRS: dict[str, Formula] = {
    "mse_loss": Formula(square, 2, FLOATS, forms=("vv",), narrow=HALVES),
    "mse_loss_backward": Formula(square_backward, 4, FLOATS, forms=("vvvs", "svvs"), narrow=HALVES),
    "smooth_l1_loss": Formula(smooth_l1, 3, FLOATS, forms=("vvs",)),
    "smooth_l1_loss_backward": Formula(smooth_l1_backward, 4, FLOATS, forms=("vvvs", "svvs")),
    "huber_loss": Formula(huber, 3, FLOATS, forms=("vvs",)),
    "huber_loss_backward": Formula(huber_backward, 4, FLOATS, forms=("vvvs", "svvs")),
    "logits_loss": Formula(logits, 2, FLOATS, forms=("vv",), narrow=HALVES),
    "logits_loss_backward": Formula(
        logits_backward, 4, FLOATS, forms=("vvvs", "svvs"), narrow=HALVES
    ),
}
