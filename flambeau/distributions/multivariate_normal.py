"""The multivariate normal distribution, by covariance, precision or Cholesky factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.triangular import (
    batch_mahalanobis,
    batch_mv,
    half_log_det,
    precision_to_scale_tril,
)
from flambeau.distributions.utils import _standard_normal, broadcast_shapes, lazy_property

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """Normal vectors ``m + L z``, covariance ``L L^T``; exactly one of three forms is given.

    Args:
        loc: m, the mean.
        covariance_matrix: positive definite.
        precision_matrix: its inverse.
        scale_tril: L, lower triangular with a positive diagonal; the form that costs nothing.

    Shape:
        loc (*batch, n), the matrix (*batch, n, n), batches broadcast.

    Raises:
        ValueError: no or several matrices, or too few dimensions.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _batched = {"loc": 1, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}
    _shared = ("_unbroadcasted_scale_tril",)

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise fail(
                ValueError,
                "MultivariateNormal",
                "loc must be at least one-dimensional. Use Normal for numbers.",
            )
        name, matrix = one_matrix(
            "MultivariateNormal",
            ValueError,
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(*batch, -1, -1))
        self.loc = loc.expand(*batch, -1)
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The covariance's lower Cholesky factor."""
        return self._matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """``L L^T``."""
        factor = self._unbroadcasted_scale_tril
        return self._matrix(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The covariance's inverse."""
        return self._matrix(flambeau.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The covariance's diagonal."""
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        eps = _standard_normal(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + batch_mv(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = batch_mahalanobis(factor, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - half_log_det(factor)

    def entropy(self) -> Tensor:
        constant = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        entropy = constant + half_log_det(self._unbroadcasted_scale_tril)
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy


def one_matrix(name: str, kind: type[Exception], **matrices: Tensor | None) -> tuple[str, Tensor]:
    """The one form that was given, by name.

    Raises:
        kind: none or several were.
        ValueError: it is no matrix.
    """
    given = [(key, m) for key, m in matrices.items() if m is not None]
    if len(given) != 1:
        which = " and ".join(key for key, _ in given) or "none"
        raise fail(
            kind,
            name,
            "Exactly one of covariance_matrix, precision_matrix and scale_tril may be specified, "
            f"got {which}. Keep one.",
        )
    key, matrix = given[0]
    if matrix.dim() < 2:
        raise fail(
            ValueError,
            name,
            f"{key} must be at least two-dimensional, with optional leading batch dimensions, its "
            f"shape is {tuple(matrix.shape)}. A vector of deviations is diag_embed().",
        )
    return key, matrix


def to_scale_tril(name: str, matrix: Tensor) -> Tensor:
    """The lower Cholesky factor of the covariance, from any of the three forms."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return flambeau.linalg.cholesky(matrix)
    return precision_to_scale_tril(matrix)
