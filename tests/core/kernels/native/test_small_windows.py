"""Pooling of few numbers: the operations' own bodies, what is not served, PyTorch's results."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_windows
from flambeau.core.ops import adaptive, pool

needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
WINDOWS = [
    ((3,), (2,), (1,), (1,)), ((2,), (3,), (0,), (2,)), ((2, 2), (2, 2), (0, 0), (1, 1)),
    ((3, 2), (1, 2), (1, 1), (1, 2)), ((3, 3), (2, 1), (1, 0), (2, 1)),
    ((2, 1, 2), (1, 2, 1), (1, 0, 1), (1, 1, 2)), ((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)),
]  # fmt: skip


def function(name):
    return small_windows.native(name, lambda *args: "the NumPy form")


def same(found, expected):
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype and a.strides == b.strides
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def both(name, *args):
    found = function(name)(*args)
    assert not isinstance(found, str)
    expected = getattr(adaptive if "adaptive" in name else pool, name).operation.body(*args)
    same(found, expected)
    return found


def numbers(shape, dtype):
    x = np.random.default_rng(0).integers(-3, 4, shape).astype(dtype)
    x.flat[::11] = np.nan
    x.flat[1::7] = -np.inf
    return x


@needs_code
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("lead", [(2, 3), (3,)])
def test_windows(window, dtype, lead):
    kernel, stride, padding, _ = window
    size = (6, 5, 4)[: len(kernel)]
    x = numbers((*lead, *size), dtype)
    both("max_pool_values", x, *window, False)
    best, taps = both("max_pool", x, *window, False)
    both("max_pool_indices", taps, size, *window)
    grad = np.random.default_rng(1).standard_normal(best.shape).astype(dtype)
    for given in (grad, np.broadcast_to(grad.flat[0], grad.shape), grad[..., ::-1], grad[::-1]):
        both("max_pool_spread", given, taps, x.shape, False, *window)
    x = np.nan_to_num(x, neginf=0)
    for counted in (False, True):
        mean = both("average_pool", x, kernel, stride, padding, False, counted, None)
        g = np.asfortranarray(np.random.default_rng(2).standard_normal(mean.shape).astype(dtype))
        rest = (x.shape, False, kernel, stride, padding, counted, None)
        both("average_pool_spread", g, *rest)


@needs_code
@pytest.mark.parametrize("out", [(1,), (4,), (2, 3), (1, 1), (7, 2), (2, 1, 3), (6, 5, 4)])
def test_bins(out):
    x = np.random.default_rng(0).standard_normal((2, 3, *(6, 5, 4)[: len(out)])).astype("f4")
    for given in (x, x[0]):
        mean = both("adaptive_average", given, out)
        grad = np.broadcast_to(np.float32(2), mean.shape)
        both("adaptive_average_spread", grad, given.shape, False, len(out))
    both("adaptive_maximum", numbers(x.shape, "f4"), out)


@needs_code
def test_what_is_not_served():
    x, rest = np.ones((2, 3, 6, 6), "f4"), ((2, 2), (2, 2), (0, 0), (1, 1), False)
    for given in (
        (x.astype("i8"), *rest), (x.astype("f2"), *rest), (x[..., ::2], *rest), (x[:0], *rest),
        (x, *rest[:-1], True), (x, (7, 2), *rest[1:]), (x, (0, 2), *rest[1:]), (x, [2, 2], *rest[1:]),
        (x, (2, 2), (0, 1), *rest[2:]), (x, *rest[:2], (2, 0), *rest[3:]), (x, (2,), *rest[1:]),
        (x, *rest[:2], (-1, 0), *rest[3:]), (x, *rest[:3], (0, 1), False), (x[0, 0], *rest),
        (x, *rest[:-1]), (np.ones((8, 3, 32, 32), "f4"), *rest), (x, (True, 2), *rest[1:]),
        (x[None], *rest), (np.ones((1, 1, 30, 30), "f4"), (20, 20), (1, 1), *rest[2:]),
    ):  # fmt: skip
        assert function("max_pool_values")(*given) == "the NumPy form"
    wide = np.ones((1, 1, 18, 18), "f4")
    assert function("max_pool")(wide, (17, 17), *rest[1:]) == "the NumPy form"
    options = ((2, 2), (2, 2), (0, 0), False, True)
    assert function("average_pool")(x, *options, 3) == "the NumPy form"
    assert not isinstance(function("average_pool")(x, *options, None), str)
    grad, taps = np.ones((2, 3, 3, 3), "f4"), np.zeros((2, 3, 3, 3), "u1")
    for given in (
        (grad, taps[:1], x.shape, False, *rest[:4]), (grad, taps, x.shape, True, *rest[:4]),
        (grad, taps.astype("i4"), x.shape, False, *rest[:4]),
        (grad, taps, (2, 3, 9, 6), False, *rest[:4]), (grad, taps, (6,), False, *rest[:4]),
    ):  # fmt: skip
        assert function("max_pool_spread")(*given) == "the NumPy form"
    for out in ((0, 1), (2, 2, 2), ()):
        assert function("adaptive_average")(x[0], out) == "the NumPy form"


CODES = [
    "F.max_pool2d(x, 2)", "F.max_pool2d(x, 3, 2, 1)", "F.avg_pool2d(x, 2, 1)", "F.max_pool2d(x[0], 2)",
    "F.max_pool2d(x, 2, return_indices=True)[1]", "F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)",
    "F.max_pool2d(x, 2, ceil_mode=True)", "F.avg_pool2d(x, 2, divisor_override=3)",
    "F.max_pool1d(x[0], 2)", "F.avg_pool1d(x[0], 3, 1, 1)", "F.max_pool3d(x, 2)", "F.avg_pool3d(x, 2)",
    "F.adaptive_avg_pool2d(x, 1)", "F.adaptive_avg_pool2d(x, (2, 3))", "F.adaptive_max_pool2d(x, 2)",
    "F.adaptive_avg_pool1d(x[0], 2)", "F.adaptive_max_pool1d(x[0], 3)", "F.max_pool2d(x, 9)",
    "F.max_pool2d(x.mT, 2)", "F.avg_pool2d(x.to(memory_format=torch.channels_last), 2)",
    "F.max_pool2d(x[:, :1], 2, stride=1, dilation=2)", "F.adaptive_avg_pool3d(x, 2)",
    "F.max_pool2d(x.bfloat16(), 2).float()", "F.avg_pool2d(x.double(), 2)", "F.avg_pool2d(x, 3, 1, 2)",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_as_pytorch(oracle, code):
    found = []
    for torch in (fb, oracle):
        x = (torch.arange(144.0).view(2, 3, 4, 6) * 7 % 31).requires_grad_()
        try:
            made = eval(code, {"x": x, "torch": torch, "F": torch.nn.functional})
        except Exception as error:
            found.append(type(error))
            continue
        if made.requires_grad:
            (made * made).sum().backward()
            name = type(made.grad_fn).__name__
            found.append((name, x.grad.numpy().round(3).tolist()))
        found.append((made.detach().numpy().round(4).tolist(), made.stride(), str(made.dtype)[-7:]))
    assert found[: len(found) // 2] == found[len(found) // 2 :]
