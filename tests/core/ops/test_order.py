"""Medians, modes, quantiles."""

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
        lambda x: x.median(),
        lambda x: x.median(1)[0],
        lambda x: x.nanmedian(0, True)[0],
        lambda x: x.mode(1)[0],
        lambda x: x.quantile(0.3),
        lambda x: x.nanquantile(0.7, 1, True),
    ],
)
def test_gradients(function):
    x = drawn(2, 3)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_median_is_the_lower_one():
    assert torch.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2
    assert math.isnan(torch.tensor([1.0, math.nan]).median().item())
    assert torch.tensor([5.0, 1.0, math.nan]).nanmedian().item() == 1


def test_mode_is_the_smallest_most_frequent():
    found = torch.tensor([3, 1, 3, 1, 2]).mode()
    assert (found.values.item(), found.indices.item()) == (1, 3)


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles(method):
    x = drawn(4, 5).detach()
    q = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    expected = np.quantile(x.numpy(), q.numpy(), axis=1, method=method)
    np.testing.assert_allclose(x.quantile(q, 1, interpolation=method).numpy(), expected)


def test_errors():
    with pytest.raises(RuntimeError):
        torch.tensor([1, 2]).quantile(0.5)
    with pytest.raises(RuntimeError):
        torch.tensor([1.0]).quantile(2.0)
    with pytest.raises(IndexError):
        torch.zeros(0, 2).median(0)
