"""The von Mises distribution of angles, drawn by rejection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all, lazy_property

__all__ = ["VonMises"]

# Polynomials of the modified Bessel functions I0 and I1, in (x / 3.75)^2 below 3.75 and in 3.75 / x
# above. M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 9.8.1 to 9.8.4.
_SMALL = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411),
)
_LARGE = (
    (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281)
    + (-0.02057706, 0.02635537, -0.01647633, 0.00392377),
    (0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555)
    + (0.02282967, -0.02895312, 0.01787654, -0.00420059),
)


class VonMises(Distribution):
    """Angles in ``[-pi, pi)`` with density ``exp(k cos(x - m)) / (2 pi I0(k))``.

    Samples are drawn in float64 whatever the parameters' dtype: the proposal is unstable for a
    small concentration.

    Args:
        loc: m, an angle in radians.
        concentration: k.

    Reference: D. J. Best, N. I. Fisher, Efficient simulation of the von Mises distribution, 1979.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _batched = {"loc": 0, "concentration": 0}

    def __init__(
        self,
        loc: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, Size(), validate_args)

    @property
    def mean(self) -> Tensor:
        """The circular mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance, ``1 - I1(k) / I0(k)``."""
        k = self.concentration
        return 1 - (_log_bessel(k, 1) - _log_bessel(k, 0)).exp()

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """The wrapped Cauchy proposal's parameter, in float64; its series for small k."""
        k = self.concentration.double()
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        return flambeau.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with flambeau.no_grad():
            drawn = self._rejection_sample(self._extended_shape(sample_shape))
            return drawn.to(self.loc.dtype)

    def _rejection_sample(self, shape: Size) -> Tensor:
        k, r = self.concentration.double(), self._proposal_r
        like: dict[str, Any] = {"dtype": k.dtype, "device": k.device}
        x = flambeau.zeros(shape, **like)
        done = flambeau.zeros(shape, dtype=flambeau.bool, device=k.device)
        while not bool(done.all()):
            u1, u2, u3 = flambeau.rand(Size((3,)) + shape, **like).unbind()
            z = (math.pi * u1).cos()
            f = (1 + r * z) / (r + z)
            c = k * (r - f)
            accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
            # An entry accepted again is replaced: as PyTorch draws.
            x = flambeau.where(accept, (u3 - 0.5).sign() * f.acos(), x)
            done = done | accept
        return (x + math.pi + self.loc.double()) % (2 * math.pi) - math.pi

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - _log_bessel(k, 0)


def _log_bessel(x: Tensor, order: int) -> Tensor:
    """``log I_order(x)`` of x > 0, order 0 or 1, to about 1e-7."""
    t = x / 3.75
    small = _polynomial(t * t, _SMALL[order])
    if order == 1:
        small = x.abs() * small
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return flambeau.where(x < 3.75, small.log(), large)


def _polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    result: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        result = c + x * result
    return result
