"""Rows added at places: against NumPy's add.at, whatever the width and the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import rows_added
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: NumPy's way serves"
)
rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
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
        assert rows_added.add_rows(rows, places, values) == (values.size >= rows_added.SMALLEST)
    finally:
        threads.set_count(before)
    if values.size >= rows_added.SMALLEST:
        np.testing.assert_array_equal(rows, want)


def test_what_does_not_fit_is_left_alone():
    rows, places = np.zeros((5, 4000), "f4"), np.arange(5)
    values = np.ones((5, 4000), "f4")
    assert not rows_added.add_rows(rows, places.astype("i4"), values)
    assert not rows_added.add_rows(rows, places, values.astype("f8"))
    assert not rows_added.add_rows(rows, places, np.asfortranarray(values))
    assert not rows_added.add_rows(rows, places, rows)
    assert not rows.any()
