"""The generalised Pareto distribution: what exceeds a high threshold."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from typing import Any

import flambeau
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Survival ``(1 + c z)^(-1/c)``, ``z = (x - m) / s``; ``exp(-z)`` where c is zero.

    Args:
        loc: m, the lowest value.
        scale: s.
        concentration: c, the tail: heavy above zero, bounded by ``m - s / c`` below.

    Reference: J. Pickands, Statistical inference using extreme order statistics, 1975.
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _batched = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, flambeau.where(self.concentration < 0, end, inf))

    @property
    def mean(self) -> Tensor:
        """``m + s / (1 - c)``, NaN from c = 1 on."""
        c = self.concentration
        safe = flambeau.where(c < 1, c, 0.5)
        return flambeau.where(c < 1, self.loc + self.scale / (1 - safe), nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """``s^2 / ((1 - c)^2 (1 - 2 c))``, NaN from c = 1/2 on."""
        c = self.concentration
        safe = flambeau.where(c < 0.5, c, 0.25)
        variance = self.scale**2 / ((1 - safe) ** 2 * (1 - 2 * safe))
        return flambeau.where(c < 0.5, variance, nan)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(flambeau.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def _safe(self) -> tuple[Tensor, Tensor]:
        """Where c is zero, and c with ones there."""
        c = self.concentration
        zero = flambeau.isclose(c, flambeau.zeros_like(c))
        return zero, flambeau.where(zero, flambeau.ones_like(c), c)

    def _z(self, x: Tensor) -> Tensor:
        return (x - self.loc) / self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._safe()
        power = 1 / c + flambeau.ones_like(z)
        # At c = -1 the density is flat up to its end, where the logarithm is infinite.
        decay = flambeau.where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - flambeau.where(zero, z, decay)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """``log P(X > value)``."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._safe()
        return flambeau.where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """``log P(X <= value)``."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        zero, c = self._safe()
        log_survival = (-value).log1p()
        power = self.loc + self.scale / c * (-c * log_survival).expm1()
        return flambeau.where(zero, self.loc - self.scale * log_survival, power)

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).broadcast_to(self._batch_shape)
