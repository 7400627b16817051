"""`torch.distributed` in a lone process: what asks first is told that there are no others."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau import distributed as dist
from flambeau.distributed.optim import ZeroRedundancyOptimizer


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def test_a_lone_process_is_told_so(monkeypatch):
    assert not dist.is_available() and not dist.is_initialized()
    assert not (dist.is_mpi_available() or dist.is_nccl_available())
    assert dist.Backend("GLOO") == dist.Backend.GLOO
    assert dist.group.WORLD is None
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert dist.is_available()


@pytest.mark.parametrize("name", ["get_rank", "get_world_size", "barrier", "get_backend"])
def test_without_a_group_calls_raise_as_in_pytorch(name):
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        getattr(dist, name)()


def test_a_sampler_needs_no_group_when_told_everything():
    sampler = torch.utils.data.DistributedSampler(range(10), num_replicas=3, rank=1, shuffle=False)
    assert list(sampler) == [1, 4, 7, 0]


def test_what_spreads_over_processes_says_that_there_is_no_group():
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="Default process group"):
        torch.nn.parallel.DistributedDataParallel(layer)
    with pytest.raises(ValueError, match="Default process group"):
        ZeroRedundancyOptimizer(layer.parameters(), torch.optim.SGD, lr=0.1)
