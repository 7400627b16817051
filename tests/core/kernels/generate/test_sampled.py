"""Sampling by generated code against NumPy's way."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import grid
from flambeau.core.kernels.generate import sampled
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_equals_the_numpy_form(monkeypatch, dtype, mode, padding):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 9, 11)).astype(dtype)
    where = rng.uniform(-1.5, 1.5, (2, 21, 13, 2)).astype(dtype)
    g = rng.standard_normal((2, 3, 21, 13)).astype(dtype)
    calls = []
    real = sampled._run
    monkeypatch.setattr(sampled, "_run", lambda *given: calls.append(real(*given)) or calls[-1])

    def both():
        out = grid.sample(x, where, mode, padding, False)
        return [out, *grid.sample_gradient(g, x, where, mode, padding, False)]

    before, found = threads.count(), []
    try:
        for count in (1, 2):
            threads.set_count(count)
            found.append(both())
    finally:
        threads.set_count(before)
    assert calls and all(calls)
    monkeypatch.setattr(sampled, "_run", lambda *given: False)
    want = both()
    for a, b, c in zip(*found, want, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == c.dtype and a.shape == c.shape
        np.testing.assert_allclose(a, c, 1e-6 if dtype == "f4" else 1e-14, 1e-14)
