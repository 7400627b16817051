"""What differs from the number before it, generated, against NumPy."""

import numpy as np
import pytest

from flambeau.core.kernels.generate import runs


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u1", "i2", "i4", "i8", "?"])
@pytest.mark.parametrize("size", [0, 1, 5, 4096, 5000, 5001])
@pytest.mark.parametrize("top", [2, 200])
def test_distinct(dtype, size, top):
    x = np.random.default_rng(size).integers(0, top, size).astype(dtype)
    if dtype[0] == "f":
        x[1::7] = np.nan
    want = x[np.concatenate(([True], x[1:] != x[:-1]))] if size else x
    np.testing.assert_array_equal(runs.distinct(x), want)


@pytest.mark.parametrize("x", [np.zeros(5000), np.arange(5000)])
def test_all_or_nothing(x):
    np.testing.assert_array_equal(runs.distinct(x), np.unique(x))
