"""Copies of rows that lie otherwise, against NumPy's."""

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import copies
from flambeau.core.kernels.generate.carried import carried
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

VIEWS = {
    "short rows": lambda x: x[..., 1:4],
    "rows": lambda x: x[:, 1:, 5:],
    "backwards": lambda x: x[..., ::-1],
    "rows backwards": lambda x: x[:, ::-1],
    "all backwards": lambda x: x[::-1, ::-1, ::-1],
    "steps": lambda x: x[..., ::2],
    "steps backwards": lambda x: x[::-1, :, ::-3],
    "repeated": lambda x: np.broadcast_to(x[..., :1], x.shape),
    "rows repeated": lambda x: np.broadcast_to(x[:, :1], x.shape),
    "exchanged": lambda x: x.transpose(2, 0, 1),
}


@pytest.mark.parametrize("dtype", ["?", "i2", "f4", "f8", "c8"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("shares", [1, 2, 5])
def test_layouts(dtype, view, shares):
    x = (np.random.default_rng(0).standard_normal((6, 9, 140)) * 50).astype(dtype)
    source = VIEWS[view](x)
    before = threads.count()
    threads.set_count(shares)
    try:
        dense = np.empty(source.shape, dtype)
        assert carried(source, dense)
        np.testing.assert_array_equal(dense, source)
        wide = np.zeros((*source.shape[:-1], source.shape[-1] * 2 + 3), dtype)
        target = wide[..., 2 : 2 + source.shape[-1]]
        assert carried(source, target)
        np.testing.assert_array_equal(target, source)
        target[...] = 0
        assert not wide.any()
        apart = wide[..., 1 : 1 + 2 * source.shape[-1] : 2]
        assert carried(source, apart)
        np.testing.assert_array_equal(apart, source)
        np.testing.assert_array_equal(copies.copy(source), source)
    finally:
        threads.set_count(before)


def test_what_is_left_to_numpy():
    x = np.ones((3, 4, 5, 6, 7), "f4")[:, ::2, ::2, ::2, ::2]
    assert not carried(x, np.empty(x.shape, "f4"))
    assert not carried(np.ones((4, 6), "c16")[:, ::2], np.empty((4, 3), "c16"))
