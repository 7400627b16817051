"""Counts in bins."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch


def test_bincount():
    x = torch.tensor([1, 2, 2])
    assert torch.bincount(x, minlength=4).tolist() == [0, 1, 2, 0]
    assert torch.bincount(x, torch.tensor([0.5, 1.0, 1.0])).tolist() == [0, 0.5, 2]
    with pytest.raises(RuntimeError):
        torch.bincount(-x)


def test_histc():
    x = torch.tensor([0.0, 1.0, 2.0, 3.0, 9.0])
    assert torch.histc(x, 3, 0, 3).tolist() == [1, 1, 2]
    with pytest.raises(RuntimeError):
        torch.histc(x, 0)


@pytest.mark.parametrize("density", [False, True])
def test_histograms(density):
    x = np.random.RandomState(0).rand(50, 2)
    hist, edges = torch.histogramdd(
        torch.tensor(x), [3, 4], range=[0.0, 1.0, 0.0, 0.5], density=density
    )
    expected, grid = np.histogramdd(x, [3, 4], [(0, 1), (0, 0.5)], density=density)
    np.testing.assert_allclose(hist.numpy(), expected)
    np.testing.assert_allclose(edges[1].numpy(), grid[1])
    found = torch.histogram(
        torch.tensor(x), torch.tensor([0.0, 0.1, 1.0], dtype=torch.float64), density=density
    )
    np.testing.assert_allclose(found.hist.numpy(), np.histogram(x, [0, 0.1, 1], density=density)[0])
