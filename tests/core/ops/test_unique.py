"""Sets and searches."""

from __future__ import annotations

import pytest

import flambeau as torch


def test_unique():
    values, inverse, counts = torch.unique(
        torch.tensor([3, 1, 2, 1]), return_inverse=True, return_counts=True
    )
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == (
        [1, 2, 3],
        [2, 0, 1, 0],
        [2, 1, 1],
    )
    assert torch.unique(torch.tensor([[2, 1], [2, 1], [0, 5]]), dim=0).tolist() == [[0, 5], [2, 1]]
    assert torch.unique_consecutive(torch.tensor([1, 1, 2, 1])).tolist() == [1, 2, 1]


def test_search():
    edges = torch.tensor([1.0, 2.0, 3.0])
    x = torch.tensor([0.0, 2.0, 5.0])
    assert torch.bucketize(x, edges).tolist() == [0, 1, 3]
    assert torch.searchsorted(edges, x, right=True).tolist() == [0, 2, 3]
    assert torch.searchsorted(torch.stack([edges, edges + 1]), torch.stack([x, x])).tolist() == [
        [0, 1, 3],
        [0, 0, 3],
    ]
    with pytest.raises(RuntimeError):
        torch.searchsorted(edges, x, right=True, side="left")


def test_isin():
    x = torch.tensor([1, 2, 3])
    assert torch.isin(x, torch.tensor([3, 1])).tolist() == [True, False, True]
    assert torch.isin(x, 2, invert=True).tolist() == [True, False, True]
