"""Generated distances of rows and their gradients against differences written out."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels.generate import distances as made
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

ORDERS = [0, 0.5, 1, 1.5, 2, 3, np.inf]
SHAPES = [
    ((7, 40), (90, 40)),
    ((33, 3), (70, 3)),
    ((2, 5, 300), (1, 9, 300)),
    ((1, 1030), (3, 1030)),
]


def _rows(shapes, dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    y[..., 0, :] = x[..., :1, :].reshape(-1, x.shape[-1])[0]
    return x, y


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_distances(p, dtype, shapes):
    x, y = _rows(shapes, dtype)
    d = np.abs(x[..., :, None, :] - y[..., None, :, :]).astype("f8")
    want = np.linalg.norm(d, p, -1) if p != 0.5 else np.sqrt(d).sum(-1) ** 2
    got = made.distances(x, y, p)
    assert got.dtype == x.dtype
    np.testing.assert_allclose(got, want, 1e-5 if dtype == "f4" else 1e-12)


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("n", [2, 3, 40, 51])
def test_pairs(p, n):
    x = np.random.default_rng(0).standard_normal((n, 1024)).astype("f4")
    far = made.distances(x, x, p)
    np.testing.assert_array_equal(made.condensed(x, p), far[np.triu_indices(n, 1)])


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 3, np.inf])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_gradient(p, dtype, shapes):
    x, y = _rows(shapes, dtype)
    out = made.distances(x, y, p)
    weight = np.random.default_rng(1).standard_normal(out.shape).astype(dtype)
    d = x[..., :, None, :] - y[..., None, :, :]
    size = np.abs(d)
    slope = size == out[..., None] if np.isinf(p) else np.where(d == 0, 1, size) ** (p - 1)
    want = (np.sign(d) * slope * weight[..., None]).sum(-2)
    tolerance = 1e-4 if dtype == "f4" else 1e-11
    np.testing.assert_allclose(made.gradient(weight, out, x, y, p), want, tolerance, tolerance)


@pytest.mark.parametrize("p", [1.0, 3.0, float("inf")])
def test_threads_and_layouts_do_not_change_digits(p):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 130)).T.astype("f4"), rng.standard_normal((90, 40)).astype("f4")
    before, found = threads.count(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            far = made.distances(x, y, p)
            found.append((far, made.gradient(far, far, x, y, p), made.condensed(x, p)))
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
