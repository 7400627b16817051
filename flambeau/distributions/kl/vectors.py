"""Divergences of multivariate normals, with covariances full or of low rank plus a diagonal.

``(log det S_q - log det S_p + tr(S_q^-1 S_p) + |m_q - m_p|^2_{S_q^-1} - n) / 2``
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions.kl.registry import register_kl
from flambeau.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from flambeau.distributions.multivariate_normal import MultivariateNormal
from flambeau.distributions.triangular import (
    batch_mahalanobis,
    batch_square_sum,
    half_log_det,
    low_rank_log_det,
    low_rank_mahalanobis,
)
from flambeau.distributions.utils import broadcast_shapes

__all__: list[str] = []


@register_kl(MultivariateNormal, MultivariateNormal)
def _full_full(p: Any, q: Any) -> Tensor:
    n = _event_size(p, q)
    p_factor, q_factor = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    log_det = half_log_det(q_factor) - half_log_det(p_factor)
    trace = _solved_square_sum(q_factor, p_factor)
    distance = batch_mahalanobis(q_factor, q.loc - p.loc)
    return log_det + 0.5 * (trace + distance - n)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_low(p: Any, q: Any) -> Tensor:
    n = _event_size(p, q)
    factor, diagonal, capacitance = p._low_rank
    log_det = _log_det(q) - low_rank_log_det(diagonal, capacitance)
    roots = diagonal.sqrt().unsqueeze(-2)
    projection = _projection(q)
    trace = (
        (diagonal / q._unbroadcasted_cov_diag).sum(-1)
        + _weighted_square_sum(q, factor)
        - batch_square_sum(projection * roots)
        - batch_square_sum(projection @ factor)
    )
    return 0.5 * (log_det + trace + _distance(p, q) - n)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_low(p: Any, q: Any) -> Tensor:
    n = _event_size(p, q)
    factor = p._unbroadcasted_scale_tril
    log_det = _log_det(q) - 2 * half_log_det(factor)
    trace = _weighted_square_sum(q, factor) - batch_square_sum(_projection(q) @ factor)
    return 0.5 * (log_det + trace + _distance(p, q) - n)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_full(p: Any, q: Any) -> Tensor:
    n = _event_size(p, q)
    factor, diagonal, capacitance = p._low_rank
    q_factor = q._unbroadcasted_scale_tril
    log_det = 2 * half_log_det(q_factor) - low_rank_log_det(diagonal, capacitance)
    trace = _solved_square_sum(q_factor, factor)
    trace = trace + _solved_square_sum(q_factor, diagonal.sqrt().diag_embed())
    distance = batch_mahalanobis(q_factor, q.loc - p.loc)
    return 0.5 * (log_det + trace + distance - n)


def _event_size(p: Any, q: Any) -> int:
    if p.event_shape != q.event_shape:
        raise fail(
            ValueError,
            "kl_divergence",
            f"{type(p).__name__} has events of shape {tuple(p.event_shape)}, {type(q).__name__} of "
            f"{tuple(q.event_shape)}. They must be equal.",
        )
    return p.event_shape[0]


def _solved_square_sum(lower: Tensor, matrix: Tensor) -> Tensor:
    """``|L^-1 X|^2``, summed over the entries; batches broadcast."""
    batch = broadcast_shapes(lower.shape[:-2], matrix.shape[:-2])
    lower = lower.expand(*batch, *lower.shape[-2:])
    matrix = matrix.expand(*batch, *matrix.shape[-2:])
    return batch_square_sum(flambeau.linalg.solve_triangular(lower, matrix, upper=False))


def _log_det(q: Any) -> Tensor:
    _, diagonal, capacitance = q._low_rank
    return low_rank_log_det(diagonal, capacitance)


def _distance(p: Any, q: Any) -> Tensor:
    factor, diagonal, capacitance = q._low_rank
    return low_rank_mahalanobis(factor, diagonal, q.loc - p.loc, capacitance)


def _projection(q: Any) -> Tensor:
    """``C^-1 W^T D^-1``: what the low rank takes off the diagonal's inverse, squared."""
    factor, diagonal, capacitance = q._low_rank
    scaled = factor.mT / diagonal.unsqueeze(-2)
    return flambeau.linalg.solve_triangular(capacitance, scaled, upper=False)


def _weighted_square_sum(q: Any, matrix: Tensor) -> Tensor:
    """``tr(D^-1 X X^T)``."""
    return batch_square_sum(matrix * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
