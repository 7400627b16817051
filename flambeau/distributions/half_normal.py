"""The half-normal distribution: the absolute value of a centred normal number."""

from __future__ import annotations

import math

from flambeau.core.tensor import Tensor
from flambeau.distributions.folded import Folded
from flambeau.distributions.normal import Normal
from flambeau.distributions.transforms import AbsTransform

__all__ = ["HalfNormal"]


class HalfNormal(Folded):
    """Density ``sqrt(2 / pi) / s exp(-(x / s)^2 / 2)``, x >= 0.

    Args:
        scale: s, the standard deviation before folding.
    """

    _batched: dict[str, int] = {}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        base = Normal(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)
