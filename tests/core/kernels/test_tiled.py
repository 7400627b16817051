"""Products of bfloat16 matrices by the matrix unit against single precision."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import product, tiled
from flambeau.core.kernels.jit import matrix_unit

served = pytest.mark.skipif(not matrix_unit.allowed(), reason="this processor has no matrix unit")

SIZES = [
    (1, 1, 1),
    (5, 3, 7),
    (16, 16, 32),
    (17, 33, 65),
    (100, 50, 31),
    (1, 70, 40),
    (40, 1100, 90),
]


def made(*shape):
    rng = np.random.default_rng(sum(shape))
    return rng.standard_normal(shape).astype(tiled.BFLOAT16)


def near(got, want, dtype):
    assert got.dtype == dtype and got.shape == want.shape
    tolerance = 8e-3 if dtype == tiled.BFLOAT16 else 1e-5
    np.testing.assert_allclose(got.astype("f4"), want, tolerance, 2e-5)


@served
@pytest.mark.parametrize("dtype", [tiled.BFLOAT16, tiled.SINGLE], ids=str)
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("size", SIZES)
def test_every_size_and_order(size, turned, dtype):
    m, n, k = size
    a = made(k, m).T if turned[0] else made(m, k)
    b = made(n, k).T if turned[1] else made(k, n)
    bias = made(n)
    want = a.astype("f8") @ b.astype("f8")
    near(tiled.product(a, b, None, dtype), want, dtype)
    near(tiled.product(a, b, bias, dtype), want + bias.astype("f8"), dtype)
    near(tiled.product(a, b, bias[:1], dtype), want + bias[:1].astype("f8"), dtype)


@served
def test_batches_and_odd_strides():
    a, b = made(3, 2, 20, 30), made(1, 2, 30, 40)
    near(tiled.product(a, b, None, tiled.SINGLE), np.matmul(a.astype("f8"), b.astype("f8")), "f4")
    apart = made(40, 80)[::2, ::2]
    want = apart.astype("f8") @ apart.T.astype("f8")[:, :9]
    near(tiled.product(apart, apart.T[:, :9], None, tiled.SINGLE), want, "f4")


@served
def test_what_is_not_a_number_stays_in_its_row():
    a, b = made(40, 50), made(50, 20)
    a[3, 7], a[20, 0] = np.nan, np.inf
    out = tiled.product(a, b).astype("f4")
    assert np.isnan(out[3]).all() and not np.isfinite(out[20]).any()
    assert np.isfinite(np.delete(out, (3, 20), 0)).all()


@served
def test_threads_do_not_change_results():
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            results.append(
                [
                    tiled.product(made(700, 90), made(90, 130)),
                    tiled.product(made(9, 300), made(300, 2100)),
                ]
            )
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(x, y) for x, y in zip(results[0], other, strict=True))


def test_others_are_not_served():
    x = made(4, 4)
    assert tiled.product(x.astype("f4"), x) is None
    assert tiled.product(x, x[:3]) is None
    assert tiled.product(x[:0], x) is None


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("shapes", [((5,), (5,)), ((2, 3, 5), (5, 4)), ((3, 5), (5,)), ((5,), (2, 5, 4)),
                                    ((6, 1, 3, 5), (2, 5, 4)), ((2, 2, 2, 3, 5), (5, 4))])  # fmt: skip
def test_products_round_once_with_and_without_the_unit(shapes, there, monkeypatch):
    if not there:
        monkeypatch.setattr(matrix_unit, "allowed", lambda: False)
    a, b = (made(*shape) for shape in shapes)
    near(product.product(a, b), np.matmul(a.astype("f8"), b.astype("f8")), tiled.BFLOAT16)
