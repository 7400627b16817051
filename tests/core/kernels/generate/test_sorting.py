"""Generated sorts and selections: the NumPy orders, and the exchanges of the lists' form."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels import introsort
from flambeau.core.kernels.generate import sorting
from flambeau.core.kernels.jit import build
from flambeau.core.ops.sort import order_of, ranks

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


def rows_of(dtype, size, kind):
    rng = np.random.default_rng(size)
    if kind == "few":
        return rng.integers(-3, 4, (3, size)).astype(dtype)
    x = (rng.standard_normal((3, size)) * 1e5).astype(dtype)
    if kind == "special":
        if x.dtype.kind == "f":
            for k, each in enumerate((np.nan, np.inf, -0.0, 0.0, -np.inf)):
                x[:, k :: 5 + k] = each
        else:
            x[:, ::5], x[:, 1::5] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return x


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("size", [1, 2, 3, 16, 17, 33, 49, 100, 1000])
@pytest.mark.parametrize("kind", ["few", "wide", "special"])
@pytest.mark.parametrize("largest", [False, True])
def test_orders(dtype, size, kind, largest):
    x = rows_of(dtype, size, kind)
    order = order_of(x, 1, largest)
    keys = [row.tolist() for row in ranks(x, order)]
    values, places = sorting.ordered(x, largest, False)
    np.testing.assert_array_equal(places, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, 1))
    _, places = sorting.ordered(x, largest, True)
    np.testing.assert_array_equal(places, [introsort.sorted_places(key) for key in keys])
    for count in {1, size // 70 + 1, size // 2 + 1, size}:
        for in_order in (True, False):
            values, places = sorting.top(x, count, largest, in_order)
            want = [introsort.top_places(key, count, in_order) for key in keys]
            np.testing.assert_array_equal(places, want)
            np.testing.assert_array_equal(values, np.take_along_axis(x, places, 1))
        if not largest:
            want = [introsort.kth_place(key, count - 1) for key in keys]
            np.testing.assert_array_equal(sorting.kth(x, count - 1), want)


def test_the_depth_where_a_heap_takes_over():
    """A row on which the median of three fails every time."""
    size, row = 2000, np.zeros(2000, "i8")
    half = size // 2
    for k in range(half):
        row[k] = k + half * (k % 2) if k % 2 else k + 1
    row[half:] = 2 * np.arange(1, half + 1)
    key = ranks(row[None], order_of(row[None], 1))[0].tolist()
    np.testing.assert_array_equal(
        sorting.ordered(row[None] // 3, False, True)[1][0],
        introsort.sorted_places((np.array(row) // 3).tolist()),
    )
    np.testing.assert_array_equal(
        sorting.top(row[None], half, False, False)[1][0], introsort.top_places(key, half, False)
    )


def test_threads_do_not_change_the_order():
    x = rows_of("f4", 2000, "few")
    x = np.concatenate([x] * 20)
    before, found = threads.count(), []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append((*sorting.ordered(x, False, True), *sorting.top(x, 99, True, True)))
    finally:
        threads.set_count(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_is_left_alone():
    assert sorting.ordered(np.zeros((3, 4), "f2"), False, False) is None
    assert sorting.ordered(np.zeros((3, 0), "f4"), False, False) is None
    assert sorting.ordered(np.zeros((8, 4), "f4")[::2], False, False) is None
    assert sorting.top(np.zeros((3, 4), "f4"), 0, False, False) is None


@pytest.mark.parametrize("dtype", ["float32", "int64", "int16", "bool", "bfloat16"])
def test_long_rows_stand_as_pytorchs(oracle, dtype):
    """Beyond what the lists' form can do in time; integers of one dimension go another way."""
    numbers = np.random.default_rng(0).integers(0, 50, 40_000)
    for shape in ((-1,), (2, -1), (-1, 4)):
        ours, theirs = (
            t.from_numpy(numbers).to(getattr(t, dtype)).reshape(shape) for t in (torch, oracle)
        )
        for dim in range(ours.dim()):
            for largest in (False, True):
                compare(ours.sort(dim, largest), theirs.sort(dim, largest))
                if dtype != "bool":
                    compare(ours.topk(2, dim, largest), theirs.topk(2, dim, largest))


def compare(ours, theirs):
    assert ours.indices.stride() == theirs.indices.stride()
    assert ours.indices.tolist() == theirs.indices.tolist()
    assert ours.values.tolist() == theirs.values.tolist()
