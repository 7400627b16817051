"""Constraints on a vector, the last dimension: simplex, one-hot, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor
from flambeau.distributions.constraints.base import Constraint

__all__: list[str] = []

# How far a sum of probabilities may be from one: PyTorch's figure, for every dtype.
_SUM_TOLERANCE = 1e-6


class _Simplex(Constraint):
    """Vectors with ``x >= 0`` and ``x.sum(-1) == 1``, to 1e-6."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < _SUM_TOLERANCE)

    def holds(self, values: np.ndarray) -> bool | None:
        if not values.ndim:
            return None
        return bool(values.min() >= 0 and np.abs(values.sum(-1) - 1).max() < _SUM_TOLERANCE)


class _OneHot(Constraint):
    """Vectors with a single 1 among zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Multinomial(Constraint):
    """Vectors of counts, ``x >= 0`` and ``x.sum(-1) <= upper_bound``."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, x: Tensor) -> Tensor:
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)
