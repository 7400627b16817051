"""``torch.sparse.sum``, ``softmax``, ``log_softmax``: over sparse and dense dimensions, with
sparse gradients.

Zeros that are not kept count as minus infinity in a softmax. Stands on basis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, wrap
from flambeau.sparse import basis
from flambeau.sparse.data import COO, SparseData

__all__ = ["log_softmax", "softmax", "sum"]


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum over dimensions; sparse while a sparse dimension is left. The gradient is sparse.

    Raises:
        RuntimeError: not in coordinates, or a dimension named twice.
    """
    if type(input._array) is not COO:
        raise fail(
            RuntimeError,
            "sparse.sum",
            "expected sparse coordinate tensor layout: convert with to_sparse()",
        )
    input = basis.coalesce(input)
    if dtype is not None:
        input = input.to(dtype)
    data = input._array
    held = basis.values(input)
    if dim is None or dim == () or dim == []:
        return held.sum()  # type: ignore[no-any-return]
    named = [wrap_dim(d, data.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    if len(set(named)) < len(named):
        raise fail(
            RuntimeError, "sparse.sum", f"dim {named} appears multiple times in the list of dims"
        )
    k = data.sparse_dim
    inner = [d - k + 1 for d in named if d >= k]
    if inner:
        held = held.sum(inner)
    kept = [d for d in range(k) if d not in named]
    if not kept:
        return held.sum(0)  # type: ignore[no-any-return]
    shape = tuple(n for d, n in enumerate(data.shape) if d not in named)
    pattern = COO(data.indices[kept], held._array, shape, len(kept) == k)
    return basis.merged(basis.fill(held, pattern), "SparseSumBackward0")


class Groups:
    """Which values of coalesced data share everything but one sparse coordinate."""

    def __init__(self, data: COO, dim: int) -> None:
        keys: Any = 0
        for d in range(data.sparse_dim):
            if d != dim:
                keys = keys * data.shape[d] + data.indices[d]
        keys = np.broadcast_to(keys, data.nnz)
        # Along the last coordinate the values of a group stand side by side already.
        self.order = None if dim == data.sparse_dim - 1 else keys.argsort(kind="stable")
        ranked = keys if self.order is None else keys[self.order]
        first = np.ones(len(ranked), bool)
        np.not_equal(ranked[1:], ranked[:-1], out=first[1:])
        self.starts = first.nonzero()[0]
        self.member = first.cumsum() - 1
        if self.order is not None:
            ranks = self.member
            self.member = np.empty_like(ranks)
            self.member[self.order] = ranks

    @staticmethod
    def of(data: COO, dim: int) -> Groups:
        """The groups, kept for data that share these indices."""
        found = data.cache.get(f"groups {dim}")
        if found is None:
            found = data.cache[f"groups {dim}"] = Groups(data, dim)
        return found  # type: ignore[no-any-return]

    def spread(self, values: Any, function: Any) -> Any:
        """`function` over each group, at every member of it."""
        if not len(values):
            return values
        ranked = values if self.order is None else values[self.order]
        return function.reduceat(ranked, self.starts, axis=0)[self.member]


@primitive(
    name="_group_total",
    function=False,
    method=False,
    node="SparseSoftmax",
    vjp=lambda g, groups: ops._group_total(g, groups),
)
def _group_total(input, groups: Any):
    """The sum over each group, at every member of it; its own adjoint."""
    return groups.spread(input, np.add)


def _softmax(input: Tensor, dim: int, dtype: Any, log: bool) -> Tensor:
    name = "sparse.log_softmax" if log else "sparse.softmax"
    if not isinstance(input._array, SparseData) or type(input._array) is not COO:
        raise fail(
            NotImplementedError,
            name,
            "Could not run a sparse softmax on this layout: convert with to_sparse()",
        )
    input = basis.coalesce(input if dtype is None else input.to(dtype))
    data = input._array
    dim = wrap_dim(dim, data.ndim)
    held = basis.values(input)
    label = "SparseLogSoftmaxBackward0" if log else "SparseSoftmaxBackward0"
    if dim >= data.sparse_dim:
        inner = dim - data.sparse_dim + 1
        found = ops.log_softmax(held, inner) if log else ops.softmax(held, inner)
        return basis.fill(found, data, label)
    groups = Groups.of(data, dim)
    shifted = held - wrap(groups.spread(data.values, np.maximum))
    total = ops._group_total(shifted.exp(), groups)
    return basis.fill(shifted - total.log() if log else shifted.exp() / total, data, label)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along `dim` over the values that are kept."""
    return _softmax(input, dim, dtype, False)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`."""
    return _softmax(input, dim, dtype, True)
