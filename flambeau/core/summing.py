"""Sums of float32 and float64 arrays in PyTorch's order: the same digits on one thread.

PyTorch keeps four running sums where elements lie apart, one for each column where many columns lie
side by side, and carries a running sum into the next level after some steps, so that rounding
errors grow slowly. Stands on NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["TYPES", "summed"]

TYPES = frozenset((np.dtype("f4"), np.dtype("f8")))
_BYTES = 32
"""Of a vector register, as PyTorch's sums are compiled."""


def summed(x: Any) -> Any:
    """The sum over the middle dimension of a contiguous (outer, n, inner): (outer, inner)."""
    width = _BYTES // x.itemsize
    if x.shape[2] == 1:
        return _along(x[..., 0], width)
    lanes = 4 if x.shape[2] < width else 4 * width
    whole = x.shape[2] // lanes * lanes
    if whole == x.shape[2]:
        return _levels(x)
    if not whole:
        return _four(x)
    return np.concatenate([_levels(x[..., :whole]), _four(x[..., whole:])], 1)


def _along(x: Any, width: int) -> Any:
    """Elements side by side: (outer, n) -> (outer, 1)."""
    outer, n = x.shape
    if n < width:
        return _four(x[..., None])
    whole = n // width * width
    lanes = _four(x[:, :whole].reshape(outer, n // width, width))
    return _one_by_one(np.concatenate([x[:, whole:], lanes], 1)[..., None])


def _four(x: Any) -> Any:
    """Four running sums, taken in turns."""
    outer, n, inner = x.shape
    turns = n // 4
    parts = _levels(x[:, : 4 * turns].reshape(outer, turns, 4 * inner)).reshape(outer, 4, inner)
    first = parts[:, 0]
    for k in range(4 * turns, n):
        first = first + x[:, k]
    return ((first + parts[:, 1]) + parts[:, 2]) + parts[:, 3]


def _levels(x: Any) -> Any:
    """A running sum that is carried on after some steps: what is left at each level, added up."""
    n = x.shape[1]
    if n < 16:
        return _one_by_one(x)
    power = max(4, math.ceil(math.log2(n)) // 4)
    found = None
    for level in range(4):
        whole = n >> power << power if level < 3 else 0
        rest = _one_by_one(x[:, whole:])
        found = rest if found is None else found + rest
        if not whole:
            break
        outer, _, inner = x.shape
        blocks = x[:, :whole].reshape(outer * (whole >> power), 1 << power, inner)
        x = _one_by_one(blocks).reshape(outer, whole >> power, inner)
        n = whole >> power
    return found


def _one_by_one(x: Any) -> Any:
    if not x.shape[1]:
        return np.zeros((x.shape[0], x.shape[2]), x.dtype)
    if x.shape[2] == 1:  # NumPy would add in pairs
        return np.add.accumulate(x, 1)[:, -1]
    return np.add.reduce(x, 1)
