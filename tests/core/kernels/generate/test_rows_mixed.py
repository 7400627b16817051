"""Compressed rows times dense rows: against a dense product, for every width and number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import rows_mixed
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: SciPy's loop serves"
)
rng = np.random.default_rng(0)


def _given(dtype, n, m, width):
    dense = rng.standard_normal((n, m)) * (rng.random((n, m)) < 0.2)
    dense[n // 2] = 0
    rows, columns = (np.ascontiguousarray(places) for places in np.nonzero(dense))
    pointers = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=pointers[1:])
    values = dense[rows, columns].astype(dtype)
    return dense, pointers, columns, values, rng.standard_normal((m, width)).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", [1, 3, 8, 16, 17, 40, 64, 65, 300])
@pytest.mark.parametrize("count", [1, 3])
def test_products(dtype, width, count):
    dense, pointers, columns, values, rows = _given(dtype, 200, 150, width)
    out = np.full((200, width), np.nan, dtype)
    before = threads.count()
    try:
        threads.set_count(count)
        assert rows_mixed.mix_rows(out, pointers, columns, values, rows)
    finally:
        threads.set_count(before)
    np.testing.assert_allclose(out, dense @ rows, atol=1e-4 if dtype == "f4" else 1e-12)


def test_what_does_not_fit_is_left_alone():
    _, pointers, columns, values, rows = _given("f4", 200, 150, 40)
    out = np.zeros((200, 40), "f4")
    assert not rows_mixed.mix_rows(out, pointers.astype("i4"), columns, values, rows)
    assert not rows_mixed.mix_rows(out, pointers, columns, values.astype("f8"), rows)
    assert not rows_mixed.mix_rows(out, pointers, columns, values, np.asfortranarray(rows))
    assert not rows_mixed.mix_rows(out[:, :1].copy(), pointers[:3], columns, values[:9], rows)
    assert not out.any()
