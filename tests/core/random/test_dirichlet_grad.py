"""The Dirichlet gradient where it has a closed form: Beta(a, 1) and Beta(1, b)."""

import numpy as np
import pytest

from flambeau.core.random.dirichlet_grad import dirichlet_grad

X = np.linspace(0.01, 0.99, 99)


@pytest.mark.parametrize("alpha", [0.1, 0.7, 2.0, 9.0, 50.0])
def test_first_concentration(alpha: float) -> None:
    # F = x^a, so dx/da = -x log(x) / a.
    exact = -X * np.log(X) / alpha / (1 - X)
    found = dirichlet_grad(X, np.full_like(X, alpha), np.full_like(X, alpha + 1))
    np.testing.assert_allclose(found, exact, 2e-2)


def test_saddle_point_meets_its_limit() -> None:
    # Around the mean two formulas take over from each other.
    x = np.linspace(0.45, 0.55, 201)
    found = dirichlet_grad(x, np.full_like(x, 40.0), np.full_like(x, 80.0))
    steps = np.diff(found)
    assert np.abs(steps).max() < 2e-4


def test_dtype_and_shape() -> None:
    x = np.full((2, 3), 0.3, np.float32)
    found = dirichlet_grad(x, x + 1, x + 3)
    assert found.dtype == np.float32
    assert found.shape == (2, 3)
    assert (found > 0).all()
