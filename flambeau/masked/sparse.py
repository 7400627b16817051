"""Masked reductions of sparse tensors: over the values that are kept, by coordinates.

Where the mask holds and the tensor keeps nothing, the neutral element stands. Results are sparse
and have no gradient, as in PyTorch. Stands on mask.py and the sparse room's data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.layout import sparse_coo, sparse_csr
from flambeau.core.tensor import Tensor, wrap
from flambeau.masked.mask import axes, full_mask
from flambeau.sparse.convert import from_dense
from flambeau.sparse.data import COO, Compressed

__all__ = ["mean", "reduce"]

UFUNCS = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def reduce(
    op: str, input: Tensor, dim: Any, keepdim: bool, dtype: Any, mask: Tensor | None, neutral: Any
) -> Tensor:
    """`op` (sum, prod, amax, amin) along `dim`, of what counts.

    Raises:
        ValueError: neither coordinates nor compressed rows; compressed rows without `keepdim`.
    """
    if input.layout not in (sparse_coo, sparse_csr):
        raise fail(
            ValueError,
            op,
            f"masked {op} expects a tensor of layout strided, sparse_coo or sparse_csr, got "
            f"{input.layout}. Use .to_dense() first.",
        )
    data = input._array.to_coo().coalesced()
    data = COO(data.indices, data.values.astype(dtype.numpy), data.shape, True)
    neutral = np.asarray(neutral).astype(dtype.numpy)
    if mask is not None:
        data = _counted(data, full_mask(op, input, mask)._array, neutral)
    gone = axes(op, None if dim == () else dim, input.dim())
    if input.layout is sparse_csr:
        if not keepdim:
            raise fail(
                ValueError,
                op,
                "keepdim must be True for a tensor of compressed rows: its result has two "
                "dimensions as well",
            )
        return wrap(_of_rows(op, data, gone, neutral))
    return wrap(_of_places(op, data, gone, keepdim, neutral))


def mean(input: Tensor, dim: Any, keepdim: bool, dtype: Any, mask: Tensor | None) -> Tensor:
    """The mean of what counts, of compressed rows.

    Raises:
        ValueError: another layout, or no mask: then what is not kept would have to count.
    """
    if input.layout is not sparse_csr or mask is None:
        raise fail(
            ValueError,
            "mean",
            f"masked mean of a tensor of layout {input.layout} expects layout sparse_csr and a "
            "mask. Use .to_dense() first.",
        )
    total = reduce("sum", input, dim, keepdim, dtype, mask, 0)
    held = full_mask("mean", input, mask)._array
    every = wrap(from_dense(held, 2)).to_sparse_csr()  # type: ignore[attr-defined]
    count = reduce("sum", every, dim, keepdim, dtype, None, 0)
    return wrap(total._array.with_values(total._array.values / count._array.values))


def _counted(data: COO, mask: Any, neutral: Any) -> COO:
    """What the mask lets count, the neutral element where nothing is kept."""
    wanted = from_dense(mask, data.ndim)
    _, left, right = np.intersect1d(
        data.keys(), wanted.keys(), assume_unique=True, return_indices=True
    )
    values = np.full(wanted.nnz, neutral, data.dtype)
    values[right] = data.values[left]
    return COO(wanted.indices, values, data.shape, True)


def _of_places(op: str, data: COO, gone: tuple[int, ...], keepdim: bool, neutral: Any) -> COO:
    left = [d for d in range(data.ndim) if d not in gone]
    if not left:
        whole = UFUNCS[op].reduce(data.values, axis=0, initial=neutral, dtype=data.dtype)
        shape = (1,) * data.ndim if keepdim else ()
        return from_dense(np.asarray(whole, data.dtype).reshape(shape), len(shape))
    indices, values = _grouped(op, data, left)
    shape = tuple(data.shape[d] for d in left)
    if keepdim:
        placed = np.zeros((data.ndim, values.size), np.int64)
        placed[left] = indices
        indices = placed
        shape = tuple(1 if d in gone else n for d, n in enumerate(data.shape))
    return COO(indices, values, shape, True)


def _grouped(op: str, data: COO, left: list[int]) -> tuple[Any, Any]:
    """The places that are left, each once, and the reduction of what meets there."""
    places, member = np.unique(data.indices[left], axis=1, return_inverse=True)
    member = member.reshape(-1)
    if not member.size:
        return places, data.values
    order = np.argsort(member, kind="stable")
    starts = np.flatnonzero(np.diff(member[order], prepend=-1))
    values = UFUNCS[op].reduceat(data.values[order], starts, dtype=data.dtype)
    return places.astype(np.int64, copy=False), values


def _of_rows(op: str, data: COO, gone: tuple[int, ...], neutral: Any) -> Compressed:
    rows, columns = data.shape
    if gone == (0,):
        (places,), values = _grouped(op, data, [1])
        return Compressed(
            np.array([0, places.size], np.int64), places, values, (1, columns), sparse_csr
        )
    lines = 1 if len(gone) == 2 else rows
    found = np.full(lines, neutral, data.dtype)
    UFUNCS[op].at(found, data.indices[0] * (lines == rows), data.values)
    return Compressed(
        np.arange(lines + 1, dtype=np.int64),
        np.zeros(lines, np.int64),
        found,
        (lines, 1),
        sparse_csr,
    )
