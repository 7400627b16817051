"""gather, the scatter family, take and put: values, gradients to the second order, errors."""

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck

INDEX = flambeau.tensor([[0, 1], [2, 2]])


def _double(*shape):
    return flambeau.randn(*shape, dtype=flambeau.float64, requires_grad=True)


def test_gather_picks_along_a_dimension():
    x = flambeau.arange(6.0).reshape(3, 2)
    assert x.gather(0, INDEX).tolist() == [[0, 3], [4, 5]]
    assert gradcheck(lambda x: x.gather(0, INDEX), (_double(3, 2),))
    assert gradgradcheck(lambda x: x.gather(0, INDEX) ** 2, (_double(3, 2),))


def test_scatter_writes_and_adds():
    x, src = flambeau.zeros(3, 2), flambeau.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.scatter(0, INDEX, src).tolist() == [[1, 0], [0, 2], [3, 4]]
    assert x.scatter(0, INDEX, 7).tolist() == [[7, 0], [0, 7], [7, 7]]
    assert x.scatter_add(0, flambeau.zeros_like(INDEX), src).tolist() == [[4, 6], [0, 0], [0, 0]]
    x.scatter_(0, INDEX, src).scatter_add_(0, INDEX, src)
    assert x.tolist() == [[2, 0], [0, 4], [6, 8]]
    assert x._version == 2


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce_gradients(reduce, include_self):
    index = flambeau.tensor([0, 0, 2, 1, 2])

    def reduced(x, src):
        return x.scatter_reduce(0, index, src, reduce, include_self=include_self)

    assert gradcheck(reduced, (_double(4), _double(5)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x.gather(0, INDEX + 3), "index 5 is out of bounds for dimension 0 with size 3"),
        (lambda x: x.gather(0, INDEX - 1), "index -1 is out of bounds"),
        (lambda x: x.gather(0, INDEX.float()), "Expected dtype int32/int64"),
        (lambda x: x.gather(0, INDEX[0]), "same number of dimensions"),
        (
            lambda x: x.scatter(0, INDEX, flambeau.ones(2, 2, dtype=flambeau.float64)),
            "self.dtype to be equal",
        ),
        (lambda x: x.scatter_reduce(0, INDEX, x, "max"), "reduce argument must be"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call(flambeau.zeros(3, 2))


def test_gather_with_an_expanded_index_picks_whole_rows(oracle):
    for dim in (0, 1, -1):
        outcomes = []
        for engine in (flambeau, oracle):
            x = engine.arange(60.0).reshape(4, 5, 3).requires_grad_()
            picks = engine.tensor([1, 0, 2, 2, 1])
            shape = [1, 1, 1]
            shape[dim] = 5
            wide = [4, 5, 3]
            wide[dim] = 5
            found = x.gather(dim, picks.reshape(shape).expand(wide))
            (found * found).sum().backward()
            outcomes.append((found.tolist(), found.stride(), x.grad.tolist()))
        assert outcomes[0] == outcomes[1]
    with pytest.raises(RuntimeError):
        flambeau.zeros(2, 3).gather(0, flambeau.tensor([[5]]).expand(1, 3))
