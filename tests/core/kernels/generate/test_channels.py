"""Normalisation by channel in generated code against the NumPy forms in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import norm
from flambeau.core.kernels.generate import channels
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

SHAPES = [(7, 5), (3, 70, 1), (2, 3, 5, 5), (2, 33, 7, 9), (1, 2, 70, 70), (5, 2, 3, 4, 5)]


@pytest.fixture
def numpy_form(monkeypatch):
    """The reference: nothing is generated while it is called."""

    def call(function, *arrays):
        with monkeypatch.context() as only:
            only.setattr(channels, "forward", lambda *_: None)
            only.setattr(channels, "backward", lambda *_: None)
            wide = [a.astype("f8") if isinstance(a, np.ndarray) else a for a in arrays]
            return function(*wide)

    return call


def made(shape, dtype, last):
    rng = np.random.default_rng(sum(shape))
    x, g = (rng.standard_normal(shape).astype(dtype) + 2 for _ in range(2))
    weight, bias = (rng.standard_normal(shape[1]).astype(dtype) for _ in range(2))
    if last:
        x, g = (np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1) for a in (x, g))
    return x, g, weight, bias


def lies_like(a, b):
    used = [k for k, n in enumerate(b.shape) if n > 1]
    return [a.strides[k] for k in used] == [b.strides[k] for k in used]


def near(got, want, dtype):
    assert got.dtype == dtype and got.shape == want.shape
    tolerance = 4e-6 if dtype == "f4" else 2e-13
    np.testing.assert_allclose(got, want, tolerance, tolerance * (1 + np.abs(want).max()))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("affine", [False, True])
def test_channels_are_the_numpy_forms(numpy_form, dtype, shape, last, affine):
    x, g, weight, bias = made(shape, dtype, last)
    if not affine:
        weight = bias = None
    got = channels.forward(x, weight, bias, None, 1e-5)
    want = numpy_form(norm.batch, x, weight, bias, 1e-5)
    assert lies_like(got[0], x)
    for a, b in zip(got, want, strict=True):
        near(a, b, dtype)
    for train in (True, False):
        given = (g, x, weight, got[1], got[3], train, (True, True, True))
        back, want = channels.backward(*given), numpy_form(norm.batch_backward, *given)
        assert lies_like(back[0], x)
        for a, b in zip(back, want, strict=True):
            near(a, b, dtype)
    stats = got[1] + 1, got[2] * 2
    before = stats[0].copy(), stats[1].copy()
    got = channels.forward(x, weight, bias, stats, 1e-3)
    assert all(np.array_equal(a, b) for a, b in zip(stats, before, strict=True))
    wide = tuple(a.astype("f8") for a in stats)
    for a, b in zip(got, numpy_form(norm.batch, x, weight, bias, 1e-3, wide), strict=True):
        near(a, b, dtype)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(
    "needs", [(True, False, False), (False, True, False), (False, False, True)]
)
def test_only_what_is_needed(needs, train, last):
    x, g, weight, bias = made((4, 3, 5, 6), "f4", last)
    _, mean, _, invstd = channels.forward(x, weight, bias, None, 1e-5)
    found = channels.backward(g, x, weight, mean, invstd, train, needs)
    every = channels.backward(g, x, weight, mean, invstd, train, (True, True, True))
    for a, b, wanted in zip(found, every, needs, strict=True):
        assert a is None if not wanted else np.array_equal(a, b)


@pytest.mark.parametrize("last", [False, True])
def test_a_far_mean_costs_no_digits(last):
    x, *_ = made((8, 3, 20, 20), "f4", last)
    x += 10000
    _, mean, variance, _ = channels.forward(x, None, None, None, 1e-5)
    wide = x.astype("f8")
    np.testing.assert_allclose(mean, wide.mean((0, 2, 3)), 1e-7)
    np.testing.assert_allclose(variance, wide.var((0, 2, 3)), 1e-4)


def test_threads_do_not_change_digits():
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            found = []
            for last in (False, True):
                x, g, weight, bias = made((9, 70, 21, 20), "f4", last)
                found += channels.forward(x, weight, bias, None, 1e-5)
                given = (g, x, weight, found[-3], found[-1], True, (True, True, True))
                found += channels.backward(*given)
            results.append(found)
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_one_bad_number_spoils_its_channel_alone():
    x, _, weight, bias = made((4, 5, 6, 6), "f4", False)
    x[1, 2, 3, 3] = np.nan
    out = channels.forward(x, weight, bias, None, 1e-5)[0]
    assert np.isnan(out[:, 2]).all() and np.isfinite(out[:, [0, 1, 3, 4]]).all()


def test_other_arrays_go_the_other_way():
    x, g, weight, bias = made((4, 3, 5, 6), "f4", False)
    mean = np.ones(3, "f4")
    assert channels.forward(x[:, :, :, 1:], weight, bias, None, 1e-5) is None
    assert channels.forward(x, weight.astype("f8"), bias, None, 1e-5) is None
    assert channels.forward(x.astype("i4"), None, None, None, 1e-5) is None
    assert (
        channels.forward(
            x.astype("f2"), weight, bias, None, 1e-5, (mean.astype("f2"),) * 2 + (0.1,)
        )
        is None
    )
    assert channels.forward(x[:0], None, None, None, 1e-5) is None
    needs = (True, True, True)
    assert channels.backward(g[..., ::-1], x, weight, mean, mean, True, needs) is None
    assert channels.backward(g.astype("f8"), x, weight, mean, mean, True, needs) is None
