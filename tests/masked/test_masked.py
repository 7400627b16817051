"""Masked reductions and normalizations on small rows."""

from __future__ import annotations

import math

import pytest

import flambeau as torch
from flambeau.autograd import gradcheck

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
M = [[True, False, True], [False, False, False]]


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("sum", [4.0, 0.0]),
        ("prod", [3.0, 1.0]),
        ("amax", [3.0, -math.inf]),
        ("amin", [1.0, math.inf]),
        ("mean", [2.0, math.nan]),
        ("median", [1.0, math.nan]),
        ("logsumexp", [math.log(math.e + math.e**3), -math.inf]),
        ("argmax", [2.0, 0.0]),
        ("var", [2.0, math.nan]),
    ],
)
def test_reductions_see_only_what_the_mask_lets_through(name, want):
    found = getattr(torch.masked, name)(torch.tensor(X), 1, mask=torch.tensor(M))
    torch.testing.assert_close(found, torch.tensor(want), equal_nan=True)


def test_normalizations_keep_the_shape():
    x, mask = torch.tensor(X[0]), torch.tensor(M[0])
    half = torch.tensor([1.0, 3.0]).softmax(0)
    torch.testing.assert_close(torch.masked.softmax(x, 0, mask=mask)[[0, 2]], half)
    assert torch.masked.cumsum(x, 0, mask=mask).tolist() == [1.0, 1.0, 4.0]
    assert torch.masked.cumprod(x, 0, mask=mask).tolist() == [1.0, 1.0, 3.0]
    assert torch.masked.normalize(x, 1.0, 0, mask=mask).tolist() == [0.25, 0.0, 0.75]


def test_the_mask_broadcasts_and_gradients_stop_at_it():
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([True, False, True])
    assert gradcheck(lambda t: torch.masked.std(t, 1, mask=mask), (x,))
    torch.masked.sum(x, mask=mask).backward()
    assert x.grad.tolist() == [[1.0, 0.0, 1.0]] * 2


def test_integers_add_up_in_int64_and_have_no_mean():
    small = torch.tensor([1, 2], dtype=torch.int8)
    assert torch.masked.sum(small).dtype is torch.int64
    with pytest.raises(ValueError, match="floating point"):
        torch.masked.mean(small)


def test_a_mask_of_more_dimensions_is_refused():
    with pytest.raises(IndexError, match="more than"):
        torch.masked.sum(torch.ones(2), mask=torch.ones(1, 2, dtype=torch.bool))
