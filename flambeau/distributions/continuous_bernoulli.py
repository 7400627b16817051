"""The continuous Bernoulli distribution on [0, 1], with series where its constant is 0 / 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.odds import Odds, which
from flambeau.distributions.utils import (
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
)
from flambeau.nn.functional import binary_cross_entropy_with_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(Odds, ExponentialFamily):
    """Density ``C(p) p^x (1 - p)^(1 - x)``, ``C(p) = 2 atanh(1 - 2 p) / (1 - 2 p)``.

    Args:
        probs: p, clamped into (0, 1).
        logits: its log odds, instead.
        lims: between these probabilities Taylor series about 1/2 are used.

    Reference: G. Loaiza-Ganem, J. P. Cunningham, The continuous Bernoulli: fixing a pervasive error
    in variational autoencoders, 2019, arXiv:1907.06845.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _batched = Odds._batched
    _shared = ("_source", "_lims")
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._source = which("ContinuousBernoulli", probs, logits)
        self._lims = lims
        if logits is None:
            (p,) = broadcast_all(probs)
            if validate_args is not None and not bool(constraints.unit_interval.check(p).all()):
                raise fail(
                    ValueError,
                    "ContinuousBernoulli",
                    "probs has invalid values: Interval(lower_bound=0.0, upper_bound=1.0) is "
                    "expected. Pass unbounded numbers as logits.",
                )
            self.probs = clamp_probs(p)
        else:
            (self.logits,) = broadcast_all(logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """p, inside (0, 1)."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _is_stable(self) -> Tensor:
        low, high = self._lims
        return (self.probs <= low) | (self.probs > high)

    def _stable_probs(self) -> Tensor:
        """p where the closed forms hold, some such value elsewhere: no NaN in any gradient."""
        return flambeau.where(self._is_stable(), self.probs, self._lims[0])

    def _cont_bern_log_norm(self) -> Tensor:
        """``log C(p)``."""
        p = self._stable_probs()
        low = flambeau.where(p <= 0.5, p, 0.0)
        high = flambeau.where(p >= 0.5, p, 1.0)
        gap = flambeau.where(p <= 0.5, (-2.0 * low).log1p(), (2.0 * high - 1.0).log())
        closed = ((-p).log1p() - p.log()).abs().log() - gap
        x = (self.probs - 0.5).pow(2)
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return flambeau.where(self._is_stable(), closed, series)

    @property
    def mean(self) -> Tensor:
        p = self._stable_probs()
        closed = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return flambeau.where(self._is_stable(), closed, series)

    @property
    def variance(self) -> Tensor:
        p = self._stable_probs()
        closed = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + ((-p).log1p() - p.log()).pow(-2)
        x = (self.probs - 0.5).pow(2)
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return flambeau.where(self._is_stable(), closed, series)

    def _uniform(self, sample_shape: Sequence[int]) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return flambeau.rand(shape, dtype=self.probs.dtype, device=self.probs.device)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with flambeau.no_grad():
            return self.icdf(self._uniform(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.icdf(self._uniform(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        likelihood = -binary_cross_entropy_with_logits(logits, value, reduction="none")
        return likelihood + self._cont_bern_log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        p = self._stable_probs()
        closed = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inside = flambeau.where(self._is_stable(), closed, value)
        above = flambeau.where(value >= 1.0, 1.0, inside)
        return flambeau.where(value <= 0.0, 0.0, above)

    def icdf(self, value: Tensor) -> Tensor:
        p = self._stable_probs()
        q = (-p).log1p()
        closed = ((-p + value * (2.0 * p - 1.0)).log1p() - q) / (p.log() - q)
        return flambeau.where(self._is_stable(), closed, value)

    def entropy(self) -> Tensor:
        log_zero, log_one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (log_zero - log_one) - self._cont_bern_log_norm() - log_zero

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        low, high = self._lims[0] - 0.5, self._lims[1] - 0.5
        stable = (x <= low) | (x > high)
        safe = flambeau.where(stable, x, low)
        closed = safe.expm1().abs().log() - safe.abs().log()
        series = 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0
        return flambeau.where(stable, closed, series)
