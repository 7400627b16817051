"""Normalisation over groups where the channels lie last, against planes side by side."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import groups, groups_last
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.windows import empty, to_last

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

CASES = [((2, 6, 5, 7), 3), ((3, 70, 9, 11), 5), ((1, 40, 3, 4, 30), 40), ((5, 6, 4, 4), 1)]


def last(array):
    found = empty(array.shape, array.dtype, True)
    found[...] = array
    return found


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape, number", CASES)
@pytest.mark.parametrize("affine", [False, True])
def test_the_same_as_planes(shape, number, affine, dtype):
    draw = np.random.default_rng(sum(shape))
    x, g = (draw.standard_normal(shape).astype(dtype) + 2 for _ in range(2))
    weight = bias = None
    if affine:
        weight, bias = draw.standard_normal((2, shape[1])).astype(dtype)
    flat = (*shape[:2], -1)
    want = groups.forward(x.reshape(flat), number, weight, bias, 1e-5)
    before = threads.count()
    try:
        for count in (1, 3):
            threads.set_count(count)
            got = groups_last.forward(last(x), number, weight, bias, 1e-5)
            for given in (g, last(g)):
                back = groups_last.backward(
                    given, last(x), number, weight, *want[1:], (True, True, True)
                )
    finally:
        threads.set_count(before)
    needs = (True, True, True)
    wanted = groups.backward(g.reshape(flat), x.reshape(flat), number, weight, *want[1:], needs)
    tolerance = 1e-5 if dtype == "f4" else 1e-12
    assert to_last(got[0]).flags.c_contiguous and to_last(back[0]).flags.c_contiguous
    for a, b in zip((*got, *back), (*want, *wanted), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(
            a.reshape(b.shape), b, tolerance, tolerance * (1 + np.abs(b).max())
        )


def test_a_mean_far_from_zero():
    """The deviation is taken from the mean itself, not from differences of squares."""
    x = np.random.default_rng(0).standard_normal((2, 32, 16, 16)).astype("f4") + 1e4
    x[:, :, 0, 0] = 1e4
    got = groups_last.forward(last(x), 4, None, None, 1e-5)
    want = 1 / np.sqrt(x.astype("f8").reshape(2, 4, -1).var(2) + 1e-5)
    np.testing.assert_allclose(got[2], want, 1e-5)


def test_what_is_not_taken():
    x = np.ones((2, 4, 3, 3), "f4")
    assert groups_last.forward(x, 2, None, None, 1e-5) is None
    assert groups_last.forward(last(x), 2, np.ones(4), None, 1e-5) is None
