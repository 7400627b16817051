"""Generated lines of numbers against NumPy's, to the last digit."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels.generate import lines
from flambeau.core.kernels.generate.lines import line, stepped
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("shares", [1, 2, 5])
@pytest.mark.parametrize("count", [4096, 9999])
def test_digits(shares, count):
    before = threads.count()
    threads.set_count(shares)
    try:
        k = np.arange(count)
        np.testing.assert_array_equal(stepped(np.dtype("i8"), count, -5, 3), 3 * k - 5)
        for dtype in (np.dtype("f4"), np.dtype("f8")):
            up = np.longdouble(0.1) + np.longdouble(0.3) * k
            down = np.longdouble(7.7) - np.longdouble(0.3) * (count - 1 - k)
            want = np.where(k < count // 2, up, down).astype(dtype)  # rounded twice, code once
            np.testing.assert_array_max_ulp(line(dtype, count, 0.1, 0.3, 7.7), want, 1)
    finally:
        threads.set_count(before)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("count", [1, 7, 15, 16, 37, 1000])
def test_both_forms_are_one(dtype, count, monkeypatch):
    generated = stepped(np.dtype(dtype), count, 7, 3)
    floats = stepped(np.dtype("f4"), count, -1.1, 0.3)
    monkeypatch.setattr(lines, "_run", lambda *_: None)
    np.testing.assert_array_equal(generated, stepped(np.dtype(dtype), count, 7, 3))
    np.testing.assert_array_equal(floats, stepped(np.dtype("f4"), count, -1.1, 0.3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ranges_are_rounded_as_pytorch_rounds_them(dtype, oracle):
    rng = np.random.default_rng(0)
    for count in (1, 9, 15, 16, 17, 100, 999, 30000):
        start, step = float(rng.standard_normal() * 10), float(rng.random() + 0.01)
        ends = start, start + step * (count - 0.5), step
        mine, theirs = (t.arange(*ends, dtype=getattr(t, dtype)) for t in (torch, oracle))
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_ranges(dtype, oracle):
    for make in (
        lambda t, kind: t.arange(5, 30011, 3, dtype=kind),
        lambda t, kind: t.arange(30011, 5, -3, dtype=kind),
        lambda t, kind: t.linspace(-3, 12345, 9999, dtype=kind),
    ):
        mine, theirs = (make(t, getattr(t, dtype)) for t in (torch, oracle))
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
