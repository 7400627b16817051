"""Products of two matrices of compressed rows: against dense products, their places and their order."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import rows_met
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: SciPy's loop serves"
)
rng = np.random.default_rng(0)


def _rows(n, m, part, dtype):
    there = rng.random((n, m)) < part
    there[n // 2] = False
    rows, columns = np.nonzero(there)
    pointers = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=pointers[1:])
    values = rng.integers(-3, 4, len(columns)).astype(dtype)  # with zeros, and sums that are zero
    dense = np.zeros((n, m), dtype)
    dense[there] = values
    return (pointers, np.ascontiguousarray(columns), values), dense, there


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("n", "k", "m", "part"),
    [(5, 4, 3, 0.6), (64, 65, 64, 0.1), (300, 200, 9000, 0.02), (700, 650, 600, 0.05)],
)
@pytest.mark.parametrize("count", [1, 3])
def test_products(dtype, n, k, m, part, count, monkeypatch):
    monkeypatch.setattr(rows_met, "ALONE", 100)
    a, dense_a, there_a = _rows(n, k, part, dtype)
    b, dense_b, there_b = _rows(k, m, part, dtype)
    before = threads.count()
    try:
        threads.set_count(count)
        pointers, columns, values = rows_met.meet_rows(a, b, n, m)
    finally:
        threads.set_count(before)
    places = np.nonzero(there_a.astype(int) @ there_b.astype(int))
    assert np.array_equal(columns, places[1])
    assert np.array_equal(np.repeat(np.arange(n), np.diff(pointers)), places[0])
    assert np.array_equal(values, (dense_a @ dense_b)[places])


def test_what_is_empty_or_not_generated_is_left_alone():
    a, _, _ = _rows(5, 4, 0.5, "f4")
    b, _, _ = _rows(4, 3, 0.5, "f4")
    none = np.zeros(5, np.int64), np.zeros(0, np.int64), np.zeros(0, "f4")
    assert rows_met.meet_rows(a, none, 5, 3) is None
    assert rows_met.meet_rows((*a[:2], a[2].astype("c8")), b, 5, 3) is None
