"""Generated pooling against the NumPy forms: windows, borders, NaN, ties, threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flambeau.core import threads
from flambeau.core.kernels import pool, pool_native
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: the NumPy forms serve"
)


@st.composite
def cases(draw):
    count = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 5)) for _ in range(count))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(count))
    stride = tuple(draw(st.integers(1, 4)) for _ in range(count))
    padding = tuple(
        draw(st.integers(0, ((k - 1) * d + 1) // 2)) for k, d in zip(kernel, dilation, strict=True)
    )
    size = tuple(
        d * (k - 1) + 1 + draw(st.integers(0, 45)) for k, d in zip(kernel, dilation, strict=True)
    )
    lead = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    return (*lead, *size), kernel, stride, padding, dilation, draw(st.booleans())


def numpy_form(function, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_native, "_takes", lambda *given: False)
        return function(*arguments)


@settings(max_examples=80, deadline=None)
@given(cases(), st.sampled_from(["f4", "f8"]), st.integers(0, 2**31))
def test_any_window(case, dtype, seed):
    shape, kernel, stride, padding, dilation, ceil = case
    draw = np.random.RandomState(seed)
    x = draw.randint(-3, 4, shape).astype(dtype)  # many ties
    x[draw.random_sample(shape) < 0.1] = -np.inf
    if seed % 2:
        x[draw.random_sample(shape) < 0.05] = np.nan
    out = pool.output_sizes(shape[2:], kernel, stride, padding, dilation, ceil)
    geometry = (kernel, stride, padding, dilation)
    with np.errstate(invalid="ignore"):
        want, taps = numpy_form(pool.max_with_taps, x, *geometry, out)
    found, chosen = pool.max_with_taps(x, *geometry, out)
    np.testing.assert_array_equal(found, want)
    np.testing.assert_array_equal(chosen, taps)
    np.testing.assert_array_equal(pool.max_values(x, *geometry, out), want)
    assert chosen.dtype == np.uint8
    grad = draw.standard_normal(found.shape).astype(dtype)
    spread = pool.spread_taps(grad, taps, shape[2:], *geometry)
    np.testing.assert_allclose(
        spread, numpy_form(pool.spread_taps, grad, taps, shape[2:], *geometry), 1e-5, 1e-5
    )


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(["f4", "f8"]), st.booleans(), st.integers(0, 2**31))
def test_any_mean(case, dtype, include, seed):
    shape, kernel, stride, padding, _, ceil = case
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    x = np.random.RandomState(seed).standard_normal(shape).astype(dtype)
    out = pool.output_sizes(shape[2:], kernel, stride, padding, (1,) * len(kernel), ceil)
    arguments = (x, kernel, stride, padding, out, include)
    with np.errstate(all="ignore"):  # a window of padding alone has nothing to count
        want = numpy_form(pool.average, *arguments)
        np.testing.assert_allclose(pool.average(*arguments), want, 1e-5, 1e-6)
        back = (want, shape[2:], kernel, stride, padding, include)
        np.testing.assert_allclose(
            pool.average_gradient(*back), numpy_form(pool.average_gradient, *back), 1e-5, 1e-5
        )


def test_threads_change_nothing():
    draw = np.random.RandomState(0)
    x = draw.standard_normal((4, 40, 31, 33)).astype("f4")
    geometry = ((3, 3), (2, 2), (1, 1), (1, 1))
    out = pool.output_sizes((31, 33), *geometry, False)
    before = threads.count()
    found = []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            best, taps = pool.max_with_taps(x, *geometry, out)
            found.append((best, taps, pool.spread_taps(best, taps, (31, 33), *geometry)))
    finally:
        threads.set_count(before)
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_infinite_gradients_reach_their_number_alone():
    grad = np.array([[[[np.inf, 1.0], [2.0, np.nan]]]], "f4")
    taps = np.array([[[[3, 0], [1, 2]]]], np.uint8)
    geometry = ((2, 2), (2, 2), (0, 0), (1, 1))
    found = pool.spread_taps(grad, taps, (4, 4), *geometry)[0, 0]
    want = np.zeros((4, 4), "f4")
    want[1, 1], want[0, 2], want[2, 1], want[3, 2] = np.inf, 1, 2, np.nan
    np.testing.assert_array_equal(found, want)
