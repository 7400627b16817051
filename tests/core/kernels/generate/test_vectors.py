"""16-bit floats in kernels of rows: what single precision gives, rounded once."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.generate import channels, folds, groups, layer, softmax
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

HALVES = [np.dtype("f2"), np.dtype(ml_dtypes.bfloat16)]
halves = pytest.mark.parametrize("half", HALVES, ids=["float16", "bfloat16"])
inf, nan = np.inf, np.nan


def numbers(shape, half, seed=0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * 2 + 0.25).astype(half)


def wide(*arrays):
    return [a if a is None else a.astype("f4") for a in arrays]


def same(got, want, half):
    """16-bit results are the other ones, rounded; others are themselves."""
    for a, b in zip(got, want, strict=True):
        if a is None or b is None:
            assert a is b
            continue
        assert a.dtype in (half, np.float32)
        np.testing.assert_array_equal(a.astype("f4"), b.astype(a.dtype).astype("f4"))


@halves
@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name, axis, half):
    x, g = numbers((37, 130), half), numbers((37, 130), half, 1)
    got, want = (softmax.forward(name, a, axis) for a in (x, x.astype("f4")))
    if name == "log_softmax" and axis == -1:  # the sum has 16 bits, too
        np.testing.assert_allclose(got.astype("f4"), want, 2e-2)
    else:
        same([got], [want], half)
    back = softmax.gradient(name, g, got, axis)
    same([back], [softmax.gradient(name, *wide(g, got), axis)], half)
    odd = numbers((3, 40), half)
    odd[0, 3], odd[1, :2], odd[2] = nan, -inf, -inf
    same(
        [softmax.forward("softmax", odd, axis)],
        [softmax.forward("softmax", odd.astype("f4"), axis)],
        half,
    )


@halves
def test_gradient_of_classes(half):
    logs, target = numbers((9, 70), half), np.arange(9) * 7 % 70
    for shares in (numbers((9,), half), numbers((), half)):
        got = softmax.class_gradient(logs, target, shares)
        want = softmax.class_gradient(logs.astype("f4"), target, shares.astype("f4"))
        same([got], [want], half)


@halves
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("kept", ["half", "single"])
def test_layers(kept, centred, half):
    x, g = numbers((37, 130), half), numbers((37, 130), half, 1)
    weight, bias = numbers((130,), half, 2), numbers((130,), half, 3)
    if kept == "single":
        weight, bias = wide(weight, bias)
    bias = bias if centred else None
    got = layer.normalized(x, weight, bias, 1e-5, centred)
    same(got, layer.normalized(*wide(x, weight, bias), 1e-5, centred), half)
    stats = [s if s is None else s.astype(weight.dtype) for s in got[1:]]
    back = layer.normalized_backward(g, x, weight, *stats, (True,) * 3)
    same(back, layer.normalized_backward(*wide(g, x, weight, *stats), (True,) * 3), half)


@halves
def test_groups(half):
    x, g = numbers((3, 12, 35), half), numbers((3, 12, 35), half, 1)
    weight, bias = numbers((12,), half, 2), numbers((12,), half, 3)
    got = groups.forward(x, 4, weight, bias, 1e-5)
    same(got, groups.forward(wide(x)[0], 4, *wide(weight, bias), 1e-5), half)
    stats = [s.astype(half) for s in got[1:]]
    back = groups.backward(g, x, 4, weight, *stats, (True,) * 3)
    want = groups.backward(*wide(g, x), 4, *wide(weight, *stats), (True,) * 3)
    same(back, want, half)


@halves
@pytest.mark.parametrize("last", [False, True])
def test_channels(last, half):
    def lying(a):
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if last else a

    x, g = (lying(numbers((5, 40, 6, 7), half, k)) for k in range(2))
    weight, bias = wide(numbers((40,), half, 2), numbers((40,), half, 3))
    running = [np.ones(40, "f4") for _ in range(4)]
    got = channels.forward(x, weight, bias, None, 1e-5, (*running[:2], 0.1))
    want = channels.forward(lying(wide(x)[0]), weight, bias, None, 1e-5, (*running[2:], 0.1))
    same(got, want, half)
    same(running[:2], running[2:], half)
    _, mean, variance, invstd = got
    evaluated = channels.forward(x, weight, bias, (mean, variance), 1e-5)[0]
    same([evaluated, channels.normal(x, weight, bias, mean, invstd)], [got[0]] * 2, half)
    back = channels.backward(g, x, weight, mean, invstd, True, (True,) * 3)
    given = [lying(a) for a in wide(g, x)]
    same(back, channels.backward(*given, weight, mean, invstd, True, (True,) * 3), half)
    short = [np.ones(40, half) for _ in range(2)]
    assert channels.forward(x, None, None, None, 1e-5, (*short, 0.1)) is None


@halves
@pytest.mark.parametrize("axes", [None, (0,), (1,), (2,), (0, 2), (1, 2)])
@pytest.mark.parametrize("name", ["sum", "squares", "numbers", "prod", "max", "min"])
def test_folds(name, axes, half):
    x = numbers((5, 60, 40), half) if name != "prod" else numbers((5, 60, 40), half) / half.type(2)
    x[1, 2, 3] = nan if name in ("max", "min", "numbers") else 1
    got, want = (folds.fold(name, a, axes, False) for a in (x, x.astype("f4")))
    assert (got is None) == (want is None)
    if got is not None:
        assert got.dtype == (half if name in ("max", "min") else np.float32)
        same([got.astype("f4")], [want], half)


@halves
def test_folds_of_many_and_apart(half):
    x = numbers((300, 3000), half)
    for given in (x, x.T, x[:, ::3]):
        for axes in (None, (0,), (1,)):
            got, want = (folds.fold("sum", a, axes, True) for a in (given, given.astype("f4")))
            np.testing.assert_allclose(got, want, 1e-5, 1e-3)
            got, want = (folds.fold("max", a, axes, True) for a in (given, given.astype("f4")))
            same([got], [want], half)


@pytest.mark.parametrize("name", ["mse_loss", "binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_losses_are_added_up_in_single_precision(dtype, reduction, name, oracle):
    x, target = (np.random.default_rng(k).random((37, 50)).astype("f4") for k in range(2))
    found = []
    for engine in (torch, oracle):
        given = [engine.tensor(a).to(getattr(engine, dtype)) for a in (x * 4 - 2, target)]
        loss = getattr(engine.nn.functional, name)(*given, reduction=reduction)
        found.append(loss.item())
    np.testing.assert_allclose(*found, 8e-3 if dtype == "bfloat16" else 1e-3)


@halves
@pytest.mark.parametrize("axes", [(0,), (1,), None])
def test_logarithms_of_sums_round_all_but_the_sum(axes, half):
    x = numbers((70, 90), half)
    got = softmax.log_sums(x, axes, False).astype("f4")
    top = x.max(axes, keepdims=True)
    parts = np.exp((x - top).astype("f4")).astype(half)
    total = np.log(parts.astype("f4").sum(axes, keepdims=True).astype(half).astype("f4"))
    want = (total.astype(half) + top).astype("f4").reshape(got.shape)
    digit = 2.0**-10 if half == np.float16 else 2.0**-7
    np.testing.assert_allclose(got, want, digit)
    assert (got != want).mean() < 0.1
