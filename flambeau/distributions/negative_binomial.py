"""The negative binomial distribution: successes before a number of failures."""

from __future__ import annotations

from collections.abc import Sequence

import flambeau
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.odds import Odds, which
from flambeau.distributions.utils import broadcast_all, lazy_property
from flambeau.nn.functional import logsigmoid

__all__ = ["NegativeBinomial"]


class NegativeBinomial(Odds):
    """Successes before ``total_count`` failures: ``Gamma(r + x) / (x! Gamma(r)) (1 - p)^r p^x``.

    Drawn as a Poisson number whose rate is gamma distributed.

    Args:
        total_count: r, failures to stop at; any number that is not negative.
        probs: p, the probability of success, in [0, 1).
        logits: its log odds, instead.
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _batched = {"total_count": 0, "probs": 0, "logits": 0}
    _shared = Odds._shared

    def __init__(
        self,
        total_count: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._source = which("NegativeBinomial", probs, logits)
        if logits is None:
            total_count, self.probs = broadcast_all(total_count, probs)
        else:
            total_count, self.logits = broadcast_all(total_count, logits)
        self.total_count = total_count.type_as(self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        rate = (-self.logits).exp()
        return Gamma(concentration=self.total_count, rate=rate, validate_args=False)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with flambeau.no_grad():
            return flambeau.poisson(self._gamma.sample(sample_shape=sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        r, logits = self.total_count, self.logits
        likelihood = r * logsigmoid(-logits) + value * logsigmoid(logits)
        orders = -(r + value).lgamma() + (1.0 + value).lgamma() + r.lgamma()
        # Without failures to wait for, zero successes are sure.
        return likelihood - orders.masked_fill(r + value == 0.0, 0.0)
