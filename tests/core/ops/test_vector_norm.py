"""Norms of every order, their gradients at zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck


def drawn(*shape):
    """Distinct numbers, none of them zero."""
    order = np.random.RandomState(0).permutation(math.prod(shape))
    return torch.tensor(((order - 3.3) / 7).reshape(shape), requires_grad=True)


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, math.inf, -math.inf])
@pytest.mark.parametrize("dim", [None, 1, (0, 1)])
def test_gradients(p, dim):
    x = drawn(2, 3)
    assert gradcheck(lambda x: x.norm(p, dim), (x,))
    assert gradgradcheck(lambda x: x.norm(p, dim), (x,))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_flat_at_zero(p):
    x = torch.zeros(3, requires_grad=True)
    x.norm(p).backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_values():
    x = torch.tensor([[3.0, -4.0], [0.0, 0.0]])
    assert x.norm().item() == 5 and x.norm(0).item() == 2 and x.norm(1, 1).tolist() == [7, 0]
    assert torch.dist(x, x + 1, math.inf).item() == 1
    assert x.renorm(2, 0, 1.0).norm(dim=1)[0].item() == pytest.approx(1)


def test_errors():
    for function in (
        lambda: torch.norm(torch.tensor([1])),
        lambda: torch.norm(torch.ones(2), "bad"),
        lambda: torch.norm(torch.zeros(0), math.inf),
    ):
        with pytest.raises(RuntimeError):
            function()


@pytest.mark.parametrize("dim", [None, 1])
@pytest.mark.parametrize("order", [1, float("inf"), float("-inf")])
def test_what_is_no_number_has_no_slope(order: float, dim: int | None, oracle: Any) -> None:
    found = []
    for t in (oracle, torch):
        x = t.tensor([[1.0, float("nan"), 2.0], [1.0, 2.0, 3.0]], requires_grad=True)
        t.linalg.vector_norm(x, order, dim).sum().backward()
        found.append(x.grad.tolist())
    assert found[0] == found[1]


def test_a_wider_norm_finds_its_greatest_element(oracle: Any) -> None:
    found = []
    for t in (oracle, torch):
        x = t.tensor([1 + 2j, 3.3j, 0.5 - 0.1j], dtype=t.complex64, requires_grad=True)
        t.linalg.vector_norm(x, float("inf"), dtype=t.complex128).backward()
        found.append(x.grad.tolist())
    assert found[0] == found[1]
