"""Sums, products, means and truth: values, dtypes, gradients of both orders."""

from __future__ import annotations

import itertools
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
        lambda x: x.sum(),
        lambda x: x.sum((0, 2), True),
        lambda x: x.mean(1),
        lambda x: x.nansum(1),
        lambda x: x.prod(),
        lambda x: x.prod(1),
        lambda x: x.logsumexp((0, 1)),
        lambda x: x.nanmean(),
    ],
)
def test_gradients(function):
    x = drawn(2, 3, 2)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("zeros", [1, 2])
@pytest.mark.parametrize(
    "function", [lambda x: x.prod(), lambda x: x.prod(0), lambda x: x.cumprod(0)]
)
def test_products_with_zeros(function, zeros):
    values = np.linspace(-2, 2.5, 5)
    values[:zeros] = 0
    x = torch.tensor(values, requires_grad=True)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_integers_become_int64_unless_asked():
    x = torch.tensor([200, 100], dtype=torch.uint8)
    assert x.sum().dtype is torch.int64 and x.sum().item() == 300
    assert x.sum(dtype=torch.int32).dtype is torch.int32
    with pytest.raises(RuntimeError):
        x.mean()
    assert x.any().dtype is torch.uint8


def test_half_accumulates_in_single():
    x = torch.full((5000,), 1.0, dtype=torch.float16)
    assert x.sum().item() == 5000
    assert x.mean().item() == 1


def test_long_leading_dimension_keeps_its_precision():
    x = np.full((300_000, 2), 0.1, np.float32)
    assert abs(torch.tensor(x).sum(0)[0].item() / (float(np.float32(0.1)) * 300_000) - 1) < 1e-6


def test_empty_dimensions():
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert x.sum(()).shape == () and x.any(()).shape == (2, 2)
    assert torch.zeros(0).sum().item() == 0 and torch.zeros(0).prod().item() == 1
    assert math.isnan(torch.zeros(0).mean().item())


def test_results_are_in_order():
    assert torch.zeros(2, 3, 4).permute(2, 1, 0).sum(1).stride() == (2, 1)


def test_logsumexp_of_infinities():
    inf = float("inf")
    assert torch.tensor([-inf, -inf]).logsumexp(0).item() == -inf
    assert torch.tensor([inf, 1.0]).logsumexp(0).item() == inf


def test_names_of_nodes():
    x = drawn(2, 2)
    assert x.sum().grad_fn.name() == "SumBackward0"
    assert x.sum(1).grad_fn.name() == "SumBackward1"
    assert x.prod(1).grad_fn.name() == "ProdBackward1"


def test_meta():
    x = torch.empty(2, 3, device="meta")
    assert x.sum(1).shape == (2,) and x.mean((0, 1), keepdim=True).shape == (1, 1)


@pytest.mark.parametrize("name", ["sum", "nansum", "prod", "cumsum", "cumprod"])
@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "int32", "int64", "float32"])
def test_whole_numbers_are_summed_in_int64(name, kind, oracle):
    for shape, dim in itertools.product(((2, 3), (0,), ()), ((), (0,), (-1,))):
        if name.startswith("cum") and not dim:
            continue
        found = []
        for t in (torch, oracle):
            x = (t.arange(math.prod(shape)).reshape(shape) + 1).to(getattr(t, kind))
            y = getattr(t, name)(x, *dim)
            found.append((str(y.dtype), y.shape, y.tolist()))
        assert found[0] == found[1], (shape, dim)


@pytest.mark.parametrize("size", [1, 63, 64, 1000, 20001])
def test_sums_of_complex_numbers(oracle, size):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(size) + 1j * rng.standard_normal(size)).astype("c8")
    for call in (lambda t: t.sum(), lambda t: t.sum(0, keepdim=True), lambda t: t[::2].sum()):
        found, wanted = call(torch.tensor(x)), call(oracle.tensor(x))
        assert found.shape == wanted.shape and found.is_complex()
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-3)
