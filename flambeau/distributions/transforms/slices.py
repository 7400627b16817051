"""Transforms that treat slices along a dimension differently: concatenated or stacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transforms.base import Transform
from flambeau.distributions.utils import _sum_rightmost, consecutive, lazy_property

__all__ = ["CatTransform", "StackTransform"]


class _Sliced(Transform):
    """A transform for each slice along ``dim``."""

    transforms: list[Transform]
    dim: int

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        for t in tseq:
            if not isinstance(t, Transform):
                raise fail(
                    AssertionError,
                    type(self).__name__,
                    f"tseq must hold Transforms, got {type(t).__name__}. Pass those of "
                    "distributions.transforms.",
                )
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _check(self, value: Tensor, size: int) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise fail(
                AssertionError,
                type(self).__name__,
                f"dim is {self.dim}, the tensor has {value.dim()} dimensions. Give it that one.",
            )
        if value.size(self.dim) != size:
            raise fail(
                AssertionError,
                type(self).__name__,
                f"dimension {self.dim} has size {value.size(self.dim)}, the transforms take {size} "
                "in all. Check tseq and lengths.",
            )


class CatTransform(_Sliced):
    """Slices of ``lengths`` along ``dim``, transformed one by one and concatenated.

    Args:
        tseq: the transforms.
        dim: where the slices follow each other.
        lengths: their sizes (default 1 each).
        cache_size: 0 or 1.
    """

    _given = ("transforms", "dim", "lengths")

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise fail(
                AssertionError,
                "CatTransform",
                f"lengths has {len(self.lengths)} entries, tseq {len(self.transforms)}. "
                "Give one length per transform.",
            )

    @lazy_property
    def event_dim(self) -> int:  # type: ignore[override]
        return max(t.event_dim for t in self.transforms)

    @lazy_property
    def length(self) -> int:
        """The size along ``dim``."""
        return sum(self.lengths)

    def _slices(self, value: Tensor) -> Iterator[Tensor]:
        self._check(value, self.length)
        return consecutive(value, self.dim, self.lengths)

    def _call(self, x: Tensor) -> Tensor:
        parts = [t(part) for t, part in zip(self.transforms, self._slices(x))]
        return flambeau.cat(parts, dim=self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = [t.inv(part) for t, part in zip(self.transforms, self._slices(y))]
        return flambeau.cat(parts, dim=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        terms = []
        for t, x_part, y_part in zip(self.transforms, self._slices(x), self._slices(y)):
            term = t.log_abs_det_jacobian(x_part, y_part)
            terms.append(_sum_rightmost(term, self.event_dim - t.event_dim))
        # Along a batch dimension the terms stay apart; along an event dimension they add up.
        dim = (self.dim if self.dim < 0 else self.dim - x.dim()) + self.event_dim
        return flambeau.cat(terms, dim=dim) if dim < 0 else sum(terms[1:], terms[0])

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Sliced):
    """The entries along ``dim``, transformed one by one and stacked again.

    Args:
        tseq: a transform for each entry.
        dim: the dimension.
        cache_size: 0 or 1.
    """

    _given = ("transforms", "dim")

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def _entries(self, value: Tensor) -> Sequence[Tensor]:
        self._check(value, len(self.transforms))
        return value.unbind(self.dim)

    def _call(self, x: Tensor) -> Tensor:
        parts = [t(part) for t, part in zip(self.transforms, self._entries(x))]
        return flambeau.stack(parts, dim=self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = [t.inv(part) for t, part in zip(self.transforms, self._entries(y))]
        return flambeau.stack(parts, dim=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._entries(x), self._entries(y))
        terms = [t.log_abs_det_jacobian(x_part, y_part) for t, x_part, y_part in pairs]
        return flambeau.stack(terms, dim=self.dim)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
