"""What every constraint answers, and those that are known only at an instance of a distribution.

Stands on nothing but tensors' comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.state import ordinary
from flambeau.core.tensor import PLAIN, Tensor

__all__ = ["Constraint", "is_dependent"]


class Constraint:
    """A set of values; the last ``event_dim`` dimensions of a value make one member together.

    Attributes:
        is_discrete: whether the set is countable.
        event_dim: how many dimensions on the right make one event.
    """

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event of ``value`` is in the set: a bool tensor, event dimensions gone."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__[1:]}()"


def satisfied(constraint: Constraint, value: Any) -> bool:
    """Whether every event of ``value`` is in the constraint's set."""
    if type(value) in PLAIN and ordinary() and type(value._array) is np.ndarray:
        values = value._array
        if values.dtype.char in "fdlq" and values.size:
            found = holds(constraint, values)
            if found is not None:
                return found
    return bool(constraint.check(value).all())


def holds(constraint: Constraint, values: np.ndarray) -> bool | None:
    """What ``check(...).all()`` says of an array, or None where only that can tell.

    Asked at every construction and every log_prob, it takes a third of the time. A subclass that
    overrides ``check`` does not inherit it.
    """
    quick = vars(type(constraint)).get("holds")
    return quick(constraint, values) if quick is not None else None


class _Dependent(Constraint):
    """A constraint that depends on other parameters: read it from an instance, not from the class.

    Args:
        is_discrete, event_dim: what is known beforehand; asking for the rest raises.
    """

    def __init__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return _known("is_discrete", self._is_discrete)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return _known("event_dim", self._event_dim)

    def __call__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> Any:
        """The same with more known: ``constraints.dependent(event_dim=1)``."""
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, x: Tensor) -> Tensor:
        raise fail(
            ValueError,
            "check",
            "a dependent constraint is only known at an instance. Read .support or "
            ".arg_constraints from a distribution object, not from its class.",
        )


class _DependentProperty(property, _Dependent):
    """A property that returns a constraint; on the class it stands for a dependent one.

    ``@constraints.dependent_property`` or ``@constraints.dependent_property(event_dim=1)``.
    """

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether ``constraint`` can only be checked at an instance.

    Example:
        >>> from flambeau.distributions import constraints
        >>> constraints.is_dependent(constraints.positive)
        False
    """
    return isinstance(constraint, _Dependent)


def _known(name: str, value: Any) -> Any:
    if value is NotImplemented:
        raise NotImplementedError(
            f"{name} of this dependent constraint is not known on the class. Ask the instance's, "
            f"or declare it: dependent_property({name}=...)."
        )
    return value
