"""Transforms of numbers: exp, power, sigmoid, softplus, tanh, abs, affine, a distribution's cdf."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transforms.base import Parameterless, Transform
from flambeau.distributions.utils import (
    Number,
    _sum_rightmost,
    broadcast_all,
    broadcast_shapes,
    lazy_property,
)
from flambeau.nn.functional import softplus

if TYPE_CHECKING:
    from flambeau.distributions.distribution import Distribution

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
]


class ExpTransform(Parameterless):
    """``y = exp(x)``."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """``y = x ** exponent`` of positive numbers.

    Args:
        exponent: a number or a tensor that broadcasts with x.
        cache_size: 0 or 1.
    """

    _given = ("exponent",)
    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Tensor | float, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @lazy_property
    def sign(self) -> Any:
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and _same(self.exponent, other.exponent)

    __hash__ = None  # type: ignore[assignment]

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        return _broadcast(shape, self.exponent)

    inverse_shape = forward_shape


class SigmoidTransform(Parameterless):
    """``y = 1 / (1 + exp(-x))``, held inside (0, 1); the inverse is the logit."""

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = +1

    def _call(self, x: Tensor) -> Tensor:
        return inside_unit(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = inside_unit(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Parameterless):
    """``y = log(1 + exp(x))``, x itself above 20."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Parameterless):
    """``y = tanh(x)``. The inverse loses everything near +-1: a cache keeps x."""

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = +1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # log(1 - tanh(x)^2) without the cancellation.
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Parameterless):
    """``y = |x|``; the inverse gives the positive preimage."""

    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """``y = loc + scale * x``.

    Args:
        loc, scale: numbers or tensors.
        event_dim: 0 for numbers, 1 for vectors, 2 for matrices: over how many dimensions the log
            determinant is summed.
        cache_size: 0 or 1.
    """

    _given = ("loc", "scale", "_event_dim")
    bijective = True

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        event_dim: int = 0,
        cache_size: int = 0,
    ) -> None:
        super().__init__(cache_size=cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        if self.event_dim == 0:
            return constraints.real
        return constraints.independent(constraints.real, self.event_dim)

    codomain = domain

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AffineTransform)
            and _same(self.loc, other.loc)
            and _same(self.scale, other.scale)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def sign(self) -> Any:
        scale = self.scale
        if isinstance(scale, Number):
            return (scale > 0) - (scale < 0)
        return scale.sign()

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale, n = self.scale, self.event_dim
        if isinstance(scale, Number):
            result = flambeau.full_like(x, math.log(abs(scale)))
        else:
            result = scale.abs().log()
        return _sum_rightmost(result, n).expand(x.shape[: x.dim() - n])

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        return _broadcast(shape, self.loc, self.scale)

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """``y = F(x)`` of a distribution's cdf: its draws become uniform ones, and back.

    Args:
        distribution: one with ``cdf``, ``icdf`` and ``log_prob``.
        cache_size: 0 or 1.

    Example:
        >>> from flambeau.distributions import Normal
        >>> to_uniform = CumulativeDistributionTransform(Normal(0.0, 1.0))
    """

    _given = ("distribution",)
    bijective = True
    codomain = constraints.unit_interval
    sign = +1

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


def inside_unit(x: Tensor) -> Tensor:
    """``x`` held in the open unit interval of its dtype: [tiny, 1 - eps]."""
    limits = flambeau.finfo(x.dtype)
    return x.clamp(min=limits.tiny, max=1.0 - limits.eps)


def _same(left: Any, right: Any) -> bool:
    found = left == right
    return found if isinstance(found, bool) else bool(found.all())


def _broadcast(shape: tuple[int, ...], *parameters: Any) -> Any:
    return broadcast_shapes(shape, *(getattr(p, "shape", ()) for p in parameters))
