"""`spdiags`: a sparse matrix from its diagonals. Stands on build."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.layout import sparse_coo
from flambeau.core.tensor import Tensor, wrap
from flambeau.sparse import basis
from flambeau.sparse.data import COO

__all__ = ["spdiags"]


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """A sparse matrix with the rows of `diagonals` on its diagonals.

    Args:
        diagonals: (n, length); element j of a row stands in column j. offsets: which diagonals: 0
            the main one,
            positive above it. shape: of the matrix. layout: sparse_coo (default), sparse_csr or
            sparse_csc.

    Raises:
        RuntimeError: offsets that repeat, or as many as there are no rows.
    """
    rows = diagonals if diagonals.ndim == 2 else diagonals.reshape(1, -1)
    where = np.atleast_1d(offsets._array)
    if len(where) != rows.shape[0]:
        raise fail(
            RuntimeError,
            "spdiags",
            f"Number of diagonals ({rows.shape[0]}) does not match the number of offsets "
            f"({len(where)})",
        )
    if len(set(where.tolist())) < len(where):
        raise fail(RuntimeError, "spdiags", "Offset tensor contains duplicate values")
    n, m = (int(k) for k in shape)
    column = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    row = column - where[:, None]
    kept = np.flatnonzero(((row >= 0) & (row < n) & (column < m)).reshape(-1))
    indices = np.stack([row.reshape(-1)[kept], column.reshape(-1)[kept]]).astype(np.int64)
    values = ops.index_select(rows.reshape(-1), 0, wrap(kept))
    found = basis.fill(values, COO(indices, values._array, (n, m), False))
    return found if layout is None or layout is sparse_coo else basis.convert(found, layout)
