"""Constraints on one number: intervals, half lines, integers, booleans."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor
from flambeau.distributions.constraints.base import Constraint

__all__: list[str] = []

NUMBERS = frozenset((int, float))  # the bounds whose checks have a short way: no NaN passes min()


class _Real(Constraint):
    """Every number that is no NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value

    def holds(self, values: np.ndarray) -> bool | None:
        return not np.isnan(values).any()


class _Boolean(Constraint):
    """``{0, 1}``."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _Bounded(Constraint):
    """What has bounds, numbers or tensors that broadcast with the value, and prints them."""

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={bound}" for name, bound in vars(self).items())
        return f"{type(self).__name__[1:]}({bounds})"


class _Above(_Bounded):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound


class _Below(_Bounded):
    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound


class _Between(_Bounded):
    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound


class _GreaterThan(_Above):
    """``(lower_bound, inf]``."""

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound

    def holds(self, values: np.ndarray) -> bool | None:
        lower = self.lower_bound
        return bool(values.min() > lower) if type(lower) in NUMBERS else None


class _GreaterThanEq(_Above):
    """``[lower_bound, inf]``."""

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound

    def holds(self, values: np.ndarray) -> bool | None:
        lower = self.lower_bound
        return bool(values.min() >= lower) if type(lower) in NUMBERS else None


class _LessThan(_Below):
    """``[-inf, upper_bound)``."""

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Interval(_Between):
    """``[lower_bound, upper_bound]``."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)

    def holds(self, values: np.ndarray) -> bool | None:
        lower, upper = self.lower_bound, self.upper_bound
        if type(lower) in NUMBERS and type(upper) in NUMBERS:
            return bool(values.min() >= lower and values.max() <= upper)
        return None


class _HalfOpenInterval(_Between):
    """``[lower_bound, upper_bound)``."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class _IntegerGreaterThan(_Above):
    """The integers from ``lower_bound`` on."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value) & (value >= self.lower_bound)


class _IntegerLessThan(_Below):
    """The integers up to ``upper_bound``."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value) & (value <= self.upper_bound)


class _IntegerInterval(_Between):
    """The integers from ``lower_bound`` to ``upper_bound``, both included."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value) & (value >= self.lower_bound) & (value <= self.upper_bound)

    def holds(self, values: np.ndarray) -> bool | None:
        lower, upper = self.lower_bound, self.upper_bound
        if type(lower) is not int or type(upper) is not int:
            return None
        inside = values.min() >= lower and values.max() <= upper
        return bool(inside and (values.dtype.kind == "i" or (np.floor(values) == values).all()))


def _whole(value: Tensor) -> Tensor:
    return value % 1 == 0
