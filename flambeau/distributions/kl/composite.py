"""Divergences of distributions made of others, and of any exponential family."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.independent import Independent
from flambeau.distributions.kl.registry import kl_divergence, register_kl
from flambeau.distributions.transformed_distribution import TransformedDistribution
from flambeau.distributions.utils import _sum_rightmost

__all__: list[str] = []


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Tensor:
    """The sum over the dimensions that became an event's.

    Raises:
        NotImplementedError: p and q took different numbers of them.
    """
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "kl_divergence: p and q are Independent over "
            f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} dimensions. Make "
            "them equal."
        )
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    """A bijection changes nothing: the divergence of what is transformed.

    Raises:
        NotImplementedError: the transforms or events differ.
    """
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            f"kl_divergence: p ({type(p).__name__}) and q ({type(q).__name__}) are transformed "
            "differently. Estimate it from samples."
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Tensor:
    """The Bregman divergence of the log normaliser F: ``F(q) - F(p) - <q - p, grad F(p)>``.

    Raises:
        NotImplementedError: different families.

    Reference: F. Nielsen, R. Nock, Entropies and cross-entropies of exponential families, 2010.
    """
    if type(p) is not type(q):
        raise NotImplementedError(
            "kl_divergence: The cross KL-divergence between different exponential families "
            f"({type(p).__name__}, {type(q).__name__}) cannot be computed using Bregman "
            "divergences. Register a formula with register_kl."
        )
    p_params = [x.detach().requires_grad_() for x in p._natural_params]
    q_params = q._natural_params
    normalizer = p._log_normalizer(*p_params)
    slopes = flambeau.autograd.grad(normalizer.sum(), p_params, create_graph=True)
    result = q._log_normalizer(*q_params) - normalizer
    for x, y, slope in zip(p_params, q_params, slopes):
        result = result - _sum_rightmost((y - x) * slope, len(q.event_shape))
    return result
