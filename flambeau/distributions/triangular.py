"""Batched products, norms and traces with Cholesky factors, for the multivariate distributions.

Stands on ``linalg.solve_triangular`` and ``matmul``.
"""

from __future__ import annotations

import flambeau
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices (*, n, m) times vectors (*, m), broadcast over the batches."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def half_log_det(factor: Tensor) -> Tensor:
    """``log det L`` of triangular matrices: half that of ``L L^T``."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def batch_mahalanobis(factor: Tensor, x: Tensor) -> Tensor:
    """``|L^-1 x|^2`` of lower triangular L (*b, n, n) and x (*a, n), where b broadcasts into a.

    Dimensions of x in which L does not vary go beside the vectors, so that each factor is solved
    once for all its vectors.
    """
    n = x.size(-1)
    batch, own = x.shape[:-1], factor.shape[:-2]
    outer = len(batch) - len(own)
    # Every batch dimension of L is split into (what L repeats over, L's own size).
    split = list(batch[:outer])
    for size, total in zip(own, batch[outer:]):
        split += [total // size, size]
    repeated = list(range(outer)) + list(range(outer, len(split), 2))
    varying = list(range(outer + 1, len(split), 2))
    order = repeated + varying
    columns = x.reshape(*split, n).permute([*order, len(split)])  # (repeats, own, n)
    flat = factor.reshape(-1, n, n)  # (F, n, n)
    right = columns.reshape(-1, flat.size(0), n).permute(1, 2, 0)  # (F, n, R)
    solved = flambeau.linalg.solve_triangular(flat, right, upper=False)
    squares = solved.pow(2).sum(-2).t().reshape(columns.shape[:-1])
    back = sorted(range(len(order)), key=order.__getitem__)
    return squares.permute(back).reshape(batch)


def batch_square_sum(matrix: Tensor) -> Tensor:
    """``trace(X X^T)``, the sum of a matrix's squares."""
    return matrix.flatten(-2).pow(2).sum(-1)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The lower Cholesky factor of the inverse of ``precision``.

    The factor of the flipped matrix, flipped back and transposed, is the inverse of what is
    sought.
    """
    flipped = flambeau.linalg.cholesky(precision.flip(-2, -1))
    inverse = flipped.flip(-2, -1).transpose(-2, -1)
    eye = flambeau.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return flambeau.linalg.solve_triangular(inverse, eye, upper=False)


def capacitance_tril(factor: Tensor, diagonal: Tensor) -> Tensor:
    """The Cholesky factor of ``I + W^T D^-1 W``, of W (*, n, m) and D's diagonal (*, n)."""
    inner = (factor.mT / diagonal.unsqueeze(-2)) @ factor
    return flambeau.linalg.cholesky(_plus_identity(inner))


def low_rank_log_det(diagonal: Tensor, capacitance: Tensor) -> Tensor:
    """``log det(W W^T + D)`` by the matrix determinant lemma."""
    return 2 * half_log_det(capacitance) + diagonal.log().sum(-1)


def low_rank_mahalanobis(
    factor: Tensor, diagonal: Tensor, x: Tensor, capacitance: Tensor
) -> Tensor:
    """``x^T (W W^T + D)^-1 x`` by the Woodbury identity."""
    projected = batch_mv(factor.mT / diagonal.unsqueeze(-2), x)
    return (x.pow(2) / diagonal).sum(-1) - batch_mahalanobis(capacitance, projected)


def low_rank_scale_tril(factor: Tensor, diagonal: Tensor) -> Tensor:
    """The Cholesky factor of ``W W^T + D``: ``D^1/2 chol(I + V V^T)``, ``V = D^-1/2 W``."""
    root = diagonal.sqrt().unsqueeze(-1)
    scaled = factor / root
    return root * flambeau.linalg.cholesky(_plus_identity(scaled @ scaled.mT))


def _plus_identity(matrix: Tensor) -> Tensor:
    return matrix + flambeau.eye(matrix.size(-1), dtype=matrix.dtype, device=matrix.device)
