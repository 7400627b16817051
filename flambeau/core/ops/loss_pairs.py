"""Losses of corresponding elements that are one node: squared, smooth absolute, Huber, binary
cross entropy.

A reduction is 0 none, 1 mean, 2 sum. Stands on declare and ``loss``'s helpers.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import FLOATING_KINDS, of
from flambeau.core.errors import fail
from flambeau.core.kernels.native import choose
from flambeau.core.kernels.smooth import sigmoid
from flambeau.core.ops.loss import fold, pair_shape, portion, share
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray


def _choose(condition: Any, a: Any, b: Any) -> Any:
    """``where`` on arrays and Tensors alike."""
    return (
        ops.where(condition, a, b) if isinstance(condition, Tensor) else np.where(condition, a, b)
    )


def _abs(x: Any) -> Any:
    return ops.abs(x) if isinstance(x, Tensor) else np.abs(x)


def _sign(x: Any) -> Any:
    return ops.sign(x) if isinstance(x, Tensor) else np.sign(x)


def _smooth_slope(g: Any, input: Any, target: Any, beta: float) -> Any:
    d = input - target
    return np.where(np.abs(d) < beta, d * d.dtype.type(1.0 / beta), np.sign(d)) * g


_smooth_native = choose.lazily("smooth_l1_loss_backward", choose.in_single(_smooth_slope))


@both
def _smooth_rule(g: Any, input: Any, target: Any, reduction: int, beta: float) -> Any:
    if type(g) is nd:
        return _smooth_native(np.asarray(portion(g, input.shape, reduction)), input, target, beta)
    d = input - target
    return _choose(_abs(d) < beta, d * (1.0 / beta), _sign(d)) * portion(g, d.shape, reduction)


@both
def _smooth_other(g: Any, input: Any, target: Any, reduction: int, beta: float) -> Any:
    return -_smooth_rule(g, input, target, reduction, beta)


@primitive(
    promote=("input", "target"),
    function=False,
    method=False,
    infer=pair_shape,
    name="_smooth_l1_loss",
    node="SmoothL1Loss",
    vjp={"input": _smooth_rule, "target": _smooth_other},
)
def _smooth_l1_loss(input, target, reduction: int = 1, beta: float = 1.0):
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``."""
    refuse_dtype("smooth_l1_loss", input.dtype, "f")
    return fold(_smooth_each(input, target, float(beta)), reduction)


def _smooth_plainly(input: Any, target: Any, beta: float) -> Any:
    t = input.dtype.type
    d = np.abs(input - target)
    return np.where(d < t(beta), t(0.5) * d * d / t(beta), d - t(0.5 * beta))


_smooth_each = choose.lazily("smooth_l1_loss", _smooth_plainly)


@composite(function=False)
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: int = 1, beta: float = 1.0) -> Tensor:
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``; the absolute value for
    beta 0.

    Raises:
        RuntimeError: a negative beta.

    Reference: Girshick, Fast R-CNN, 2015, arXiv:1504.08083.
    """
    if beta < 0:
        raise fail(
            RuntimeError,
            "smooth_l1_loss",
            f"smooth_l1_loss does not support negative values for beta, got {beta}.",
        )
    if beta == 0:
        return ops.l1_loss(input, target, reduction)
    return ops._smooth_l1_loss(input, target, reduction, beta)


def _huber_plain_slope(input: Any, target: Any, delta: float) -> Any:
    d = input - target
    return np.where(np.abs(d) < delta, d, np.sign(d) * d.dtype.type(delta))


def _huber_slope(g: Any, input: Any, target: Any, delta: float) -> Any:
    return _huber_plain_slope(input, target, delta) * g


_huber_native = choose.lazily("huber_loss_backward", _huber_slope)


@both
def _huber_rule(g: Any, input: Any, target: Any, reduction: int, delta: float) -> Any:
    if type(g) is nd and g.dtype.itemsize == 2:
        slope = _huber_plain_slope(input, target, delta)
        return slope * g.dtype.type(share(input.shape, reduction)) * g
    if type(g) is nd:
        return _huber_native(np.asarray(portion(g, input.shape, reduction)), input, target, delta)
    d = input - target
    return _choose(_abs(d) < delta, d, _sign(d) * delta) * portion(g, d.shape, reduction)


@both
def _huber_other(g: Any, input: Any, target: Any, reduction: int, delta: float) -> Any:
    return -_huber_rule(g, input, target, reduction, delta)


@primitive(
    promote=("input", "target"),
    function=False,
    method=False,
    infer=pair_shape,
    name="_huber_loss",
    node="HuberLoss",
    vjp={"input": _huber_rule, "target": _huber_other},
)
def _huber_loss(input, target, reduction: int = 1, delta: float = 1.0):
    """``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``."""
    refuse_dtype("huber_loss", input.dtype, "f")
    return fold(_huber_each(input, target, float(delta)), reduction)


def _huber_plainly(input: Any, target: Any, delta: float) -> Any:
    t = input.dtype.type
    d = np.abs(input - target)
    return np.where(d < t(delta), t(0.5) * d * d, t(delta) * (d - t(0.5 * delta)))


_huber_each = choose.lazily("huber_loss", choose.in_single(_huber_plainly, "f"))


@composite(function=False)
def huber_loss(input: Tensor, target: Tensor, reduction: int = 1, delta: float = 1.0) -> Tensor:
    """``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``.

    Raises:
        RuntimeError: delta not positive.

    Reference: Huber, Robust estimation of a location parameter, 1964.
    """
    if delta <= 0:
        raise fail(
            RuntimeError,
            "huber_loss",
            f"huber_loss does not support non-positive values for delta, got {delta}.",
        )
    return ops._huber_loss(input, target, reduction, delta)


def _bounded(logarithm: Any) -> Any:
    """Not below -100: the loss of a certain error stays finite."""
    return np.maximum(logarithm, logarithm.dtype.type(-100))


def _count(shape: Any, reduction: int) -> int:
    """By how many elements a mean is divided."""
    return max(prod(shape), 1) if reduction == 1 else 1


@both
def _bce_rule(g: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    spread = (1 - input) * input
    floor = spread.clamp(min=1e-12) if isinstance(spread, Tensor) else np.maximum(spread, 1e-12)
    found = g * (input - target) / floor
    if weight is not None:
        found = found * weight
    return found / _count(input.shape, reduction)


@both
def _bce_target(g: Any, input: Any, target: Any, weight: Any, reduction: int) -> Any:
    logit = ops.logit(input) if isinstance(input, Tensor) else np.log(input / (1 - input))
    found = g * -logit
    if weight is not None:
        found = found * weight
    return found / _count(input.shape, reduction)


@primitive(
    function=False,
    method=False,
    name="binary_cross_entropy",
    vjp={"input": _bce_rule, "target": _bce_target},
    infer=lambda input, target, weight, reduction: pair_shape(input, target, reduction),
)
def _binary_cross_entropy(input, target, weight=None, reduction: int = 1):
    """``-(target log(input) + (1 - target) log(1 - input))``, the logarithms not below -100."""
    refuse_dtype("binary_cross_entropy", input.dtype, "f")
    if input.dtype != target.dtype:
        from flambeau.core.dtypes import of

        raise fail(
            RuntimeError,
            "binary_cross_entropy",
            f"Found dtype {of(target.dtype).legacy} but expected {of(input.dtype).legacy}: target "
            "and input need one dtype.",
        )
    if input.size and not (input.min() >= 0 and input.max() <= 1):
        raise fail(
            RuntimeError,
            "binary_cross_entropy",
            "all elements of input should be between 0 and 1. Apply sigmoid first, or use "
            "binary_cross_entropy_with_logits.",
        )
    found = (target - 1) * _bounded(np.log1p(-input)) - target * _bounded(np.log(input))
    if weight is not None:
        found = found * weight
    return fold(found, reduction)


_sigmoid = choose.in_single(sigmoid)
_tail = choose.in_single(lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0))
"""``-log(sigmoid(x))``."""


def _logits_slope(g: Any, input: Any, target: Any, count: int) -> Any:
    return (_sigmoid(input) - target) * g / input.dtype.type(count)


def _logits_plainly(input: Any, target: Any) -> Any:
    return (1 - target) * input + _tail(input)


_logits_native = choose.lazily("logits_loss_backward", _logits_slope)
_logits_each = choose.lazily("logits_loss", _logits_plainly)


@both
def _logits_rule(
    g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    if type(input) is nd:
        if weight is None and pos_weight is None:
            return _logits_native(g, input, target, _count(_shape(input, target), reduction))
        s = _sigmoid(input)
    else:
        s = ops.sigmoid(input)
    if pos_weight is None:
        found = s - target
    else:
        rise = pos_weight * target
        found = (rise + 1 - target) * s - rise
    found = found * g
    if weight is not None:
        found = found * weight
    return found / _count(_shape(input, target, weight, pos_weight), reduction)


def _shape(*given: Any) -> Any:
    return np.broadcast_shapes(*(tuple(each.shape) for each in given if each is not None))


@both
def _logits_target(
    g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    if pos_weight is None:
        found = -input
    elif type(input) is nd:
        found = pos_weight * _tail(input) - _tail(-input)
    else:
        found = ops.logsigmoid(-input) - pos_weight * ops.logsigmoid(input)
    if weight is not None:
        found = found * weight
    return found * g / _count(_shape(input, target, weight, pos_weight), reduction)


@primitive(
    promote=("input", "target", "weight", "pos_weight"),
    function=False,
    method=False,
    name="_bce_with_logits",
    node="BinaryCrossEntropyWithLogits",
    vjp={"input": _logits_rule, "target": _logits_target},
    infer=lambda input, target, weight, pos_weight, reduction: pair_shape(input, target, reduction),
)
def _bce_with_logits(input, target, weight=None, pos_weight=None, reduction: int = 1):
    """``(1 - t) x + (1 + (p - 1) t) (log1p(exp(-|x|)) + max(-x, 0))``, weighted."""
    refuse_dtype("binary_cross_entropy_with_logits", input.dtype, "f")
    if weight is None and pos_weight is None:
        return fold(_logits_each(input, target), reduction)
    tail = _tail(input)
    if pos_weight is not None:
        tail = tail * ((pos_weight - 1) * target + 1)
    found = (1 - target) * input + tail
    if weight is not None:
        found = found * weight
    return fold(found, reduction)


@composite()
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:
    """Binary cross entropy of ``sigmoid(input)``, computed without overflow; of the target's dtype.

    Raises:
        RuntimeError: the target is not of floating point.
    """
    refuse_dtype("binary_cross_entropy_with_logits", input._array.dtype, "f")
    dtype = target._array.dtype
    if dtype.kind not in FLOATING_KINDS:
        raise fail(
            RuntimeError,
            "binary_cross_entropy_with_logits",
            f"result type {of(input._array.dtype).legacy} can't be cast to the desired output type "
            f"{of(dtype).legacy}: target must be probabilities, not class numbers. Convert it with "
            f".to(input.dtype), or use cross_entropy for classes.",
        )
    found = ops._bce_with_logits(input, target, weight, pos_weight, reduction)
    return found if found._array.dtype == dtype else found.to(of(dtype))


@both
def _margin_rule(g: Any, input: Any, target: Any, reduction: int) -> Any:
    # Where the exponential overflows there is no gradient but NaN, as in PyTorch.
    power = (np.exp if type(g) is nd else ops.exp)(-target * input)
    found = -target * power
    if reduction == 1:  # the share is rounded to the dtype
        part = share(input.shape, reduction)
        kind = input.dtype
        found = found * (kind.type(part) if type(g) is nd else ops.scalar_tensor(part, dtype=kind))
    return found / (power + 1) * g


@primitive(
    function=False,
    method=False,
    name="soft_margin_loss",
    node="SoftMarginLoss",
    infer=pair_shape,
    promote=("input", "target"),
    vjp={"input": _margin_rule},
)
def _soft_margin_loss(input, target, reduction: int = 1):
    """``log(1 + exp(-target * input))``.

    Raises:
        RuntimeError: integers, in which no logarithm is written.
    """
    if input.dtype.kind in "biu":
        raise fail(
            RuntimeError,
            "soft_margin_loss",
            f"result type Float can't be cast to the desired output type {of(input.dtype).legacy}: "
            "use .float()",
        )
    return fold(np.log1p(np.exp(-target * input)), reduction)
