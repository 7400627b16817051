"""Products of two sparse matrices: whole, and at chosen places alone (what their gradients need).

By generated code; else through SciPy's compiled loops where it is installed; else every value meets
the row that its column names, by NumPy. Arrays in, arrays out. Stands on data, convert and kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.kernels.generate import rows_met
from flambeau.core.layout import sparse_csr
from flambeau.sparse.convert import compress
from flambeau.sparse.data import COO, Compressed
from flambeau.sparse.kernels import LOOPED, flip, gather, loops

__all__ = ["at_places", "product"]

Rows = tuple[Any, Any, Any]
"""A matrix by rows: pointers, columns (in order), values."""


def product(a: Any, b: Any) -> Any:
    """``a @ b``: coordinates where `a` has them, else rows; batches go through dense matrices."""
    if not _plain(a) or not _plain(b):
        first, second = a.to_coo().coalesced(), b.to_coo().coalesced()
        if first.dense_dim or second.dense_dim or first.ndim != 2 or second.ndim != 2:
            return np.matmul(a.dense(), b.dense())
        found = product(first, second)
        return compress(found, a.layout if not a.blocked else b.layout)
    dtype = np.result_type(a.dtype, b.dtype)
    n, m = a.shape[0], b.shape[1]
    first, second = _by_rows(a, dtype), _by_rows(b, dtype)
    for (_, columns, _), width in ((first, a.shape[1]), (second, m)):
        if columns.size and columns.view(np.uint64).max() >= width:  # negative ones are the largest
            raise fail(
                IndexError,
                "mm",
                f"a sparse factor names a column outside its {width}: make it with "
                "check_invariants=True, which tells where.",
            )
    found = rows_met.meet_rows(first, second, n, m)
    if found is None:
        multiply = _looped if loops is not None and dtype.char in LOOPED else _expanded
        found = multiply(first, second, n, a.shape[1], m)
    return _coordinates(found, n, m) if type(a) is COO else Compressed(*found, (n, m), sparse_csr)


def _plain(a: Any) -> bool:
    if type(a) is COO:
        return a.ndim == 2 and not a.dense_dim
    return not (a.batch or a.blocked or a.dense_dim)


def _by_rows(a: Any, dtype: Any) -> Rows:
    if type(a) is Compressed and a.by_row:
        pointers, columns, values = a.compressed, a.plain, a.values
    else:
        a = a.to_coo().coalesced()
        pointers, columns, order = a.rows()
        values = a.values if order is None else a.values[order]
    return (
        np.ascontiguousarray(pointers, np.int64),
        np.ascontiguousarray(columns, np.int64),
        np.ascontiguousarray(values, dtype),
    )


def _coordinates(found: Rows, n: int, m: int) -> COO:
    pointers, columns, values = found
    indices = np.empty((2, len(columns)), np.int64)
    indices[0], indices[1] = np.arange(n).repeat(pointers[1:] - pointers[:-1]), columns
    return COO(indices, values, (n, m), True)


def _turned(rows: Rows, n: int, m: int) -> Rows:
    """The transpose by rows, from SciPy's loop: it counts, so its columns come in order."""
    pointers, columns, values = rows
    found = np.empty(m + 1, np.int64), np.empty_like(columns), np.empty_like(values)
    loops.csr_tocsc(n, m, pointers, columns, values, *found)
    return found


def _looped(a: Rows, b: Rows, n: int, k: int, m: int) -> Rows:
    """By SciPy. Its product names columns in any order: made transposed, turning it sorts them.

    SciPy leaves out sums that come to 0, PyTorch keeps their places.
    """
    first, second = _turned(b, k, m), _turned(a, n, k)
    most = loops.csr_matmat_maxnnz(m, n, *first[:2], *second[:2])
    found = _unsorted(first, second, m, n, most)
    if len(found[1]) == most:
        return _turned(found, m, n)
    there, here = ((*part[:2], np.ones_like(part[2])) for part in (first, second))
    pointers, columns, places = _turned(_unsorted(there, here, m, n, most), m, n)
    rows = np.repeat(np.arange(n), np.diff(pointers))
    loops.csr_sample_values(n, m, *_turned(found, m, n), most, rows, columns, places)
    return pointers, columns, places


def _unsorted(a: Rows, b: Rows, n: int, m: int, most: int) -> Rows:
    pointers = np.empty(n + 1, np.int64)
    columns, values = np.empty(most, np.int64), np.empty(most, a[2].dtype)
    loops.csr_matmat(n, m, *a, *b, pointers, columns, values)
    kept = int(pointers[-1])
    return pointers, columns[:kept], values[:kept]


def _terms(counts: Any, starts: Any) -> Any:
    """The positions `starts[i], starts[i] + 1, ...`, `counts[i]` of each, one after another."""
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(starts - before, counts)


def _expanded(a: Rows, b: Rows, n: int, k: int, m: int) -> Rows:
    """By NumPy: all terms, then those of one place together."""
    rows = np.repeat(np.arange(n), np.diff(a[0]))
    counts = np.diff(b[0])[a[1]]
    at = _terms(counts, b[0][a[1]])
    indices = np.stack([np.repeat(rows, counts), b[1][at]])
    found = COO(indices, np.repeat(a[2], counts) * b[2][at], (n, m)).coalesced()
    pointers, columns, order = found.rows()
    return pointers, columns, found.values if order is None else found.values[order]


def at_places(a: Any, b: Any, pattern: Any) -> Any:
    """``(a @ b)`` of two sparse matrices at the places of `pattern` alone.

    The shorter of a place's row of `a` and column of `b` is walked, the other one looked up.
    """
    if not (_plain(a) and _plain(b) and _plain(pattern)):
        return gather(product(a, b), pattern)
    dtype = np.result_type(a.dtype, b.dtype)
    row, column = pattern.places()
    ours, theirs = _by_rows(a, dtype), _by_rows(flip(b), dtype)
    mine, other = np.diff(ours[0])[row], np.diff(theirs[0])[column]
    if int(mine.sum()) <= int(other.sum()):
        counts, walked, at = mine, ours, _terms(mine, ours[0][row])
        found = _looked_up(b, walked[1][at], np.repeat(column, counts), dtype)
    else:
        counts, walked, at = other, theirs, _terms(other, theirs[0][column])
        found = _looked_up(a, np.repeat(row, counts), walked[1][at], dtype)
    found = found * walked[2][at]
    values = np.zeros(len(row), dtype)
    filled = np.flatnonzero(counts)
    if filled.size:
        values[filled] = np.add.reduceat(found, (np.cumsum(counts) - counts)[filled])
    return values


def _looked_up(a: Any, rows: Any, columns: Any, dtype: Any) -> Any:
    """The values of `a` at places, 0 where it has none."""
    if loops is None or dtype.char not in LOOPED:
        return gather(a, COO(np.stack([rows, columns]), rows, a.shape))
    found = np.empty(len(rows), dtype)
    loops.csr_sample_values(
        *a.shape, *_by_rows(a, dtype), len(rows), np.ascontiguousarray(rows, np.int64),
        np.ascontiguousarray(columns, np.int64), found,
    )  # fmt: skip
    return found
