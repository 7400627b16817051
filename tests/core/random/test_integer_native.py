"""Permutations and integers by generated code: PyTorch's numbers, across the stream's blocks."""

from __future__ import annotations

import pytest

import flambeau as torch


@pytest.mark.parametrize("n", [1, 2, 3, 16, 623, 624, 625, 5000])
def test_permutations(n, oracle):
    def run(t):
        t.manual_seed(n)
        return [t.randperm(n).tolist(), t.randperm(n, dtype=t.int32).tolist(), t.rand(3).tolist()]

    assert run(torch) == run(oracle)


RANGES = [(0, 10), (-5, 7), (0, 1 << 27), (-(1 << 40), 100 - (1 << 40)), (0, (1 << 28) - 1)]


@pytest.mark.parametrize("low, high", RANGES)
@pytest.mark.parametrize("shape", [(3,), (4, 4), (3000,), (0,)])
def test_integers(low, high, shape, oracle):
    def run(t):
        t.manual_seed(1)
        found = t.randint(low, high, shape)
        return [found.tolist(), found.random_(low, high).tolist(), t.rand(3).tolist()]

    assert run(torch) == run(oracle)
