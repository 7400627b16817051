"""What every transform answers: calling, inverse, log determinant, shapes, a cache of one pair.

Stands on constraints.
"""

from __future__ import annotations

import weakref
from typing import Any, ClassVar

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints

__all__ = ["Transform"]


class Transform:
    """A map ``y = t(x)`` with ``t.inv(y)`` and ``t.log_abs_det_jacobian(x, y)``.

    Subclasses define ``_call``, ``_inverse`` and ``log_abs_det_jacobian``.

    Args:
        cache_size: 0, or 1 to remember the last pair (x, y): an inverse of what was just computed
            then costs nothing and loses nothing to rounding.

    Attributes:
        domain, codomain: constraints on x and y.
        bijective: whether ``t.inv(t(x)) == x``; otherwise the inverse only gives some preimage.
        sign: +1 or -1 of a monotone map of numbers, a tensor where it depends on parameters.

    Raises:
        ValueError: another cache size.
    """

    bijective: Any = False
    domain: Any
    codomain: Any
    # The constructor's arguments, kept as attributes of the same names: for `with_cache`.
    _given: ClassVar[tuple[str, ...]]

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise fail(
                ValueError,
                type(self).__name__,
                f"cache_size must be 0 or 1, got {cache_size}. Pass 1 to remember the last pair.",
            )
        self._cache_size = cache_size
        # Weak: the inverse holds its transform, a cycle would wait for the garbage collector.
        self._inv: weakref.ref[Transform] | None = None
        self._cached_x_y: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_inv": None}

    @property
    def event_dim(self) -> int:
        """The number of event dimensions, where domain and codomain agree.

        Raises:
            ValueError: they do not.
        """
        if self.domain.event_dim != self.codomain.event_dim:
            raise fail(
                ValueError,
                type(self).__name__,
                f"maps events of {self.domain.event_dim} dimensions to events of "
                f"{self.codomain.event_dim}. Ask .domain.event_dim or .codomain.event_dim.",
            )
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The inverse transform; its ``inv`` is this one."""
        inverse = self._inv() if self._inv is not None else None
        if inverse is None:
            inverse = self._make_inverse()
            self._inv = weakref.ref(inverse)
        return inverse

    def _make_inverse(self) -> Transform:
        return _InverseTransform(self)

    @property
    def sign(self) -> Any:
        """The sign of the derivative, for monotone transforms of numbers."""
        raise NotImplementedError

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same transform with a cache of ``cache_size`` pairs.

        Raises:
            NotImplementedError: a subclass with an ``__init__`` of its own does not define it.
        """
        if self._cache_size == cache_size:
            return self
        kind = type(self)
        if kind.__init__ is Transform.__init__:
            return kind(cache_size=cache_size)
        owner = next((c for c in kind.__mro__ if "_given" in vars(c)), None)
        if owner is None:
            raise NotImplementedError(
                f"{kind.__name__} has an __init__ of its own and no with_cache(). Define it."
            )
        return owner(*(getattr(self, name) for name in owner._given), cache_size=cache_size)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: Tensor) -> Tensor:
        """``t(x)``."""
        if self._cache_size == 0:
            return self._call(x)
        old_x, old_y = self._cached_x_y
        if x is old_x:
            return old_y
        y = self._call(x)
        self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._inverse(y)
        old_x, old_y = self._cached_x_y
        if y is old_y:
            return old_x
        x = self._inverse(y)
        self._cached_x_y = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``log |dy/dx|``, one number per event."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        """The shape of ``t(x)`` for x of ``shape``."""
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        """The shape of ``t.inv(y)`` for y of ``shape``."""
        return shape


class Parameterless(Transform):
    """Transforms that are equal when they are of the same kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))

    __hash__ = None  # type: ignore[assignment]


class _InverseTransform(Transform):
    """The inverse of a transform: every question is handed to it, sides exchanged."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._forward = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return self._forward.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self._forward.domain

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return self._forward.bijective

    @property
    def sign(self) -> Any:
        return self._forward.sign

    @property
    def inv(self) -> Transform:
        return self._forward

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._forward.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._forward == other._forward

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._forward!r})"

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        return self._forward.forward_shape(shape)


def need_dimensions(transform: Transform, shape: tuple[int, ...], count: int) -> None:
    """That ``shape`` has the event's dimensions.

    Raises:
        ValueError: it has fewer.
    """
    if len(shape) < count:
        raise fail(
            ValueError,
            type(transform).__name__,
            f"too few dimensions on input: shape {tuple(shape)} has {len(shape)}, an event needs "
            f"{count}. Add the missing ones.",
        )
