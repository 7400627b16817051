"""Normalisation over groups by generated code against double precision."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate import call, groups
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

CASES = [((2, 6, 35), 3), ((3, 4, 1), 2), ((1, 8, 300), 8), ((5, 6, 16), 1), ((2, 2, 5000), 1)]


def made(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    x, g = (rng.standard_normal(shape).astype(dtype) + 2 for _ in range(2))
    return x, g, *(rng.standard_normal(shape[1]).astype(dtype) for _ in range(2))


def exact(x, g, number, weight, bias, eps):
    """All of it by the formulas."""
    batch, channels, length = x.shape
    x, g, weight, bias = (None if a is None else a.astype("f8") for a in (x, g, weight, bias))
    weight = np.ones(channels) if weight is None else weight
    rows = x.reshape(batch, number, -1)
    mean, rstd = rows.mean(2), 1 / np.sqrt(rows.var(2) + eps)
    normal = (rows - mean[..., None]) * rstd[..., None]
    flat = normal.reshape(x.shape)
    out = flat * weight[:, None] + (0 if bias is None else bias[:, None])
    scaled = (g * weight[:, None]).reshape(rows.shape)
    inner = scaled - scaled.mean(2, keepdims=True)
    inner -= normal * (scaled * normal).mean(2, keepdims=True)
    grad = (inner * rstd[..., None]).reshape(x.shape)
    return (out, mean, rstd), (grad, (g * flat).sum((0, 2)), g.sum((0, 2)))


def near(got, want, dtype):
    assert got.dtype == dtype and got.shape == want.shape
    tolerance = 5e-6 if dtype == "f4" else 2e-13
    np.testing.assert_allclose(got, want, tolerance, tolerance * (1 + np.abs(want).max()))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape, number", CASES)
@pytest.mark.parametrize("affine", [False, True])
def test_groups(shape, number, affine, dtype):
    x, g, weight, bias = made(shape, dtype)
    if not affine:
        weight = bias = None
    got = groups.forward(x, number, weight, bias, 1e-5)
    back = groups.backward(g, x, number, weight, *got[1:], (True, True, True))
    forward, backward = exact(x, g, number, weight, bias, 1e-5)
    for a, b in zip((*got, *back), (*forward, *backward), strict=True):
        near(a, b, dtype)


@pytest.mark.parametrize(
    "needs", [(True, False, False), (False, True, False), (False, False, True)]
)
def test_only_what_is_needed(needs):
    x, g, weight, bias = made((4, 6, 20), "f4")
    stats = groups.forward(x, 2, weight, bias, 1e-5)[1:]
    found = groups.backward(g, x, 2, weight, *stats, needs)
    every = groups.backward(g, x, 2, weight, *stats, (True, True, True))
    for a, b, wanted in zip(found, every, needs, strict=True):
        assert a is None if not wanted else np.array_equal(a, b)


def test_threads_do_not_change_digits():
    x, g, weight, bias = made((9, 64, 200), "f4")
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            found = groups.forward(x, 16, weight, bias, 1e-5)
            back = groups.backward(g, x, 16, weight, *found[1:], (True, True, True))
            results.append((*found, *back))
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_other_arrays_go_the_other_way():
    x, g, weight, bias = made((4, 6, 20), "f4")
    assert groups.forward(x[:, :, 1:], 2, weight, bias, 1e-5) is None
    assert groups.forward(x, 2, weight.astype("f8"), bias, 1e-5) is None
    assert groups.forward(x[:0], 2, weight, bias, 1e-5) is None
    stats = np.ones((2, 4, 2), "f4")
    assert groups.backward(g[:, :, ::-1], x, 2, weight, *stats, (True, True, True)) is None


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_results_past_the_caches_have_the_same_digits(monkeypatch, dtype):
    x, g, weight, bias = made((4, 6, 2048), dtype)  # kept memory begins with a line

    def both():
        found = groups.forward(x, 3, weight, bias, 1e-5)
        return *found, *groups.backward(g, x, 3, weight, *found[1:], (True, True, True))

    want = both()
    monkeypatch.setattr(call, "PAST", 1 << 10)
    assert call.past(want[0], 2048)
    for a, b in zip(want, both(), strict=True):
        np.testing.assert_array_equal(a, b)
