"""Arithmetic on sparse data: sums, products, matrix products, lookups. Arrays in, arrays out; no
Tensor, no gradient.

Matrix products are generated where they can be, else go through SciPy's compiled loops, else
through sorted rows and ``np.add.reduceat``. Stands on data and core's kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.kernels.generate import rows_dotted, rows_mixed, slices
from flambeau.core.kernels.product import widen
from flambeau.sparse.convert import compress
from flambeau.sparse.data import COO, Compressed, SparseData

__all__ = [
    "broadcast",
    "gather",
    "matmul",
    "plus",
    "same_places",
    "sampled",
    "scatter",
    "union",
]

nd = np.ndarray

try:  # compiled loops, where they are there
    from scipy.sparse import _sparsetools as loops
except ImportError:  # pragma: no cover (the core install)
    loops = None

LOOPED = frozenset("fdFD")
CHUNK = 1 << 22
"""Elements of the largest intermediate product."""
NEAR = 1 << 16
"""Elements of rows that are multiplied while they are in the cache: a fifth of the time of all."""


def same_places(a: Any, b: Any) -> bool:
    """Whether two data share their index arrays."""
    if type(a) is not type(b) or a.shape != b.shape or a.layout is not b.layout:
        return False
    if type(a) is COO:
        return a.indices is b.indices or (
            a.indices.shape == b.indices.shape and bool(np.array_equal(a.indices, b.indices))
        )
    if a.plain is b.plain and a.compressed is b.compressed:
        return True
    return (
        a.values.shape == b.values.shape
        and bool(np.array_equal(a.plain, b.plain))
        and bool(np.array_equal(a.compressed, b.compressed))
    )


def plus(a: Any, b: Any) -> Any:
    """The sum of sparse data with sparse data (sparse) or an array (dense)."""
    if isinstance(b, SparseData):
        return union(a, b, np.add)
    dtype = np.result_type(a.dtype, b.dtype)
    found = np.array(b, dtype=dtype, copy=True, order="C")
    return scatter(a, found)


def scatter(data: Any, into: Any, sign: int = 1) -> Any:
    """Add (or subtract) sparse data to an array in place."""
    if type(data) is COO and data.sparse_dim == 1 and _rows_scattered(data, into, sign):
        return into
    data = data.coalesced() if type(data) is COO else data
    if data.values.size:
        places = data.places()
        into[places] += data.values if sign > 0 else -data.values
    return into


def _rows_scattered(data: COO, into: Any, sign: int) -> bool:
    """Add whole rows one after another, repeated ones too, where that can be generated."""
    (places,), count = data.indices, len(into)
    if not places.size or not into.flags.c_contiguous or into.ndim < 2:
        return False
    if places.min() < 0 or places.max() >= count:
        return False
    values = data.values if sign > 0 else -data.values
    values = values.reshape(len(places), -1)
    return slices.add_rows(into.reshape(count, -1), places, values)


def union(a: Any, b: Any, function: Any) -> Any:
    """``function(a, b)`` at every place of either, with 0 where one of them has none.

    Raises:
        RuntimeError: shapes or forms that do not agree.
    """
    if a.shape != b.shape:
        raise fail(
            RuntimeError,
            "add",
            f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != "
            f"{list(b.shape)}: sparse tensors do "
            "not broadcast here.",
        )
    if same_places(a, b) and (
        type(a) is not COO or function is np.add or (a.is_coalesced and b.is_coalesced)
    ):
        return a.with_values(function(a.values, b.values))
    if type(a) is not COO or type(b) is not COO:
        layout = a.layout
        if type(a) is not COO and (a.batch or a.blocked):
            return compress(_dense_function(a, b, function), layout, a.block if a.blocked else None)
        found = union(a.to_coo(), b.to_coo(), function)
        return found if type(a) is COO else compress(found, layout)
    if a.sparse_dim != b.sparse_dim and not (a.nnz and b.nnz):
        kind = np.result_type(a.dtype, b.dtype)
        if a.nnz:
            return a.with_values(function(a.values, np.zeros(1, kind)))
        return b.with_values(function(np.zeros(1, kind), b.values))
    if a.sparse_dim != b.sparse_dim:
        raise fail(
            RuntimeError,
            "add",
            "the sparse tensors have different numbers of sparse and dense dimensions",
        )
    dtype = np.result_type(a.dtype, b.dtype)
    if function is np.add:
        joined = COO(
            np.concatenate([a.indices, b.indices], axis=1),
            np.concatenate(
                [a.values.astype(dtype, copy=False), b.values.astype(dtype, copy=False)]
            ),
            a.shape,
        )
        return joined.coalesced() if a.is_coalesced and b.is_coalesced else joined
    a, b = a.coalesced(), b.coalesced()
    mine, other = a.keys(), b.keys()
    keys = np.union1d(mine, other)
    left = np.zeros((len(keys), *a.values.shape[1:]), dtype)
    right = np.zeros_like(left)
    at, bt = np.searchsorted(keys, mine), np.searchsorted(keys, other)
    left[at], right[bt] = a.values, b.values
    indices = np.empty((a.sparse_dim, len(keys)), np.int64)
    indices[:, at], indices[:, bt] = a.indices, b.indices
    return COO(indices, function(left, right), a.shape, True)


def _dense_function(a: Any, b: Any, function: Any) -> Any:
    return function(a.dense(), b.dense())


def gather(source: Any, pattern: Any) -> Any:
    """What an array or sparse data holds at the places of `pattern`; 0 where nothing."""
    if not isinstance(source, SparseData):
        if not pattern.values.size:
            return np.zeros(pattern.values.shape, source.dtype)
        places = pattern.places()
        return source[places] if places else np.broadcast_to(source, pattern.values.shape).copy()
    if same_places(source, pattern) and (type(source) is not COO or source.is_coalesced):
        return source.values
    found, wanted = source.to_coo().coalesced(), pattern.to_coo()
    if found.sparse_dim != wanted.sparse_dim:
        return gather(source.dense(), pattern)
    values = np.zeros((wanted.nnz, *found.values.shape[1:]), found.dtype)
    if found.nnz and wanted.nnz:
        keys, asked = found.keys(), wanted.keys()
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        hit = keys[at] == asked
        values[hit] = found.values[at[hit]]
    return values.reshape(pattern.values.shape)


def broadcast(a: COO, shape: tuple[int, ...]) -> COO:
    """Coordinates with dimensions before the first: what stands somewhere stands there in all of
    them. Dense dimensions grow as an array's.

    Raises:
        ValueError: a sparse dimension of one place would grow.
    """
    ahead = len(shape) - len(a.shape)
    places = ahead + a.sparse_dim
    if shape[ahead:places] != a.shape[: a.sparse_dim]:
        raise ValueError("a sparse dimension does not grow")
    copies = math.prod(shape[:ahead])
    added = np.indices(shape[:ahead]).reshape(ahead, copies)
    indices = np.concatenate((np.repeat(added, a.nnz, 1), np.tile(a.indices, copies)))
    each = np.broadcast_to(a.values, (a.nnz, *shape[places:]))
    values = np.concatenate([each] * copies) if copies else each[:0]
    return COO(indices, values, shape, a.is_coalesced)


def _as_rows(a: Any) -> tuple[Any, Any, Any, bool]:
    """(pointers, columns, values, by rows) of a matrix; by columns where only that is at hand."""
    if type(a) is Compressed:
        if a.blocked:
            return _as_rows(a.to_coo())
        return a.compressed, a.plain, a.values, a.by_row
    origin = a.cache.get("flipped")
    if origin is not None and not a.is_coalesced:
        pointers, columns, order = origin.rows()
        return pointers, columns, a.values if order is None else a.values[order], False
    pointers, columns, order = a.rows()
    return pointers, columns, a.values if order is None else a.values[order], True


def matmul(a: Any, b: Any) -> Any:
    """A product of two matrices (or a matrix and a vector) of which at least one is sparse."""
    if not isinstance(a, SparseData):
        return matmul(flip(b), a.T).T if b.ndim == 2 else matmul(a, b.dense())
    if isinstance(b, SparseData):
        from flambeau.sparse.meeting import product

        return product(a, b)
    if type(a) is Compressed and (a.batch or a.dense_dim) or (type(a) is COO and a.dense_dim):
        return np.matmul(a.dense(), b)
    columns = b[:, None] if b.ndim == 1 else b
    found = _product(a, columns)
    return found[:, 0] if b.ndim == 1 else found


def flip(a: Any) -> Any:
    """The transpose of a sparse matrix."""
    if type(a) is Compressed:
        return a.flipped()
    found = COO(a.indices[::-1], a.values, a.shape[::-1], False)
    found.cache["flipped"] = a
    return found


def _product(a: Any, b: Any) -> Any:
    n, width = a.shape[0], b.shape[1]
    dtype = np.result_type(a.dtype, b.dtype)
    out = np.zeros((n, width), dtype)
    if not a.values.size or not out.size:
        return out
    pointers, plain, values, by_row = _as_rows(a)
    if by_row:
        whole = np.ascontiguousarray
        matrix = whole(pointers), whole(plain), whole(values, dtype)
        if width == 1:
            done = rows_dotted.dot_rows(out[:, 0], *matrix, whole(b[:, 0], dtype))
        else:
            done = rows_mixed.mix_rows(out, *matrix, whole(b, dtype))
        if done:
            return out
    if loops is not None and dtype.char in LOOPED:
        small = plain.dtype if plain.dtype == pointers.dtype else np.int64
        values = np.ascontiguousarray(values, dtype)
        matrix = np.ascontiguousarray(pointers, small), np.ascontiguousarray(plain, small), values
        flat = np.ascontiguousarray(b, dtype).reshape(-1), out.reshape(-1)
        if width == 1:
            (loops.csr_matvec if by_row else loops.csc_matvec)(n, a.shape[1], *matrix, *flat)
        else:
            run = loops.csr_matvecs if by_row else loops.csc_matvecs
            run(n, a.shape[1], width, *matrix, *flat)
        return out
    work = np.dtype("f4") if dtype.kind == "V" or dtype == np.float16 else dtype
    main = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    if by_row:
        rows, columns = pointers, plain
    else:
        order = np.argsort(plain, kind="stable")
        columns, values = main[order], values[order]
        rows = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(plain, minlength=n), out=rows[1:])
    filled = np.flatnonzero(rows[1:] > rows[:-1])
    starts = rows[filled]
    values = values.astype(work, copy=False)
    step = max(1, CHUNK // len(columns))
    for k in range(
        0, width, step
    ):  # transposed, so that reduceat runs along memory: a third of the time
        part = np.ascontiguousarray(b[:, k : k + step].T, work).take(columns, axis=1)
        part *= values
        out[filled, k : k + step] = np.add.reduceat(part, starts, axis=1, dtype=work).T
    return out


def sampled(a: Any, b: Any, pattern: Any) -> Any:
    """``(a @ b)`` at the places of `pattern` alone: a (n, k) and b (k, m) are arrays."""
    places = pattern.places()
    if len(places) > 2 or (type(pattern) is Compressed and pattern.blocked):
        return gather(np.matmul(a, b), pattern)
    row, column = places
    found = np.empty(row.shape, np.result_type(a, b))
    row, column = (np.ascontiguousarray(x, np.int64) for x in (row, column))
    left, right = (np.ascontiguousarray(x, found.dtype) for x in (a, b.T))
    if rows_dotted.dot_places(found, row, column, left, right):
        return found
    step = max(1, NEAR // max(1, a.shape[1]))
    for k in range(0, len(row), step):
        part = slice(k, k + step)
        pair = widen(left.take(row[part], 0)), widen(right.take(column[part], 0))
        found[part] = np.einsum("ij,ij->i", *pair)
    return found
