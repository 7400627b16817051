"""The geometric distribution: failures before the first success."""

from __future__ import annotations

from collections.abc import Sequence

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.odds import Odds, which
from flambeau.distributions.utils import broadcast_all
from flambeau.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Geometric"]


class Geometric(Odds):
    """Failures before the first success: ``(1 - p)^x p``, x = 0, 1, ...

    Args:
        probs: p, in (0, 1].
        logits: its log odds, instead.

    Raises:
        ValueError: a probability of zero.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer
    _batched = Odds._batched
    _shared = Odds._shared

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._source = which("Geometric", probs, logits)
        if logits is None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        super().__init__(self._param.size(), validate_args=validate_args)
        if self._validate_args and logits is None and not bool((self.probs > 0).all()):
            raise fail(
                ValueError,
                "Geometric",
                "Expected parameter probs to be positive: success never comes at probability 0. "
                "Clamp it above 0.",
            )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return flambeau.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with flambeau.no_grad():
            p = self.probs
            u = p.new_empty(shape).uniform_(flambeau.finfo(p.dtype).tiny, 1)
            return (u.log() / (-p).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, p = broadcast_all(value, self.probs)
        # 0 log 0 is 0: a sure success needs no failure.
        failing = flambeau.where((p == 1) & (value == 0), 0.0, p)
        return value * (-failing).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        p = self.probs
        return binary_cross_entropy_with_logits(self.logits, p, reduction="none") / p
