"""The half-Cauchy distribution: the absolute value of a centred Cauchy number."""

from __future__ import annotations

import math

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions.cauchy import Cauchy
from flambeau.distributions.folded import Folded
from flambeau.distributions.transforms import AbsTransform

__all__ = ["HalfCauchy"]


class HalfCauchy(Folded):
    """Density ``2 / (pi s (1 + (x / s)^2))``, x >= 0.

    Args:
        scale: s, the median.
    """

    _batched: dict[str, int] = {}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        base = Cauchy(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return flambeau.full(
            self._extended_shape(), math.inf, dtype=self.scale.dtype, device=self.scale.device
        )

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self.base_dist.variance
