"""Constraints made of constraints: independent, mixture, concatenated, stacked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions.constraints.base import Constraint, holds
from flambeau.distributions.utils import consecutive

__all__ = ["MixtureSameFamilyConstraint"]


class _Wrapping(Constraint):
    """A constraint around ``base_constraint``, as discrete as it is."""

    base_constraint: Constraint

    def _wrap(self, name: str, base_constraint: Any) -> None:
        if not isinstance(base_constraint, Constraint):
            raise fail(
                AssertionError,
                name,
                f"base_constraint must be a Constraint, got {type(base_constraint).__name__}. "
                "Pass one of distributions.constraints.",
            )
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete


class _IndependentConstraint(_Wrapping):
    """``base_constraint`` in every entry of the last ``reinterpreted_batch_ndims`` batch
    dimensions, which become event dimensions.

    Raises:
        AssertionError: no constraint, or no count of dimensions.
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self._wrap("independent", base_constraint)
        if not isinstance(reinterpreted_batch_ndims, int) or reinterpreted_batch_ndims < 0:
            raise fail(
                AssertionError,
                "independent",
                "reinterpreted_batch_ndims must be an int >= 0, got "
                f"{reinterpreted_batch_ndims!r}. Count dimensions from the right.",
            )
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value)
        n = self.reinterpreted_batch_ndims
        if result.dim() < n:
            raise _too_flat("independent", self.event_dim, value)
        return result.reshape(*result.shape[: result.dim() - n], -1).all(-1)

    def holds(self, values: np.ndarray) -> bool | None:
        return holds(self.base_constraint, values) if values.ndim >= self.event_dim else None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__[1:]}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"
        )


class MixtureSameFamilyConstraint(_Wrapping):
    """The support of a mixture: what every component supports.

    ``value`` comes without the components' dimension, which is put in and checked along.
    """

    def __init__(self, base_constraint: Constraint) -> None:
        self._wrap("MixtureSameFamilyConstraint", base_constraint)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        if value.dim() < self.event_dim:
            raise _too_flat("MixtureSameFamilyConstraint", self.event_dim, value)
        return result.reshape(*result.shape[: value.dim() - self.event_dim], -1).all(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r})"


class _Several(Constraint):
    """Constraints ``cseq`` on the slices of a value along ``dim``."""

    cseq: list[Constraint]
    dim: int

    def _gather(self, name: str, cseq: Iterable[Any], dim: int) -> None:
        self.cseq = list(cseq)
        self.dim = dim
        for c in self.cseq:
            if not isinstance(c, Constraint):
                raise fail(
                    AssertionError,
                    name,
                    f"cseq must hold Constraints, got {type(c).__name__}. "
                    "Pass those of distributions.constraints.",
                )

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return any(c.is_discrete for c in self.cseq)

    def _check_dim(self, name: str, value: Tensor) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise fail(
                AssertionError,
                name,
                f"dim is {self.dim}, value has {value.dim()} dimensions. Give it that dimension.",
            )


class _Cat(_Several):
    """Slices of ``lengths`` along ``dim``, a constraint for each.

    Args:
        cseq: the constraints.
        dim: where the slices follow each other.
        lengths: their sizes (default 1 each).
    """

    def __init__(
        self, cseq: Iterable[Constraint], dim: int = 0, lengths: Iterable[int] | None = None
    ) -> None:
        self._gather("cat", cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise fail(
                AssertionError,
                "cat",
                f"lengths has {len(self.lengths)} entries, cseq {len(self.cseq)}. "
                "Give one length per constraint.",
            )

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        self._check_dim("cat", value)
        slices = consecutive(value, self.dim, self.lengths)
        return flambeau.cat([c.check(v) for c, v in zip(self.cseq, slices)], self.dim)


class _Stack(_Several):
    """The entries along ``dim``, a constraint for each."""

    def __init__(self, cseq: Iterable[Constraint], dim: int = 0) -> None:
        self._gather("stack", cseq, dim)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        inner = max(c.event_dim for c in self.cseq)
        return inner + 1 if self.dim + inner < 0 else inner

    def check(self, value: Tensor) -> Tensor:
        self._check_dim("stack", value)
        return flambeau.stack(
            [c.check(v) for c, v in zip(self.cseq, value.unbind(self.dim))], self.dim
        )


def _too_flat(name: str, needed: int, value: Tensor) -> Exception:
    return fail(
        ValueError,
        name,
        f"value has {value.dim()} dimensions, one event has {needed}. Add the missing ones.",
    )
