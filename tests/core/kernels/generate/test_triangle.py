"""Triangles by generated code: bit for bit NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import triangle
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("dtype", ["f4", "i8", "c8", "?", "f2"])
@pytest.mark.parametrize("shape", [(70, 90), (3, 61, 40), (2, 2, 100, 33), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("name", ["tril", "triu"])
@pytest.mark.parametrize("count", [1, 2])
def test_equals_numpy(name, shape, dtype, count):
    x = np.random.default_rng(0).integers(1, 100, shape).astype(dtype)
    if dtype == "f4":
        x.reshape(-1)[::7] = np.nan
    before = threads.count()
    try:
        threads.set_count(count)
        for diagonal in (0, 1, -1, 17, -30, 10**6, -(10**6)):
            got = triangle.triangle(name, x, diagonal)
            want = getattr(np, name)(x, max(min(diagonal, 10000), -10000))
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)
    finally:
        threads.set_count(before)


def test_what_does_not_fit_is_left():
    x = np.ones((100, 100), "f4")
    assert triangle.triangle("tril", x.T[:, ::2], 0) is None
    assert triangle.triangle("tril", x.astype("c16"), 0) is None
    assert triangle.triangle("tril", x[:3], 0) is None
