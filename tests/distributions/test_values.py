"""Densities integrate to one, samplers follow their moments, known numbers come out."""

from __future__ import annotations

import math
from typing import Any

import pytest

import flambeau
from flambeau import distributions as d

T = flambeau.tensor

CONTINUOUS: dict[str, tuple[Any, float, float]] = {
    "beta": (d.Beta(2.0, 3.0), 0.0, 1.0),
    "cauchy": (d.Cauchy(0.0, 0.01), -20.0, 20.0),
    "continuous_bernoulli": (d.ContinuousBernoulli(0.3), 0.0, 1.0),
    "exponential": (d.Exponential(2.0), 0.0, 20.0),
    "fisher": (d.FisherSnedecor(5.0, 30.0), 0.0, 30.0),
    "gamma": (d.Gamma(2.5, 1.5), 0.0, 30.0),
    "generalized_pareto": (d.GeneralizedPareto(0.0, 1.0, -0.3), 0.0, 3.3),
    "gumbel": (d.Gumbel(1.0, 0.5), -5.0, 20.0),
    "half_normal": (d.HalfNormal(2.0), 0.0, 20.0),
    "inverse_gamma": (d.InverseGamma(5.0, 2.0), 0.0, 30.0),
    "kumaraswamy": (d.Kumaraswamy(2.0, 3.0), 0.0, 1.0),
    "laplace": (d.Laplace(0.5, 0.7), -20.0, 20.0),
    "log_normal": (d.LogNormal(0.0, 0.5), 0.0, 30.0),
    "normal": (d.Normal(0.3, 1.2), -10.0, 10.0),
    "pareto": (d.Pareto(1.0, 6.0), 1.0, 30.0),
    "relaxed_bernoulli": (d.RelaxedBernoulli(T(2.0), 0.3), 0.0, 1.0),
    "student": (d.StudentT(8.0), -30.0, 30.0),
    "uniform": (d.Uniform(-1.0, 2.0), -1.0, 2.0),
    "von_mises": (d.VonMises(T(0.3), T(2.0)), -math.pi, math.pi),
    "weibull": (d.Weibull(1.0, 2.0), 0.0, 10.0),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities_integrate_to_one(name: str) -> None:
    law, low, high = CONTINUOUS[name]
    n = 200_000
    step = (high - low) / n
    x = low + step * (flambeau.arange(n).double() + 0.5)
    law._validate_args = False
    total = law.log_prob(x).exp().sum() * step
    assert abs(total.item() - 1) < 3e-3


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n not in ("cauchy", "von_mises")])
def test_samples_follow_mean_and_variance(name: str) -> None:
    law, _, _ = CONTINUOUS[name]
    try:
        mean, deviation = law.mean.item(), law.stddev.item()
    except NotImplementedError:
        return
    n = 4000
    drawn = law.sample((n,))
    assert abs(drawn.mean().item() - mean) < 5 * deviation / math.sqrt(n)


@pytest.mark.parametrize(
    "law",
    [
        d.Bernoulli(0.3),
        d.Binomial(6, T(0.3)),
        d.Categorical(T([0.2, 0.5, 0.3])),
        d.OneHotCategorical(T([0.2, 0.5, 0.3])),
    ],
)
def test_enumerated_masses_sum_to_one(law: Any) -> None:
    masses = law.log_prob(law.enumerate_support()).exp()
    assert abs(masses.sum().item() - 1) < 1e-6
    assert abs(law.entropy().item() + (masses * masses.log()).sum().item()) < 1e-5


def test_counts_sum_to_one() -> None:
    x = flambeau.arange(200.0)
    for law in (d.Poisson(7.0), d.Geometric(0.2), d.NegativeBinomial(3.0, T(0.4))):
        assert abs(law.log_prob(x).exp().sum().item() - 1) < 1e-5


def test_known_numbers() -> None:
    assert d.Normal(0.0, 1.0).log_prob(T(0.0)).item() == pytest.approx(-0.5 * math.log(2 * math.pi))
    assert d.Normal(0.0, 1.0).cdf(T(1.96)).item() == pytest.approx(0.975, abs=1e-4)
    assert d.Categorical(T([1.0, 1.0])).perplexity().item() == pytest.approx(2.0)
    assert d.Poisson(2.0).log_prob(T(3.0)).exp().item() == pytest.approx(8 / 6 * math.exp(-2))
    assert d.StudentT(3.0).variance.item() == pytest.approx(3.0)


def test_quantiles_invert_the_cdf() -> None:
    p = T([0.1, 0.5, 0.9])
    for law in (
        d.Normal(1.0, 2.0),
        d.Laplace(0.0, 1.0),
        d.Gumbel(T(1.0), T(2.0)),
        d.Weibull(1.0, 2.0),
    ):
        assert flambeau.allclose(law.cdf(law.icdf(p)), p, atol=1e-5), law


def test_mixture() -> None:
    weights = d.Categorical(T([0.25, 0.75]))
    mixture = d.MixtureSameFamily(weights, d.Normal(T([0.0, 4.0]), T([1.0, 2.0])))
    assert mixture.mean.item() == pytest.approx(3.0)
    assert mixture.variance.item() == pytest.approx(0.25 * 1 + 0.75 * 4 + 3.0)
    assert mixture.sample((5,)).shape == (5,)


def test_straight_through_gradient() -> None:
    logits = flambeau.zeros(3, requires_grad=True)
    drawn = d.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(drawn.tolist()) == [0.0, 0.0, 1.0]
    (drawn * T([1.0, 2.0, 3.0])).sum().backward()
    assert flambeau.allclose(logits.grad, T([-1.0, 0.0, 1.0]) / 3, atol=1e-6)


def test_gamma_gradient() -> None:
    # E[x] is a, so the mean pathwise gradient is near one.
    a = T(2.0, dtype=flambeau.float64, requires_grad=True)
    d.Gamma(a, T(1.0, dtype=flambeau.float64)).rsample((4000,)).mean().backward()
    assert a.grad.item() == pytest.approx(1.0, abs=0.05)
