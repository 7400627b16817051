"""Convolution with channels last against planes side by side: blocks of pixels, rows, threads."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import conv, conv_last, correlate
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
CASES = [
    # input, weight, stride, padding, dilation
    ((3, 70, 7, 7), (130, 70, 3, 3), 1, 1, 1),  # blocks go on from image to image
    ((7, 70, 7, 7), (130, 70, 3, 3), 1, 1, 1),  # many pixels: weights are turned before
    ((1, 40, 9, 11), (20, 40, 3, 5), 2, 2, 1),
    ((2, 3, 24, 24), (16, 3, 7, 7), 2, 3, 1),  # taps copied together, cut at both borders
    ((2, 24, 14, 14), (16, 24, 3, 3), 1, 2, 2),
    ((2, 24, 20, 30), (16, 24, 3, 3), 1, 1, 1),  # bands of rows
    ((2, 17, 25, 40), (33, 17, 3, 2), 1, 2, 2),  # taps apart
    ((2, 20, 31, 29), (24, 20, 3, 3), 2, 1, 1),  # phases of bands
    ((2, 20, 30, 31), (24, 20, 1, 3), 2, 0, 1),  # phases without taps
    ((2, 20, 24, 26), (24, 20, 2, 3), 3, -1, 1),  # borders cut away
]


def last(array):
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def on_threads(function):
    """The same result on one, two and five threads, the first time and once more."""
    before, found = threads.count(), []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found += [function(), function()]
    finally:
        threads.set_count(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
    return found[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}x{case[1]}")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sums_and_their_adjoint(case, dtype, monkeypatch):
    shape, kernel, stride, padding, dilation = case
    draw = np.random.RandomState(0)
    x, w = draw.standard_normal(shape).astype(dtype), draw.standard_normal(kernel).astype(dtype)
    bias = draw.standard_normal(len(w)).astype(dtype)
    options = ((stride,) * 2, [(padding,) * 2] * 2, (dilation,) * 2, 1)
    calls = []
    for way in (conv_last._by_rows, conv_last._by_blocks):

        def counted(*given, way=way):
            calls.append(way)
            return way(*given)

        monkeypatch.setattr(conv_last, way.__name__, counted)
    tolerance = 2e-5 if dtype == "f4" else 1e-12

    def numpy_form(function, *given):
        with monkeypatch.context() as patch:
            patch.setattr(correlate, "available", lambda dtype: False)
            return function(*given)

    want = numpy_form(conv.convolve, x, w, bias, *options)
    found = on_threads(lambda: conv.convolve(last(x), last(w), bias, *options))
    np.testing.assert_allclose(found, want, tolerance, tolerance * abs(want).max())
    assert len(calls) == 6

    g = draw.standard_normal(want.shape).astype(dtype)
    want = numpy_form(conv.input_gradient, g, w, x.shape[2:], *options)
    found = on_threads(lambda: conv.input_gradient(last(g), last(w), x.shape[2:], *options))
    np.testing.assert_allclose(found, want, tolerance, tolerance * abs(want).max())
    if stride == 1:
        assert len(calls) == 12
    elif x.shape[1] > 8:
        assert len(calls) == 6 + 6 * prod(min(n, stride) for n in kernel[2:])  # each phase

    want = numpy_form(conv.weight_gradient, g, x, kernel[2:], *options)
    for behind, lies in ((last(g), True), (g, False)):
        found = on_threads(
            lambda behind=behind, lies=lies: conv.weight_gradient(
                behind, last(x), kernel[2:], *options, lies
            )
        )
        np.testing.assert_allclose(found, want, tolerance, tolerance * abs(want).max())


@pytest.mark.parametrize("image_last", [False, True])
@pytest.mark.parametrize("weight_last", [False, True])
@pytest.mark.parametrize(
    ("shape", "kernel", "padding"),
    [((3, 20, 7, 6), (9, 20, 7, 6), 0), ((2, 20, 9, 9), (3, 20, 5, 5), 2), ((2, 3, 9, 9), (20, 3, 5, 5), 2)],
    ids=["one window", "few features", "few channels"],
)  # fmt: skip
def test_shapes_that_go_other_ways(shape, kernel, padding, image_last, weight_last):
    draw = np.random.RandomState(0)
    x, w = draw.standard_normal(shape), draw.standard_normal(kernel)
    options = ((1, 1), [(padding,) * 2] * 2, (1, 1), 1)
    out = conv.convolve(x, w, None, *options)
    g = draw.standard_normal(out.shape)
    grads = (
        conv.input_gradient(g, w, shape[2:], *options),
        conv.weight_gradient(g, x, kernel[2:], *options),
    )
    image, weight = last(x) if image_last else x, last(w) if weight_last else w
    lies = image_last or weight_last
    for grad in (g, last(g)):
        found = (
            conv.convolve(image, weight, None, *options),
            conv.input_gradient(grad, weight, shape[2:], *options, lies),
            conv.weight_gradient(grad, image, kernel[2:], *options, lies),
        )
        for one, want in zip(found, (out, *grads), strict=True):
            np.testing.assert_allclose(one, want, 1e-12, 1e-12 * abs(want).max())
            assert one.strides == (last(want) if lies else want).strides or 1 in want.shape[2:]


def test_what_is_beyond_the_border_is_not_met():
    """Infinite numbers reach the outputs whose windows see them, and no others."""
    x = np.zeros((1, 20, 6, 6), "f4")
    x[0, :, 0, 0] = np.inf
    found = conv.convolve(
        last(x), np.ones((8, 20, 3, 3), "f4"), None, (1, 1), [(1, 1)] * 2, (1, 1), 1
    )
    assert np.isinf(found[0, :, :2, :2]).all()
    assert (found[0, :, 2:] == 0).all() and (found[0, :, :, 2:] == 0).all()
