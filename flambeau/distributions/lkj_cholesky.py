"""The LKJ distribution of correlation matrices, through their Cholesky factors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.beta import Beta
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors L of correlation matrices M with density proportional to ``det(M)^(c - 1)``.

    Args:
        dim: the size of the matrices, at least 2.
        concentration: c; at 1 all matrices are equally likely, above it those near the identity.

    Shape:
        samples (*sample, *batch, dim, dim).

    Raises:
        ValueError: dim below 2.

    Reference: D. Lewandowski, D. Kurowicka, H. Joe, Generating random correlation matrices based on
    vines and extended onion method, 2009, section 3.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _batched = {"concentration": 0, "_beta": 1}
    _shared = ("dim",)

    def __init__(
        self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise fail(
                ValueError,
                "LKJCholesky",
                f"dim must be an integer greater than or equal to 2, got {dim}. A smaller matrix "
                "has no correlations.",
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        c = self.concentration
        # Row i's squared distance from the axis is beta distributed: the onion method.
        row = flambeau.arange(dim - 1, dtype=c.dtype, device=c.device)
        row = flambeau.cat([row.new_zeros((1,)), row])
        marginal = (c + 0.5 * (dim - 2)).unsqueeze(-1)
        self._beta = Beta(row + 0.5, marginal - 0.5 * row)
        super().__init__(c.size(), Size((dim, dim)), validate_args)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        square = self._beta.sample(sample_shape).unsqueeze(-1)
        shape = self._extended_shape(sample_shape)
        normal = flambeau.randn(shape, dtype=square.dtype, device=square.device).tril(-1)
        direction = normal / normal.norm(dim=-1, keepdim=True)
        direction[..., 0, :].fill_(0.0)
        below = square.sqrt() * direction
        tiny = flambeau.finfo(below.dtype).tiny
        diagonal = (1 - (below**2).sum(-1)).clamp(min=tiny).sqrt()
        return below + diagonal.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        """The density of L: that of M times the Jacobian, in powers of L's diagonal."""
        if self._validate_args:
            self._validate_sample(value)
        c, n = self.concentration, self.dim - 1
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = flambeau.arange(2, self.dim + 1, device=c.device)
        powers = 2 * (c - 1).unsqueeze(-1) + self.dim - order
        alpha = c + 0.5 * n
        normalizer = 0.5 * n * math.log(math.pi) + (alpha - 0.5).mvlgamma(n) - alpha.lgamma() * n
        return (powers * diagonal.log()).sum(-1) - normalizer
