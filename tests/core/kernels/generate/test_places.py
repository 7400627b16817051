"""Extremes and their places by generated code against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.generate import places
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

LAYOUTS = {
    "plain": lambda x: x,
    "turned": lambda x: x.swapaxes(0, -1),
    "cut": lambda x: x[..., 1:-1],
    "cut in all": lambda x: x[tuple(slice(1, None) for _ in x.shape)],
    "every second": lambda x: x[..., ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4"])
@pytest.mark.parametrize("shape", [(150, 151), (9, 3000), (3000, 9), (30, 33, 35), (20001,)])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_and_their_places(name, shape, dtype, layout):
    random = np.random.default_rng(0)
    x = (random.standard_normal(shape) * 9).round().astype(dtype)  # many equal ones
    if dtype[0] == "f":
        x[random.random(shape) < 0.01] = np.nan
        x[random.random(shape) < 0.01] = np.inf
    x = LAYOUTS[layout](x)
    for axis in range(x.ndim):
        for keepdims in (False, True):
            values, found = places.places(name, x, axis, keepdims)
            want = getattr(x, "arg" + name)(axis, keepdims=keepdims)
            assert found.dtype == np.int64 and values.dtype == x.dtype
            np.testing.assert_array_equal(found, want)
            np.testing.assert_array_equal(values, getattr(x, name)(axis, keepdims=keepdims))


def test_other_arrays_go_the_other_way():
    x = np.ones((100, 100), "f4")
    assert places.places("max", x.astype("u1"), 0, False) is None
    assert places.places("max", x[:3], 0, False) is None
