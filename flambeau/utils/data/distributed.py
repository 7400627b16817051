"""The sampler that gives each process of a distributed run its own part of the dataset.

Stands on `sampler`; asks `flambeau.distributed` for rank and world size only where they are not
given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index, starting at `rank`, of one permutation that all processes
    share.

    Call `set_epoch` before each epoch, else every epoch has the same order.

    Args:
        dataset: what is sampled; the same in every process.
        num_replicas: how many processes; the world size if None.
        rank: which of them this is; the process' rank if None.
        shuffle: permute; else ascending.
        seed: of the permutation, the same in every process.
        drop_last: leave out what does not divide evenly; else indices are repeated to fill up.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None:
            num_replicas = flambeau.distributed.get_world_size()
        if rank is None:
            rank = flambeau.distributed.get_rank()
        if not 0 <= rank < num_replicas:
            raise fail(
                ValueError,
                "DistributedSampler",
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]",
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        size = len(dataset)
        uneven = drop_last and size % num_replicas != 0
        self.num_samples = math.ceil((size - num_replicas if uneven else size) / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        size = len(self.dataset)
        if self.shuffle:
            generator = flambeau.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = flambeau.randperm(size, generator=generator).tolist()
        else:
            indices = list(range(size))
        if self.drop_last:
            indices = indices[: self.total_size]
        elif indices:
            indices = (indices * math.ceil(self.total_size / size))[: self.total_size]
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """The next pass permutes by ``seed + epoch``."""
        self.epoch = epoch
