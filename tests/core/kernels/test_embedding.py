"""Sums of gradients into the rows of a table: repeated rows in their order, any index dtype."""

import numpy as np
import pytest

from flambeau.core.kernels.embedding import rows_added

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
@pytest.mark.parametrize("kind", ["i8", "i4"])
@pytest.mark.parametrize(("count", "width", "many"), [(7, 3, 5), (50, 33, 400), (9, 64, 0)])
def test_rows_are_added_in_their_order(dtype, kind, count, width, many):
    index = rng.integers(0, count, many).astype(kind)
    g = rng.standard_normal((many, width)).astype(dtype)
    want = np.zeros((count, width), dtype)
    for place, row in zip(index, g, strict=True):
        want[place] += row
    for given in (g, np.asfortranarray(g)):
        found = rows_added(given, index, count)
        assert found.dtype == dtype and found.base is None
        near = 0 if dtype == "f2" else 1e-5  # halves are rounded at every sum
        np.testing.assert_allclose(found, want, rtol=near, atol=near)


def test_a_table_that_nobody_looked_into_has_no_gradient():
    assert not rows_added(np.ones((0, 4), "f4"), np.zeros(0, "i8"), 1000).any()
