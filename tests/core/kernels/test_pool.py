"""The pooling kernels: PyTorch's rules for ties, NaN, -inf and borders, and adjoint gradients."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import adaptive_pool, pool, pool_native, windows_native

inf, nan = np.inf, np.nan


@pytest.fixture(params=["generated", "numpy"], autouse=True)
def form(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(pool_native, "_takes", lambda *given: False)
        monkeypatch.setattr(windows_native, "takes", lambda *given: False)


def maximum(row, kernel, stride=1, padding=0, dilation=1, ceil=False):
    x = np.array(row, float)[None, None]
    options = ((kernel,), (stride,), (padding,), (dilation,))
    out = pool.output_sizes(x.shape[2:], *options, ceil)
    values, taps = pool.max_with_taps(x, *options, out)
    np.testing.assert_array_equal(pool.max_values(x, *options, out), values)
    return values[0, 0].tolist(), pool.taps_to_indices(taps, x.shape[2:], *options)[0, 0].tolist()


@pytest.mark.parametrize(
    "row, options, values, indices",
    [
        ([1, 3, 3, 2], {"kernel": 2}, [3, 3, 3], [1, 1, 2]),
        ([5, 5, 5], {"kernel": 3}, [5], [0]),
        ([-inf, -inf, -inf], {"kernel": 2, "padding": 1}, [-inf] * 4, [0, 0, 1, 2]),
        ([1, 2, 3, 4, 5], {"kernel": 2, "stride": 2, "ceil": True}, [2, 4, 5], [1, 3, 4]),
        ([1, 9, 2, 8, 3], {"kernel": 2, "dilation": 3}, [8, 9], [3, 1]),
    ],
)
def test_ties_and_borders(row, options, values, indices):
    assert maximum(row, **options) == (values, indices)


def test_nan_wins_and_the_last_one_is_named():
    values, indices = maximum([1, nan, nan, 2, 7], 3)
    assert np.isnan(values).all()
    assert indices == [2, 2, 2]


@pytest.mark.parametrize(
    "kernel, stride, padding",
    [((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 1)), ((2, 3), (3, 3), (0, 1))],
)
@pytest.mark.parametrize("last", [False, True])
def test_adjoints(kernel, stride, padding, last):
    draw = np.random.RandomState(0)
    x = draw.standard_normal((2, 3, 7, 8))
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    options = (kernel, stride, padding, (1, 1))
    out = pool.output_sizes((7, 8), *options, False)
    values, taps = pool.max_with_taps(x, *options, out)
    g = draw.standard_normal(values.shape)
    spread = pool.spread_taps(g, taps, (7, 8), *options, last)
    np.testing.assert_allclose(np.vdot(spread, x), np.vdot(g, values))
    np.testing.assert_array_equal(pool.taken_by_taps(x, taps, *options), values)
    indices = pool.taps_to_indices(taps, (7, 8), *options)
    np.testing.assert_array_equal(pool.gather_planes(x, indices), values)
    np.testing.assert_allclose(pool.scatter_planes(g, indices, (7, 8), True, last), spread)
    for include in (True, False):
        mean = pool.average(x, kernel, stride, padding, out, include)
        back = pool.average_gradient(g, (7, 8), kernel, stride, padding, include, None, last)
        np.testing.assert_allclose(np.vdot(back, x), np.vdot(g, mean))


def test_infinite_gradients_stay_where_they_belong():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    options = ((2, 2), (2, 2), (0, 0), (1, 1))
    values, taps = pool.max_with_taps(x, *options, (2, 2))
    g = np.full_like(values, inf)
    with np.errstate(invalid="ignore"):
        spread = pool.spread_taps(g, taps, (4, 4), *options)
    assert np.isinf(spread).sum() == 4 and not np.isnan(spread).any()


@pytest.mark.parametrize("out", [(1, 1), (2, 4), (3, 5), (7, 8), (9, 3)])
def test_adaptive(out):
    draw = np.random.RandomState(0)
    x = draw.standard_normal((2, 3, 7, 8))
    mean = adaptive_pool.average(x, out)
    values, indices = adaptive_pool.maximum(x, out)
    for i in range(out[0]):
        for j in range(out[1]):
            rows = slice(i * 7 // out[0], -(-(i + 1) * 7 // out[0]))
            cols = slice(j * 8 // out[1], -(-(j + 1) * 8 // out[1]))
            np.testing.assert_allclose(mean[..., i, j], x[..., rows, cols].mean((2, 3)))
            np.testing.assert_array_equal(values[..., i, j], x[..., rows, cols].max((2, 3)))
    np.testing.assert_array_equal(pool.gather_planes(x, indices), values)
    g = draw.standard_normal(mean.shape)
    np.testing.assert_allclose(
        np.vdot(adaptive_pool.average_gradient(g, (7, 8)), x), np.vdot(g, mean)
    )


def test_adaptive_average_keeps_infinities_in_their_bins():
    x = np.zeros((1, 1, 5))
    x[..., 0] = inf
    assert adaptive_pool.average(x, (3,)).tolist() == [[[inf, 0, 0]]]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("out", [(1, 1), (2, 3), (4, 6), (3, 4)])
def test_adaptive_average_of_either_order(dtype, last, out):
    x = np.random.default_rng(1).standard_normal((3, 40, 8, 12)).astype(dtype)
    given = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1) if last else x
    found = adaptive_pool.average(given, out)
    want = np.zeros((3, 40, *out))
    for i in range(out[0]):
        for j in range(out[1]):
            rows = slice(i * 8 // out[0], -(-(i + 1) * 8 // out[0]))
            columns = slice(j * 12 // out[1], -(-(j + 1) * 12 // out[1]))
            want[:, :, i, j] = x[:, :, rows, columns].astype("f8").mean((2, 3))
    near = {"f4": 1e-6, "f8": 1e-14}[dtype]
    np.testing.assert_allclose(found, want, rtol=0, atol=near)
    assert found.dtype == dtype
