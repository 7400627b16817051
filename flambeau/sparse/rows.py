"""The gradient of looking rows up in a table, as a sparse tensor of rows: what
``Embedding(sparse=True)`` gives.

One row for every lookup, not coalesced; lookups of `padding_idx` leave none. Stands on basis.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, wrap
from flambeau.sparse import basis
from flambeau.sparse.data import COO

__all__ = ["rows_at", "rows_gradient"]


def rows_gradient(
    g: Any, indices: Any, shape: Any, padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    """The rows of `g` at the rows that `indices` names of a table of `shape`; data for arrays, a
    Tensor for Tensors.

    Raises:
        RuntimeError: `scale_grad_by_freq` is asked for as well.
    """
    if scale_grad_by_freq:
        raise fail(
            RuntimeError,
            "embedding",
            "embedding_backward: scale_grad_by_freq not supported with sparse gradients: use "
            "sparse=False",
        )
    recorded = isinstance(g, Tensor)
    flat = (
        (indices._array if isinstance(indices, Tensor) else indices)
        .reshape(-1)
        .astype(np.int64, copy=False)
    )
    rows = g.reshape(flat.size, prod(shape[1:]))
    kept = np.flatnonzero(flat != padding_idx) if padding_idx >= 0 else None
    if kept is not None and kept.size < flat.size:
        flat = flat[kept]
        rows = ops.index_select(rows, 0, wrap(kept)) if recorded else rows[kept]
    return rows_at(rows, flat, shape)


def rows_at(rows: Any, flat: Any, shape: Any) -> Any:
    """The sparse tensor (or data) that holds `rows` at the rows `flat` of a table of `shape`."""
    recorded = isinstance(rows, Tensor)
    flat = flat.astype(np.int64, copy=False)
    pattern = COO(flat[None], rows._array if recorded else rows, tuple(shape), flat.size < 2)
    return basis.fill(rows, pattern) if recorded else pattern
