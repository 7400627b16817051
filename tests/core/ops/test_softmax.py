"""Softmax and its logarithm: sums, stability, gradients, the names of their nodes."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


def test_rows_sum_to_one_however_large():
    x = torch.tensor([[1000.0, 1001.0], [-1000.0, -1001.0]])
    assert np.allclose(x.softmax(1).sum(1).numpy(), 1)
    assert np.isfinite(x.log_softmax(1).numpy()).all()


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gradients_to_second_order(dim):
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    for function in (torch.softmax, torch.log_softmax):
        assert gradcheck(lambda t, f=function: f(t, dim), (x,))
        assert gradgradcheck(lambda t, f=function: f(t, dim), (x,))


def test_nodes_have_pytorchs_names():
    x = torch.randn(2, 3, requires_grad=True)
    assert x.softmax(0).grad_fn.name() == "SoftmaxBackward0"
    assert x.log_softmax(0).grad_fn.name() == "LogSoftmaxBackward0"


def test_dtype_converts_first():
    assert torch.softmax(torch.tensor([1, 2]), 0, dtype=torch.float64).dtype is torch.float64
    with pytest.raises(NotImplementedError):
        torch.softmax(torch.tensor([1, 2]), 0)


def test_a_missing_dim_warns_and_a_wrong_one_is_an_index_error():
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        assert torch.equal(F.softmax(torch.ones(2, 3)), torch.softmax(torch.ones(2, 3), 1))
    with pytest.raises(IndexError):
        torch.softmax(torch.ones(2), 1)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_results_and_gradients_are_row_major_however_the_input_lies(oracle, name, dtype):
    for order in ((1, 0, 2), (0, 2, 1), (2, 0, 1)):
        for dim in range(3):
            found = []
            for engine in (torch, oracle):
                x = engine.arange(24.0).reshape(2, 3, 4).to(getattr(engine, dtype)).permute(order)
                x.requires_grad_()
                out = getattr(x, name)(dim)
                g = engine.ones_like(x)  # lies as the input does
                (grad,) = engine.autograd.grad(out, x, g)
                found.append((out.stride(), grad.stride(), out.view(-1).tolist()))
            assert found[0][:2] == found[1][:2]
            assert np.allclose(found[0][2], found[1][2], rtol=1e-3, atol=1e-3)
