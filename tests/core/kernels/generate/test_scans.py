"""Generated running totals and extremes against NumPy's accumulate and against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels.generate import scans
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

SHAPES = [((1,), 0), ((9, 13), 1), ((9, 13), 0), ((3, 50, 33), 1), ((2, 4, 8), 2), ((17, 6), 1)]
UFUNCS = {"cumsum": np.add, "cumprod": np.multiply, "logcumsumexp": np.logaddexp}


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("reverse", [False, True])
def test_totals(dtype, shape, axis, name, reverse):
    if dtype == "i8" and name == "logcumsumexp":
        return
    x = (np.random.default_rng(0).standard_normal(shape) * 3).astype(dtype)
    turned = np.flip(x, axis) if reverse else x
    wide = dtype if dtype == "i8" else "f8"
    want = UFUNCS[name].accumulate(turned.astype(wide), axis=axis).astype(dtype)
    got = scans.running(name, x, axis, reverse)
    tolerance = 1e-6 if dtype == "f4" else 1e-13
    np.testing.assert_allclose(got, np.flip(want, axis) if reverse else want, tolerance, 1e-12)


@pytest.mark.parametrize("name", ["cummax", "cummin", "logcumsumexp", "cumsum"])
@pytest.mark.parametrize("dim", [0, 1])
def test_special_numbers_and_equal_ones(oracle, name, dim):
    rng = np.random.default_rng(0)
    x = rng.choice(np.array([1, 2, 3, np.inf, -np.inf, 0.0, -0.0]), (30, 20))
    x[rng.random(x.shape) < 0.02] = np.nan
    mine, want = (getattr(t.tensor(x), name)(dim) for t in (torch, oracle))
    if name in scans.EXTREMES:
        assert mine.indices.tolist() == want.indices.tolist()
        mine, want = mine.values, want.values
    np.testing.assert_allclose(mine.numpy(), want.numpy(), 1e-13)


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("shape", [(9, 13), (40,)])
def test_extremes_of_integers(oracle, name, shape):
    x = np.random.default_rng(0).integers(-5, 5, shape)
    for dim in range(len(shape)):
        mine, want = (getattr(t.tensor(x), name)(dim) for t in (torch, oracle))
        assert mine.indices.tolist() == want.indices.tolist()
        assert mine.values.tolist() == want.values.tolist()


def test_threads_do_not_change_digits():
    x = np.random.default_rng(0).standard_normal((301, 300)).astype("f4")
    before, found = threads.count(), []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append([scans.running("cumsum", x, axis) for axis in (0, 1)])
    finally:
        threads.set_count(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
