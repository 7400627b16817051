"""Rows of a table by number, and the sums of gradients back into the table, on ndarrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.kernels.copies import zeros
from flambeau.core.kernels.generate.slices import add_rows
from flambeau.core.kernels.scatter import add_in_turn

__all__ = ["check_indices", "rows_added"]


def check_indices(op: str, index: Any, count: int, error: type[Exception] = IndexError) -> None:
    """Every index is a row.

    Raises:
        IndexError (or `error`): one is not.
    """
    if not index.size:
        return
    low, high = int(index.min()), int(index.max())
    if low < 0 or high >= count:
        raise fail(
            error,
            op,
            f"index out of range in self: index {low if low < 0 else high} is given, the table "
            f"has {count} rows (0 to "
            f"{count - 1}). Check num_embeddings, or the numbering of the tokens.",
        )


def rows_added(g: Any, index: Any, count: int) -> Any:
    """(count, D): the rows of `g` (M, D) summed into the rows that `index` (M) names."""
    dtype = g.dtype
    found = zeros((count, g.shape[1]), dtype)
    if not index.size or add_rows(found, index.astype(np.int64, copy=False), g):
        return found
    if dtype.itemsize == 2:
        add_in_turn(found, index, g)
        return found
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if starts.size == index.size:
        found[index] = g
        return found
    found[ordered[starts]] = np.add.reduceat(g[order], starts, axis=0)
    return found
