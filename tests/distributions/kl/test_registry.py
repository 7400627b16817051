"""Which formula a pair of types gets."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau
from flambeau import distributions as d
from flambeau.distributions import kl


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> Any:
    before = dict(kl._KL_REGISTRY)
    yield
    kl._KL_REGISTRY.clear()
    kl._KL_REGISTRY.update(before)
    kl._KL_MEMOIZE.clear()


class Left(d.Normal):
    pass


class Right(d.Normal):
    pass


def test_subclasses_use_the_nearest_formula() -> None:
    assert d.kl_divergence(Left(0.0, 1.0), Right(1.0, 1.0)).item() == pytest.approx(0.5)

    @d.register_kl(Left, d.Normal)
    def formula(p: Any, q: Any) -> Any:
        return flambeau.tensor(7.0)

    assert d.kl_divergence(Left(0.0, 1.0), Right(1.0, 1.0)).item() == 7.0
    assert d.kl_divergence(Right(0.0, 1.0), Left(1.0, 1.0)).item() == pytest.approx(0.5)


def test_ambiguity_is_warned_about() -> None:
    d.register_kl(Left, d.Normal)(lambda p, q: flambeau.tensor(1.0))
    d.register_kl(d.Normal, Right)(lambda p, q: flambeau.tensor(2.0))
    with pytest.warns(RuntimeWarning, match=r"register_kl\(Left, Right\)"):
        assert d.kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)).item() == 1.0


def test_values_are_refused_and_foreign_classes_are_not() -> None:
    with pytest.raises(TypeError, match="type_q"):
        d.register_kl(d.Normal, 3)

    class Foreign:
        value = flambeau.tensor(2.0)

    d.register_kl(d.Normal, Foreign)(lambda p, q: q.value)
    assert d.kl_divergence(d.Normal(0.0, 1.0), Foreign()).item() == 2.0


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (d.Bernoulli(0.3), d.Bernoulli(0.6)),
        (d.Beta(2.0, 3.0), d.Beta(1.0, 4.0)),
        (d.Beta(2.0, 3.0), d.Normal(0.0, 1.0)),
        (d.Exponential(2.0), d.Gamma(2.0, 3.0)),
        (d.Gamma(3.0, 2.0), d.Gamma(1.0, 1.0)),
        (d.Laplace(0.0, 1.0), d.Normal(1.0, 2.0)),
        (d.Normal(0.0, 1.0), d.Laplace(1.0, 2.0)),
        (d.Normal(0.0, 1.0), d.Gumbel(0.5, 2.0)),
        (d.Uniform(0.2, 0.7), d.Beta(2.0, 3.0)),
        (d.LogNormal(0.0, 1.0), d.LogNormal(1.0, 2.0)),
        (d.Cauchy(0.0, 1.0), d.Cauchy(1.0, 2.0)),
        (d.Poisson(3.0), d.Poisson(4.0)),
    ],
)
def test_formulas_agree_with_samples(p: Any, q: Any) -> None:
    x = p.sample((20000,))
    estimates = p.log_prob(x) - q.log_prob(x)
    error = 5 * estimates.std().item() / 20000**0.5
    assert abs(d.kl_divergence(p, q).item() - estimates.mean().item()) < error + 1e-4
