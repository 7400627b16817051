"""Launched functions: addresses where they belong, nothing kept, words left alone."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from flambeau.core.kernels.jit import build, ir, pool
from flambeau.core.kernels.native import prepared as module
from flambeau.core.kernels.native.prepared import HEADER, launch

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: there is nothing to launch"
)


@pytest.fixture(scope="module")
def scale():
    """A function that writes ``factor * x`` into `out`, if there is one."""
    made = ir.Module("launched")
    f = made.function("scale", pool.ARGUMENTS)
    context, thread, threads = (f.argument[n] for n in ("context", "thread", "threads"))
    count, factor = f.load("i64", context, 0), f.load("i64", context, 1)
    x, out = f.load("ptr", context, 2), f.load("ptr", context, 3)
    with (
        f.when(out.ne(f.value("ptr", 0))),
        f.loop(thread * count / threads, (thread + 1) * count / threads) as i,
    ):
        f.store(f.load("i64", x, i) * factor, out, i)
    return build.load(made)["scale"]


@pytest.mark.parametrize("unlocked", [0, 1])
@pytest.mark.parametrize("call", [launch, lambda: module._plainly], ids=["generated", "ctypes"])
def test_addresses_go_where_they_belong(scale, unlocked, call):
    words = np.array([scale, 3, unlocked, 2, 1000, 7, -1, -1], np.int64)
    assert len(HEADER) == 4
    kept = words.copy()
    call()(words, None, None)
    x, out = np.arange(1000), np.zeros(1000, np.int64)
    before = sys.getrefcount(x), sys.getrefcount(None)
    for _ in range(1000):
        assert call()(words, x, out) is None
    np.testing.assert_array_equal(out, 7 * x)
    np.testing.assert_array_equal(words, kept)
    out[...] = 5
    call()(words, x, None)
    assert (out == 5).all()
    assert sys.getrefcount(x) == before[0]
    assert abs(sys.getrefcount(None) - before[1]) < 500


def test_other_arrays_go_through_ctypes(scale):
    class Mine(np.ndarray):
        pass

    words = np.array([scale, 1, 0, 2, 10, 2, 0, 0], np.int64)
    x, out = np.arange(10).view(Mine), np.zeros(10, np.int64)
    launch()(words, x, out)
    np.testing.assert_array_equal(out, 2 * np.arange(10))
