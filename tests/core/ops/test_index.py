"""Slices by a vector of indices: values, gradients, errors."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck

INDEX = flambeau.tensor([2, 0, 2])


def _double(*shape):
    return flambeau.randn(shape, dtype=flambeau.float64, requires_grad=True)


@pytest.mark.parametrize("dim", [0, 1])
def test_gradients(dim):
    x, src = _double(3, 3), _double(3, 3)
    assert gradcheck(lambda x: x.index_select(dim, INDEX), (x,))
    assert gradcheck(lambda x, src: x.index_add(dim, INDEX, src, alpha=2), (x, src))
    assert gradcheck(lambda x, src: x.index_copy(dim, INDEX[:2], src.narrow(dim, 0, 2)), (x, src))
    assert gradcheck(lambda x, v: x.index_fill(dim, INDEX, v), (x, _double()))
    assert gradcheck(lambda x, src: x.select_scatter(src[0], dim, 1), (x, src))


def test_index_add_sums_repeated_indices():
    x = flambeau.zeros(3, 2)
    x.index_add_(0, INDEX, flambeau.ones(3, 2), alpha=3)
    assert x.tolist() == [[3, 3], [0, 0], [6, 6]]


@pytest.mark.parametrize(("m", "n", "width"), [(5, 3, 4), (200, 3, 4), (7, 9, 1)])
def test_sums_of_rows_agree_with_a_loop(m, n, width):
    index, source = flambeau.randint(0, n, (m,)), flambeau.randn(m, width)
    wanted = flambeau.zeros(n, width)
    for k, row in zip(index.tolist(), source, strict=True):
        wanted[k] += row
    found = flambeau.zeros(n, width).index_add(0, index, source)
    assert abs(found - wanted).max().item() < 1e-5


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda x: x.index_select(0, flambeau.tensor([3])), IndexError, "index 3 is out of range"),
        (
            lambda x: x.index_select(0, flambeau.tensor([[0]])),
            IndexError,
            "supposed to be a vector",
        ),
        (lambda x: x.index_select(0, flambeau.tensor([0.0])), RuntimeError, "Expected dtype"),
        (lambda x: x.index_add(0, INDEX, x[:2]), RuntimeError, "Number of indices"),
        (lambda x: x.select_scatter(x, 0, 0), RuntimeError, "expected src to have a size equal"),
    ],
)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call(flambeau.zeros(3, 2))


def test_second_gradients_of_a_strided_view_that_reaches_beyond_its_base():
    whole = flambeau.arange(10.0, dtype=flambeau.float64)
    base = whole[4:8].requires_grad_()
    shown = base.as_strided(
        (2, 3), (1, 1), 2
    )  # places 2 to 5 of the storage; the base shows 4 to 7
    (first,) = flambeau.autograd.grad((shown**3).sum(), base, create_graph=True)
    assert first.tolist() == [2 * 48.0, 75.0, 0.0, 0.0]
    (second,) = flambeau.autograd.grad(first.sum(), base)
    assert second.tolist() == [48.0, 30.0, 0.0, 0.0]


def test_as_strided_scatter_counts_from_the_storage():
    whole = flambeau.arange(8.0)
    x = whole[1:].view(7)[::2]  # elements 1, 3, 5, 7 of the storage
    made = x.as_strided_scatter(flambeau.tensor([10.0, 20.0]), (2,), (4,), 3)
    assert made.tolist() == [1, 10, 5, 20]
    assert made.stride() == (2,) and made.storage_offset() == 1
    assert whole.tolist() == list(range(8))
    base = flambeau.arange(8.0, dtype=flambeau.float64)
    assert gradcheck(lambda src: base[1:].as_strided_scatter(src, (2,), (4,), 3), (_double(2),))


def test_a_negative_alpha_wraps_in_unsigned_dtypes(oracle):
    for engine in (flambeau, oracle):
        x = engine.tensor([7, 1], dtype=engine.uint8)
        rows = engine.tensor([2, 3], dtype=engine.uint8)
        assert x.index_add(0, engine.tensor([0, 1]), rows, alpha=-1).tolist() == [5, 254]


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_repeated_places_are_filled_inside_rows(dim):
    x = np.arange(60).reshape(3, 4, 5)
    want = x.copy()
    want[(slice(None),) * dim + ([2, 0, -1, 2],)] = 7
    found = flambeau.tensor(x).index_fill(dim, flambeau.tensor([2, 0, x.shape[dim] - 1, 2]), 7)
    assert np.array_equal(found.numpy(), want)
    turned = flambeau.tensor(x).transpose(0, 2)
    turned.index_fill_(2 - dim, flambeau.tensor([2, 0, x.shape[dim] - 1, 2]), 7)
    assert np.array_equal(turned.numpy(), want.transpose(2, 1, 0))
