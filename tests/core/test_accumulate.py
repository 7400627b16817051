"""Gradients arriving at leaves."""

import flambeau as torch


def test_the_gradient_is_the_leafs_own():
    g = torch.ones(3)
    a, b = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    (a + b).backward(g)
    a.grad.mul_(5)
    assert g.tolist() == b.grad.tolist() == [1, 1, 1]


def test_the_second_gradient_is_added_in_place():
    x = torch.ones(3, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert first.tolist() == [5, 5, 5]


def test_the_gradient_is_laid_out_like_the_leaf():
    x = torch.ones(3, 2).t().requires_grad_()
    (x * torch.ones(2, 3)).sum().backward()
    assert x.grad.stride() == x.stride()
