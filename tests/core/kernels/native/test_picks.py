"""Native gather and its adjoint against NumPy's, over shapes, strides and what must be refused."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from flambeau.core.kernels import late
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

OTHER = object()
GATHER, ADD = (late.native("picks", name, lambda *_: OTHER) for name in ("gather", "add"))


def problem(shape, dim, less, dtype, turned, seed):
    rng = np.random.default_rng(seed)
    a = (rng.standard_normal(shape) * 9).astype(dtype)
    if turned:
        a = a.T.copy().T
    size = [max(0, n - less) for n in shape]
    size[dim] = less + 2
    return a, rng.integers(0, shape[dim], size)


@settings(max_examples=80, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    place=st.integers(0, 3),
    less=st.integers(0, 2),
    dtype=st.sampled_from(["f4", "f8", "i8", "?"]),
    turned=st.booleans(),
    seed=st.integers(0, 99),
)
def test_gather_and_its_adjoint(shape, place, less, dtype, turned, seed):
    dim = place % len(shape)
    a, index = problem(shape, dim, less, dtype, turned, seed)
    part = a[tuple(slice(n) if d != dim else slice(None) for d, n in enumerate(index.shape))]
    want = np.take_along_axis(part, index, dim)
    for each in (dim, dim - len(shape)):
        got = GATHER(a, each, index, False)
        assert got.dtype == a.dtype and got.flags.c_contiguous
        np.testing.assert_array_equal(got, want)
    if dtype in ("f4", "f8"):
        source = np.arange(index.size, dtype=dtype).reshape(index.shape)
        target = a.copy(order="K")
        assert ADD(target, dim, index, source) is target
        for where in np.ndindex(index.shape):
            to = (*where[:dim], index[where], *where[dim + 1 :])
            a[to] += source[where]
        np.testing.assert_array_equal(target, a)


def test_what_does_not_fit_goes_the_other_way():
    a, index = np.ones((3, 4), "f4"), np.zeros((2, 2), "i8")
    odd = [
        (a, 0, index + 3, False), (a, 0, index - 1, False), (a, 2, index, False),
        (a, 0, np.zeros((2, 5), "i8"), False), (a, 0, index.astype("i4"), False),
        (a, 0, index[0], False), (a.astype("c8"), 0, index, False), (a, 0, index.T[::2], False),
    ]  # fmt: skip
    assert all(GATHER(*args) is OTHER for args in odd)
    assert ADD(a, 0, index, np.ones((2, 3), "f4")) is OTHER
    assert ADD(a, 0, index + 3, np.ones((2, 2), "f4")) is OTHER and (a == 1).all()
    assert ADD(a.astype("i8"), 0, index, np.ones((2, 2), "i8")) is OTHER
