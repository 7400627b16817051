"""Transforms to matrices: Cholesky factors, positive definite and correlation matrices."""

from __future__ import annotations

import math
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transforms.base import Parameterless, Transform, need_dimensions
from flambeau.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix
from flambeau.nn.functional import pad, softplus

__all__ = ["CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform"]


class CorrCholeskyTransform(Transform):
    """Vectors of ``D (D - 1) / 2`` numbers to Cholesky factors of D x D correlation matrices.

    ``tanh(x)`` fills the triangle below the diagonal as partial correlations; along each row
    they are broken off what remains of the row's unit length:
    ``y_ij = r_ij prod_{k<j} sqrt(1 - r_ik^2)``, with ``r_ii = 1``.

    Reference: D. Lewandowski, D. Kurowicka, H. Joe, Generating random correlation matrices based on
    vines and extended onion method, 2009.
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = flambeau.finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        remaining = (1 - r**2).sqrt().cumprod(-1)
        r = r + flambeau.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * pad(remaining[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        remaining = pad(_remaining_square(y)[..., :-1], [1, 0], value=1)
        r = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(remaining, diag=-1).sqrt()
        # atanh, as PyTorch words it: the two forms round differently.
        return (r.log1p() - r.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        # The first column's remainder is one; rows above the second have none.
        broken = tril_matrix_to_vec(_remaining_square(y), diag=-2)
        tanh_part = -2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)
        return 0.5 * broken.log().sum(-1) + tanh_part

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        need_dimensions(self, shape, 1)
        n = shape[-1]
        d = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != n:
            raise fail(
                ValueError,
                "CorrCholeskyTransform",
                f"the last dimension has {n} entries, which is no D (D - 1) / 2. Give 1, 3, 6, 10, "
                "... of them.",
            )
        return shape[:-1] + (d, d)

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        need_dimensions(self, shape, 2)
        if shape[-2] != shape[-1]:
            raise fail(
                ValueError,
                "CorrCholeskyTransform",
                f"the matrix is {shape[-2]} x {shape[-1]}, it must be square. Transpose or pad it.",
            )
        return shape[:-2] + (shape[-1] * (shape[-1] - 1) // 2,)


def _remaining_square(y: Tensor) -> Tensor:
    return 1 - (y * y).cumsum(-1)


class LowerCholeskyTransform(Parameterless):
    """Square matrices to lower triangular ones: the triangle below, and ``exp`` of the diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Parameterless):
    """Square matrices to positive definite ones: ``L @ L.mT`` of the lower Cholesky transform."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(flambeau.linalg.cholesky(y))
