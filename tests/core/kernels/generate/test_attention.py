"""Attention in generated code against the NumPy form, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import attention
from flambeau.core.kernels.generate import attention as generated
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

SHAPES = [  # batch, heads, queries, keys, width, width of the values
    (1, 1, 1, 1, 1, 1),
    (2, 3, 5, 7, 8, 8),
    (1, 2, 130, 70, 33, 20),
    (2, 1, 100, 100, 32, 32),
    (1, 1, 49, 200, 65, 130),
]


def operands(shape, dtype, turned=False):
    """q, k, v, g; `turned`: heads side by side in memory."""
    N, H, L, S, E, V = shape
    rng = np.random.default_rng(0)
    found = []
    for rows, width in ((L, E), (S, E), (S, V), (L, V)):
        x = rng.standard_normal((N, rows, H, width) if turned else (N, H, rows, width))
        found.append(x.astype(dtype).transpose(0, 2, 1, 3) if turned else x.astype(dtype))
    return found


def both_ways(q, k, v, g, mask, causal):
    out, sums = attention.attend(q, k, v, mask, 0.3, causal)
    needs = (True, True, True, False)
    slopes = attention.attend_backward(g, q, k, v, mask, sums, 0.3, causal, needs)
    return [out, sums, *slopes[:3]]


def by_numpy(monkeypatch, *given):
    with monkeypatch.context() as patch:
        patch.setattr(generated, "_serves", lambda *given: False)
        return both_ways(*given)


def close(got, want, dtype):
    tolerance = 3e-5 if dtype == "f4" else 1e-12
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.strides == b.strides
        np.testing.assert_allclose(a, b, tolerance, tolerance)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_equals_the_numpy_form(monkeypatch, dtype, shape, turned, causal):
    given = (*operands(shape, dtype, turned), None, causal)
    assert generated._serves("forward", given[0].dtype, *given[:4])
    close(both_ways(*given), by_numpy(monkeypatch, *given), dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", ["bool", "number"])
@pytest.mark.parametrize("lead", [(), (2, 1), (1, 3), (2, 3)])
def test_masks(monkeypatch, dtype, kind, lead):
    shape = (2, 3, 50, 37, 16, 16)
    rng = np.random.default_rng(1)
    mask = rng.random((*lead, 50, 37)) < 0.7
    mask[..., 3, :] = False  # a query that may look nowhere
    if kind == "number":
        mask = np.where(mask, rng.standard_normal(mask.shape), -np.inf).astype(dtype)
    given = (*operands(shape, dtype), mask, False)
    got = both_ways(*given)
    close(got, by_numpy(monkeypatch, *given), dtype)
    assert not got[0][..., 3, :].any() and not got[2][..., 3, :].any()


def test_threads_do_not_change_digits():
    before, found = threads.count(), []
    given = (*operands((1, 2, 300, 300, 32, 32), "f4"), None, True)
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append(both_ways(*given))
    finally:
        threads.set_count(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_memory_grows_with_the_length():
    """Nothing of the size of the weights is kept or asked for."""
    q, k, v, g = operands((1, 1, 2000, 2000, 8, 8), "f4")
    asked = []
    real = generated.memory.empty

    def empty(shape, dtype):
        asked.append(np.prod(shape))
        return real(shape, dtype)

    before = threads.count()
    try:
        threads.set_count(1)
        generated.memory.empty = empty
        both_ways(q, k, v, g, None, False)
    finally:
        generated.memory.empty = real
        threads.set_count(before)
    assert asked and max(asked) < 2000 * 2000 / 8
