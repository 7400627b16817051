"""Rows added at places: against NumPy's add.at, whatever the width and the number of threads."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import slices
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: NumPy's way serves"
)
rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", ml_dtypes.bfloat16])
@pytest.mark.parametrize("width", [1, 3, 16, 17, 64, 300])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_sums_in_order(dtype, width, count):
    places = rng.integers(0, 11, 6000 // width + 3000)
    values = rng.standard_normal((len(places), width)).astype(dtype)
    rows = rng.standard_normal((11, width)).astype(dtype)
    want = rows.copy()
    np.add.at(want, places, values)
    before = threads.count()
    try:
        threads.set_count(count)
        assert slices.add_rows(rows, places, values) == (values.size >= slices.SMALLEST)
    finally:
        threads.set_count(before)
    if values.size >= slices.SMALLEST:
        np.testing.assert_array_equal(rows, want)


def test_what_does_not_fit_is_left_alone():
    rows, places = np.zeros((5, 4000), "f4"), np.arange(5)
    values = np.ones((5, 4000), "f4")
    assert not slices.add_rows(rows, places.astype("i4"), values)
    assert not slices.add_rows(rows, places, values.astype("f8"))
    assert not slices.add_rows(rows, places, np.asfortranarray(values))
    assert not slices.add_rows(rows, places, rows)
    assert not rows.any()


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u1", "i2", "i4", "i8", "c8", "?"])
@pytest.mark.parametrize(("shape", "dim"), [((5, 40, 120), 1), ((900, 7), 1), ((11, 700), 0)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_slices_of_any_dimension(dtype, shape, dim, count):
    places = rng.integers(0, shape[dim], 9)
    wide = (*shape[:dim], 9, *shape[dim + 1 :])
    x, source = ((rng.standard_normal(s) * 99).astype(dtype) for s in (shape, wide))
    before = threads.count()
    threads.set_count(count)
    try:
        put, filled, added = x.copy(), x.copy(), x.copy()
        assert slices.put_slices(put, dim, places, source)
        assert slices.fill_slices(filled, dim, places, np.array(7, dtype))
        whole = np.moveaxis(x.copy(), dim, 0)
        sums = whole.copy()
        for j, place in enumerate(places):
            whole[place] = np.moveaxis(source, dim, 0)[j]
            sums[place] += np.moveaxis(source, dim, 0)[j]
        np.testing.assert_array_equal(put, np.moveaxis(whole, 0, dim))
        whole[places] = np.array(7, dtype)
        named = np.moveaxis(filled, dim, 0)
        np.testing.assert_array_equal(named[places], whole[places])
        others = np.setdiff1d(np.arange(shape[dim]), places)
        np.testing.assert_array_equal(named[others], np.moveaxis(x, dim, 0)[others])
        assert slices.add_slices(added, dim, places, source) == (dtype not in ("c8", "?"))
        if dtype not in ("c8", "?"):
            np.testing.assert_array_equal(added, np.moveaxis(sums, 0, dim))
    finally:
        threads.set_count(before)
