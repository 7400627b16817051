"""Mixtures: a categorical choice among the last batch dimension of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.categorical import Categorical
from flambeau.distributions.distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """``sum_k w_k p_k(x)`` of components that are one distribution's last batch dimension.

    Args:
        mixture_distribution: a Categorical over K components.
        component_distribution: a distribution of batch shape (*batch, K).

    Raises:
        ValueError: other types, or shapes that do not fit.

    Example:
        >>> from flambeau.distributions import Normal
        >>> weights = Categorical(flambeau.ones(2))
        >>> MixtureSameFamily(weights, Normal(flambeau.tensor([-1.0, 1.0]), 0.5)).mean
        tensor(0.)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False
    _batched = {"_mixture_distribution": 0, "_component_distribution": 1}
    _shared = ("_num_component", "_event_ndims")

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._num_component = _components(mixture_distribution, component_distribution)
        event = component_distribution.event_shape
        self._event_ndims = len(event)
        batch = component_distribution.batch_shape[:-1]
        super().__init__(batch, event, validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The choice of a component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components, along the last batch dimension."""
        return self._component_distribution

    @property
    def _dim(self) -> int:
        """Where the components' dimension stands in the components' moments and samples."""
        return -1 - self._event_ndims

    def _weights(self) -> Tensor:
        """The probabilities, with dimensions for batch and event."""
        probs = self._mixture_distribution.probs
        own = len(self._mixture_distribution.batch_shape)
        missing = 0 if own == 1 else len(self.batch_shape) - own
        shape = probs.shape
        event = (1,) * self._event_ndims
        return probs.reshape(*shape[:-1], *(1,) * missing, shape[-1], *event)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(dim=self._dim)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances plus the variance of the means."""
        weights, parts = self._weights(), self._component_distribution
        inner = (weights * parts.variance).sum(dim=self._dim)
        offset = parts.mean - self.mean.unsqueeze(self._dim)
        return inner + (weights * offset.pow(2.0)).sum(dim=self._dim)

    def cdf(self, x: Tensor) -> Tensor:
        parts = self._component_distribution.cdf(x.unsqueeze(self._dim))
        return (parts * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(x)
        parts = self._component_distribution.log_prob(x.unsqueeze(self._dim))
        weights = self._mixture_distribution.logits.log_softmax(dim=-1)
        return (parts + weights).logsumexp(dim=-1)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with flambeau.no_grad():
            dim = len(sample_shape) + len(self.batch_shape)
            chosen = self._mixture_distribution.sample(sample_shape)  # (*sample, *batch)
            parts = self._component_distribution.sample(sample_shape)  # (..., K, *event)
            index = chosen.reshape(*chosen.shape, *(1,) * (self._event_ndims + 1))
            index = index.expand(*chosen.shape, 1, *self.event_shape)
            return parts.gather(dim, index).squeeze(dim)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
        )


def _components(mixture: Any, parts: Any) -> int:
    """K, after checking that both speak of K components over batches that broadcast."""

    def wrong(text: str) -> Exception:
        return fail(ValueError, "MixtureSameFamily", text)

    if not isinstance(mixture, Categorical):
        raise wrong(
            "mixture_distribution must be a torch.distributions.Categorical, got "
            f"{type(mixture).__name__}. Wrap the weights: Categorical(weights)."
        )
    if not isinstance(parts, Distribution):
        raise wrong(
            "component_distribution must be a torch.distributions.Distribution, got "
            f"{type(parts).__name__}. Its last batch dimension holds the components."
        )
    for left, right in zip(reversed(mixture.batch_shape), reversed(parts.batch_shape[:-1])):
        if left != 1 and right != 1 and left != right:
            raise wrong(
                f"mixture_distribution has batch_shape {tuple(mixture.batch_shape)}, which does "
                f"not fit the components' {tuple(parts.batch_shape)} without the last. They must "
                "broadcast."
            )
    k = mixture.logits.shape[-1]
    if k != parts.batch_shape[-1]:
        raise wrong(
            f"mixture_distribution has {k} categories, component_distribution's last batch "
            f"dimension {parts.batch_shape[-1]}. They must be equal."
        )
    return k
