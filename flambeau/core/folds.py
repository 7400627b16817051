"""NumPy's folds, typed: `np.add.reduce` and its kin by one name each.

NumPy's own stubs take `keepdims` as a literal only, never as the variable that every reduction here
passes on. Stands on nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "ALL",
    "LEAST",
    "fold_add",
    "fold_and",
    "fold_max",
    "fold_min",
    "fold_multiply",
    "fold_or",
    "fold_xor",
]

Fold = Callable[..., Any]

ALL = 1 << 13
"""Numbers from which on generated folds of whole arrays pay."""
LEAST = 1 << 12
"""The same along some dimensions."""

fold_add: Fold = np.add.reduce
fold_and: Fold = np.logical_and.reduce
fold_max: Fold = np.maximum.reduce
fold_min: Fold = np.minimum.reduce
fold_multiply: Fold = np.multiply.reduce
fold_or: Fold = np.logical_or.reduce
fold_xor: Fold = np.bitwise_xor.reduce
