"""Transforms made of transforms: in sequence, and over more event dimensions."""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transforms.base import Transform, need_dimensions
from flambeau.distributions.utils import _sum_rightmost, lazy_property

__all__ = ["ComposeTransform", "IndependentTransform", "identity_transform"]


class ComposeTransform(Transform):
    """``parts`` one after the other, the first one first.

    Args:
        parts: the transforms.
        cache_size: 0, or 1 to make every part remember its last pair.
    """

    _given = ("parts",)

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.parts = [p.with_cache(cache_size) for p in parts] if cache_size else parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = None  # type: ignore[assignment]

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        if not self.parts:
            return constraints.real
        # Backwards: as many event dimensions as the widest part needs on its way in.
        needed = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            needed += part.domain.event_dim - part.codomain.event_dim
            needed = max(needed, part.domain.event_dim)
        return _widened(self.parts[0].domain, needed)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        if not self.parts:
            return constraints.real
        needed = self.parts[0].domain.event_dim
        for part in self.parts:
            needed += part.codomain.event_dim - part.domain.event_dim
            needed = max(needed, part.codomain.event_dim)
        return _widened(self.parts[-1].codomain, needed)

    @lazy_property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(p.bijective for p in self.parts)

    @lazy_property
    def sign(self) -> Any:
        return math.prod(p.sign for p in self.parts)

    def _make_inverse(self) -> Transform:
        inverse = _InverseCompose([p.inv for p in reversed(self.parts)])
        inverse._origin = self
        return inverse

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of the parts', each summed over the event dimensions that are not its own."""
        if not self.parts:
            return flambeau.zeros_like(x)
        event_dim = self.domain.event_dim
        terms = []
        for i, part in enumerate(self.parts):
            out = y if i == len(self.parts) - 1 else part(x)
            term = part.log_abs_det_jacobian(x, out)
            terms.append(_sum_rightmost(term, event_dim - part.domain.event_dim))
            event_dim += part.codomain.event_dim - part.domain.event_dim
            x = out
        return reduce(add, terms)

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        inner = ",\n    ".join(repr(p) for p in self.parts)
        return f"ComposeTransform(\n    {inner}\n)"


class _InverseCompose(ComposeTransform):
    """The parts' inverses in reverse order; remembers what it is the inverse of."""

    _origin: ComposeTransform

    @property
    def inv(self) -> Transform:
        return self._origin


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """``base_transform`` whose last ``reinterpreted_batch_ndims`` batch dimensions are made event
    dimensions: the log determinant is summed over them.

    Args:
        base_transform: the transform of one part of an event.
        reinterpreted_batch_ndims: how many dimensions more an event has.
        cache_size: 0 or 1.
    """

    _given = ("base_transform", "reinterpreted_batch_ndims")

    def __init__(
        self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        need_dimensions(self, x.shape, self.domain.event_dim)
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        need_dimensions(self, y.shape, self.codomain.event_dim)
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        inner = self.base_transform.log_abs_det_jacobian(x, y)
        return _sum_rightmost(inner, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        return self.base_transform.inverse_shape(shape)


def _widened(constraint: Any, event_dim: int) -> Any:
    more = event_dim - constraint.event_dim
    return constraints.independent(constraint, more) if more > 0 else constraint
