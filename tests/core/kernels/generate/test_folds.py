"""Sums and extremes over dimensions by generated code against double precision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import folds
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

CASES = [
    ((9001,), None), ((9001,), (0,)), ((70001,), (0,)), ((100, 101), (0,)), ((100, 101), (1,)),
    ((100, 101), None), ((1300, 7), (0,)), ((3000, 3), (1,)), ((5, 600, 33), (1,)), ((5, 600, 33), (1, 2)),
    ((5, 600, 33), (0, 1)), ((4, 1, 50, 60), (2,)), ((4, 1, 50, 60), (1, 2)), ((2, 70001), (1,)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape, axes", CASES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "squares", "max", "min", "prod"])
def test_folds(name, shape, axes, keepdims, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    if name == "prod":  # stays near 1
        x = np.exp(x / 100).astype(dtype)
    got = folds.fold(name, x, axes, keepdims)
    wide = x.astype("f8") ** 2 if name == "squares" else x.astype("f8")
    want = getattr(np, "sum" if name == "squares" else name)(wide, axis=axes, keepdims=keepdims)
    assert got.dtype == dtype and got.shape == want.shape and got.flags.c_contiguous
    if name == "prod":
        np.testing.assert_allclose(got, want, 3e-4 if dtype == "f4" else 1e-12)
    elif name in ("sum", "squares"):
        scale = np.abs(wide).sum(dtype="f8") / max(want.size, 1)
        np.testing.assert_allclose(got, want, 1e-6, scale * (1e-7 if dtype == "f4" else 1e-15))
    else:
        assert np.array_equal(got, want)


@pytest.mark.parametrize("name", ["max", "min", "sum"])
@pytest.mark.parametrize("axes", [None, (0,), (1,)])
@pytest.mark.parametrize("place", [(0, 0), (70, 50), (99, 100)])
def test_one_nan_is_what_is_left(name, axes, place):
    x = np.random.default_rng(0).standard_normal((100, 101)).astype("f4")
    x[place] = np.nan
    got = folds.fold(name, x, axes, False)
    assert np.array_equal(np.isnan(got), np.isnan(getattr(np, name)(x, axis=axes)))


@pytest.mark.parametrize("name", ["max", "min", "sum"])
def test_infinities(name):
    x = np.full((100, 101), -np.inf, "f4")
    x[:, 0] = np.inf if name == "max" else -1
    for axes in (None, (0,), (1,)):
        want = getattr(np, name)(x, axis=axes)
        assert np.array_equal(folds.fold(name, x, axes, False), want, equal_nan=True)


def test_all_dimensions_in_whatever_order():
    x = np.random.default_rng(0).standard_normal((20, 30, 40)).astype("f4").transpose(2, 0, 1)
    for axes in (None, (0, 1, 2)):
        assert folds.fold("max", x, axes, False) == x.max()
        assert folds.fold("sum", x, axes, True).shape == (1, 1, 1)


def test_threads_do_not_change_digits():
    x = np.random.default_rng(0).standard_normal((7, 1300, 90)).astype("f4")
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            results.append([folds.fold("sum", x, axes, False) for axes in (None, (0,), (1,), (2,))])
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


LAYOUTS = {
    "turned": lambda x: x.swapaxes(0, -1),
    "cut": lambda x: x[..., 1:-1],
    "cut in all": lambda x: x[tuple(slice(1, None) for _ in x.shape)],
    "every second": lambda x: x[..., ::2],
    "every second row": lambda x: x[::2],
    "backwards": lambda x: x[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "?"])
@pytest.mark.parametrize("shape", [(150, 151), (9, 3000), (3000, 9), (30, 33, 35), (5, 6, 40, 50)])
def test_strides(layout, dtype, shape):
    random = np.random.default_rng(0)
    x = LAYOUTS[layout]((random.standard_normal(shape) * 9).astype(dtype))
    names = ["max", "min"] + ["sum"] * (dtype in ("f4", "f8", "i8"))
    every = [c for n in range(1, x.ndim + 1) for c in itertools.combinations(range(x.ndim), n)]
    for axes in [None, *every]:
        for name in names:
            got = folds.fold(name, x, axes, axes == (0,))
            want = getattr(np, name)(x, axis=axes, keepdims=axes == (0,))
            assert got.dtype == x.dtype and got.shape == want.shape
            assert got.flags.c_contiguous
            scale = 1e-4 if dtype == "f4" else 1e-11
            np.testing.assert_allclose(got, want, scale, scale * 1000)


@pytest.mark.parametrize("axes", [None, (0,), (1,)])
def test_sums_of_numbers(axes):
    x = np.random.default_rng(0).standard_normal((100, 101))
    x[::3, ::5] = np.nan
    got = folds.fold("numbers", x, axes, False)
    np.testing.assert_allclose(got, np.nansum(x, axis=axes), 1e-12, 1e-12)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("layout", ["turned", "cut", "cut in all"])
@pytest.mark.parametrize("shape", [(150, 151), (9, 3000), (3000, 9), (30, 33, 35), (30001, 4)])
def test_deviations(shape, layout, dtype):
    x = LAYOUTS[layout](np.random.default_rng(0).standard_normal(shape).astype(dtype) + 100)
    every = [c for n in range(1, x.ndim + 1) for c in itertools.combinations(range(x.ndim), n)]
    served = 0
    for axes in [None, *every]:
        mean = np.ascontiguousarray(x.mean(axes, "f8", keepdims=True).astype(dtype))
        got = folds.fold("deviations", x, axes, False, mean)
        served += got is not None
        if got is not None:
            want = ((x - mean).astype("f8") ** 2).sum(axes)
            np.testing.assert_allclose(got, want, 1e-5 if dtype == "f4" else 1e-11)
    assert served >= 2


def test_other_arrays_go_the_other_way():
    x = np.ones((100, 100, 2), "f4")
    assert folds.fold("sum", x.astype("c8"), None, False) is None
    assert folds.fold("max", x.astype("u1"), None, False) is None
    assert folds.fold("sum", x[:3], None, False) is None


@pytest.mark.parametrize("shape", [(7, 3), (3000, 5), (40, 30, 17), (20, 1000)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sums_of_columns(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for given in (x, x[..., ::-1]):
        found = folds.column_sums(given)
        want = given.astype("f8").reshape(-1, shape[-1]).sum(0)
        assert found.dtype == x.dtype
        np.testing.assert_allclose(found, want, 1e-5, 1e-4 if dtype == "f4" else 1e-11)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4"])
@pytest.mark.parametrize("name", ["sum", "squares", "numbers", "prod", "max", "min"])
@pytest.mark.parametrize("shape", [(50001, 3), (300, 41, 20), (70000, 2), (5000, 32)])
def test_few_columns(dtype, name, shape):
    if dtype[0] == "i" and name in ("squares", "numbers"):
        return  # of floats alone
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape) * 3 if dtype[0] == "f" else rng.integers(-9, 9, shape)
    x = x.astype(dtype)
    if name == "prod":
        x = np.sign(x) + (x == 0)
    if dtype[0] == "f" and name == "numbers":
        x[::7] = np.nan
    axes = tuple(range(x.ndim - 1))
    for keepdims in (False, True):
        found = folds.fold(name, x, axes, keepdims)
        if found is None:
            assert dtype == "i4" and name in ("sum", "prod")
            continue
        wide = x.astype("f8") if dtype[0] == "f" else x
        if name == "squares":
            wide = wide * wide
        function = {"prod": np.prod, "max": np.max, "min": np.min}.get(name, np.nansum)
        want = function(wide, axis=axes, keepdims=keepdims)
        assert found.dtype == x.dtype
        np.testing.assert_allclose(found, want, 1e-5 if dtype == "f4" else 1e-10, 1e-2)
