"""Differences and integrals on a grid."""

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
        lambda x: x.diff(n=2),
        lambda x: torch.gradient(x, spacing=2.0, edge_order=2),
        lambda x: torch.trapezoid(x, dx=0.5),
        lambda x: torch.cumulative_trapezoid(x, torch.tensor([0.0, 0.5, 2.0, 3.0])),
    ],
)
def test_gradients(function):
    x = drawn(3, 4)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("order", [1, 2])
def test_gradient_on_uneven_points(order):
    x = drawn(3, 4).detach()
    points = torch.tensor([0.0, 0.5, 2.0, 3.0], dtype=torch.float64)
    (found,) = torch.gradient(x, spacing=(points,), dim=1, edge_order=order)
    np.testing.assert_allclose(
        found.numpy(), np.gradient(x.numpy(), points.numpy(), axis=1, edge_order=order)
    )


def test_ends_and_bools():
    x = torch.tensor([1, 3])
    assert x.diff(prepend=torch.tensor([0]), append=torch.tensor([7])).tolist() == [1, 2, 4]
    assert torch.tensor([True, False, False]).diff().tolist() == [True, False]
    with pytest.raises(RuntimeError):
        torch.tensor(1.0).diff()


def test_gradient_of_two_samples(oracle):
    for call in (
        "t.gradient(t.arange(2.0))",
        "t.gradient(t.tensor([[1.0, 2, 4, 8], [10, 20, 40, 80]]))",
        "t.gradient(t.tensor([1.0, 4.0]), spacing=(t.tensor([0.0, 3.0]),))",
        "t.gradient(t.arange(3.0) ** 2, edge_order=2)",
    ):
        ours, theirs = (eval(call, {"t": t}) for t in (torch, oracle))
        assert [g.tolist() for g in ours] == [g.tolist() for g in theirs], call
