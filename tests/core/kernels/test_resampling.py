"""Padding, folding, resampling and grid sampling kernels: values by hand, gradients as adjoints."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import fold, grid, interpolate, pad


@pytest.mark.parametrize(
    "mode, expected",
    [
        ("reflect", [3, 2, 1, 2, 3, 2]),
        ("replicate", [1, 1, 1, 2, 3, 3]),
        ("circular", [2, 3, 1, 2, 3, 1]),
    ],
)
def test_border_values(mode, expected):
    x = np.array([[[1.0, 2.0, 3.0]]])
    assert pad.border(x, [(2, 1)], mode)[0, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("pads", [[(2, 1), (0, 3)], [(-1, 2), (3, -2)]])
def test_border_adjoint(mode, pads):
    draw = np.random.RandomState(0)
    x = draw.standard_normal((2, 3, 5, 6))
    out = pad.border(x, pads, mode)
    g = draw.standard_normal(out.shape)
    np.testing.assert_allclose(
        np.vdot(pad.border_gradient(g, x.shape, pads, mode), x), np.vdot(g, out)
    )


def test_fold_is_the_adjoint_of_unfold():
    draw = np.random.RandomState(0)
    x = draw.standard_normal((2, 3, 6, 5))
    options = ((2, 3), (1, 2), (1, 0), (2, 1))
    columns = fold.unfold(x, *options)
    g = draw.standard_normal(columns.shape)
    np.testing.assert_allclose(np.vdot(fold.fold(g, (6, 5), *options), x), np.vdot(g, columns))


def test_unfold_values():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    columns = fold.unfold(x, (2, 2), (1, 1), (0, 0), (1, 1))
    assert columns[0, :, 0].tolist() == [0, 1, 3, 4]
    assert columns[0, :, 3].tolist() == [4, 5, 7, 8]


@pytest.mark.parametrize(
    "mode", ["nearest", "nearest-exact", "linear", "cubic", "linear-aa", "cubic-aa"]
)
@pytest.mark.parametrize("out", [(3, 9), (6, 10), (1, 7)])
@pytest.mark.parametrize("last", [False, True])
def test_resampling_keeps_constants_and_has_an_adjoint(mode, out, last):
    draw = np.random.RandomState(0)
    x = draw.standard_normal((2, 3, 6, 5))
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    options = (False, (None, None))
    y = interpolate.resample(x, mode, out, *options)
    np.testing.assert_allclose(interpolate.resample(np.ones_like(x), mode, out, *options), 1.0)
    g = draw.standard_normal(y.shape)
    back = interpolate.resample(g, mode, out, *options, (6, 5), last)
    assert back.shape == x.shape and back.strides == x.strides
    np.testing.assert_allclose(np.vdot(back, x), np.vdot(g, y))


def test_resampling_to_the_same_size_copies():
    x = np.arange(6.0).reshape(1, 1, 2, 3)
    y = interpolate.resample(x, "nearest", (2, 3), False, (None, None))
    np.testing.assert_array_equal(x, y)
    assert not np.shares_memory(x, y)


def test_linear_between_corners():
    x = np.array([[[0.0, 1.0]]])
    assert interpolate.resample(x, "linear", (3,), True, (None,)).tolist() == [[[0, 0.5, 1]]]


def test_identity_grid_reads_the_input_back():
    x = np.random.RandomState(0).standard_normal((1, 2, 4, 5))
    theta = np.array([[[1.0, 0, 0], [0, 1, 0]]])
    base = grid.affine([np.linspace(-1, 1, n) for n in (4, 5)])
    places = (base @ theta.swapaxes(1, 2)).reshape(1, 4, 5, 2)
    for mode in ("bilinear", "nearest", "bicubic"):
        np.testing.assert_allclose(grid.sample(x, places, mode, "zeros", True), x, atol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_gradient_against_differences(mode, padding):
    draw = np.random.RandomState(3)
    x = draw.standard_normal((1, 2, 5, 4))
    places = draw.uniform(-1.2, 1.2, (1, 2, 3, 2))
    g = draw.standard_normal((1, 2, 2, 3))
    back, slopes = grid.sample_gradient(g, x, places, mode, padding, False)
    np.testing.assert_allclose(
        np.vdot(back, x), np.vdot(g, grid.sample(x, places, mode, padding, False))
    )
    for at in np.ndindex(*places.shape):
        step = np.zeros_like(places)
        step[at] = 1e-6
        high, low = (
            np.vdot(g, grid.sample(x, places + s, mode, padding, False)) for s in (step, -step)
        )
        np.testing.assert_allclose(slopes[at], (high - low) / 2e-6, 1e-5, 1e-6)
