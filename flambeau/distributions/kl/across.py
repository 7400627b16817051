"""Divergences across families of numbers, finite where q's support holds p's.

Most are ``-H(p) - E_p[log q(x)]``, written out with p's moments.
"""

from __future__ import annotations

import math
from math import inf
from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions.bernoulli import Bernoulli
from flambeau.distributions.beta import Beta
from flambeau.distributions.binomial import Binomial
from flambeau.distributions.continuous_bernoulli import ContinuousBernoulli
from flambeau.distributions.exponential import Exponential
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.gumbel import Gumbel
from flambeau.distributions.kl.registry import register_kl
from flambeau.distributions.laplace import Laplace
from flambeau.distributions.normal import Normal
from flambeau.distributions.pareto import Pareto
from flambeau.distributions.poisson import Poisson
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import euler_constant

__all__: list[str] = []

# Infinite: q gives no weight to some of what p draws. With the parameter that has p's shape.
_INFINITE: tuple[tuple[type, str, tuple[type, ...]], ...] = (
    (Beta, "concentration1", (Pareto,)),
    (ContinuousBernoulli, "probs", (Pareto,)),
    (Exponential, "rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gamma, "concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gumbel, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Laplace, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Normal, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Pareto, "scale", (Beta, ContinuousBernoulli, Uniform)),
    (Poisson, "rate", (Bernoulli, Binomial)),
)


def _register_infinite() -> None:
    for type_p, name, types_q in _INFINITE:

        def infinite(p: Any, q: Any, name: str = name) -> Tensor:
            return flambeau.full_like(getattr(p, name), inf)

        for type_q in types_q:
            register_kl(type_p, type_q)(infinite)


_register_infinite()


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return -p.entropy() - _continuous_bernoulli_log(q, p.mean)


@register_kl(Beta, Exponential)
def _beta_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Tensor:
    log_mean = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    return -p.entropy() + _gamma_constant(q) - (q.concentration - 1) * log_mean + q.rate * p.mean


@register_kl(Beta, Normal)
def _beta_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.mean, p.variance)


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()
    return flambeau.where((q.low > 0) | (q.high < 1), inf, result)


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(ContinuousBernoulli, Normal)
def _continuous_bernoulli_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.mean, p.variance)


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Tensor:
    """Infinite, as PyTorch has it, already where q's ends are p's."""
    result = -p.entropy() + (q.high - q.low).log()
    return flambeau.where((q.low >= 0) | (q.high <= 1), inf, result)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Tensor:
    ratio, a = q.rate / p.rate, q.concentration
    return -a * ratio.log() + ratio + a.lgamma() + a * euler_constant - (1 + euler_constant)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Tensor:
    product, offset = p.rate * q.scale, q.loc / q.scale
    tail = offset.exp() * product / (product + 1)
    return product.log() - 1 - offset + tail + product.reciprocal()


@register_kl(Exponential, Normal)
def _exponential_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.mean, p.variance)


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Tensor:
    a = p.concentration
    product, offset = p.rate * q.scale, q.loc / q.scale
    own = (a - 1) * a.digamma() - a.lgamma() - a
    tail = offset.exp() * (1 + product.reciprocal()).pow(-a) - offset
    return own + product.log() + a / product + tail


@register_kl(Gamma, Normal)
def _gamma_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.mean, p.variance)


@register_kl(Gumbel, Normal)
def _gumbel_normal(p: Any, q: Any) -> Tensor:
    ratio = p.scale / q.scale
    distance = (p.loc + p.scale * euler_constant - q.loc) / q.scale
    spread = (math.pi * ratio * 0.5).pow(2) / 3 + distance.pow(2) * 0.5
    return spread - (ratio / math.sqrt(2 * math.pi)).log() - (euler_constant + 1)


@register_kl(Laplace, Normal)
def _laplace_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.loc, p.variance)


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    distance = (p.loc - q.loc) / q.scale
    tail = (-distance + 0.5 * ratio).exp()
    return -ratio.log() * 0.5 + distance + tail - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    """The mean distance to q's centre is that of a folded normal."""
    offset = p.loc - q.loc
    z = offset / p.scale
    folded = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp()
    distance = folded + offset * (math.sqrt(0.5) * z).erf()
    constant = 0.5 * (1 + math.log(0.5 * math.pi))
    return distance / q.scale - (p.scale / q.scale).log() - constant


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Tensor:
    """Infinite where p has no mean."""
    a, product = p.alpha, p.scale * q.rate
    result = (a / product).log() - a.reciprocal() + a * product / (a - 1) - 1
    return flambeau.where(a <= 1, inf, result)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Tensor:
    """Infinite where p has no mean."""
    a, log_mean = p.alpha, p.scale.log() + p.alpha.reciprocal()
    own = a.log() - log_mean - 1
    result = own + _gamma_constant(q) + (1 - q.concentration) * log_mean
    result = result + q.rate * a * p.scale / (a - 1)
    return flambeau.where(a <= 1, inf, result)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Tensor:
    """Infinite where p has no variance."""
    a = p.alpha
    part = p.scale / (a - 1)
    square = a * part.pow(2) / (a - 2) + (a * part - q.loc).pow(2)
    log_ratio = (math.sqrt(2 * math.pi) * q.scale * a / p.scale).log()
    result = log_ratio - a.reciprocal() + square / (2 * q.scale.pow(2)) - 1
    return flambeau.where(a <= 2, inf, result)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Tensor:
    a, b = q.concentration1, q.concentration0
    length = p.high - p.low
    log_mean = _log_mean(p.low, p.high)
    log_rest = _log_mean(1 - p.high, 1 - p.low)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    result = log_beta - length.log() - (a - 1) * log_mean - (b - 1) * log_rest
    return flambeau.where((p.high > 1) | (p.low < 0), inf, result)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    """Infinite, as PyTorch has it, already where p's ends are q's."""
    result = -p.entropy() - _continuous_bernoulli_log(q, p.mean)
    return flambeau.where((p.high >= 1) | (p.low <= 0), inf, result)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Tensor:
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return flambeau.where(p.low < 0, inf, result)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Tensor:
    log_mean = _log_mean(p.low, p.high)
    result = _gamma_constant(q) + (1 - q.concentration) * log_mean + q.rate * p.mean
    return flambeau.where(p.low < 0, inf, result - (p.high - p.low).log())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Tensor:
    ratio = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return ratio.log() + 0.5 * (high + low) - ratio * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Normal)
def _uniform_normal(p: Any, q: Any) -> Tensor:
    return -p.entropy() + _normal_cross_entropy(q, p.mean, p.variance)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Tensor:
    """Infinite where p starts below q."""
    density = (q.alpha * q.scale.pow(q.alpha) * (p.high - p.low)).log()
    result = _log_mean(p.low, p.high) * (q.alpha + 1) - density
    return flambeau.where(p.low < q.scale, inf, result)


def _normal_cross_entropy(q: Any, mean: Tensor, variance: Tensor) -> Tensor:
    """``-E[log q(x)]`` of a normal q: only mean and variance of x count."""
    square = variance + (mean - q.loc).pow(2)
    return 0.5 * math.log(2 * math.pi) + q.scale.log() + square / (2 * q.scale.pow(2))


def _gamma_constant(q: Any) -> Tensor:
    """``log Gamma(a) - a log r``."""
    return q.concentration.lgamma() - q.concentration * q.rate.log()


def _continuous_bernoulli_log(q: Any, mean: Tensor) -> Tensor:
    """``E[log q(x)]`` of a continuous Bernoulli q: only the mean of x counts."""
    return mean * q.logits + (-q.probs).log1p() + q._cont_bern_log_norm()


def _log_mean(low: Tensor, high: Tensor) -> Tensor:
    """``E[log x]`` over ``[low, high]``: ``(high log high - low log low) / (high - low) - 1``."""
    return (high.xlogy(high) - low.xlogy(low)) / (high - low) - 1
