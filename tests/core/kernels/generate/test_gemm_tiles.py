"""Products by matrix tiles: as exact as the vector unit's, what cannot be split, borders, parts."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.generate import gemm_tiles
from flambeau.core.kernels.jit import matrix_unit
from flambeau.core.kernels.native import matmul

pytestmark = pytest.mark.skipif(not matrix_unit.allowed(), reason="no matrix tiles here")
F4 = np.dtype("f4")


@pytest.fixture
def plain(monkeypatch):
    """Products by the vector unit; those by tiles are made first, since they are kept."""
    matmul.mm(F4)
    monkeypatch.setattr(matrix_unit, "allowed", lambda: False)
    monkeypatch.setattr(matmul, "code", matmul.code.__wrapped__)
    monkeypatch.setattr(matmul, "_with_buffer", matmul._with_buffer.__wrapped__)
    return matmul.mm.__wrapped__(F4)


def drawn(*shape, scale=1.0):
    found = np.random.default_rng(0).standard_normal(shape) * scale
    return found.astype("f4")


def error(got, a, b):
    """The largest error in units of what the absolute values add up to, and its mean square."""
    wide = a.astype("f8"), b.astype("f8")
    off = (got - wide[0] @ wide[1]) / (np.abs(wide[0]) @ np.abs(wide[1]))
    return np.abs(off).max(), np.sqrt((off**2).mean())


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
@pytest.mark.parametrize(("m", "n", "k"), [(700, 256, 128), (64, 96, 1000), (257, 131, 300)])
def test_sums_are_as_exact_as_those_of_the_vector_unit(plain, m, n, k, scale):
    a, b = drawn(m, k, scale=scale), drawn(n, k).T
    got, other = (error(function(a, b), a, b) for function in (matmul.mm(F4), plain))
    assert got[0] <= other[0] and got[1] <= other[1]


def test_whole_numbers_are_exact():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-280, 281, (200, 200)) for _ in range(2))
    assert (matmul.mm(F4)(a.astype("f4"), b.astype("f4")) == a @ b).all()


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 3.4e38, 1e-40, -7e-34])
@pytest.mark.parametrize("left", [True, False])
def test_what_cannot_be_split_goes_another_way(plain, odd, left):
    a, b = drawn(150, 130), drawn(130, 170)
    (a if left else b)[7, 129] = odd
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(matmul.mm(F4)(a, b), plain(a, b))


def test_small_products_and_factors_in_steps_are_not_for_tiles(monkeypatch):
    a = drawn(80, 80)
    narrow = matmul.mm(F4)(a, a)
    monkeypatch.setattr(gemm_tiles, "WORK", 1)
    monkeypatch.setattr(matmul, "code", matmul.code.__wrapped__)
    monkeypatch.setattr(matmul, "_with_buffer", matmul._with_buffer.__wrapped__)
    assert not np.array_equal(narrow, matmul.mm.__wrapped__(F4)(a, a))
    steps = np.zeros((300, 2, 300, 2), "f4")[:, 0, :, 0]
    steps[:] = drawn(300, 300)
    np.testing.assert_allclose(matmul.mm(F4)(steps, steps), steps @ steps, rtol=0, atol=1e-4)
