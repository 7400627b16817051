"""Windows over images whose channels lie last: generated code against the forms for NumPy."""

from functools import partial

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels import conv, conv_native, pool, pool_native, windows_native
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.windows import to_last

GEOMETRY = [
    ((2, 2), (2, 2), (0, 0), (1, 1)),
    ((3, 3), (2, 2), (1, 1), (1, 1)),
    ((3, 2), (1, 3), (1, 0), (2, 1)),
    ((5, 3), (1, 1), (2, 1), (1, 2)),
]
rng = np.random.default_rng(0)


def last(shape, dtype):
    n, c, *size = shape
    return np.moveaxis(rng.standard_normal((n, *size, c)).astype(dtype), -1, 1)


def both(monkeypatch, call):
    """What generated code gives with several numbers of threads, and the form for NumPy."""
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(call())
    finally:
        torch.set_num_threads(before)
    monkeypatch.setattr(pool_native, "_takes", lambda *given: False)
    monkeypatch.setattr(windows_native, "takes", lambda *given: False)
    monkeypatch.setattr(conv_native, "_fits", lambda *given: False)
    monkeypatch.setattr(conv_native, "again", lambda *given: None)
    want = call()
    monkeypatch.undo()
    for other in found[1:] if build.available() else []:  # OpenBLAS's sums depend on its threads
        np.testing.assert_array_equal(other, found[0])
    return found[0], want


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("channels", [2, 16, 70, 150])
@pytest.mark.parametrize("geometry", GEOMETRY)
def test_pooling(monkeypatch, dtype, channels, geometry):
    kernel, stride, padding, dilation = geometry
    x = last((3, channels, 9, 11), dtype)
    x[0, 1, 2, 3] = np.nan
    x[1] = -np.inf
    out = pool.output_sizes((9, 11), *geometry, False)
    got, want = both(monkeypatch, lambda: pool.max_values(x, *geometry, out))
    np.testing.assert_array_equal(got, want)
    assert to_last(got).flags.c_contiguous
    got, want = both(monkeypatch, lambda: pool.max_with_taps(x, *geometry, out)[1])
    np.testing.assert_array_equal(got, want)
    g = last((3, channels, *out), dtype)
    near = {"f4": 1e-5, "f8": 1e-13}[dtype]
    got, want = both(monkeypatch, lambda: pool.spread_taps(g, got, (9, 11), *geometry, True))
    np.testing.assert_allclose(got, want, rtol=near, atol=near)
    assert to_last(got).flags.c_contiguous
    if dilation != (1, 1):
        return
    x = last((3, channels, 9, 11), dtype)
    for include in (True, False):
        rest = (kernel, stride, padding)
        calls = (
            partial(pool.average, x, *rest, out, include),
            partial(pool.average_gradient, g, (9, 11), *rest, include, None, True),
        )
        for call in calls:
            got, want = both(monkeypatch, call)
            np.testing.assert_allclose(got, want, rtol=near, atol=near)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("channels", [3, 16, 70, 150])
@pytest.mark.parametrize("geometry", GEOMETRY)
def test_convolution_of_each_channel(monkeypatch, dtype, channels, geometry):
    kernel, stride, padding, dilation = geometry
    x = last((3, channels, 9, 11), dtype)
    weight = rng.standard_normal((channels, 1, *kernel)).astype(dtype)
    bias = rng.standard_normal(channels).astype(dtype)
    pads = [(p, p) for p in padding]
    rest = (stride, pads, dilation, channels)
    out = pool.output_sizes((9, 11), *geometry, False)
    g = last((3, channels, *out), dtype)
    near = {"f4": 3e-5, "f8": 1e-12}[dtype]
    for call in (
        lambda: conv.convolve(x, weight, None, *rest),
        lambda: conv.convolve(x, weight, bias, *rest),
        lambda: conv.input_gradient(g, weight, (9, 11), *rest),
        lambda: conv.weight_gradient(g, x, kernel, *rest),
    ):
        got, want = both(monkeypatch, call)
        assert got.strides == want.strides
        np.testing.assert_allclose(got, want, rtol=near, atol=near)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("channels", "features"), [(3, 16), (20, 70), (64, 5)])
@pytest.mark.parametrize("geometry", GEOMETRY)
def test_convolution_of_all_channels(monkeypatch, dtype, channels, features, geometry):
    kernel, stride, padding, dilation = geometry
    x = last((3, channels, 9, 41), dtype)
    weight = rng.standard_normal((features, channels, *kernel)).astype(dtype)
    bias = rng.standard_normal(features).astype(dtype)
    rest = (stride, [(p, p) for p in padding], dilation, 1)
    near = {"f4": 1e-4, "f8": 1e-12}[dtype]
    for given in (weight, np.asfortranarray(weight)):
        for added in (None, bias):
            got, want = both(monkeypatch, partial(conv.convolve, x, given, added, *rest))
            assert got.strides == want.strides
            np.testing.assert_allclose(got, want, rtol=near, atol=near)
    out = pool.output_sizes((9, 41), *geometry, False)
    g = last((3, features, *out), dtype)
    got, want = both(monkeypatch, partial(conv.input_gradient, g, weight, (9, 41), *rest))
    assert got.strides == want.strides
    np.testing.assert_allclose(got, want, rtol=near, atol=near)


def test_code_serves_what_it_is_made_for():
    x = last((2, 8, 6, 6), "f4")
    if torch.get_num_threads() and pool_native._functions(x.dtype) is not None:
        assert windows_native.maximum(x, (2, 2), (2, 2), (0, 0), (1, 1), (3, 3)) is not None
    assert windows_native.maximum(np.ones((2, 8, 6, 6), "f4"), *[(2, 2)] * 5) is None
