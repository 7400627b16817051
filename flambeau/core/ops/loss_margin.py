"""Margin losses over classes: multi_margin_loss and multilabel_margin_loss, a node each. Stands on
declare."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.batch.array import by_sample
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.ops.loss import fold
from flambeau.core.rules import both
from flambeau.core.taken import SINGLE_OR_DOUBLE, refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


def _rows(input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target with a batch."""
    return (input[None], target.reshape(1)) if input.ndim < 2 else (input, target)


def _check_classes(input: Any, target: Any, weight: Any) -> None:
    name = "multi_margin_loss"
    refuse_dtype(name, input.dtype, "", SINGLE_OR_DOUBLE)
    if input.ndim > 2 or input.size == 0 and input.shape[-1:] == (0,):
        raise fail(
            RuntimeError,
            name,
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}",
        )
    rows = input.shape[0] if input.ndim == 2 else 1
    if target.ndim > 1 or target.size != rows:
        raise fail(
            RuntimeError,
            name,
            f"inconsistent target size, expected {rows} but got {list(target.shape)}",
        )
    classes = input.shape[-1] if input.ndim else 1
    if target.size and (target.min() < 0 or target.max() >= classes):
        raise fail(
            RuntimeError,
            name,
            f"target out of range: there are {classes} classes, numbered from 0.",
        )
    if weight is not None and weight.size != classes:
        raise fail(
            RuntimeError,
            name,
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}",
        )


def _margins(x: Any, t: Any, margin: float) -> Any:
    """``max(0, margin - x[t] + x[i])`` for every class i but t."""
    rows = np.arange(len(t))
    found = np.maximum(x - x[rows, t][:, None] + x.dtype.type(margin), x.dtype.type(0))
    found[rows, t] = 0
    return found


@by_sample
def _sloped(x: Any, t: Any, p: int, margin: float, weight: Any) -> Any:
    """Each sample's gradient for its own row."""
    rows = np.arange(len(t))
    found = _margins(x, t, margin)
    slope = (found > 0).astype(x.dtype) if p == 1 else 2 * found
    if weight is not None:
        slope = slope * weight[t][:, None]
    slope = slope / x.dtype.type(x.shape[1])
    slope[rows, t] = -slope.sum(1)
    return slope


@both
def _multi_margin_rule(
    g: Any, input: Any, target: Any, p: int, margin: float, weight: Any, reduction: int
) -> Any:
    if type(g) is nd:
        x, t = _rows(np.atleast_1d(input), target)
        slope = _sloped(x, t, p, margin, weight)
        each = (
            g.reshape(-1, 1)
            if reduction == 0
            else g / g.dtype.type(len(t) if reduction == 1 else 1)
        )
        return (slope * each).reshape(input.shape)
    labels, held = target._array, None if weight is None else weight._array
    if p == 1:
        x, t = _rows(np.atleast_1d(input._array), labels)
        slope = wrap(_sloped(x, t, p, margin, held))
    else:
        x = input.reshape(-1, input.shape[-1] if input.dim() else 1)
        t = wrap(np.asarray(labels.reshape(-1, 1)))
        own = ops.gather(x, 1, t)
        others = ops.ones_like(x).scatter(1, t, 0.0)
        slope = 2 * (margin - own + x).clamp(min=0) * others
        if held is not None:
            slope = slope * wrap(held[labels.reshape(-1)][:, None])
        slope = slope / x.shape[1]
        slope = slope - (1 - others) * slope.sum(1, keepdim=True)
    each = g.reshape(-1, 1) if reduction == 0 else g / (labels.size if reduction == 1 else 1)
    return (slope * each).reshape(tuple(input.shape))


@primitive(
    name="_multi_margin_loss",
    node="MultiMarginLoss",
    function=False,
    method=False,
    vjp={"input": _multi_margin_rule},
)
def _multi_margin_loss(
    input, target, p: int = 1, margin: float = 1.0, weight=None, reduction: int = 1
):
    """``sum_(i != t) max(0, margin - x[t] + x[i])^p / C``."""
    _check_classes(input, target, weight)
    x, t = _rows(np.atleast_1d(input), target)
    found = _margins(x, t, margin) ** p
    if weight is not None:
        found = found * weight[t][:, None]
    loss = found.sum(1) / x.dtype.type(x.shape[1])
    if reduction == 0 and target.ndim == 0:
        return loss.reshape(())
    return fold(loss, reduction)


@composite(function=False)
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1,
    weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """``sum_(i != t) max(0, margin - x[t] + x[i])^p / C``, weighted by ``weight[t]``."""
    return ops._multi_margin_loss(input, target, p, margin, weight, reduction)


def _labels(input: Any, target: Any) -> tuple[Any, Any]:
    """Which classes are labels (N, C), and which entries of target count (those before the first
    -1).

    Raises:
        RuntimeError: shapes that differ, or a label that is not there.
    """
    name = "multilabel_margin_loss"
    refuse_dtype(name, input.dtype, "", SINGLE_OR_DOUBLE)
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise fail(
            RuntimeError,
            name,
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}",
        )
    if input.shape != target.shape and not (input.size == target.size == 1):
        raise fail(
            RuntimeError,
            name,
            f"inconsistent target size: {list(target.shape)} for input of size: "
            f"{list(input.shape)}",
        )
    rows = target.reshape(-1, input.shape[-1] if input.ndim else 1)
    if rows.size and (rows.min() < -1 or rows.max() >= rows.shape[1]):
        raise fail(
            RuntimeError,
            name,
            f"target is out of range: labels are numbered from 0 to {rows.shape[1] - 1}, -1 ends "
            "them.",
        )
    counts = np.logical_and.accumulate(rows >= 0, axis=1)
    found = np.zeros(rows.shape, bool)
    n, k = np.nonzero(counts)
    found[n, rows[n, k]] = True
    return found, counts


def _pairs(x: Any, target: Any) -> tuple[Any, Any, Any]:
    """``1 - x[t] + x[i]`` above 0 for every listed label t and class i that is none: (N, labels,
    classes)."""
    is_label, counts = _labels(x, target)
    rows = target.reshape(x.shape)
    own = np.take_along_axis(x, np.where(counts, rows, 0), 1)
    found = np.maximum(1 - own[:, :, None] + x[:, None, :], 0)
    found = found * (counts[:, :, None] & ~is_label[:, None, :])
    return found, counts, rows


@by_sample
def _label_slope(flat: Any, labels: Any) -> Any:
    """Each sample's gradient for its own row."""
    found, counts, rows = _pairs(flat, labels)
    active = (found > 0).astype(flat.dtype)
    slope = active.sum(1)
    n, k = np.nonzero(counts)
    np.subtract.at(slope, (n, rows[n, k]), active.sum(2)[n, k])
    slope /= flat.dtype.type(flat.shape[1])
    return slope


@both
def _multilabel_rule(g: Any, input: Any, target: Any, reduction: int) -> Any:
    x = input if type(g) is nd else input._array
    labels = target if type(g) is nd else target._array
    flat = x.reshape(-1, x.shape[-1] if x.ndim else 1)
    slope = _label_slope(flat, labels.reshape(flat.shape))
    if type(g) is nd:
        each = (
            g.reshape(-1, 1)
            if reduction == 0
            else g / g.dtype.type(len(flat) if reduction == 1 else 1)
        )
        return (slope * each).reshape(x.shape)
    scale = g.reshape(-1, 1) if reduction == 0 else g / (len(flat) if reduction == 1 else 1)
    return (wrap(slope) * scale).reshape(tuple(x.shape))


@primitive(
    name="_multilabel_margin_loss",
    node="MultilabelMarginLoss",
    function=False,
    method=False,
    vjp={"input": _multilabel_rule},
)
def _multilabel_margin_loss(input, target, reduction: int = 1):
    """``sum_(t, i) max(0, 1 - (x[t] - x[i])) / C``."""
    _labels(input, target)
    width = input.shape[-1] if input.ndim else 1
    flat = input.reshape(-1, width)
    found = _pairs(flat, target.reshape(flat.shape))[0].sum((1, 2)) / input.dtype.type(width)
    found = found.astype(input.dtype, copy=False)
    if reduction == 0 and input.ndim < 2:
        return found.reshape(())
    return fold(found, reduction)


@composite(function=False)
def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: int = 1) -> Tensor:
    """``sum_(t, i) max(0, 1 - (x[t] - x[i])) / C`` over labels t and the other classes i."""
    return ops._multilabel_margin_loss(input, target, reduction)
