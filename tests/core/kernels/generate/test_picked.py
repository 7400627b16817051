"""Elements and rows picked, put and added by generated code against NumPy, on any threads."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels.generate import picked
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
rng = np.random.default_rng(0)
SHAPES = [((50, 200), 1, 300), ((40, 150), 0, 60), ((3, 20, 70), 1, 40), ((7000,), 0, 9000)]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "c8"])
@pytest.mark.parametrize(("shape", "dim", "count"), SHAPES)
@pytest.mark.parametrize("shares", [1, 2, 5])
def test_elements(dtype, shape, dim, count, shares):
    x = (rng.standard_normal(shape) * 9).astype(dtype)
    wide = (*shape[:dim], count, *shape[dim + 1 :])
    index = rng.integers(0, shape[dim], wide)
    source = (rng.standard_normal(wide) * 9).astype(dtype)
    grid = list(np.ogrid[tuple(map(slice, wide))])
    grid[dim] = index
    before = threads.count()
    try:
        threads.set_count(shares)
        np.testing.assert_array_equal(picked.elements(x, dim, index), x[tuple(grid)])
        put, want = x.copy(), x.copy()
        assert picked.put_elements(put, dim, index, source)
        for place in np.ndindex(wide):
            to = (*place[:dim], index[place], *place[dim + 1 :])
            want[to] = source[place]
        np.testing.assert_array_equal(put, want)
        added, want = x.copy(), x.copy()
        assert picked.add_elements(added, dim, index, source) == (dtype != "c8")
        if dtype != "c8":
            np.add.at(want, tuple(grid), source)
        np.testing.assert_array_equal(added, want)
    finally:
        threads.set_count(before)


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8", "c16", "u1"])
@pytest.mark.parametrize(("shape", "dim"), [((30, 36), 0), ((4, 30, 20), 1), ((9, 4, 8), 0)])
def test_rows(dtype, shape, dim):
    x = (rng.standard_normal(shape) * 9).astype(dtype)
    index = rng.integers(0, shape[dim], (20, 30))
    np.testing.assert_array_equal(picked.rows(x, dim, index), x.take(index, dim))
    index[3, 4] = -1
    assert picked.rows(x, dim, index, checked=False) is None
    index[3, 4] = shape[dim]
    assert picked.rows(x, dim, index, checked=False) is None


def test_operations_still_look_at_their_indices():
    x = torch.zeros(100, 64)
    index = torch.zeros(6400, dtype=torch.int64)
    index[77] = 100
    for function, error in (
        (lambda: x[index], IndexError),
        (lambda: x.index_select(0, index), IndexError),
        (lambda: torch.nn.functional.embedding(index, x), IndexError),
        (lambda: x.gather(0, index.reshape(100, 64)), RuntimeError),
        (lambda: x.scatter_add(0, index.reshape(100, 64), x), RuntimeError),
    ):
        with pytest.raises(error):
            function()
    index[77] = -1
    assert torch.arange(6400.0).reshape(100, 64)[index][77].tolist() == list(range(6336, 6400))
