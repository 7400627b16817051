"""Elements moved, repeated, masked by place and filled: against NumPy, with gradients."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck

ROWS = [
    (lambda x: x.flip(0, 1), lambda a: np.flip(a, (0, 1))),
    (lambda x: x.roll(1, 0), lambda a: np.roll(a, 1, 0)),
    (lambda x: x.roll((1, -1), (0, 1)), lambda a: np.roll(a, (1, -1), (0, 1))),
    (lambda x: x.rot90(), np.rot90),
    (lambda x: x.repeat(2, 1, 2), lambda a: np.tile(a, (2, 1, 2))),
    (lambda x: x.tile((2,)), lambda a: np.tile(a, 2)),
    (lambda x: x.repeat_interleave(2, 1), lambda a: np.repeat(a, 2, 1)),
    (lambda x: x.repeat_interleave(flambeau.tensor([0, 2, 1]), 0), lambda a: np.repeat(a, [0, 2, 1], 0)),
    (lambda x: x.tril(1), lambda a: np.tril(a, 1)),
    (lambda x: x.triu(-1), lambda a: np.triu(a, -1)),
    (lambda x: x.diag(1), lambda a: np.diag(a, 1)),
    (lambda x: flambeau.diagflat(x[0], -1), lambda a: np.diagflat(a[0], -1)),
    (lambda x: x[:, :3].trace(), lambda a: np.trace(a[:, :3])),
    (lambda x: flambeau.vander(x[0]), lambda a: np.vander(a[0])),
]


@pytest.mark.parametrize(("ours", "numpys"), ROWS)
def test_against_numpy(ours, numpys):
    x = flambeau.randn(3, 4, dtype=flambeau.float64, requires_grad=True)
    assert np.allclose(ours(x).detach().numpy(), numpys(x.detach().numpy()))
    assert gradcheck(ours, (x,))


def test_fill_and_zero():
    x = flambeau.ones(2, requires_grad=True) * 1
    assert x.fill_(3).tolist() == [3, 3]
    assert x.grad_fn.name() == "FillBackward2"
    assert x.zero_().grad_fn.name() == "ZeroBackward0"
    with pytest.raises(RuntimeError, match="without overflow"):
        flambeau.zeros(2, dtype=flambeau.int8).fill_(300)
    with pytest.raises(RuntimeError, match="0-dimension value"):
        x.fill_(flambeau.ones(2))


def test_renorm_bounds_the_norm_of_slices():
    x = flambeau.ones(2, 4) * flambeau.tensor([[1.0], [0.1]])
    norms = (x.renorm(2, 0, 1) ** 2).sum(1)
    assert abs(norms - flambeau.tensor([1.0, 0.04])).max().item() < 1e-6


def test_resize_keeps_the_first_elements():
    x = flambeau.arange(4.0)
    assert x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert x.resize_(3, 3).shape == (3, 3)
    assert x.reshape(-1)[:4].tolist() == [0, 1, 2, 3]


def test_set_shows_another_tensors_memory():
    x, y = flambeau.zeros(2), flambeau.ones(3)
    x.set_(y)
    y[0] = 5
    assert x.tolist() == [5, 1, 1]


def test_fill_diagonal():
    x = flambeau.zeros(3, 2)
    assert x.fill_diagonal_(1).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert flambeau.zeros(5, 2).fill_diagonal_(1, wrap=True)[3].tolist() == [1, 0]
