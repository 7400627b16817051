"""Negative log-likelihood of class indices, on ndarrays, alone and fused with log-softmax.

Targets are checked with one reduction: seen as unsigned, a negative index is a large one. Classes
lie along axis 1
(axis 0 of a vector).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.folds import fold_max
from flambeau.core.kernels.generate import picked as elements
from flambeau.core.kernels.generate.softmax import class_gradient
from flambeau.core.kernels.native import classes, rows
from flambeau.core.kernels.softmax import log_softmax

__all__ = ["NONE", "cross_entropy", "cross_entropy_backward", "nll", "nll_backward", "picked"]

NONE, MEAN, SUM = range(3)
_LONG = np.dtype("i8")
_UNSIGNED = np.dtype("u8")
_NATIVE = frozenset((np.dtype("f4"), np.dtype("f8")))
_most = fold_max
_log_softmax = rows.lazily("log_softmax", log_softmax)


def picked(op: str, target: Any, classes: int, ignore_index: int) -> Any:
    """None when every target counts, else the mask of those that do.

    Raises:
        IndexError: a class that is not there.
    """
    if not target.size:
        return None
    if target.dtype is _LONG:
        worst = (
            _most(target.view(_UNSIGNED), None)
            if target.ndim
            else np.uint64(int(target) % (1 << 64))
        )
    else:
        worst = target.max() if target.min() >= 0 else classes
    if worst < classes and not 0 <= ignore_index < classes:
        return None
    counts = target != ignore_index
    live = target[counts]
    if live.size and (live.min() < 0 or live.max() >= classes):
        wrong = int(live[(live < 0) | (live >= classes)][0])
        raise fail(
            IndexError,
            op,
            f"Target {wrong} is out of bounds: input has {classes} classes, numbered from 0. "
            "Labels from 1 need - 1; "
            "labels to leave out need ignore_index.",
        )
    return None if live.size == target.size else counts


def _grid(target: Any) -> tuple[Any, ...]:
    """The index of each sample's target: (N, C, *S) at (n, target[n, *s], *s)."""
    if target.ndim == 0:
        return (target,)
    if target.ndim == 1:
        return _range(target.shape[0]), target
    first, *rest = np.ogrid[tuple(slice(n) for n in target.shape)]
    return (first, target, *rest)


def _at(x: Any, target: Any) -> Any:
    """Each sample's number of its own class."""
    if target.ndim and target.size >= elements.SMALLEST:
        found = elements.elements(x, 1, np.expand_dims(target, 1))
        if found is not None:
            return found.reshape(target.shape)
    return x[_grid(target)]


def _weights(target: Any, weight: Any, counts: Any, dtype: Any) -> Any:
    """Each sample's weight, or None where all are 1."""
    if weight is None and counts is None:
        return None
    if weight is None:
        return counts.astype(dtype)
    found = weight[target if counts is None else np.where(counts, target, 0)]
    return found if counts is None else found * counts


def nll(
    x: Any, target: Any, weight: Any, reduction: int, ignore_index: int, op: str = "nll_loss"
) -> Any:
    """``-weight[t] x[t]``, reduced; the mean is over the weights."""
    dtype = x.dtype
    if weight is None and reduction == MEAN and _plain(x, target, ignore_index):
        return _picked_mean(x, target)
    if dtype.itemsize == 2:
        wide = None if weight is None else weight.astype("f4")
        each = nll(x.astype("f4"), target, wide, NONE, ignore_index, op).astype(dtype)
        if reduction == NONE:
            return each
        total = _cascade(each.reshape(-1))
        if reduction == SUM:
            return total
        counts = picked(op, target, x.shape[1 if x.ndim > 1 else 0], ignore_index)
        w = _weights(target, weight, counts, dtype)
        return total / (
            dtype.type(target.size) if w is None else _cascade(np.asarray(w).reshape(-1))
        )
    counts = picked(op, target, x.shape[1 if x.ndim > 1 else 0], ignore_index)
    w = _weights(target, weight, counts, dtype)
    found = np.negative(_at(x, target if counts is None else np.where(counts, target, 0)))
    if w is not None:
        found = np.where(w == 0, dtype.type(0), found * w) if counts is not None else found * w
    if reduction == NONE:
        return found
    total = found.sum(dtype=dtype) if found.ndim else found
    if reduction == SUM:
        return total
    return total / (dtype.type(target.size) if w is None else w.sum(dtype=dtype))


def _cascade(values: Any) -> Any:
    """A sum of 16-bit numbers in PyTorch's order, rounded after every step: eight levels, each of
    which passes its sum on after every 2**k numbers. The first number goes to the highest level.
    """
    bits = max(4, -(-max(len(values) - 1, 0).bit_length() // 8))
    levels = [values.dtype.type(0)] * 7 + [values[0] if len(values) else values.dtype.type(0)]
    if len(values) > 1:
        rest = values[1:]
        for level in range(8):
            whole = len(rest) >> bits << bits if level < 7 else 0
            levels[level] = levels[level] + _in_order(rest[whole:])
            if not whole:
                break
            rest = _in_order(rest[:whole].reshape(-1, 1 << bits))
    total = values.dtype.type(0)
    for one in levels:
        total = total + one
    return np.asarray(total, values.dtype)


def _in_order(values: Any) -> Any:
    if not values.shape[-1]:
        return values.dtype.type(0)
    return np.add.accumulate(values, -1)[..., -1]


def _share(g: Any, target: Any, w: Any, reduction: int, dtype: Any) -> Any:
    """What each sample's ``-x[t]`` is worth in the loss."""
    if reduction == MEAN:
        g = g / (dtype.type(max(target.size, 1)) if w is None else w.sum(dtype=dtype))
    share = -g if w is None else np.where(w == 0, dtype.type(0), -g * w)
    return share


def nll_backward(
    g: Any, shape: Any, target: Any, weight: Any, reduction: int, ignore_index: int
) -> Any:
    """The gradient of :func:`nll` for its input: zeros but at the targets."""
    dtype = g.dtype
    counts = picked("nll_loss", target, shape[1 if len(shape) > 1 else 0], ignore_index)
    w = _weights(target, weight, counts, dtype)
    found = np.zeros(shape, dtype)
    found[_grid(target if counts is None else np.where(counts, target, 0))] = _share(
        g, target, w, reduction, dtype
    )
    return found


@lru_cache(maxsize=32)
def _range(n: int) -> Any:
    return np.arange(n)


@lru_cache(maxsize=32)
def _ones(n: int, dtype: Any) -> Any:
    return np.ones(n, dtype)


def _plain(x: Any, target: Any, ignore_index: int) -> bool:
    """Whether a mean over (N, C) in single or double precision counts every target: the training
    loop's case."""
    if x.ndim != 2 or target.dtype is not _LONG or x.dtype not in _NATIVE or not x.size:
        return False
    return ignore_index < 0 and bool(_most(target.view(_UNSIGNED)) < x.shape[1])


def _mean_by_numpy(logs: Any, target: Any) -> Any:
    N = len(logs)
    return logs[_range(N), target].dot(_ones(N, logs.dtype)) / logs.dtype.type(-N)


def _gradient_by_numpy(g: Any, logs: Any, target: Any) -> Any:
    N, C = logs.shape
    found = np.exp(logs)
    flat = found.reshape(-1)
    at = _range(N) * C
    at += target
    flat[at] -= 1
    found *= g * logs.dtype.type(1.0 / N)
    return found


_picked_mean = classes.lazily("picked_mean", _mean_by_numpy)
_class_gradient = classes.lazily("class_gradient", _gradient_by_numpy)
_log_rows = rows.lazily("log_softmax", log_softmax)


def cross_entropy(x: Any, target: Any, reduction: int, ignore_index: int) -> Any:
    """The loss of logits, and their log-softmax for the way back."""
    if reduction == MEAN and _plain(x, target, ignore_index):
        logs = _log_softmax(x, 1)
        return _picked_mean(logs, target), logs
    logs = _log_softmax(x, 1 if x.ndim > 1 else 0)
    return nll(logs, target, None, reduction, ignore_index, "cross_entropy"), logs


def cross_entropy_backward(
    g: Any, logs: Any, target: Any, reduction: int, ignore_index: int
) -> Any:
    """``(softmax - onehot)`` times what each sample is worth."""
    dtype = logs.dtype
    if reduction == MEAN and _plain(logs, target, ignore_index):
        if logs.size <= classes.LARGEST:
            return _class_gradient(g, logs, target)
        generated = class_gradient(logs, target, np.asarray(g / dtype.type(len(logs))))
        return _gradient_by_numpy(g, logs, target) if generated is None else generated
    if dtype.itemsize == 2:
        if reduction == MEAN:  # what a sample is worth has 16 bits
            classes_in = logs.shape[1 if logs.ndim > 1 else 0]
            counted = picked("cross_entropy", target, classes_in, ignore_index)
            g = g / dtype.type(max(target.size, 1) if counted is None else counted.sum())
            reduction = SUM
        found = cross_entropy_backward(
            g.astype("f4"), logs.astype("f4"), target, reduction, ignore_index
        )
        return found.astype(dtype)
    axis = 1 if logs.ndim > 1 else 0
    counts = picked("cross_entropy", target, logs.shape[axis], ignore_index)
    w = None if counts is None else counts.astype(dtype)
    share = _share(g, target, w, reduction, dtype)
    if logs.ndim == 2:
        generated = class_gradient(logs, target, np.asarray(-share))
        if generated is not None:
            return generated
    found = np.exp(logs)
    found[_grid(target if counts is None else np.where(counts, target, 0))] -= 1
    found *= -share if not np.ndim(share) else np.expand_dims(-share, axis)
    return found
