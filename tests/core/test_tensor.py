"""The tensor's own state: leaves, requires_grad, detach, data, grad."""

import pytest

import flambeau as torch


def test_ways_to_a_leaf():
    w = torch.ones(2, requires_grad=True)
    for made in (
        w.detach().requires_grad_(),
        w.clone().detach_().requires_grad_(),
        torch.autograd.Variable(w, requires_grad=True),
    ):
        assert made.is_leaf
        assert made.requires_grad
    assert not w.clone().requires_grad_().is_leaf
    assert torch.ones(2, 1).view(2).requires_grad_().is_leaf


def test_detach_shares_memory_and_version():
    x = torch.zeros(2, requires_grad=True)
    d = x.detach()
    d.add_(1)
    assert x.tolist() == [1, 1]
    assert x._version == d._version == 1
    x.data.add_(1)
    assert x.tolist() == [2, 2]
    assert x._version == 1


def test_requires_grad_rules():
    with pytest.raises(RuntimeError, match="floating point"):
        torch.tensor([1]).requires_grad_()
    y = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad_(False)


def test_reading_grad_of_a_non_leaf_warns():
    y = torch.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_inference_tensors():
    with torch.inference_mode():
        x = torch.ones(2)
    assert x.is_inference()
    with pytest.raises(RuntimeError, match="InferenceMode"):
        x.requires_grad_()
    with pytest.raises(RuntimeError, match="version"):
        _ = x._version
    assert not x.clone().is_inference()


def test_as_subclass_stays_in_the_graph():
    class Mine(torch.Tensor):
        pass

    x = torch.ones(2, requires_grad=True)
    y = x.as_subclass(Mine)
    assert type(y) is Mine
    assert not y.is_leaf
    (y * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]
