"""Sparse data in another shape: transposes, selections, slices, joins, sums over dimensions. Data
in, data out.

Compressed matrices keep their layout where that is a matter of relabelling and become coordinates
otherwise, as in
PyTorch. Stands on data and convert.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.layout import sparse_csr
from flambeau.sparse.convert import compress, from_dense
from flambeau.sparse.data import COO, Compressed, SparseData

__all__ = [
    "cat",
    "index_select",
    "permute",
    "select",
    "select_backward",
    "slice",
    "slice_backward",
    "squeeze",
    "stack",
    "summed",
    "transpose",
    "unsqueeze",
]

_range = slice


def _coo(a: Any) -> COO:
    return a.to_coo() if isinstance(a, SparseData) else from_dense(a, a.ndim)


def check_alike(a: Any, b: Any) -> None:
    """Whether the values of one can be copied into the other.

    Raises:
        RuntimeError: another layout; rows or columns of another size, with more values or fewer.
    """
    if a.layout is not b.layout:
        raise fail(
            RuntimeError,
            "copy_",
            f"copy of a tensor of layout {b.layout} into one of layout {a.layout} is not "
            "supported: convert with to_sparse(layout=...)",
        )
    if isinstance(a, Compressed) and (a.shape, a.values.shape) != (b.shape, b.values.shape):
        raise fail(
            RuntimeError,
            "copy_",
            f"sizes and numbers of values must be the same: {list(a.shape)} with {a.nnz} and "
            f"{list(b.shape)} with {b.nnz}. Use clone() of the source.",
        )


def resized(a: Any, shape: tuple[int, ...]) -> Compressed:
    """Compressed rows, more of them, without values, or fewer: the last one kept gets the values
    of those taken away.

    Raises:
        NotImplementedError: another layout, batches. RuntimeError: fewer columns.
    """
    if a.layout is not sparse_csr or a.batch or len(shape) != a.ndim:
        raise fail(
            NotImplementedError,
            "resize_",
            f"a tensor of layout {a.layout} is not resized to {list(shape)}: use sparse_resize_(), "
            "or make another",
        )
    if shape[1] < a.shape[1]:
        raise fail(
            RuntimeError,
            "resize_",
            f"resizing to {list(shape)} would leave values outside: only rows are taken away",
        )
    pointers = np.full(shape[0] + 1, a.nnz, a.compressed.dtype)
    kept = min(shape[0], a.shape[0])
    pointers[:kept] = a.compressed[:kept]
    return Compressed(pointers, a.plain, a.values, shape, a.layout)


def transpose(a: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions swapped."""
    dim0, dim1 = wrap_dim(dim0, a.ndim), wrap_dim(dim1, a.ndim)
    if dim0 == dim1:
        return a
    if isinstance(a, Compressed) and {dim0, dim1} == {a.batch, a.batch + 1}:
        return a.flipped()
    order = list(range(a.ndim))
    order[dim0], order[dim1] = dim1, dim0
    return permute(a, tuple(order))


def permute(a: Any, dims: Any) -> Any:
    """The dimensions in another order; sparse and dense ones do not mix.

    Raises:
        RuntimeError: a dense dimension would stand before a sparse one.
    """
    dims = tuple(wrap_dim(d, a.ndim) for d in dims)
    if dims == tuple(range(a.ndim)):
        return a
    found = _coo(a)
    k = found.sparse_dim
    if any(d >= k for d in dims[:k]):
        raise fail(
            RuntimeError,
            "permute",
            f"a sparse tensor keeps its {k} sparse dimensions in front of its dense ones",
        )
    values = found.values.transpose(0, *(d - k + 1 for d in dims[k:]))
    shape = tuple(a.shape[d] for d in dims)
    turned = COO(found.indices[list(dims[:k])], values, shape, not found.nnz)
    if dims == (1, 0):
        turned.cache["flipped"] = found
    return turned


def unsqueeze(a: Any, dim: int) -> Any:
    """A dimension of size 1 more."""
    dim = wrap_dim(dim, a.ndim + 1)
    found = _coo(a)
    shape = (*a.shape[:dim], 1, *a.shape[dim:])
    if dim > found.sparse_dim:
        return COO(
            found.indices,
            np.expand_dims(found.values, dim - found.sparse_dim + 1),
            shape,
            found.is_coalesced,
        )
    return COO(np.insert(found.indices, dim, 0, axis=0), found.values, shape, found.is_coalesced)


def squeeze(a: Any, dim: Any = None) -> Any:
    """Without dimensions of size 1."""
    found = _coo(a)
    wanted = range(a.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {d for d in (wrap_dim(d, a.ndim) for d in wanted) if a.shape[d] == 1}
    k = found.sparse_dim
    shape = tuple(n for d, n in enumerate(a.shape) if d not in gone)
    values = found.values.squeeze(tuple(d - k + 1 for d in gone if d >= k))
    kept = [d for d in range(k) if d not in gone]
    return COO(found.indices[kept], values, shape, found.is_coalesced)


def select(a: Any, dim: int, index: int) -> Any:
    """One index of a dimension; a dense array when no sparse dimension is left."""
    if isinstance(a, Compressed) and dim < a.batch:
        lead = (_range(None),) * dim + (index,)
        shape = (*a.shape[:dim], *a.shape[dim + 1 :])
        return Compressed(a.compressed[lead], a.plain[lead], a.values[lead], shape, a.layout)
    if (
        isinstance(a, Compressed)
        and not a.blocked
        and dim == (0 if a.by_row else 1)
        and a.ndim == 2
    ):
        part = _range(*a.compressed[index : index + 2])
        return COO(a.plain[None, part], a.values[part], (a.shape[1 - dim],), True)
    found = _coo(a)
    k = found.sparse_dim
    shape = (*a.shape[:dim], *a.shape[dim + 1 :])
    if dim >= k:
        where = (_range(None),) * (dim - k + 1) + (index,)
        return COO(found.indices, found.values[where], shape, found.is_coalesced)
    hit = np.flatnonzero(found.indices[dim] == index)
    values = found.values[hit]
    if k == 1:
        return np.asarray(values.sum(axis=0, dtype=a.dtype))
    return COO(np.delete(found.indices[:, hit], dim, axis=0), values, shape, found.is_coalesced)


def select_backward(a: Any, shape: Any, dim: int, index: int) -> COO:
    """The selected slice back in its place."""
    found = _coo(a)
    k = found.sparse_dim
    if dim > k:
        values = np.zeros((found.nnz, *shape[k:]), a.dtype)
        values[(_range(None),) * (dim - k + 1) + (index,)] = found.values
        return COO(found.indices, values, tuple(shape), found.is_coalesced)
    return COO(
        np.insert(found.indices, dim, index, axis=0), found.values, tuple(shape), found.is_coalesced
    )


def slice(a: Any, dim: int, start: int, end: int, step: int) -> Any:
    """A range of a dimension."""
    found = _coo(a)
    k = found.sparse_dim
    length = len(range(start, end, step))
    shape = (*a.shape[:dim], length, *a.shape[dim + 1 :])
    if dim >= k:
        values = found.values[(_range(None),) * (dim - k + 1) + (_range(start, end, step),)]
        return COO(found.indices, values, shape, found.is_coalesced)
    at = found.indices[dim]
    hit = np.flatnonzero((at >= start) & (at < end) & ((at - start) % step == 0))
    indices = found.indices[:, hit]
    indices[dim] = (indices[dim] - start) // step
    cut = COO(indices, found.values[hit], shape, found.is_coalesced)
    return (
        compress(cut, a.layout) if isinstance(a, Compressed) and not (a.blocked or a.batch) else cut
    )


def slice_backward(a: Any, shape: Any, dim: int, start: int, end: int, step: int) -> COO:
    """The range back in its place."""
    found = _coo(a)
    k = found.sparse_dim
    if dim >= k:
        values = np.zeros((found.nnz, *shape[k:]), a.dtype)
        values[(_range(None),) * (dim - k + 1) + (_range(start, end, step),)] = found.values
        return COO(found.indices, values, tuple(shape), found.is_coalesced)
    indices = found.indices.copy()
    indices[dim] = indices[dim] * step + start
    return COO(indices, found.values, tuple(shape), found.is_coalesced)


def index_select(a: Any, dim: int, index: Any) -> Any:
    """The slices of `dim` that the vector `index` names.

    Raises:
        IndexError: an index out of range.
    """
    found = _coo(a)
    dim = wrap_dim(dim, a.ndim)
    k, size = found.sparse_dim, a.shape[dim]
    if index.size and (index.min() < -size or index.max() >= size):
        raise fail(
            IndexError,
            "index_select",
            f"index_select(): index out of range in self: dimension {dim} has size {size}",
        )
    index = np.where(index < 0, index + size, index)
    shape = (*a.shape[:dim], index.size, *a.shape[dim + 1 :])
    if dim >= k:
        return COO(found.indices, found.values.take(index, dim - k + 1), shape, found.is_coalesced)
    at = found.indices[dim]
    order = np.argsort(at, kind="stable")
    ranked = at[order]
    first, last = np.searchsorted(ranked, index, "left"), np.searchsorted(ranked, index, "right")
    counts = last - first
    before = np.cumsum(counts) - counts
    taken = order[
        np.arange(int(counts.sum())) - np.repeat(before, counts) + np.repeat(first, counts)
    ]
    indices = found.indices.take(taken, 1)
    indices[dim] = np.repeat(np.arange(index.size), counts)
    return COO(indices, found.values[taken], shape, False)


def cat(tensors: Any, dim: int) -> COO:
    """Joined along a dimension.

    Raises:
        RuntimeError: sizes that do not agree.
    """
    dim = wrap_dim(dim, tensors[0].ndim)
    parts = [_coo(a) for a in tensors]
    rest = {(*a.shape[:dim], *a.shape[dim + 1 :]) for a in parts}
    if len(rest) > 1 or len({a.sparse_dim for a in parts}) > 1:
        raise fail(
            RuntimeError,
            "cat",
            f"the sizes {[list(a.shape) for a in parts]} must match except in dimension {dim}",
        )
    k = parts[0].sparse_dim
    shape = list(parts[0].shape)
    shape[dim] = sum(a.shape[dim] for a in parts)
    if dim >= k:
        values, at = [], 0
        for a in parts:
            padded = np.zeros((a.nnz, *shape[k:]), a.dtype)
            padded[(_range(None),) * (dim - k + 1) + (_range(at, at + a.shape[dim]),)] = a.values
            values.append(padded)
            at += a.shape[dim]
        return COO(
            np.concatenate([a.indices for a in parts], axis=1), np.concatenate(values), tuple(shape)
        )
    moved, at = [], 0
    for a in parts:
        indices = a.indices.copy()
        indices[dim] += at
        at += a.shape[dim]
        moved.append(indices)
    return COO(
        np.concatenate(moved, axis=1),
        np.concatenate([a.values for a in parts]),
        tuple(shape),
        dim == 0 and all(a.is_coalesced for a in parts),
    )


def stack(tensors: Any, dim: int) -> COO:
    """Joined along a new dimension."""
    return cat([unsqueeze(a, dim) for a in tensors], wrap_dim(dim, tensors[0].ndim + 1))


def _row_sums(a: Compressed) -> Compressed:
    """The sum of each row that has values."""
    there = (a.compressed[1:] > a.compressed[:-1]).astype(np.int64)
    rows = there.nonzero()[0]
    pointers = np.zeros(len(there) + 1, np.int64)
    there.cumsum(out=pointers[1:])
    values = a.values
    if rows.size:
        values = np.add.reduceat(values, a.compressed[rows], dtype=values.dtype)
    return Compressed(pointers, np.zeros(len(rows), np.int64), values, (len(there), 1), a.layout)


def summed(a: Any, dims: set[int], keepdim: bool) -> Any:
    """The sum over some dimensions: sparse while a sparse dimension is left; of compressed rows
    whose dimensions are kept, compressed rows.
    """
    if keepdim and a.layout is sparse_csr and a.ndim == 2 and not a.dense_dim:
        if dims == {1}:
            return _row_sums(a)
        found = summed(a.to_coo(), dims, True)
        return compress(found if isinstance(found, SparseData) else from_dense(found, 2), a.layout)
    found = _coo(a)
    k = found.sparse_dim
    values = found.values
    inner = tuple(d - k + 1 for d in dims if d >= k)
    if inner:
        values = values.sum(axis=inner, keepdims=keepdim, dtype=values.dtype)
    kept = [d for d in range(k) if d not in dims]
    shape = tuple(1 if d in dims else n for d, n in enumerate(a.shape) if keepdim or d not in dims)
    if not kept:
        return np.asarray(values.sum(axis=0, dtype=values.dtype)).reshape(shape)
    indices = found.indices[kept]
    if keepdim:
        indices = np.zeros_like(found.indices)
        indices[kept] = found.indices[kept]
    return COO(indices, values, shape, len(kept) == k and found.is_coalesced).coalesced()
