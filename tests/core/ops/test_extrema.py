"""Largest and smallest: ties, NaN, empty dimensions, overloads."""

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
        lambda x: x.max(),
        lambda x: x.min(1)[0],
        lambda x: x.max(0, keepdim=True)[0],
        lambda x: x.amax((0, 2)),
        lambda x: x.amin(1, True),
        lambda x: torch.aminmax(x, dim=1)[1],
        lambda x: tuple(torch.aminmax(x)),
    ],
)
def test_gradients(function):
    x = drawn(2, 3, 2)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_ties():
    x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    even, first = [0.5, 0.5, 0], [1, 0, 0]
    for function, expected in (
        (lambda: x.max(), even),
        (lambda: x.amax(0), even),
        (lambda: x.max(0)[0], first),
    ):
        (grad,) = torch.autograd.grad(function(), x)
        assert grad.tolist() == expected


def test_nan_wins():
    x = torch.tensor([1.0, math.nan, 3.0])
    assert math.isnan(x.max().item()) and x.argmax().item() == 1 and x.min(0).indices.item() == 1


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda e: e.max(), RuntimeError),
        (lambda e: e.max(0), IndexError),
        (lambda e: e.amax(0), IndexError),
        (lambda e: e.argmax(), IndexError),
        (lambda e: e.aminmax(), RuntimeError),
        (lambda e: e.max(keepdim=True), TypeError),
    ],
)
def test_errors(function, error):
    with pytest.raises(error):
        function(torch.zeros(0, 3))


def test_overloads():
    x, y = torch.tensor([[1.0, 4.0], [3.0, 2.0]]), torch.full((2, 2), 2.5)
    assert torch.max(x, y).tolist() == [[2.5, 4.0], [3.0, 2.5]]
    assert torch.max(x, axis=1).values.tolist() == [4, 3]
    assert type(x.max(1)).__name__ == "max"
    assert torch.argmax(x, keepdim=True).tolist() == [[1]]
    values, indices = torch.empty(0), torch.empty(0, dtype=torch.long)
    torch.max(x, 0, out=(values, indices))
    assert values.tolist() == [3, 4] and indices.tolist() == [1, 0]
