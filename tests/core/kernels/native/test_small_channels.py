"""Normalisation of few numbers by channels and groups: the operations' bodies, PyTorch's results."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_channels
from flambeau.core.ops import norm, norm_group

needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
OTHER = object()
BATCH, GROUP = (
    small_channels.native(name, lambda *args: OTHER)
    for name in ("_native_batch_norm", "_native_group_norm")
)
SHAPES = [(4, 6), (2, 6, 5), (2, 6, 3, 3), (1, 6, 1, 2), (3, 6, 1, 1), (2, 6, 2, 3, 2)]


def same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype and a.strides == b.strides
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def parameters(dtype):
    return [np.random.default_rng(k).uniform(0.5, 1.5, 6).astype(dtype) for k in range(4)]


@needs_code
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values(shape, dtype):
    x = np.random.default_rng(9).normal(3, 2, shape).astype(dtype)
    weight, bias, mean, variance = parameters(dtype)
    for w, b in ((weight, bias), (weight, None), (None, bias), (None, None)):
        for training in (False, True):
            running = [(mean.copy(), variance.copy()) for _ in range(2)]
            found = BATCH(x, w, b, *running[0], training, 0.2, 1e-3)
            body = norm._native_batch_norm.operation.body
            same(found, body(x, w, b, *running[1], training, 0.2, 1e-3))
            same(running[0], running[1])
            assert found[1] is not running[0][0]
        same(
            BATCH(x, w, b, None, None, True, 0.1, 1e-5), body(x, w, b, None, None, True, 0.1, 1e-5)
        )
        for groups in (1, 2, 3, 6):
            found = GROUP(x, groups, w, b, 1e-3)
            same(found, norm_group._native_group_norm.operation.body(x, groups, w, b, 1e-3))


@needs_code
def test_what_is_not_served():
    x, p = np.ones((4, 6), "f4"), parameters("f4")
    fixed = p[2].copy()
    fixed.flags.writeable = False
    for given in (
        (x.T.copy().T, *p, True, 0.1, 1e-5), (x[:0], *p, True, 0.1, 1e-5), (x, *p, True, 0.1),
        (x.astype("f2"), *p, True, 0.1, 1e-5), (x.astype("f8"), *p, True, 0.1, 1e-5),
        (x, p[0][:5], *p[1:], True, 0.1, 1e-5), (x, *p[:2], None, None, False, 0.1, 1e-5),
        (x, *p[:2], None, p[3], False, 0.1, 1e-5), (x[:1], *p, True, 0.1, 1e-5),
        (x, *p, True, None, 1e-5), (x, *p[:2], fixed, p[3], True, 0.1, 1e-5),
        (x[0], *p, True, 0.1, 1e-5), (np.ones((700, 6), "f4"), *p, True, 0.1, 1e-5),
    ):  # fmt: skip
        assert BATCH(*given) is OTHER
    assert BATCH(x, *p[:2], fixed, p[3], False, 0.1, 1e-5) is not OTHER
    for given in (
        (x, 0, *p[:2], 1e-5),
        (x, 4, *p[:2], 1e-5),
        (x, 12, *p[:2], 1e-5),
        (x, 2, p[0], p[1]),
    ):
        assert GROUP(*given) is OTHER


CODES = [
    "nn.BatchNorm2d(6)(x)", "nn.BatchNorm2d(6).eval()(x)", "nn.GroupNorm(3, 6)(x)",
    "nn.InstanceNorm2d(6, affine=True)(x)", "nn.BatchNorm1d(6)(x[:, :, 0, 0])",
    "nn.BatchNorm2d(6, track_running_stats=False)(x)", "nn.BatchNorm2d(6, momentum=None)(x)",
    "nn.GroupNorm(6, 6)(x.to(memory_format=torch.channels_last))", "nn.BatchNorm2d(5)(x)",
    "nn.BatchNorm2d(6)(x[:1, :, :1, :1])", "nn.GroupNorm(2, 6)(x[:1, :, :1, :1])",
    "F.batch_norm(x, None, None, training=True)", "nn.BatchNorm2d(6)(x.bfloat16())",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_as_pytorch(oracle, code):
    found = []
    for torch in (fb, oracle):
        x = (torch.arange(72.0).view(2, 6, 2, 3) * 7 % 31).requires_grad_()
        try:
            made = eval(code, {"x": x, "torch": torch, "nn": torch.nn, "F": torch.nn.functional})
        except Exception as error:
            found.append((type(error),))
            continue
        (made * made * made).sum().backward()
        found.append((type(made.grad_fn).__name__, made.stride(), made.tolist(), x.grad.tolist()))
    assert found[0][:2] == found[1][:2]
    for a, b in zip(found[0][2:], found[1][2:], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2 if "bfloat" in code else 1e-4, atol=2e-4)
