"""Copies, fills and zeros of large arrays against NumPy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flambeau.core.kernels import copies

SHAPES = [(3,), (70, 300), (1 << 17,), (300, 301), (100003,)]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "f2", "?", "c8"])
@pytest.mark.parametrize("shape", SHAPES)
def test_copies(shape, dtype):
    x = (np.arange(np.prod(shape)) % 100).reshape(shape).astype(dtype)
    for each in (x, x[..., 1:], x.T):
        got = copies.copy(each)
        assert got.dtype == x.dtype and got.flags.c_contiguous and not np.shares_memory(got, x)
        assert np.array_equal(got, each)
        target = np.zeros(each.shape, dtype)
        copies.copy_into(target, each)
        assert np.array_equal(target, each)


@pytest.mark.parametrize("dtype", ["f4", "i8"])
def test_into_what_overlaps(dtype):
    x = np.arange(100000, dtype=dtype)
    want = x[:-1].copy()
    copies.copy_into(x[1:], x[:-1])
    assert np.array_equal(x[1:], want)
    grid = np.zeros((300, 400), dtype)
    copies.copy_into(grid[:, 1:], np.ones((300, 399), dtype))
    assert grid.sum() == 300 * 399


WHOLE, REAL = ["i8", "i4", "?", "u1"], ["f4", "f8", "f2", "c8"]


@pytest.mark.parametrize(
    "dtype, value",
    [(d, v) for d in WHOLE + REAL for v in (0, 1, 7.5, -1.5) if v in (0, 1) or d in REAL],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_fills(shape, dtype, value):
    x = np.zeros(shape, dtype)
    copies.fill(x, value)
    assert (x == np.asarray(value, dtype)).all()
    every = np.zeros((*shape, 2), dtype)
    copies.fill(every[..., 0], value)
    assert (every[..., 0] == np.asarray(value, dtype)).all() and not every[..., 1].any()


def test_what_may_not_be_written_is_not():
    x = np.zeros(1 << 17)
    x.flags.writeable = False
    with pytest.raises(ValueError):
        copies.fill(x, 1)
    with pytest.raises(ValueError):
        copies.copy_into(x, x + 1)
    assert not x.any()


@pytest.mark.parametrize("shape", [(), (3, 4), 5, (1 << 17,), (300, 301), (0, 3)])
@pytest.mark.parametrize("dtype", ["f4", "i8", "?"])
def test_zeros(shape, dtype):
    dirty = copies.copy(np.ones(1 << 17))
    del dirty
    x = copies.zeros(shape, np.dtype(dtype))
    assert not x.any() and x.shape == np.zeros(shape).shape and x.dtype == dtype


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "c8", "?"])
@pytest.mark.parametrize("shape", [(70, 71), (1000, 3), (7, 300), (20, 30, 9), (5, 6, 7, 80)])
def test_dimensions_that_change_places(shape, dtype):
    x = (np.random.default_rng(0).standard_normal(shape) * 50).astype(dtype)
    for order in itertools.permutations(range(x.ndim)):
        turned = x.transpose(order)
        for view in (turned, turned[..., 1:], x[1:].transpose(order), turned[..., ::-1]):
            found = copies.copy(view)
            assert found.flags.c_contiguous and np.array_equal(found, view)
            wide = np.zeros((*view.shape[:-1], view.shape[-1] + 3), dtype)
            copies.copy_into(wide[..., 2:-1], view)
            assert np.array_equal(wide[..., 2:-1], view)
            assert not wide[..., :2].any() and not wide[..., -1].any()


def test_a_matrix_is_written_into_itself_turned():
    x = np.arange(4900.0).reshape(70, 70)
    want = x.T.copy()
    copies.copy_into(x, x.T)
    assert np.array_equal(x, want)
