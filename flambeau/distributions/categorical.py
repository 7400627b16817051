"""The categorical distribution: one of K."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.bernoulli import enumerate_integers
from flambeau.distributions.odds import Odds, which
from flambeau.distributions.utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["Categorical"]


class Categorical(Odds):
    """Integers 0 ... K - 1, drawn by the probabilities in the last dimension.

    Args:
        probs: weights, not negative; normalised to sum to one.
        logits: unnormalised log probabilities, instead; normalised by their logsumexp.

    Shape:
        probs (*batch, K); samples and log_prob (*batch).

    Raises:
        ValueError: parameters without dimensions.

    Example:
        >>> Categorical(logits=flambeau.zeros(4)).entropy()
        tensor(1.3863)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    _batched = {"probs": 1, "logits": 1}
    _shared = ("_source", "_num_events")

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._source = which("Categorical", probs, logits)
        given: Any = probs if logits is None else logits
        if given.dim() < 1:
            raise fail(
                ValueError,
                "Categorical",
                f"{self._source} must be at least one-dimensional, the last dimension holds the "
                "categories. Add it with unsqueeze or reshape.",
            )
        if logits is None:
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(dim=-1, keepdim=True)
        shape = self._param.size()
        self._num_events = shape[-1]
        super().__init__(shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, which sum to one."""
        return logits_to_probs(self.logits)

    @property
    def mean(self) -> Tensor:
        """NaN: categories have no order."""
        return flambeau.full(
            self._extended_shape(), nan, dtype=self.probs.dtype, device=self.probs.device
        )

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(dim=-1)

    @property
    def variance(self) -> Tensor:
        """NaN: categories have no distance."""
        return self.mean

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        if not isinstance(sample_shape, Size):
            sample_shape = Size(sample_shape)
        rows = self.probs.reshape(-1, self._num_events)
        drawn = flambeau.multinomial(rows, sample_shape.numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        index, log_pmf = flambeau.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_pmf.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        # A log probability of -inf counts as nothing: -inf * 0 would be NaN.
        logits = self.logits.clamp(min=flambeau.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return enumerate_integers(self, self._num_events, self._param, expand, flambeau.int64)
