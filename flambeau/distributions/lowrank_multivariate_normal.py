"""The multivariate normal with covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.triangular import (
    batch_mv,
    capacitance_tril,
    low_rank_log_det,
    low_rank_mahalanobis,
    low_rank_scale_tril,
)
from flambeau.distributions.utils import _standard_normal, lazy_property

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Normal vectors of covariance ``W W^T + diag(d)``, never formed unless asked for.

    Determinant and distances go through the m x m matrix ``I + W^T diag(d)^-1 W``: the matrix
    determinant lemma and the Woodbury identity.

    Args:
        loc: the mean.
        cov_factor: W.
        cov_diag: d, positive.

    Shape:
        loc (*batch, n), cov_factor (*batch, n, m), cov_diag (*batch, n), batches broadcast.

    Raises:
        ValueError: shapes that do not fit.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _batched = {"loc": 1, "cov_diag": 1, "cov_factor": 2}
    _shared = ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril")

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        def wrong(text: str) -> Exception:
            return fail(ValueError, "LowRankMultivariateNormal", text)

        if loc.dim() < 1:
            raise wrong("loc must be at least one-dimensional. Add the events' dimension.")
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise wrong(
                "cov_factor must be at least two-dimensional, n x m, after any batch dimensions. "
                "A single column is unsqueeze(-1)."
            )
        if cov_factor.shape[-2:-1] != event:
            raise wrong(
                f"cov_factor must be a batch of matrices with shape {event[0]} x m, its shape is "
                f"{tuple(cov_factor.shape)}. Transpose it, or check loc."
            )
        if cov_diag.shape[-1:] != event:
            raise wrong(
                f"cov_diag must be a batch of vectors with shape {tuple(event)}, its shape is "
                f"{tuple(cov_diag.shape)}. Pass the diagonal only."
            )
        try:
            mean, self.cov_factor, diagonal = flambeau.broadcast_tensors(
                loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1)
            )
        except RuntimeError as error:
            raise wrong(
                f"incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor "
                f"{tuple(cov_factor.shape)}, cov_diag {tuple(cov_diag.shape)}. They must broadcast."
            ) from error
        self.loc = mean[..., 0]
        self.cov_diag = diagonal[..., 0]
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)
        super().__init__(self.loc.shape[:-1], event, validate_args=validate_args)

    @property
    def _low_rank(self) -> tuple[Tensor, Tensor, Tensor]:
        """W, d and the factor of ``I + W^T diag(d)^-1 W``, over the batch they vary in."""
        return (
            self._unbroadcasted_cov_factor,
            self._unbroadcasted_cov_diag,
            self._capacitance_tril,
        )

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The covariance's diagonal."""
        factor, diagonal, _ = self._low_rank
        return (factor.pow(2).sum(-1) + diagonal).expand(self._extended_shape())

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The covariance's lower Cholesky factor."""
        factor, diagonal, _ = self._low_rank
        return self._matrix(low_rank_scale_tril(factor, diagonal))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """``W W^T + diag(d)``."""
        factor, diagonal, _ = self._low_rank
        return self._matrix(factor @ factor.mT + diagonal.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The covariance's inverse, by the Woodbury identity."""
        factor, diagonal, capacitance = self._low_rank
        scaled = factor.mT / diagonal.unsqueeze(-2)
        a = flambeau.linalg.solve_triangular(capacitance, scaled, upper=False)
        return self._matrix(diagonal.reciprocal().diag_embed() - a.mT @ a)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        factor, diagonal, _ = self._low_rank
        like = {"dtype": self.loc.dtype, "device": self.loc.device}
        low = _standard_normal(shape[:-1] + self.cov_factor.shape[-1:], **like)
        own = _standard_normal(shape, **like)
        return self.loc + batch_mv(factor, low) + diagonal.sqrt() * own

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        factor, diagonal, capacitance = self._low_rank
        distance = low_rank_mahalanobis(factor, diagonal, value - self.loc, capacitance)
        log_det = low_rank_log_det(diagonal, capacitance)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + distance)

    def entropy(self) -> Tensor:
        _, diagonal, capacitance = self._low_rank
        log_det = low_rank_log_det(diagonal, capacitance)
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy
