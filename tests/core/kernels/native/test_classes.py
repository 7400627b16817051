"""The native class loss and its gradient against their NumPy forms, and the ways out."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import loss
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import classes

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


def functions():
    """Both, with a list of the calls that went to the NumPy form."""
    calls = []

    def noting(form):
        return lambda *args: (calls.append(args), form(*args))[1]

    mean = classes.lazily("picked_mean", noting(loss._mean_by_numpy))
    gradient = classes.lazily("class_gradient", noting(loss._gradient_by_numpy))
    return mean, gradient, calls


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (64, 10), (100, 256)])
def test_values_are_the_numpy_forms(dtype, shape):
    mean, gradient, calls = functions()
    rng = np.random.default_rng(0)
    logs = np.log(rng.dirichlet(np.ones(shape[1]), shape[0])).astype(dtype)
    target = rng.integers(0, shape[1], shape[0])
    g = np.asarray(1.75, dtype)
    got, want = mean(logs, target), loss._mean_by_numpy(logs, target)
    assert got.shape == () and got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=3e-6 if dtype == "f4" else 1e-13)
    got, want = gradient(g, logs, target), loss._gradient_by_numpy(g, logs, target)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6 if dtype == "f4" else 1e-14)
    assert not calls


def test_other_operands_go_to_the_numpy_form():
    mean, _, calls = functions()
    logs, target = np.zeros((4, 6), "f4"), np.array([0, 1, 2, 3])
    mean(logs[:, ::2], np.array([0, 1, 2, 0]))
    mean(logs, target.astype("i4"))
    mean(np.zeros((classes.LARGEST, 2), "f4"), np.zeros(classes.LARGEST, "i8"))
    with pytest.raises(IndexError):
        mean(logs, np.array([0, 1, 2, 6]))
    assert len(calls) == 4
