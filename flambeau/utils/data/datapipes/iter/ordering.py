"""Pipes that change the order of samples, or take a part of them: by a sampler, shuffled through a
buffer, a worker's share."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from typing import Any

import flambeau
from flambeau.utils.data.datapipes.datapipe import IterDataPipe, functional_datapipe
from flambeau.utils.data.sampler import Sampler, SequentialSampler

__all__ = [
    "SHARDING_PRIORITIES",
    "SamplerIterDataPipe",
    "ShardingFilterIterDataPipe",
    "ShufflerIterDataPipe",
]


class SHARDING_PRIORITIES(enum.IntEnum):
    """Between whom samples are shared out."""

    DEFAULT = 1
    DISTRIBUTED = 2
    MULTIPROCESSING = 3


class SamplerIterDataPipe(IterDataPipe):
    """What a sampler makes of a pipe.

    Args:
        sampler: its class. sampler_args, sampler_kwargs: what it takes besides the pipe.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        sampler: type[Sampler] = SequentialSampler,
        sampler_args: tuple[Any, ...] | None = None,
        sampler_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(datapipe, flambeau.utils.data.Dataset) or not hasattr(
            type(datapipe), "__len__"
        ):
            raise AssertionError("Sampler class requires input datapipe implemented `__len__`")
        super().__init__()
        self.datapipe = datapipe
        self.sampler_args, self.sampler_kwargs = sampler_args or (), sampler_kwargs or {}
        kind: Any = sampler
        self.sampler = kind(*self.sampler_args, data_source=datapipe, **self.sampler_kwargs)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.sampler)

    def __len__(self) -> int:
        return len(self.sampler)


@functional_datapipe("shuffle")
class ShufflerIterDataPipe(IterDataPipe):
    """Samples in any order: each is drawn from a buffer that is filled up again.

    Args:
        buffer_size: how many are waiting. unbatch_level: open batches first, so deep.

    Raises:
        AssertionError: `buffer_size` is not above 0.
    """

    def __init__(
        self, datapipe: IterDataPipe, *, buffer_size: int = 10000, unbatch_level: int = 0
    ) -> None:
        super().__init__()
        if buffer_size <= 0:
            raise AssertionError("buffer_size should be larger than 0")
        self.datapipe = datapipe if unbatch_level == 0 else datapipe.unbatch(unbatch_level)
        self.buffer_size = buffer_size
        self._buffer: list[Any] = []
        self._enabled = True
        self._seed: int | None = None
        self._rng = random.Random()

    def set_shuffle(self, shuffle: bool = True) -> ShufflerIterDataPipe:
        """Shuffle, or leave the order."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> ShufflerIterDataPipe:
        """The next pass's seed."""
        self._seed = seed
        return self

    def __iter__(self) -> Iterator[Any]:
        if not self._enabled:
            yield from self.datapipe
            return
        for sample in self.datapipe:
            if len(self._buffer) == self.buffer_size:
                k = self._rng.randint(0, len(self._buffer) - 1)
                found, self._buffer[k] = self._buffer[k], sample
                yield found
            else:
                self._buffer.append(sample)
        while self._buffer:
            yield self._buffer.pop(self._rng.randint(0, len(self._buffer) - 1))

    def __len__(self) -> int:
        if hasattr(type(self.datapipe), "__len__"):
            return len(self.datapipe)  # type: ignore[arg-type]
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")

    def reset(self) -> None:
        """Empty the buffer and seed the generator: from PyTorch's, unless a seed was set."""
        self._buffer = []
        if not self._enabled:
            return
        if self._seed is None:
            self._seed = int(flambeau.empty((), dtype=flambeau.int64).random_().item())
        self._rng.seed(self._seed)
        self._seed = None


@functional_datapipe("sharding_filter")
class ShardingFilterIterDataPipe(IterDataPipe):
    """Every n-th sample: a worker's share.

    Args:
        sharding_group_filter: share out between these alone.
    """

    def __init__(self, source_datapipe: IterDataPipe, sharding_group_filter: Any = None) -> None:
        self.source_datapipe = source_datapipe
        self.sharding_group_filter = sharding_group_filter
        self.groups: dict[int, tuple[int, int]] = {}
        self.num_of_instances, self.instance_id = 1, 0

    def apply_sharding(
        self,
        num_of_instances: int,
        instance_id: int,
        sharding_group: SHARDING_PRIORITIES = SHARDING_PRIORITIES.DEFAULT,
    ) -> None:
        """Take a share.

        Args:
            num_of_instances: how many there are. instance_id: which is this one.
            sharding_group: between whom.

        Raises:
            ValueError: there is no such share.
            RuntimeError: it was shared out between all before, and now between some, or the
                other way round.
        """
        if instance_id >= num_of_instances:
            raise ValueError(
                f"instance_id({instance_id}) should be smaller than num_of_instances"
                f"({num_of_instances})"
            )
        default = SHARDING_PRIORITIES.DEFAULT
        others = set(self.groups) - {sharding_group}
        if others and (sharding_group == default or default in others):
            raise RuntimeError("ShardingFilter cannot mix DEFAULT and non DEFAULT groups")
        self.groups[sharding_group] = (num_of_instances, instance_id)
        self._update_num_of_instances()

    def _update_num_of_instances(self) -> None:
        chosen = self.sharding_group_filter
        kept = [self.groups[key] for key in sorted(self.groups) if chosen in (None, key)]
        self.num_of_instances, self.instance_id = 1, 0
        for count, number in kept[::-1]:
            self.instance_id += self.num_of_instances * number
            self.num_of_instances *= count

    def __iter__(self) -> Iterator[Any]:
        for k, sample in enumerate(self.source_datapipe):
            if k % self.num_of_instances == self.instance_id:
                yield sample

    def __len__(self) -> int:
        if not hasattr(type(self.source_datapipe), "__len__"):
            raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
        count = len(self.source_datapipe)  # type: ignore[arg-type]
        return count // self.num_of_instances + (self.instance_id < count % self.num_of_instances)
