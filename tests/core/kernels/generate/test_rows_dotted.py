"""Dot products of compressed rows, and at chosen places: against dense products."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import rows_dotted
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: SciPy's loop serves"
)
rng = np.random.default_rng(0)


def _given(dtype, n, m):
    dense = rng.standard_normal((n, m)) * (rng.random((n, m)) < 0.3)
    dense[n // 2] = 0
    dense[0, :] = 1  # a row of several registers
    rows, columns = (np.ascontiguousarray(places) for places in np.nonzero(dense))
    pointers = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=pointers[1:])
    return dense, pointers, rows, columns, dense[rows, columns].astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(3, 2), (40, 50), (500, 300)])
@pytest.mark.parametrize("count", [1, 3])
def test_rows_and_a_vector(dtype, shape, count):
    dense, pointers, _, columns, values = _given(dtype, *shape)
    x = rng.standard_normal(shape[1]).astype(dtype)
    out = np.full(shape[0], np.nan, dtype)
    before = threads.count()
    try:
        threads.set_count(count)
        assert rows_dotted.dot_rows(out, pointers, columns, values, x)
    finally:
        threads.set_count(before)
    np.testing.assert_allclose(out, dense @ x, atol=1e-4 if dtype == "f4" else 1e-12)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", [0, 1, 7, 16, 33, 200])
def test_places(dtype, width):
    _, _, rows, columns, _ = _given(dtype, 60, 50)
    a, b = (rng.standard_normal((n, width)).astype(dtype) for n in (60, 50))
    out = np.full(len(rows), np.nan, dtype)
    assert rows_dotted.dot_places(out, rows, columns, a, b)
    expected = (a @ b.T)[rows, columns]
    np.testing.assert_allclose(out, expected, atol=1e-4 if dtype == "f4" else 1e-12)


def test_what_does_not_fit_is_left_alone():
    _, pointers, rows, columns, values = _given("f4", 10, 9)
    x, out = np.ones(9, "f4"), np.zeros(10, "f4")
    assert not rows_dotted.dot_rows(out, pointers.astype("i4"), columns, values, x)
    assert not rows_dotted.dot_rows(out, pointers, columns, values.astype("f8"), x)
    assert not rows_dotted.dot_places(values, rows, columns, np.ones((10, 4), "f4")[:, ::2], x)
    assert not out.any()
