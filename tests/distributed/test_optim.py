"""Optimizers over processes."""

import pytest

import flambeau as torch
from flambeau.distributed.optim import ZeroRedundancyOptimizer


def test_a_spread_optimizer_says_what_to_do():
    with pytest.raises(RuntimeError, match="Build the SGD itself"):
        ZeroRedundancyOptimizer(torch.nn.Linear(2, 2).parameters(), torch.optim.SGD, lr=0.1)
