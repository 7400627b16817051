"""What distributions given by probabilities or by logits share: exactly one, the other when asked.

Stands on utils; the samplers and densities stand in the distributions' files.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import lazy_property, logits_to_probs, probs_to_logits

__all__: list[str] = []


def which(name: str, probs: Any, logits: Any) -> str:
    """``"probs"`` or ``"logits"``: the one that was given.

    Raises:
        ValueError: both or none.
    """
    if (probs is None) == (logits is None):
        given = "neither" if probs is None else "both"
        raise fail(
            ValueError,
            name,
            f"Either probs or logits must be specified, got {given}. Pass exactly one: "
            f"{name}(logits=...) for unnormalised numbers.",
        )
    return "logits" if probs is None else "probs"


class Odds(Distribution):
    """Distributions of binary events: ``logits = log(probs / (1 - probs))``."""

    _batched = {"probs": 0, "logits": 0}
    _shared: tuple[str, ...] = ("_source",)
    _source: str

    @lazy_property
    def logits(self) -> Tensor:
        """The log odds of success."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probability of success."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self) -> Tensor:
        return self.__dict__[self._source]

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._param.size()

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)
