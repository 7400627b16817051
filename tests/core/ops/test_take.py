"""take, put and take_along_dim."""

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck


def test_take_and_put():
    x = flambeau.arange(6.0).reshape(2, 3)
    assert x.take(flambeau.tensor([[0, -1]])).tolist() == [[0, 5]]
    put = x.put(flambeau.tensor([1, 1]), flambeau.tensor([1.0, 2.0]), accumulate=True)
    assert put.tolist() == [[0, 4, 2], [3, 4, 5]]


def test_take_along_dim_broadcasts_and_counts_from_the_end():
    x = flambeau.randn(3, 2, dtype=flambeau.float64, requires_grad=True)
    index = flambeau.tensor([[-1]])
    assert x.take_along_dim(index, 0).tolist() == [x[2].tolist()]
    assert gradcheck(lambda x: x.take_along_dim(index, 0), (x,))


def test_errors():
    x = flambeau.zeros(4)
    with pytest.raises(IndexError, match="tried to access index 5"):
        x.take(flambeau.tensor([5]))
    with pytest.raises(RuntimeError, match="Expected a long tensor"):
        x.take(flambeau.tensor([1.0]))


def test_unravel_index_gives_coordinates():
    rows, columns = flambeau.unravel_index(flambeau.tensor([[3, 8], [13, 0]]), (4, 5))
    assert rows.tolist() == [[0, 1], [2, 0]]
    assert columns.tolist() == [[3, 3], [3, 0]]
    with pytest.raises(TypeError, match="integer"):
        flambeau.unravel_index(flambeau.ones(2), (2, 2))
    with pytest.raises(ValueError, match="negative"):
        flambeau.unravel_index(flambeau.tensor([1]), (2, -1))
