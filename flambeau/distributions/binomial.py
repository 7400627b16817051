"""The binomial distribution: successes in a number of trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.bernoulli import enumerate_integers
from flambeau.distributions.odds import Odds, which
from flambeau.distributions.utils import broadcast_all

__all__ = ["Binomial"]


class Binomial(Odds):
    """Successes in ``total_count`` trials: ``C(n, x) p^x (1 - p)^(n - x)``.

    Args:
        total_count: n, an integer or a tensor of them.
        probs: p.
        logits: its log odds, instead.
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _batched = {"total_count": 0, "probs": 0, "logits": 0}
    _shared = Odds._shared

    def __init__(
        self,
        total_count: Tensor | int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._source = which("Binomial", probs, logits)
        if logits is None:
            total_count, self.probs = broadcast_all(total_count, probs)
        else:
            total_count, self.logits = broadcast_all(total_count, logits)
        self.total_count = total_count.type_as(self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with flambeau.no_grad():
            return flambeau.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """``log C(n, x) + x logits - n softplus(logits)``, finite at probabilities 0 and 1."""
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choices = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        softplus = _positive_part(logits) + (-logits.abs()).exp().log1p()
        return value * logits + choices - n * softplus

    def entropy(self) -> Tensor:
        """By summing over the support.

        Raises:
            NotImplementedError: the counts differ within the batch.
        """
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to n.

        Raises:
            NotImplementedError: the counts differ within the batch.
        """
        n = self._one_count("enumerate_support")
        return enumerate_integers(self, 1 + n, self._param, expand)

    def _one_count(self, what: str) -> int:
        n = int(self.total_count.max())
        if self.total_count.min() != n:
            raise NotImplementedError(
                f"Binomial.{what}: total_count differs within the batch. Split the batch by it."
            )
        return n


def _positive_part(x: Tensor) -> Tensor:
    """``max(x, 0)`` whose gradient at 0 is one half, as softplus' is."""
    return (x.clamp(min=0) + x - x.clamp(max=0)) / 2
