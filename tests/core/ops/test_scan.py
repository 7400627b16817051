"""Running sums, products and extremes."""

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
        lambda x: x.cumsum(1),
        lambda x: x.cumprod(0),
        lambda x: x.logcumsumexp(1),
        lambda x: x.cummax(1)[0],
        lambda x: x.cummin(0)[0],
    ],
)
def test_gradients(function):
    x = drawn(2, 3)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_integers_and_in_place():
    x = torch.tensor([1, 2, 3], dtype=torch.int32)
    assert x.cumsum(0).dtype is torch.int64
    assert x.cumsum_(0).tolist() == [1, 3, 6] and x.dtype is torch.int32


def test_single_accumulates_in_double():
    x = torch.full((100_000,), 0.1)
    assert abs(x.cumsum(0)[-1].item() - 10_000) < 0.002


def test_cummax_names_the_last_of_equal_ones_and_nan_stays():
    values, indices = torch.tensor([1.0, 1.0, math.nan, 2.0]).cummax(0)
    assert indices.tolist() == [0, 1, 2, 2] and math.isnan(values[3].item())


def test_complex_logarithms_of_sums_accumulate_in_double(oracle):
    values = [complex(math.sin(k) * 1e-3, math.cos(k)) for k in range(4000)]
    ours = torch.tensor(values, dtype=torch.complex64).logcumsumexp(0).tolist()
    theirs = oracle.tensor(values, dtype=oracle.complex64).logcumsumexp(0).tolist()
    assert all(abs(a - b) <= 1e-6 * abs(b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_gradients_of_halves_accumulate_in_single(oracle, kind):
    found = []
    for t in (oracle, torch):
        x = (t.arange(200.0).sin() * 3).to(getattr(t, kind)).requires_grad_()
        g = (t.arange(200.0).cos() * 3).to(getattr(t, kind))
        found.append(t.autograd.grad(x.cumsum(0), x, g)[0].tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(5,), (7, 9), (3, 40, 5), (4, 0)])
@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_running_sums_of_complex_numbers(oracle, shape, dtype):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    for dim in range(len(shape)):
        for given, wanted in (
            (torch.tensor(x), oracle.tensor(x)),
            (torch.tensor(x).transpose(0, -1), oracle.tensor(x).transpose(0, -1)),
        ):
            found, expected = given.cumsum(dim), wanted.cumsum(dim)
            assert found.stride() == expected.stride()
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)
