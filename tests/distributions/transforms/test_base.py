"""Inverses, caches and memory of transforms."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import flambeau
from flambeau import distributions as d


def test_the_cache_gives_back_the_very_tensor() -> None:
    tanh = d.TanhTransform(cache_size=1)
    x = flambeau.tensor([20.0])
    assert tanh.inv(tanh(x)) is x
    assert d.TanhTransform().inv(d.TanhTransform()(x)).isinf().all()


def test_inverse_of_the_inverse() -> None:
    for made in (d.ExpTransform(), d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0, 2)])):
        assert made.inv.inv is made
        inverse = made.inv
        assert inverse is made.inv


def test_inverses_make_no_cycles() -> None:
    gc.disable()
    try:
        made = d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0.0, 2.0)])
        assert made.inv.inv is made
        seen = weakref.ref(made.parts[0]), weakref.ref(made)
        del made
        assert [ref() for ref in seen] == [None, None]
    finally:
        gc.enable()


def test_a_users_transform() -> None:
    class Double(d.Transform):
        domain = codomain = d.constraints.real
        bijective = True
        sign = +1

        def __init__(self, factor: float, cache_size: int = 0) -> None:
            super().__init__(cache_size)
            self.factor = factor

        def _call(self, x: Any) -> Any:
            return self.factor * x

        def _inverse(self, y: Any) -> Any:
            return y / self.factor

        def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
            return flambeau.full_like(x, self.factor).log()

    double = Double(2.0)
    law = d.TransformedDistribution(d.Normal(0.0, 1.0), double)
    at = flambeau.tensor([0.5, 3.0])
    assert flambeau.allclose(law.log_prob(at), d.Normal(0.0, 2.0).log_prob(at))
    assert flambeau.allclose(law.cdf(at), d.Normal(0.0, 2.0).cdf(at))
    assert law.expand((3,)).sample().shape == (3,)
    with pytest.raises(NotImplementedError, match="with_cache"):
        double.with_cache()


def test_parameters_broadcast_the_base() -> None:
    law = d.TransformedDistribution(
        d.Normal(0.0, 1.0), d.AffineTransform(0.0, flambeau.tensor([1.0, 2.0]))
    )
    assert law.batch_shape == (2,)
    assert law.rsample((3,)).shape == (3, 2)


def test_gradients_through_the_jacobian() -> None:
    scale = flambeau.tensor(2.0, dtype=flambeau.float64, requires_grad=True)

    def density(scale: Any) -> Any:
        law = d.TransformedDistribution(
            d.Normal(flambeau.zeros((), dtype=flambeau.float64), 1.0),
            [d.AffineTransform(0.0, scale), d.SigmoidTransform()],
        )
        return law.log_prob(flambeau.tensor([0.2, 0.9], dtype=flambeau.float64))

    assert flambeau.autograd.gradcheck(density, (scale,))
