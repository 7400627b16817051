"""Dimension arguments: wrapped, refused, put back."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.dims import unreduce, wrap_dim, wrap_dims


def test_wrap_dim() -> None:
    assert [wrap_dim(d, 2) for d in (-2, -1, 0, 1)] == [0, 1, 0, 1]
    assert [wrap_dim(d, 0) for d in (-1, 0)] == [0, 0]
    assert wrap_dim(np.int64(-1), 3) == 2


@pytest.mark.parametrize(
    ("dim", "ndim", "low", "high"), [(5, 2, -2, 1), (-3, 2, -2, 1), (1, 0, -1, 0)]
)
def test_out_of_range(dim: int, ndim: int, low: int, high: int) -> None:
    text = (
        rf"Dimension out of range \(expected to be in range of \[{low}, {high}\], but got {dim}\)"
    )
    with pytest.raises(IndexError, match=text):
        wrap_dim(dim, ndim)
    with pytest.raises(IndexError, match=f"^softmax.*{text}"):
        wrap_dims([dim], ndim, "softmax")


@pytest.mark.parametrize("bad", ["a", 1.5, True, None])
def test_not_an_int(bad: object) -> None:
    with pytest.raises(TypeError, match="argument 'dim' must be int"):
        wrap_dim(bad, 2)


def test_wrap_dims() -> None:
    assert wrap_dims(None, 3) == (0, 1, 2)
    assert wrap_dims((), 3) == (0, 1, 2)
    assert wrap_dims((), 3, empty_is_all=False) == ()
    assert wrap_dims(-1, 3) == (2,)
    assert wrap_dims(np.int64(1), 3) == (1,)
    assert wrap_dims([2, -3], 3) == (2, 0)
    assert wrap_dims(-1, 0) == ()
    with pytest.raises(RuntimeError, match="dim 0 appears multiple times in the list of dims"):
        wrap_dims((0, -2), 2)
    with pytest.raises(TypeError, match="must be int, not str"):
        wrap_dims("ab", 2)


@pytest.mark.parametrize(
    ("dim", "keepdim"),
    [(0, False), (-1, False), ((0, 2), False), (1, True), (None, False), ((), False)],
)
def test_unreduce_expands_back(dim: object, keepdim: bool) -> None:
    array = np.ones((2, 3, 4))
    axis = None if dim in (None, ()) else dim
    grad = np.asarray(array.sum(axis=axis, keepdims=keepdim))
    back = unreduce(grad, array.shape, dim, keepdim)
    assert np.broadcast_to(back, array.shape).shape == array.shape
    assert np.array_equal(np.broadcast_to(back, array.shape), array * grad.flat[0])


def test_unreduce_of_a_0d_input() -> None:
    grad = np.ones(())
    assert unreduce(grad, (), 0, False) is grad
