"""Views made by native functions against NumPy's: geometry, memory, references, the ways out."""

from __future__ import annotations

import sys
from functools import cache

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.lib.stride_tricks import as_strided

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import views

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

OTHER = object()


@cache
def function(name):
    return views.native(name, lambda *_: OTHER)


def assert_view(got, want, base):
    assert type(got) is np.ndarray and got.dtype is base.dtype
    assert (got.shape, got.strides) == (want.shape, want.strides)
    assert got.flags.c_contiguous == want.flags.c_contiguous
    assert got.flags.writeable == base.flags.writeable and not got.flags.owndata
    np.testing.assert_array_equal(got, want)
    assert np.shares_memory(got, base) or not got.size


def numbered(shape, dtype, turned):
    a = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    return a.T if turned else a


ARRAYS = st.builds(
    numbered,
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(["f4", "f8", "i8", "?"]),
    st.booleans(),
)
PLACES = st.integers(-5, 5)


@settings(max_examples=150, deadline=None)
@given(a=ARRAYS, one=PLACES, two=PLACES, start=st.integers(-1, 5), length=st.integers(-1, 5))
def test_geometry_is_numpys_or_left_to_the_other_form(a, one, two, start, length):
    got = function("swap")(a, one, two)
    if -a.ndim <= one < a.ndim and -a.ndim <= two < a.ndim:
        assert_view(got, a.swapaxes(one, two), a)
    else:
        assert got is OTHER
    got = function("insert")(a, one)
    if -a.ndim - 1 <= one <= a.ndim:
        want = np.expand_dims(a, one)
        assert got.shape == want.shape
        k = one % (a.ndim + 1)
        steps = list(a.strides)
        steps.insert(k, a.itemsize if k == a.ndim else a.shape[k] * a.strides[k])
        assert_view(got, as_strided(a, want.shape, steps), a)
    else:
        assert got is OTHER
    inside = -a.ndim <= one < a.ndim
    got = function("narrow")(a, one, start, length)
    if inside and start >= 0 and length > 0 and start + length <= a.shape[one]:
        lead = (slice(None),) * (one % a.ndim)
        assert_view(got, a[(*lead, slice(start, start + length))], a)
    else:
        assert got is OTHER
    got = function("select")(a, one, two)
    if inside and -a.shape[one] <= two < a.shape[one]:
        lead = (slice(None),) * (one % a.ndim)
        assert_view(got, a[(*lead, two, ...)], a)
    else:
        assert got is OTHER


@settings(max_examples=80, deadline=None)
@given(a=ARRAYS, lead=st.lists(st.integers(0, 3), max_size=2), times=st.integers(1, 3))
def test_expanding_is_broadcasting(a, lead, times):
    size = tuple(lead) + tuple(times if n == 1 else n for n in a.shape)
    got = function("expand")(a, size)
    if 0 in size or 1 in lead or 0 in a.shape:
        assert got is OTHER
    else:
        want = np.broadcast_to(a, size)
        assert (got.shape, got.tolist()) == (want.shape, want.tolist())
        assert all(g == w for g, w, n in zip(got.strides, want.strides, size, strict=True) if n > 1)


def test_any_geometry_from_any_place():
    a = np.arange(12, dtype="f4")
    got = function("restride")(a, (2, 3), (16, 4), 8)
    assert_view(got, as_strided(a[2:], (2, 3), (16, 4)), a)
    assert got.base is a and function("swap")(got, 0, 1).base is a
    a.flags.writeable = False
    assert not function("restride")(a, (), (), 0).flags.writeable


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("expand", ([2, 3],)),
        ("expand", ((True, 3),)),
        ("expand", ((1 << 70, 3),)),
        ("swap", (0.0, 0)),
        ("swap", (0,)),
        ("restride", ((1, 2), (3,), 0)),
        ("select", (1 << 70, 0)),
    ],
)
def test_odd_arguments_go_the_other_way(name, args):
    assert function(name)(np.ones((1, 3), "f4"), *args) is OTHER


def test_subclasses_go_the_other_way_and_every_element_size_serves():
    assert function("swap")(np.ma.ones((2, 2)), 0, 1) is OTHER
    for dtype in ("f2", "c16", "i1"):
        assert function("insert")(np.ones(3, dtype), -1).strides == (np.dtype(dtype).itemsize,) * 2


BOUNDS = st.none() | st.integers(-6, 6)
PARTS = st.one_of(
    PLACES,
    st.builds(slice, BOUNDS, BOUNDS, st.none() | st.integers(1, 3)),
    st.none(),
    st.just(...),
)


@settings(max_examples=300, deadline=None)
@given(a=ARRAYS, index=PARTS | st.lists(PARTS, max_size=4).map(tuple))
def test_a_basic_index_is_numpys(a, index):
    got = function("index")(a, index)
    try:
        want = a[(*index, ...) if type(index) is tuple and ... not in index else index]
    except IndexError:
        assert got is OTHER
        return
    if not want.size or (index is not ... and type(index) is tuple and index.count(...) > 1):
        assert got is OTHER or got.shape == want.shape
        return
    assert got is not OTHER and got.shape == want.shape and got.dtype is a.dtype
    assert np.array_equal(got, want) and np.shares_memory(got, a)
    assert all(g == w for g, w, n in zip(got.strides, want.strides, want.shape) if n > 1)


@settings(max_examples=100, deadline=None)
@given(a=ARRAYS, order=st.lists(PLACES, max_size=4))
def test_an_order_names_each_dimension_once(a, order):
    got = function("permute")(a, tuple(order))
    try:
        want = a.transpose(order) if len(order) == a.ndim else None
    except ValueError:
        want = None
    if want is None:
        assert got is OTHER
    else:
        assert_view(got, want, a)


def test_squeezing_several_dimensions():
    a = np.ones((1, 4, 1, 5), "f4")
    assert function("squeeze")(a, (0, -2)).shape == (4, 5)
    assert function("squeeze")(a, (0, 1)).shape == (4, 1, 5)
    assert function("squeeze")(a, ()).shape == a.shape
    assert function("squeeze")(a, (0, -4)) is OTHER


def test_other_dtypes_on_the_same_bytes():
    a = np.arange(12, dtype="f4").reshape(3, 4).T
    got = function("retype")(a, np.dtype("i4"))
    assert got.dtype == "i4" and got.strides == a.strides and got[1, 0] == a[1, 0].view("i4")
    for other in (np.dtype("f8"), "i4", None):
        assert function("retype")(a, other) is OTHER
    c = (np.arange(6) + 1j).astype("c8").reshape(2, 3).T
    pairs = function("pairs")(c, np.dtype("f4"))
    assert np.array_equal(pairs[..., 0], c.real) and np.array_equal(pairs[..., 1], c.imag)
    assert np.array_equal(function("joined")(pairs, np.dtype("c8")), c)
    assert function("joined")(pairs[..., :1], np.dtype("c8")) is OTHER
    assert function("joined")(np.ones((2, 3), "f4")[:, :2], np.dtype("c8")) is OTHER


def test_any_geometry_within_the_memory_that_begins_where_the_array_does():
    a = np.arange(16, dtype="f8")
    got = function("strided")(a, (2, 3), (1, 4), 3, None)
    assert_view(got, as_strided(a[3:], (2, 3), (8, 32)), a)
    for size, stride, offset in [
        ((2, 9), (1, 2), 0), ((2,), (1, 2), 0), ((2,), (-1,), 4), ((2,), (1,), -1),
        ((1 << 40,), (1 << 40,), 0), ([2], (1,), 0),
    ]:  # fmt: skip
        assert function("strided")(a, size, stride, offset, None) is OTHER
    assert function("strided")(a[1:], (2,), (1,), 0, None) is OTHER


def test_no_reference_is_lost_or_kept():
    a = np.ones((4, 4), "f4")
    make = [function(n) for n in ("swap", "insert", "expand", "select")]
    before = sys.getrefcount(a), sys.getrefcount(a.dtype)
    for _ in range(1000):
        make[0](a, 0, 1), make[1](a, 0), make[2](a, (3, 4, 4)), make[3](a, 0, 1)
    after = sys.getrefcount(a), sys.getrefcount(a.dtype)
    assert all(abs(x - y) < 5 for x, y in zip(before, after, strict=True))
