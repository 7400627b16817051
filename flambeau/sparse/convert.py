"""From one layout to another: dense, coordinates, compressed rows and columns, blocks. Stands on
data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csr, strided
from flambeau.sparse.data import COO, Compressed, SparseData

__all__ = ["compress", "convert", "from_dense"]


def convert(
    a: Any,
    layout: Any,
    block: Any = None,
    dense_dim: int | None = None,
    sparse_dim: int | None = None,
) -> Any:
    """An array or sparse data in another layout; itself when it is in that layout already.

    Raises:
        RuntimeError: sizes that the layout cannot have.
    """
    sparse = isinstance(a, SparseData)
    if layout is strided:
        return a.dense() if sparse else a
    if layout is sparse_coo:
        if sparse:
            return a.to_coo()
        return from_dense(a, a.ndim - (dense_dim or 0) if sparse_dim is None else sparse_dim)
    if sparse and a.layout is layout and (block is None or tuple(block) == a.block):
        return a
    return compress(a, layout, block, dense_dim or 0)


def from_dense(a: Any, sparse_dim: int) -> COO:
    """The coordinates of an array's nonzero elements (or slices, over the first `sparse_dim`
    dimensions)."""
    filled = a != 0
    if sparse_dim < a.ndim:
        filled = filled.any(axis=tuple(range(sparse_dim, a.ndim)))
    if not sparse_dim:
        count = int(bool(filled))
        return COO(np.zeros((0, count), np.int64), a[None][:count].copy(), a.shape, True)
    if not filled.flags.c_contiguous:
        filled = np.ascontiguousarray(filled)
    flat = filled.reshape(-1).nonzero()[0]  # along one dimension: a third of the time
    indices = np.empty((sparse_dim, len(flat)), np.int64)
    rest = flat
    for k in range(sparse_dim - 1, 0, -1):
        rest, indices[k] = np.divmod(rest, max(1, a.shape[k]))
    indices[0] = rest
    values = a.reshape(filled.size, *a.shape[sparse_dim:]).take(flat, 0)
    return COO(indices, values, a.shape, True)


def compress(a: Any, layout: Any, block: Any = None, dense_dim: int = 0) -> Compressed:
    """The compressed form of an array or of sparse data.

    Raises:
        RuntimeError: fewer than two sparse dimensions, blocks that do not divide the size, or a
            batch whose members
            keep different numbers of values.
    """
    name = str(layout).rpartition("_")[2]
    shape = a.shape
    if isinstance(a, COO):
        dense_dim = a.dense_dim
    elif isinstance(a, Compressed):
        dense_dim = a.dense_dim
    batch = len(shape) - 2 - dense_dim
    if batch < 0:
        raise fail(
            RuntimeError,
            f"to_sparse_{name}",
            f"a {layout} tensor has two sparse dimensions, this one has {len(shape) - dense_dim} "
            f"besides {dense_dim} dense ones.",
        )
    height, width = _block_of(layout, block, shape[batch : batch + 2], name)
    by_row = layout in (sparse_csr, sparse_bsr)
    if batch or isinstance(a, np.ndarray):
        whole = a.dense() if isinstance(a, SparseData) else a
        return _compress_dense(whole, layout, batch, (height, width), by_row, name)
    coo = a.to_coo().coalesced()
    if layout in (sparse_bsr, sparse_bsc):
        return _blocks(coo, layout, height, width, by_row)
    if by_row:
        pointers, plain, _ = coo.rows()
        return Compressed(pointers, plain, coo.values, shape, layout)
    row, column = coo.indices
    order = np.lexsort((row, column))
    pointers = _pointers(column[order], shape[1])
    return Compressed(pointers, row[order], coo.values[order], shape, layout)


def _block_of(layout: Any, block: Any, size: Any, name: str) -> tuple[int, int]:
    if layout not in (sparse_bsr, sparse_bsc):
        return 1, 1
    if block is None:
        raise fail(
            RuntimeError, f"to_sparse_{name}", "a block layout needs blocksize=(rows, columns)."
        )
    height, width = (int(n) for n in block)
    if height < 1 or width < 1 or size[0] % height or size[1] % width:
        raise fail(
            RuntimeError,
            f"to_sparse_{name}",
            f"tensor sparse size ({size[0]},{size[1]}) must be divisible by given blocksize "
            f"({height},{width}).",
        )
    return height, width


def _pointers(main: Any, n: int) -> Any:
    found = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(main, minlength=n), out=found[1:])
    return found


def _blocks(coo: COO, layout: Any, height: int, width: int, by_row: bool) -> Compressed:
    """Blocks that hold at least one value, their other elements zero."""
    row, column = coo.indices
    rows, columns = coo.shape[0] // height, coo.shape[1] // width
    key = (
        (row // height) * columns + column // width
        if by_row
        else (column // width) * rows + row // height
    )
    kept, at = np.unique(key, return_inverse=True)
    values = np.zeros((len(kept), height, width, *coo.values.shape[1:]), coo.dtype)
    values[at, row % height, column % width] = coo.values
    inner = columns if by_row else rows
    pointers = _pointers(kept // inner, rows if by_row else columns)
    return Compressed(pointers, kept % inner, values, coo.shape, layout)


def _compress_dense(
    a: Any, layout: Any, batch: int, block: tuple[int, int], by_row: bool, name: str
) -> Compressed:
    lead, (n, m), dense = a.shape[:batch], a.shape[batch : batch + 2], a.shape[batch + 2 :]
    height, width = block
    blocked = layout in (sparse_bsr, sparse_bsc)
    parts = a.reshape(math.prod(lead), n // height, height, m // width, width, *dense).swapaxes(
        2, 3
    )
    filled = (parts != 0).any(axis=tuple(range(3, parts.ndim)))
    if not by_row:
        filled, parts = filled.swapaxes(1, 2), parts.swapaxes(1, 2)
    counts = filled.sum(axis=(1, 2))
    if len(counts) and np.any(counts != counts[0]):
        raise fail(
            RuntimeError,
            f"to_sparse_{name}",
            "Expect the same number of specified elements per batch: a batch of compressed tensors "
            "keeps as many values in "
            f"each member, here {counts.tolist()}.",
        )
    nnz = int(counts[0]) if len(counts) else 0
    members, main, plain = np.nonzero(filled)
    values = parts[members, main, plain]
    values = values.reshape(*lead, nnz, *values.shape[1:])
    if not blocked:
        values = values.reshape(*lead, nnz, *dense)
    size = filled.shape[1]
    pointers = np.zeros((len(filled), size + 1), np.int64)
    np.cumsum(filled.sum(axis=2), axis=1, out=pointers[:, 1:])
    return Compressed(
        pointers.reshape(*lead, size + 1), plain.reshape(*lead, nnz), values, a.shape, layout
    )
