"""Orders: stability, NaN, selections, errors."""

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
        lambda x: x.sort(0)[0],
        lambda x: x.sort(descending=True)[0],
        lambda x: x.topk(2)[0],
        lambda x: x.topk(1, 0, largest=False)[0],
        lambda x: x.kthvalue(2)[0],
        lambda x: x.msort(),
    ],
)
def test_gradients(function):
    x = drawn(2, 3)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_stable_both_ways_with_nan_on_top():
    x = torch.tensor([1.0, math.nan, 2.0, 1.0])
    assert x.argsort(stable=True).tolist() == [0, 3, 2, 1]
    assert x.argsort(descending=True).tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize("size", [7, 200])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_is_the_head_of_sort(size, largest):
    x = drawn(3, size).detach()
    found, ordered = x.topk(3, largest=largest), x.sort(descending=largest)
    assert found.values.tolist() == ordered.values[:, :3].tolist()
    assert found.indices.tolist() == ordered.indices[:, :3].tolist()


def test_errors():
    x = drawn(2, 3)
    for function in (
        lambda: x.topk(4),
        lambda: x.kthvalue(0),
        lambda: torch.zeros(2, dtype=torch.complex64).sort(),
    ):
        with pytest.raises(RuntimeError):
            function()


def test_truth_has_no_rank(oracle):
    for t in (oracle, torch):
        x = t.tensor([True, False, True])
        for select in (lambda: x.topk(1), lambda: x.to(t.complex64).topk(1)):  # noqa: B023
            with pytest.raises(RuntimeError):
                select()
        for select in (lambda: x.kthvalue(1), x.median, lambda: x.median(0), x.nanmedian):  # noqa: B023
            with pytest.raises(NotImplementedError):
                select()
        assert x.sort().values.tolist() == [False, True, True]
