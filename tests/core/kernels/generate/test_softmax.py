"""Softmax of long rows and cross-entropy by generated code against double precision."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import loss
from flambeau.core.kernels.generate import softmax
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

SHAPES = [(1, 1), (7, 5), (3, 300), (2, 3, 64), (2, 9001), (40,)]
inf, nan = np.inf, np.nan


def exact(name, x):
    wide = x.astype("f8")
    e = wide - wide.max(-1, keepdims=True)
    total = np.exp(e).sum(-1, keepdims=True)
    return e - np.log(total) if name == "log_softmax" else np.exp(e) / total


def near(got, want, dtype):
    tolerance = 2e-6 if dtype == "f4" else 1e-14
    np.testing.assert_allclose(got, want, tolerance, tolerance * (1 + np.abs(want).max()))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("axes", [None, (0,), (1,), (2,), (0, 1), (1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logarithms_of_sums(axes, keepdims, dtype):
    x = np.random.default_rng(0).standard_normal((6, 70, 37)).astype(dtype) * 3
    x[0, 0, :3], x[1, :, 1], x[2, :2, 2], x[3, 1, 4], x[4] = -inf, -inf, inf, nan, -inf
    got = softmax.log_sums(x, axes, keepdims)
    with np.errstate(all="ignore"):
        want = np.log(np.exp(x.astype("f8")).sum(axes, keepdims=keepdims))
    assert got.shape == want.shape and got.dtype == dtype
    tolerance = 2e-6 if dtype == "f4" else 1e-14
    np.testing.assert_allclose(got, want, tolerance, tolerance)
    large = softmax.log_sums(np.full((3, 70), 1000, dtype), (1,), False)
    np.testing.assert_allclose(large, 1000 + np.log(70), 1e-6)
    assert softmax.log_sums(x, (0, 2), keepdims) is None


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows(name, shape, dtype):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape).astype(dtype) * 3 for _ in range(2))
    y = softmax.forward(name, x, -1)
    assert y.dtype == x.dtype and y.shape == shape
    near(y, exact(name, x), dtype)
    wide = y.astype("f8")
    for each in (g, np.broadcast_to(np.asarray(0.5, dtype), shape)):
        up = each.astype("f8")
        if name == "softmax":
            want = wide * (up - (wide * up).sum(-1, keepdims=True))
        else:
            want = up - np.exp(wide) * up.sum(-1, keepdims=True)
        near(softmax.gradient(name, each, y, len(shape) - 1), want, dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "shape, axis",
    [((7, 5), 0), ((2, 3, 64), 1), ((3, 200, 33), 1), ((4, 5, 6, 7), 2), ((300, 2), 0)],
)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_other_dimensions(name, shape, axis, dtype):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape).astype(dtype) * 3 for _ in range(2))
    y = softmax.forward(name, x, axis)
    assert y.dtype == x.dtype and y.shape == shape
    turned = [np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in (x, y, g)]
    near(np.moveaxis(y, axis, -1), exact(name, turned[0]), dtype)
    want = softmax.gradient(name, turned[2], turned[1], -1)
    near(np.moveaxis(softmax.gradient(name, g, y, axis), axis, -1), want, dtype)
    spread = np.broadcast_to(np.asarray(1, dtype), shape)
    assert softmax.gradient(name, spread, y, axis) is None


@pytest.mark.parametrize("row", [[inf, 1.0], [-inf, 1.0], [-inf, -inf], [1.0, nan], [1e30, -1e30]])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_special_numbers(oracle, name, row):
    x = np.zeros((3, 300), "f4")
    x[1, -2:] = row
    got = softmax.forward(name, x, 1)
    want = getattr(oracle, name)(oracle.from_numpy(x), 1).numpy()
    np.testing.assert_allclose(got, want, 1e-5, 1e-6)
    got = softmax.forward(name, np.ascontiguousarray(x.T), 0)
    np.testing.assert_allclose(got.T, want, 1e-5, 1e-6)


def test_threads_do_not_change_digits():
    x = np.random.default_rng(0).standard_normal((301, 517)).astype("f4")
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            y = softmax.forward("softmax", x, 1)
            results.append((y, softmax.gradient("softmax", x, y, 1)))
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_other_arrays_go_the_other_way():
    x = np.ones((8, 6), "f4")
    assert softmax.forward("softmax", x.T, 0) is None
    assert softmax.forward("softmax", x.T, 1) is None
    assert softmax.forward("softmax", x.astype("i4"), 1) is None
    assert softmax.gradient("softmax", x.T.copy().T, x, 1) is None
    assert softmax.gradient("softmax", x.astype("f8"), x, 1) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignored", [-100, 3])
@pytest.mark.parametrize("shape", [(6, 5), (40, 700)])
def test_cross_entropy(oracle, dtype, reduction, ignored, shape):
    import flambeau

    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape).astype(dtype)
    target = rng.integers(0, shape[1], shape[0])
    target[::4] = 3 if ignored == 3 else 0
    found = []
    for engine in (oracle, flambeau):
        leaf = engine.tensor(x.tolist(), dtype=getattr(engine, dtype), requires_grad=True)
        labels = engine.tensor(target.tolist())
        value = engine.nn.functional.cross_entropy(
            leaf, labels, reduction=reduction, ignore_index=ignored
        )
        (value * engine.arange(1, value.numel() + 1)).sum().backward()
        found.append((np.asarray(value.detach().tolist()), np.asarray(leaf.grad.tolist())))
    for got, want in zip(found[1], found[0], strict=True):
        near(got, want, "f4" if dtype == "float32" else "f8")


def test_a_row_that_does_not_count_is_not_looked_at():
    logs = np.log(np.full((3, 4), 0.25, "f4"))
    shares = np.array([1, 0, 2], "f4")
    got = softmax.class_gradient(logs, np.array([0, 10**9, 3]), shares)
    near(got, [[-0.75, 0.25, 0.25, 0.25], [0] * 4, [0.5, 0.5, 0.5, -1.5]], "f4")
    with np.errstate(all="raise"):
        assert loss.cross_entropy(logs, np.array([0, 1, 2]), 1, -100)[0] == np.float32(np.log(4))
