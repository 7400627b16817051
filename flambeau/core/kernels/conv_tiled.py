"""Convolution of bfloat16 by the matrix unit, with stride 1 and one group: a product whose right
factor is read from the padded planes.

A row of that factor is a tap of a channel: the plane from the tap's place on. Rows of the padded
plane follow one another, so that all outputs are one run of columns, of which those between two
rows are left out. What is not served is widened in ``conv``. Stands on tiled.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory, tiled
from flambeau.core.kernels.generate.folds import fold
from flambeau.core.kernels.jit import matrix_unit
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import Ints, Pairs

__all__ = ["convolve", "weight_gradient"]

BLOCK = 32


class _Planes:
    """How outputs lie in a padded plane."""

    def __init__(
        self, channels: int, size: Ints, kernel: Ints, pads: Pairs, dilation: Ints
    ) -> None:
        self.size = tuple(n + low + high for n, (low, high) in zip(size, pads, strict=True))
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        self.out = tuple(n - r for n, r in zip(self.size, reach, strict=True))
        self.steps = tuple(prod(self.size[d + 1 :]) for d in range(len(size)))
        self.span = sum((o - 1) * s for o, s in zip(self.out, self.steps, strict=True)) + 1
        self.whole = self.span == prod(self.out)
        places: Any = np.arange(channels) * prod(self.size)
        for k, d, s in zip(kernel, dilation, self.steps, strict=True):
            places = places[..., None] + np.arange(k) * (d * s)
        self.count = places.size
        self.table = np.zeros(-(-places.size // BLOCK) * BLOCK, np.int64)
        self.table[: places.size] = places.reshape(-1)
        self.inside = tuple(slice(low, low + n) for n, (low, _) in zip(size, pads, strict=True))

    def padded(self, x: Any) -> Any:
        """(N, C, *S) with zeros around."""
        if x.shape[2:] == self.size:
            return np.ascontiguousarray(x)
        found = memory.empty((*x.shape[:2], *self.size), x.dtype)
        found.fill(0)
        found[(Ellipsis, *self.inside)] = x
        return found

    def view(self, runs: Any) -> Any:
        """The outputs in (N, K, span)."""
        steps = (s * runs.itemsize for s in self.steps)
        shape, strides = (*runs.shape[:2], *self.out), (*runs.strides[:2], *steps)
        return np.ndarray(shape, runs.dtype, runs, 0, strides)


@lru_cache(maxsize=256)
def _planes(channels: int, size: Ints, kernel: Ints, pads: Pairs, dilation: Ints) -> _Planes | None:
    if min(min(pair) for pair in pads) < 0:
        return None
    found = _Planes(channels, size, kernel, pads, dilation)
    return found if min(found.out) > 0 else None


def _of(input: Any, kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int) -> Any:
    """The planes of an input that is served."""
    if input.dtype is not tiled.BFLOAT16 or not matrix_unit.allowed() or not input.size:
        return None
    if groups != 1 or max(stride) > 1 or not input.flags.c_contiguous or not prod(kernel):
        return None
    pads = tuple((int(low), int(high)) for low, high in pads)
    return _planes(input.shape[1], input.shape[2:], tuple(kernel), pads, tuple(dilation))


def convolve(
    input: Any, weight: Any, bias: Any, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Any:
    """``conv.convolve``; None where it is not served."""
    planes = _of(input, weight.shape[2:], stride, pads, dilation, groups)
    if planes is None or weight.dtype is not input.dtype or not weight.size:
        return None
    x = planes.padded(input)
    left = np.ascontiguousarray(weight).reshape(len(weight), planes.count)
    runs = tiled.listed(
        left, x, planes.table, False, planes.span, planes.count, bias, tiled.BFLOAT16
    )
    if runs is None or planes.whole:
        return None if runs is None else runs.reshape(*runs.shape[:2], *planes.out)
    result = memory.empty((*runs.shape[:2], *planes.out), runs.dtype)
    np.copyto(result.view(np.int16), planes.view(runs.view(np.int16)))
    return result


def weight_gradient(
    grad: Any, input: Any, kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Any:
    """``conv.weight_gradient``; None where it is not served."""
    planes = _of(input, kernel, stride, pads, dilation, groups)
    if planes is None or grad.dtype is not input.dtype or grad.shape[2:] != planes.out:
        return None
    count, features = grad.shape[:2]
    if planes.whole:
        left = np.ascontiguousarray(grad).reshape(count, features, planes.span)
    else:
        left = memory.empty((count, features, planes.span), grad.dtype)
        left.fill(0)
        np.copyto(planes.view(left.view(np.int16)), grad.view(np.int16))
    x = planes.padded(input)
    parts = tiled.listed(left, x, planes.table, True, planes.count, planes.span, None, tiled.SINGLE)
    if parts is None:
        return None
    total = fold("sum", parts, (0,), False)
    total = parts.sum(0) if total is None else total
    return recast(total, grad.dtype).reshape(features, input.shape[1], *kernel)
