"""Divergences within a family of numbers or probability vectors."""

from __future__ import annotations

from math import inf
from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions.bernoulli import Bernoulli
from flambeau.distributions.beta import Beta
from flambeau.distributions.binomial import Binomial
from flambeau.distributions.categorical import Categorical
from flambeau.distributions.cauchy import Cauchy
from flambeau.distributions.continuous_bernoulli import ContinuousBernoulli
from flambeau.distributions.dirichlet import Dirichlet
from flambeau.distributions.exponential import Exponential
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.geometric import Geometric
from flambeau.distributions.gumbel import Gumbel
from flambeau.distributions.half_normal import HalfNormal
from flambeau.distributions.kl.registry import register_kl
from flambeau.distributions.laplace import Laplace
from flambeau.distributions.normal import Normal
from flambeau.distributions.one_hot_categorical import OneHotCategorical
from flambeau.distributions.pareto import Pareto
from flambeau.distributions.poisson import Poisson
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import euler_constant
from flambeau.nn.functional import softplus

__all__: list[str] = []


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    """``p log(p / q) + (1 - p) log((1 - p) / (1 - q))``, logarithms as softplus of logits."""
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    one = _limits(one, impossible=q.probs == 0, absent=p.probs == 0)
    zero = _limits(zero, impossible=q.probs == 1, absent=p.probs == 1)
    return one + zero


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    """``sum_k p_k log(p_k / q_k)``."""
    terms = p.probs * (p.logits - q.logits)
    return _limits(terms, impossible=q.probs == 0, absent=p.probs == 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    """n times a trial's divergence; infinite where p can count further than q.

    Raises:
        NotImplementedError: p counts less far than q.
    """
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError(
            "kl_divergence: KL between Binomials where q.total_count > p.total_count is not "
            "implemented. Estimate it from samples."
        )
    trial = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return flambeau.where(p.total_count > q.total_count, inf, p.total_count * trial)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Tensor:
    """``log B(q) - log B(p)`` plus the differences times digammas."""
    p_sum = p.concentration1 + p.concentration0
    q_sum = q.concentration1 + q.concentration0
    log_beta_q = q.concentration1.lgamma() + q.concentration0.lgamma() + p_sum.lgamma()
    log_beta_p = p.concentration1.lgamma() + p.concentration0.lgamma() + q_sum.lgamma()
    return (
        log_beta_q
        - log_beta_p
        + (p.concentration1 - q.concentration1) * p.concentration1.digamma()
        + (p.concentration0 - q.concentration0) * p.concentration0.digamma()
        + (q_sum - p_sum) * p_sum.digamma()
    )


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Tensor:
    """As for beta, over any number of parts."""
    a, b = p.concentration, q.concentration
    a_sum, b_sum = a.sum(-1), b.sum(-1)
    totals = a_sum.lgamma() - b_sum.lgamma()
    parts = (a.lgamma() - b.lgamma()).sum(-1)
    expected = a.digamma() - a_sum.digamma().unsqueeze(-1)
    return totals - parts + ((a - b) * expected).sum(-1)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Tensor:
    own = p._cont_bern_log_norm() + (-p.probs).log1p()
    other = q._cont_bern_log_norm() + (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + own - other


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Tensor:
    """``r - 1 - log r``, ``r = rate_q / rate_p``."""
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log()
        + b.lgamma()
        - a.lgamma()
        + (a - b) * a.digamma()
        + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Tensor:
    ratio = p.scale / q.scale
    p_loc, q_loc = p.loc / q.scale, q.loc / q.scale
    shift = -ratio.log() - q_loc + p_loc
    spread = (q_loc + (1 + ratio).lgamma() - p_loc).exp()
    return shift + ratio * euler_constant + spread - (1 + euler_constant)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Tensor:
    """``(v + d^2 - 1 - log v) / 2``, v the variances' ratio, d the distance over q's scale."""
    ratio = (p.scale / q.scale).pow(2)
    distance = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + distance - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Tensor:
    """``log(((s_p + s_q)^2 + (m_p - m_q)^2) / (4 s_p s_q))``.

    Reference: F. Chyzak, F. Nielsen, A closed-form formula for the Kullback-Leibler divergence
    between Cauchy distributions, 2019, arXiv:1905.10965.
    """
    spread = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return spread.log() - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Tensor:
    """Infinite where p starts below q."""
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return flambeau.where(p.scale < q.scale, inf, result)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Tensor:
    """The logarithm of the lengths' ratio; infinite where p reaches outside q."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return flambeau.where((q.low > p.low) | (q.high < p.high), inf, result)


def _limits(terms: Tensor, *, impossible: Tensor, absent: Tensor) -> Tensor:
    """``p log(p / q)`` is infinite where q is zero, and zero where p is."""
    return flambeau.where(absent, 0.0, flambeau.where(impossible, inf, terms))
