"""The convolution kernels against a sum written as it is defined, over forms, blocks and layouts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from flambeau.core.kernels import conv, conv_transpose, correlate
from flambeau.core.kernels.windows import channels_last, output_size


def defined(x, w, stride, pads, dilation, groups):
    """Convolution by its formula, window by window."""
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    count, features = x.shape[0], w.shape[0]
    out = [
        output_size(n, k, s, 0, 0, d)
        for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation, strict=True)
    ]
    result = np.zeros((count, features, *out), x.dtype)
    per, each = w.shape[1], features // groups
    for place in product(*map(range, out)):
        cut = tuple(
            slice(o * s, o * s + d * (k - 1) + 1, d)
            for o, s, d, k in zip(place, stride, dilation, w.shape[2:], strict=True)
        )
        window = x[(slice(None), slice(None), *cut)]
        for g in range(groups):
            part = window[:, g * per : (g + 1) * per].reshape(count, -1)
            result[(slice(None), slice(g * each, (g + 1) * each), *place)] = (
                part @ w[g * each : (g + 1) * each].reshape(each, -1).T
            )
    return result


CASES = [
    # input, weight, stride, pads, dilation, groups
    ((2, 3, 9), (4, 3, 3), (1,), [(1, 1)], (1,), 1),
    ((2, 3, 9), (4, 3, 3), (2,), [(0, 2)], (2,), 1),
    ((3, 1, 8, 8), (4, 1, 3, 3), (1, 1), [(1, 1), (1, 1)], (1, 1), 1),
    ((3, 20, 6, 7), (4, 20, 3, 3), (1, 1), [(1, 1), (0, 1)], (1, 1), 1),
    ((3, 20, 6, 7), (4, 20, 3, 2), (2, 3), [(1, 1), (1, 1)], (1, 2), 1),
    ((3, 4, 6, 7), (6, 4, 1, 1), (1, 1), [(0, 0), (0, 0)], (1, 1), 1),
    ((3, 4, 6, 7), (6, 4, 1, 1), (2, 2), [(1, 0), (0, 0)], (1, 1), 1),
    ((3, 4, 6, 7), (4, 1, 3, 3), (1, 1), [(1, 1), (1, 1)], (1, 1), 4),
    ((3, 4, 6, 7), (8, 1, 3, 2), (2, 1), [(1, 1), (1, 1)], (1, 2), 4),
    ((3, 4, 6, 7), (6, 2, 3, 3), (1, 2), [(1, 1), (1, 1)], (1, 1), 2),
    ((2, 2, 4, 5, 4), (3, 2, 2, 3, 2), (1, 2, 1), [(1, 1), (0, 0), (1, 0)], (1, 1, 1), 1),
]  # fmt: skip


@pytest.fixture(params=[0, 1 << 20, 512], ids=["generated", "whole blocks", "many blocks"])
def block(request, monkeypatch):
    if request.param:  # the NumPy forms
        monkeypatch.setattr(correlate, "available", lambda dtype: False)
        monkeypatch.setattr(conv, "BLOCK", request.param)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}x{case[1]}")
@pytest.mark.parametrize("last", [False, True])
def test_forward_and_adjoints(block, case, last):
    shape, kernel, stride, pads, dilation, groups = case
    draw = np.random.RandomState(0)
    x, w = draw.standard_normal(shape), draw.standard_normal(kernel)
    if last and len(shape) == 4:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    expected = defined(x, w, stride, pads, dilation, groups)
    found = conv.convolve(x, w, None, stride, pads, dilation, groups)
    np.testing.assert_allclose(found, expected, 1e-12, 1e-12)
    assert channels_last(found) == channels_last(x)
    # the gradients are adjoints: <g, conv(x, w)> = <input_gradient, x> = <weight_gradient, w>
    g = draw.standard_normal(found.shape)
    inner = np.vdot(g, found)
    back = conv.input_gradient(g, w, shape[2:], stride, pads, dilation, groups)
    assert back.shape == shape
    np.testing.assert_allclose(np.vdot(back, x), inner)
    grad = conv.weight_gradient(g, x, kernel[2:], stride, pads, dilation, groups)
    assert grad.shape == kernel
    np.testing.assert_allclose(np.vdot(grad, w), inner)
    np.testing.assert_allclose(conv.bias_gradient(g), g.sum((0, *range(2, g.ndim))))


@pytest.mark.parametrize("stride, extra", [((1, 1), (0, 0)), ((2, 3), (1, 2))])
def test_transposed_is_the_adjoint(stride, extra):
    draw = np.random.RandomState(1)
    x, w = draw.standard_normal((2, 3, 4, 5)), draw.standard_normal((3, 2, 3, 3))
    options = (stride, (1, 1), (1, 1))
    out = conv_transpose.convolve(x, w, None, *options, extra, 1)
    assert out.shape[2:] == conv_transpose.output_sizes(
        (4, 5), (3, 3), stride, (1, 1), extra, (1, 1)
    )
    g = draw.standard_normal(out.shape)
    inner = np.vdot(g, out)
    np.testing.assert_allclose(
        np.vdot(conv_transpose.input_gradient(g, w, (4, 5), *options, 1), x), inner
    )
    np.testing.assert_allclose(
        np.vdot(conv_transpose.weight_gradient(g, x, (3, 3), *options, 1), w), inner
    )


def test_half_computes_in_single():
    x = np.full((1, 64, 8, 8), 0.1, np.float16)
    w = np.full((2, 64, 3, 3), 0.1, np.float16)
    found = conv.convolve(x, w, None, (1, 1), [(0, 0)] * 2, (1, 1), 1)
    wide = conv.convolve(x.astype("f4"), w.astype("f4"), None, (1, 1), [(0, 0)] * 2, (1, 1), 1)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, wide.astype("f2"))


def test_integers_are_exact():
    x = np.arange(32, dtype=np.int64).reshape(1, 2, 4, 4)
    w = np.ones((1, 2, 3, 3), np.int64)
    options = ((1, 1), [(1, 1), (0, 0)], (1, 1), 1)
    np.testing.assert_array_equal(conv.convolve(x, w, None, *options), defined(x, w, *options))


def test_nothing_of_the_scratch_memory_escapes():
    draw = np.random.RandomState(2)
    x, w = draw.standard_normal((2, 20, 6, 6)), draw.standard_normal((3, 20, 3, 3))
    options = ((1, 1), [(1, 1)] * 2, (1, 1), 1)
    first = conv.convolve(x, w, None, *options)
    kept = first.copy()
    conv.convolve(x + 1, w, None, *options)
    np.testing.assert_array_equal(first, kept)
