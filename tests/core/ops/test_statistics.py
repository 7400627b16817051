"""Variance, its overloads and its gradient at zero; covariance."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck


def drawn(*shape):
    """Distinct numbers, none of them zero."""
    order = np.random.RandomState(0).permutation(math.prod(shape))
    return torch.tensor(((order - 3.3) / 7).reshape(shape), requires_grad=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.var(),
        lambda x: x.std(1),
        lambda x: x.var((0, 1), correction=0),
        lambda x: tuple(torch.std_mean(x, 0)),
        lambda x: tuple(torch.var_mean(x)),
        torch.cov,
        torch.corrcoef,
    ],
)
def test_gradients(function):
    x = drawn(3, 4)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_overloads():
    x = drawn(3, 4)
    a = x.detach().numpy()
    for found, expected in (
        (x.var(False), a.var()),
        (x.var(0), a.var(0, ddof=1)),
        (x.std(0, False, True), a.std(0, keepdims=True)),
        (x.std((0, 1), correction=2), a.std(ddof=2)),
        (torch.cov(x), np.cov(a)),
    ):
        np.testing.assert_allclose(found.detach().numpy(), expected)
    with pytest.raises(TypeError):
        x.var(0, True, correction=1)
    with pytest.raises(RuntimeError):
        torch.tensor([1, 2]).var()


def test_std_is_flat_at_zero():
    x = torch.ones(3, requires_grad=True)
    x.std().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_no_freedom_warns():
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert math.isnan(torch.tensor([1.0]).var().item())
