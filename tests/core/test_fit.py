"""Gradients fit what they belong to."""

import warnings

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.fit import fit, plus

NODE = torch.ones(2, requires_grad=True).exp()._edge


def test_a_broadcast_gradient_is_summed_and_cast():
    found = fit(NODE, np.ones((3, 2)), (2,), np.dtype("f4"))
    assert found.dtype == np.float32 and found.tolist() == [3, 3]
    assert fit(NODE, np.float64(2), (), np.dtype("f8")).shape == ()


def test_a_shape_that_does_not_sum_is_refused():
    with pytest.raises(RuntimeError, match="invalid gradient"):
        fit(NODE, np.ones((3,)), (2,), np.dtype("f4"))


def test_the_sum_of_two_scalars_stays_an_array():
    assert type(plus(np.ones(()), np.ones(()))) is np.ndarray


def test_half_complex_gradients_keep_their_imaginary_part(oracle):
    for t in (oracle, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch calls complex halves experimental
            x = t.tensor(1 + 2j, requires_grad=True)
            g = t.tensor(3 + 4j).chalf().requires_grad_()
            (found,) = t.autograd.grad(x.chalf(), x, g, create_graph=True)
            assert found.item() == 3 + 4j
            (back,) = t.autograd.grad(found, g, t.tensor(5 + 6j))
            assert back.to(t.complex64).item() == 5 + 6j
            y = t.zeros(1).chalf().copy_(t.tensor([1 + 2j]))
            assert y.to(t.complex64).tolist() == [1 + 2j]
