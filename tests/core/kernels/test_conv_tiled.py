"""Convolution of bfloat16 by the matrix unit against the widened forms."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import conv, conv_tiled, tiled
from flambeau.core.kernels.jit import matrix_unit

pytestmark = pytest.mark.skipif(
    not matrix_unit.allowed(), reason="this processor has no matrix unit"
)

CASES = [
    ((2, 3, 8, 9), (5, 3, 3, 3), [(1, 1), (1, 1)], (1, 1)),
    ((2, 3, 8, 9), (5, 3, 3, 3), [(0, 0), (0, 2)], (1, 1)),
    ((3, 20, 17, 19), (33, 20, 5, 3), [(2, 2), (0, 0)], (1, 2)),
    ((2, 40, 7, 7), (70, 40, 1, 1), [(0, 0), (0, 0)], (1, 1)),
    ((2, 1, 4, 4), (3, 1, 1, 1), [(0, 0), (0, 0)], (1, 1)),
    ((4, 16, 70), (32, 16, 3), [(1, 1)], (1,)),
    ((1, 4, 5, 6, 7), (8, 4, 3, 3, 3), [(1, 1)] * 3, (1, 1, 1)),
]


def made(*shape):
    rng = np.random.default_rng(sum(shape))
    return rng.standard_normal(shape).astype(tiled.BFLOAT16)


def near(got, want):
    assert got.dtype == tiled.BFLOAT16 and got.shape == want.shape
    scale = np.abs(want).max()
    np.testing.assert_allclose(got.astype("f4"), want, 8e-3, 1e-5 * scale)


@pytest.mark.parametrize(("shape", "weight", "pads", "dilation"), CASES)
def test_sums_and_gradients(shape, weight, pads, dilation):
    x, w, bias = made(*shape), made(*weight), made(weight[0])
    stride = (1,) * len(pads)
    options = (stride, pads, dilation, 1)
    wide, w4 = x.astype("f4"), w.astype("f4")
    want = conv.convolve(wide, w4, bias.astype("f4"), *options)
    near(conv_tiled.convolve(x, w, bias, *options), want)
    g = made(*want.shape)
    g4 = g.astype("f4")
    size, kernel = shape[2:], weight[2:]
    near(conv.input_gradient(g, w, size, *options), conv.input_gradient(g4, w4, size, *options))
    near(
        conv_tiled.weight_gradient(g, x, kernel, *options),
        conv.weight_gradient(g4, wide, kernel, *options),
    )


def test_others_are_not_served():
    x, w = made(2, 4, 6, 6), made(4, 4, 3, 3)
    pads = [(1, 1), (1, 1)]
    assert conv_tiled.convolve(x, w, None, (2, 2), pads, (1, 1), 1) is None
    assert conv_tiled.convolve(x, w[:, :2], None, (1, 1), pads, (1, 1), 2) is None
    assert conv_tiled.convolve(x, w, None, (1, 1), [(-1, 0), (0, 0)], (1, 1), 1) is None
    assert conv_tiled.convolve(x[..., :2, :2], w, None, (1, 1), [(0, 0)] * 2, (1, 1), 1) is None
    assert conv_tiled.convolve(x.astype("f4"), w, None, (1, 1), pads, (1, 1), 1) is None
