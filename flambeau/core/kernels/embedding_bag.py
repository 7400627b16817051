"""Bags of a table's rows on ndarrays: sums, maxima, and the sums of gradients back into the table.

Indices and the bags they belong to come checked, the bags in ascending order. Generated where that
can be done, else NumPy. Stands on the generated rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import embedding, memory
from flambeau.core.kernels.generate import picked
from flambeau.core.kernels.generate.rows_mixed import mix_rows
from flambeau.core.kernels.generate.rows_topped import top_rows

__all__ = ["maxima", "maxima_back", "sums", "sums_back"]

SHORT = 1 << 16
"""Numbers below this are sorted as 16 bits: in one pass for each byte."""


def sums(table: Any, index: Any, bag: Any, factors: Any, count: int) -> Any:
    """(count, D): the rows of `table` (V, D) that `index` (M) names, times `factors` (M) or None
    for 1, summed into `bag` (M).
    """
    found = memory.empty((count, table.shape[1]), table.dtype)
    values = np.ones(len(index), table.dtype) if factors is None else factors
    index = index.astype(np.int64, copy=False)
    if mix_rows(found, _begins(bag, count), index, values, table):
        return found
    found.fill(0)
    if len(index):
        rows = table[index] if factors is None else table[index] * factors[:, None]
        first = _firsts(bag)
        found[bag[first]] = np.add.reduceat(rows, first, axis=0)
    return found


def sums_back(g: Any, index: Any, bag: Any, factors: Any, count: int) -> Any:
    """(count, D): the rows of `g` that `bag` (M) names, times `factors` (M), summed into the rows
    that `index` (M) names.
    """
    order = np.argsort(index.astype(np.uint16) if count <= SHORT else index, kind="stable")
    begins = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(index, minlength=count), out=begins[1:])
    found = memory.empty((count, g.shape[1]), g.dtype)
    if mix_rows(found, begins, bag[order], factors[order], np.ascontiguousarray(g)):
        return found
    return embedding.rows_added(g[bag] * factors[:, None], index, count)


def maxima(table: Any, index: Any, bag: Any, count: int) -> tuple[Any, Any]:
    """The largest number of every column in every bag, 0 where there is none, and the row of the
    table it came from, -1 where there is none: (count, D) both.
    """
    width = table.shape[1]
    found = memory.empty((count, width), table.dtype)
    top = memory.empty((count, width), np.dtype("i8"))
    index = index.astype(np.int64, copy=False)
    if top_rows(found, top, _begins(bag, count), index, table):
        return found, top
    found.fill(0)
    top.fill(-1)
    if len(index):
        rows, first = table[index], _firsts(bag)
        found[bag[first]] = np.maximum.reduceat(rows, first, axis=0)
        for d in range(width):
            hits = np.flatnonzero(rows[:, d] == found[bag, d])[::-1]
            top[bag[hits], d] = index[hits]
    return found, top


def maxima_back(g: Any, top: Any, shape: tuple[int, ...]) -> Any:
    """The gradients of maxima, added to the rows they came from."""
    found = np.zeros(shape, g.dtype)
    chosen = top >= 0
    if not shape[0] or chosen.all():
        live, places = np.ascontiguousarray(g), top
    else:
        live, places = np.where(chosen, g, g.dtype.type(0)), np.maximum(top, 0)
    if shape[0] and not picked.add_elements(found, 0, places, live):
        n, d = np.nonzero(chosen)
        np.add.at(found, (top[n, d], d), g[n, d])
    return found


def _begins(bag: Any, count: int) -> Any:
    """Where each bag begins, and the last one ends."""
    return np.searchsorted(bag, np.arange(count + 1))


def _firsts(bag: Any) -> Any:
    """Where a bag follows another."""
    return np.flatnonzero(np.concatenate(([True], bag[1:] != bag[:-1])))
