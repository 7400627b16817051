"""The Gumbel distribution of extreme values, as a transformed uniform one."""

from __future__ import annotations

import math

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transformed_distribution import TransformedDistribution
from flambeau.distributions.transforms import AffineTransform, ExpTransform
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import broadcast_all, euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """``m - s log(-log(u))`` of a uniform u: density ``exp(y - exp(y)) / s``, ``y = (m - x) / s``.

    Args:
        loc: m, the mode.
        scale: s.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    _batched = {"loc": 0, "scale": 0}

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = flambeau.finfo(self.loc.dtype)
        base = Uniform(
            flambeau.full_like(self.loc, limits.tiny),
            flambeau.full_like(self.loc, 1 - limits.eps),
            validate_args=validate_args,
        )
        log = ExpTransform().inv
        negate = AffineTransform(loc=0, scale=-flambeau.ones_like(self.scale))
        place = AffineTransform(loc=loc, scale=-self.scale)
        super().__init__(base, [log, negate, log, place], validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
