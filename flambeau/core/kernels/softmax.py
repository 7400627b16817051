"""Softmax and its logarithm along one axis, on ndarrays, and their gradients.

The maximum is taken off first, so nothing overflows. Half precision is computed in float32 and
rounded once.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from flambeau.core.folds import fold_add, fold_max
from flambeau.core.kernels.generate import softmax as rows

__all__ = ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]

_NATIVE = frozenset((np.dtype("f4"), np.dtype("f8")))
SMALL = 1024
_top = fold_max
_total = fold_add


@lru_cache(64)
def _ones(count: int, dtype: Any) -> Any:
    """A column that adds up rows: a product with it is four times faster than a reduction of few
    numbers.
    """
    return np.ones((count, 1), dtype)


def _sums(e: Any, axis: int) -> Any:
    if e.ndim == 2 and axis == 1 and e.size <= SMALL:
        return e.dot(_ones(e.shape[1], e.dtype))
    return _total(e, axis, None, None, True)


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))``."""
    if not x.ndim:
        return softmax(x.reshape(1), 0).reshape(())
    x = np.ascontiguousarray(x)  # the result is row-major, however the input lies
    if not x.size:
        return x.copy()
    rest = _rest(x, axis)
    if rest is not None:
        return _half_softmax(x, axis, rest)
    generated = rows.forward("softmax", x, axis)
    if generated is not None:
        return generated
    if x.dtype not in _NATIVE:
        return softmax(x.astype("f4"), axis).astype(x.dtype)
    e = np.subtract(x, _top(x, axis, None, None, True))
    np.exp(e, e)
    return np.divide(e, _sums(e, axis), e)


ROW = 32
"""Halves that PyTorch takes at once where a softmax is not along the last axis; of the rest of a
row it keeps the exponentials in 16 bits."""


def _rest(x: Any, axis: int) -> Any:
    """Which columns of a half are such a rest; None where there is none."""
    shape = x.shape[axis % x.ndim + 1 :]
    inner = math.prod(shape)
    if x.dtype in _NATIVE or inner == 1 or inner % ROW == 0:
        return None
    return (np.arange(inner) >= inner - inner % ROW).reshape(shape)


def _half_softmax(x: Any, axis: int, rest: Any) -> Any:
    """In float32, but for the last columns."""
    wide, dtype = x.astype("f4"), x.dtype
    wide -= _top(wide, axis, None, None, True)
    np.exp(wide, wide)
    total = _sums(wide, axis)
    np.copyto(wide, wide.astype(dtype), where=rest)
    return np.divide(wide, total, wide).astype(dtype)


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))``."""
    if not x.ndim:
        return log_softmax(x.reshape(1), 0).reshape(())
    x = np.ascontiguousarray(x)  # the result is row-major, however the input lies
    if not x.size:
        return x.copy()
    generated = rows.forward("log_softmax", x, axis)
    if generated is not None:
        return generated
    if x.dtype not in _NATIVE:
        return _half_log_softmax(x, axis)
    e = np.subtract(x, _top(x, axis, None, None, True))
    total = _sums(np.exp(e), axis)
    return np.subtract(e, np.log(total, total), e)


def _half_log_softmax(x: Any, axis: int) -> Any:
    """In float32; along the last axis PyTorch keeps the sum and its logarithm in half precision."""
    wide, dtype = x.astype("f4"), x.dtype
    if axis not in (-1, x.ndim - 1) or not x.size:
        return log_softmax(wide, axis).astype(dtype)
    wide -= _top(wide, axis, None, None, True)
    total = _sums(np.exp(wide), axis).astype(dtype)
    return (wide - np.log(total.astype("f4")).astype(dtype).astype("f4")).astype(dtype)


def _in_rows(g: Any) -> Any:
    """A gradient in row-major order, unless it repeats numbers: then it is written along `out`."""
    return np.ascontiguousarray(g) if all(g.strides) else g


def softmax_backward(g: Any, out: Any, axis: int) -> Any:
    """``out * (g - sum(g * out))``."""
    if not g.ndim:
        return np.zeros_like(g)
    g = _in_rows(g)
    generated = rows.gradient("softmax", g, out, axis)
    if generated is not None:
        return generated
    if g.dtype not in _NATIVE:
        return softmax_backward(g.astype("f4"), out.astype("f4"), axis).astype(g.dtype)
    found = g * out
    total = _sums(found, axis if axis >= 0 else axis + g.ndim)
    found -= out * total
    return found


def log_softmax_backward(g: Any, out: Any, axis: int) -> Any:
    """``g - exp(out) * sum(g)``."""
    if not g.ndim:
        return np.zeros_like(g)
    g = _in_rows(g)
    generated = rows.gradient("log_softmax", g, out, axis)
    if generated is not None:
        return generated
    if g.dtype not in _NATIVE:
        return log_softmax_backward(g.astype("f4"), out.astype("f4"), axis).astype(g.dtype)
    found = np.exp(out)
    found *= _total(g, axis, None, None, True)
    return np.subtract(g, found, out=found)
