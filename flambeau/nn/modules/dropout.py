"""Dropout layers; each is the identity in evaluation mode. Stands on ``F.dropout`` and kin.

Reference: Hinton et al., Improving neural networks by preventing co-adaptation of feature
detectors, 2012, arXiv:1207.0580.
"""

from __future__ import annotations

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.modules.module import Module

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _DropoutNd(Module):
    """The probability and the in-place flag all of them have.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """

    __constants__ = ["p", "inplace"]
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise fail(
                ValueError,
                type(self).__name__,
                f"dropout probability has to be between 0 and 1, but got {p}",
            )
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Probability and in-place flag."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zero each element with probability p in training, scale the others by 1 / (1 - p)."""

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Zero whole channels of (N, C, L) or (C, L) with probability p."""

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Zero whole channels of (N, C, H, W) with probability p."""

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Zero whole channels of (N, C, D, H, W) with probability p."""

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout to SELU's negative limit that keeps mean 0 and variance 1.

    Reference: Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """AlphaDropout of whole channels.

    Reference: Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The thinned input in training, the input itself in evaluation."""
        return F.feature_alpha_dropout(input, self.p, self.training)
