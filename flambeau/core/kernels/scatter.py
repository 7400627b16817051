"""Gathering and scattering on arrays: linear positions, sums at repeated indices, without loops
over elements.

Sums add repeated indices in their order, as PyTorch does. Indices come checked. Stands on NumPy.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from flambeau.core.kernels import late

__all__ = ["add_at", "add_in_turn", "add_rows", "combine_rows", "linear", "put_sum"]

nd = np.ndarray
_add_rows = late.placed("generate.slices", "add_rows")


def linear(index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    """The positions in a row-major array of `shape` that `gather(dim, index)` reads; of `index`'s
    shape.
    """
    step, offsets = (_offsets if index.size <= SMALL else _offsets.__wrapped__)(
        dim, shape, index.shape
    )
    found = index if step == 1 else index * step
    return found if offsets is None else found + offsets


SMALL = 1024


@lru_cache(64)
def _offsets(dim: int, shape: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, Any]:
    """How far one step along `dim` goes, and where the other dimensions' indices begin."""
    steps = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        steps[k] = steps[k + 1] * shape[k + 1]
    found = None
    for k, n in enumerate(wide):
        if k != dim and n > 1:
            part = np.arange(0, n * steps[k], steps[k]).reshape((n,) + (1,) * (len(shape) - k - 1))
            found = part if found is None else found + part
    return steps[dim], found


def add_at(flat: Any, places: Any, values: Any) -> None:
    """``flat[places] += values`` with repeated places adding up; all one-dimensional."""
    if flat.dtype.kind == "b":
        flat[places[values]] = True
    elif flat.dtype.kind in "fV" and flat.itemsize == 2:
        add_in_turn(flat, places, values)
    else:
        np.add.at(flat, places, values)


def add_in_turn(found: Any, places: Any, values: Any) -> None:
    """``found[places] += values`` along the first dimension: of every place the first value, then
    the second ones, and so on. 16-bit floats are rounded at every sum, as in PyTorch.
    """
    if not len(places):
        return
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    starts = np.flatnonzero(new)
    turn = np.arange(len(order)) - starts[np.cumsum(new) - 1]
    by_turn = order[np.argsort(turn, kind="stable")]
    ends = np.cumsum(np.bincount(turn))
    for low, high in zip((0, *ends[:-1]), ends, strict=True):
        chosen = by_turn[low:high]
        found[places[chosen]] += values[chosen]


def add_rows(rows: Any, places: Any, values: Any) -> None:
    """``rows[places] += values`` with repeated places adding up.

    Shapes: rows (n, width), places (m,), values (m, width). Generated where that can be done; else
        NumPy's `add.at` is fast on flat
        positions (0.67 ms for 4096
    rows of 64 into 1000, sorted sums of runs take 1.4) and slow on whole rows (2.2); long runs are
    summed faster sorted
    (0.54 against 0.92 ms into 10 rows).
    """
    width = rows.shape[1]
    if not places.size or not width or _add_rows(rows, places, values):
        return
    if rows.dtype.kind in "fV" and rows.itemsize == 2:
        add_in_turn(rows, places, values)
        return
    if width == 1:
        add_at(rows.reshape(-1), places, values.reshape(-1))
        return
    if places.size < 32 * len(rows) and values.size < 1 << 22:
        flat = (places[:, None] * width + np.arange(width)).reshape(-1)
        add_at(rows.reshape(-1), flat, values.reshape(-1))
        return
    combine_rows(rows, places, values, np.logical_or if rows.dtype.kind == "b" else np.add)


def combine_rows(rows: Any, places: Any, values: Any, function: np.ufunc) -> None:
    """``rows[places] = function(rows[places], values)``, repeated places combined in order."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == len(ordered):
        rows[places] = function(rows[places], values)
        return
    runs = function.reduceat(values[order], starts, axis=0)
    first = ordered[starts]
    rows[first] = function(rows[first], runs).astype(rows.dtype)


def put_sum(shape: tuple[int, ...], dim: int, index: Any, values: Any) -> Any:
    """Zeros of `shape` with `values` summed in at `index` (of any rank) of dimension `dim`.

    Values have `shape` with dimension `dim` replaced by the index's; negative indices count from
    the end.
    """
    found = np.zeros(shape, values.dtype)
    n = shape[dim]
    before, after = math.prod(shape[:dim]), math.prod(shape[dim + 1 :])
    flat = index.reshape(-1)
    if flat.size and flat.min() < 0:
        flat = np.where(flat < 0, flat + n, flat)
    if before > 1:
        flat = (np.arange(0, before * n, n)[:, None] + flat).reshape(-1)
    add_rows(found.reshape(before * n, after), flat, values.reshape(flat.size, after))
    return found
