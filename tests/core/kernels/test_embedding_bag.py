"""Bags of rows: generated code against NumPy's form."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import embedding_bag as bags
from flambeau.core.kernels.generate import picked, rows_mixed, rows_topped, slices


@pytest.fixture
def numpy_form(monkeypatch):
    """Nothing is generated while it is called."""

    def call(function, *given):
        with monkeypatch.context() as only:
            for module in (rows_mixed, rows_topped, slices, picked):
                only.setattr(module, "SMALLEST", 1 << 60)
            return function(*given)

    return call


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", [3, 16, 65])
@pytest.mark.parametrize("rows", [40, 70000])
@pytest.mark.parametrize("count", [1, 2])
def test_equals_the_numpy_form(numpy_form, dtype, width, rows, count):
    rng = np.random.default_rng(width)
    table = rng.integers(-9, 9, (rows, width)).astype(dtype)  # many are equal
    index, bag = rng.integers(0, rows, 3000), np.sort(rng.integers(1, 200, 3000))
    factors = rng.standard_normal(3000).astype(dtype)
    g = rng.standard_normal((202, width)).astype(dtype)
    before = threads.count()
    try:
        threads.set_count(count)
        for function, *given in (
            (bags.sums, table, index, bag, None, 202),
            (bags.sums, table, index, bag, factors, 202),
            (bags.maxima, table, index, bag, 202),
            (bags.sums_back, g, index, bag, factors, rows),
        ):
            got, want = function(*given), numpy_form(function, *given)
            for a, b in zip(
                *([x] if isinstance(x, np.ndarray) else x for x in (got, want)), strict=True
            ):
                assert a.dtype == b.dtype
                np.testing.assert_allclose(a, b, 1e-5, 1e-4 if dtype == "f4" else 1e-12)
        top = bags.maxima(table, index, bag, 202)[1]
        assert (top[0] == -1).all() and (top[201] == -1).all()
        for given in ((g, top, table.shape), (g[1:150], top[1:150], table.shape)):
            got, want = bags.maxima_back(*given), numpy_form(bags.maxima_back, *given)
            np.testing.assert_allclose(got, want, 1e-5, 1e-4)
    finally:
        threads.set_count(before)


def test_nothing_in_any_bag():
    table, none = np.ones((5, 4), "f4"), np.empty(0, "i8")
    assert not bags.sums(table, none, none, None, 3).any()
    found, top = bags.maxima(table, none, none, 3)
    assert not found.any() and (top == -1).all()
    assert not bags.maxima_back(np.ones((3, 4), "f4"), top, (5, 4)).any()
