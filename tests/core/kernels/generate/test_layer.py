"""Rows normalised by generated code against the NumPy forms in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import memory, norm
from flambeau.core.kernels.generate import call, layer
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

SHAPES = [(1, 1), (7, 5), (33, 130), (4, 64), (130, 48), (3, 10001)]


@pytest.fixture
def numpy_form(monkeypatch):
    """The reference: nothing is generated while it is called."""

    def call(function, *arrays):
        with monkeypatch.context() as only:
            only.setattr(layer, "normalized", lambda *_: None)
            only.setattr(layer, "normalized_backward", lambda *_: None)
            wide = [a.astype("f8") if isinstance(a, np.ndarray) else a for a in arrays]
            return function(*wide)

    return call


def made(shape, dtype, count):
    rng = np.random.default_rng(sum(shape))
    return [rng.standard_normal(s).astype(dtype) + 0.5 for s in ([shape] * 2 + [shape[1]] * count)]


def near(got, want, dtype):
    tolerance = 2e-6 if dtype == "f4" else 1e-13
    scale = 1 + np.abs(want).max()
    np.testing.assert_allclose(got, want, tolerance, tolerance * scale)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "scaled, shifted", [(True, True), (False, False), (True, False), (False, True)]
)
def test_rows_are_the_numpy_forms(numpy_form, dtype, shape, scaled, shifted):
    x, g, weight, bias = made(shape, dtype, 2)
    weight, bias = weight if scaled else None, bias if shifted else None
    got = layer.normalized(x, weight, bias, 1e-5)
    want = numpy_form(norm.layer, x, weight, bias, 1e-5)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == dtype and a.shape == b.shape
    near(got[1], want[1], dtype)
    if shape[1] > 1:  # of one number only the rounding of its mean is left
        near(got[0], want[0], dtype)
    back = layer.normalized_backward(g, x, weight, *got[1:], (True, True, True))
    want = numpy_form(norm.layer_backward, g, x, weight, *got[1:], (True, True, True))
    for a, b in zip(back, want, strict=True):
        near(a, b, dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("far", [0.0, 0.9, 1.1, 30.0, 3e3])
def test_a_mean_far_from_zero_costs_no_digits(dtype, far):
    x = np.random.default_rng(4).standard_normal((5, 700)).astype(dtype) + far
    out, mean, rstd = layer.normalized(x, None, None, 0.0)
    wide = x.astype("longdouble")
    centred = wide - wide.mean(1, keepdims=True)
    want = 1 / np.sqrt((centred**2).mean(1, keepdims=True))
    # the mean itself is rounded to the dtype, and so is what is taken away
    bound = (3e-7 if dtype == "f4" else 1e-15) * (1 + abs(far))
    np.testing.assert_allclose(rstd.astype("f8"), want.astype("f8"), min(bound, 1e-6))
    np.testing.assert_allclose(out.astype("f8"), (centred * want).astype("f8"), 0, 8 * bound)


def test_rows_of_one_number_of_large_ones_and_of_none():
    x = np.stack([np.full(64, 7.3), np.full(64, 1e25), np.full(64, 1.0)]).astype("f4")
    x[1, ::2], x[2, 5] = -1e25, np.nan
    out, mean, rstd = layer.normalized(x, None, None, 1e-5)
    assert np.array_equal(out[0], np.zeros(64)) and rstd[0] == np.float32(1 / np.sqrt(1e-5))
    assert rstd[1] == 0 and np.isnan(out[2]).all()  # squares of 1e25 overflow


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("centred", [True, False])
def test_results_past_the_caches_have_the_same_digits(monkeypatch, dtype, centred):
    x, g, weight = made((memory.LARGE >> 12, 1024), dtype, 1)  # kept memory begins with a line

    def both():
        found = layer.normalized(x, weight, None, 1e-5, centred)
        return *found, *layer.normalized_backward(g, x, weight, *found[1:], (True, True, True))

    want = both()
    monkeypatch.setattr(call, "PAST", 1 << 10)
    assert call.past(want[0], 1024) and not call.past(want[0], 1001)
    ready = []
    ask = layer._kernel.ready
    monkeypatch.setattr(layer._kernel, "ready", lambda d, n: ready.append(n) or ask(d, n))
    for a, b in zip(want, both(), strict=True):
        assert (a is None and b is None) or np.array_equal(a, b)
    assert all(name.endswith("_past") for name in ready)


@pytest.mark.parametrize(
    "needs", [(True, False, False), (False, True, False), (False, False, True)]
)
def test_only_what_is_needed(needs):
    x, g, weight = made((9, 20), "f4", 1)
    _, mean, rstd = layer.normalized(x, weight, None, 1e-5)
    found = layer.normalized_backward(g, x, weight, mean, rstd, needs)
    every = layer.normalized_backward(g, x, weight, mean, rstd, (True, True, True))
    for a, b, wanted in zip(found, every, needs, strict=True):
        assert a is None if not wanted else np.array_equal(a, b)


def test_the_mean_may_stay():
    x, g, weight = made((9, 20), "f8", 1)
    out, mean, rstd = layer.normalized(x, weight, None, 1e-5, centred=False)
    assert mean is None
    scale = 1 / np.sqrt((x * x).mean(1, keepdims=True) + 1e-5)
    near(out, x * scale * weight, "f8")
    grad, slope, shift = layer.normalized_backward(g, x, weight, None, rstd, (True, True, True))
    assert shift is None
    near(slope, (g * x * scale).sum(0), "f8")
    scaled = g * weight
    near(grad, scale * (scaled - x * scale**2 * (scaled * x).mean(1, keepdims=True)), "f8")


def test_threads_do_not_change_digits():
    x, g, weight, bias = made((517, 300), "f4", 2)
    before = threads.count()
    results = []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            out, mean, rstd = layer.normalized(x, weight, bias, 1e-5)
            needs = (True, True, True)
            results.append((out, *layer.normalized_backward(g, x, weight, mean, rstd, needs)))
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_number_spoils_its_row_alone(bad):
    x, _ = made((4, 37), "f4", 0)
    x[2, 36] = bad
    with np.errstate(all="raise"):
        out, _, _ = layer.normalized(x, None, None, 1e-5)
    assert np.isnan(out[2]).any() and np.isfinite(out[[0, 1, 3]]).all()


def test_other_arrays_go_the_other_way():
    x, _, weight = made((8, 6), "f4", 1)
    assert layer.normalized(x.T, None, None, 1e-5) is None
    assert layer.normalized(x, weight.astype("f8"), None, 1e-5) is None
    assert layer.normalized(x, weight.astype("f2"), None, 1e-5) is None
    assert layer.normalized(x[:0], weight, None, 1e-5) is None
