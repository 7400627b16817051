"""Transforms: differentiable, mostly invertible maps between constrained spaces.

``TransformedDistribution`` and the constraint registries are built of them. One family a file:
pointwise, of vectors, of matrices, of slices, and those made of other transforms.
"""

from flambeau.distributions.transforms.base import Transform, _InverseTransform
from flambeau.distributions.transforms.compose import (
    ComposeTransform,
    IndependentTransform,
    identity_transform,
)
from flambeau.distributions.transforms.matrix import (
    CorrCholeskyTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
)
from flambeau.distributions.transforms.pointwise import (
    AbsTransform,
    AffineTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
    TanhTransform,
)
from flambeau.distributions.transforms.slices import CatTransform, StackTransform
from flambeau.distributions.transforms.vector import (
    ReshapeTransform,
    SoftmaxTransform,
    StickBreakingTransform,
)

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CatTransform",
    "ComposeTransform",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "IndependentTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]
