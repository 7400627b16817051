"""`grad_dtype`: a leaf's gradient in another dtype than its own."""

from __future__ import annotations

import pytest

import flambeau as torch


def test_gradients_are_cast_to_it():
    x = torch.ones(2, requires_grad=True)
    assert x.grad_dtype == torch.float32
    x.grad_dtype = torch.float64
    for _ in range(2):
        (x * 2).sum().backward()
    assert x.grad.dtype == torch.float64 and x.grad.tolist() == [4, 4]
    (g,) = torch.autograd.grad((x * x).sum(), x, create_graph=True)
    assert g.dtype == torch.float64 and g.requires_grad


def test_a_leaf_remembers_it_before_it_requires_a_gradient():
    x = torch.ones(2)
    x.grad_dtype = torch.bfloat16
    x.requires_grad_()
    (x * x).sum().backward()
    assert x.grad.dtype == torch.bfloat16


def test_none_takes_any():
    x = torch.ones(2, requires_grad=True)
    x.grad_dtype = None
    x.grad = torch.ones(2, dtype=torch.float16)
    (x * 3).sum().backward()
    assert x.grad_dtype is None and x.grad.dtype == torch.float16 and x.grad.tolist() == [4, 4]


def test_what_does_not_go():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        (x * 2).grad_dtype = torch.float64
    with pytest.raises(RuntimeError, match="torch.dtype or None"):
        x.grad_dtype = "float64"
    with pytest.raises(RuntimeError, match="different type"):
        x.grad = torch.ones(2, dtype=torch.float64)
    x.sum().backward()
    with pytest.raises(RuntimeError, match="clear it"):
        x.grad_dtype = torch.float64
