"""Indexed data pipes by PyTorch's names; each is also a method of every indexed pipe."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import flambeau
from flambeau.utils.data.datapipes.datapipe import (
    DataChunk,
    IterDataPipe,
    MapDataPipe,
    functional_datapipe,
)
from flambeau.utils.data.datapipes.utils.common import check_can_be_pickled

__all__ = ["Batcher", "Concater", "Mapper", "SequenceWrapper", "Shuffler", "Zipper"]


def _itself(data: Any) -> Any:
    return data


@functional_datapipe("map")
class MapperMapDataPipe(MapDataPipe):
    """A function of each sample; itself without one."""

    def __init__(self, datapipe: MapDataPipe, fn: Callable[..., Any] = _itself) -> None:
        super().__init__()
        self.datapipe = datapipe
        check_can_be_pickled(fn)
        self.fn = fn

    def __len__(self) -> int:
        return len(self.datapipe)  # type: ignore[arg-type]

    def __getitem__(self, index: Any) -> Any:
        return self.fn(self.datapipe[index])


def _check_sized(pipes: tuple[Any, ...]) -> None:
    if not pipes:
        raise ValueError("Expected at least one DataPipe, but got nothing")
    if not all(isinstance(pipe, MapDataPipe) for pipe in pipes):
        raise TypeError("Expected all inputs to be `MapDataPipe`")
    if not all(hasattr(type(pipe), "__len__") for pipe in pipes):
        raise TypeError("Expected all inputs to be `Sized`")


@functional_datapipe("concat")
class ConcaterMapDataPipe(MapDataPipe):
    """One pipe after the other.

    Raises:
        ValueError: there is none. TypeError: something else is given.
    """

    def __init__(self, *datapipes: MapDataPipe) -> None:
        _check_sized(datapipes)
        self.datapipes: tuple[Any, ...] = datapipes

    def __getitem__(self, index: Any) -> Any:
        k = index
        for pipe in self.datapipes:
            if k < len(pipe):
                return pipe[k]
            k -= len(pipe)
        raise IndexError(f"Index {index} is out of range.")

    def __len__(self) -> int:
        return sum(len(pipe) for pipe in self.datapipes)


@functional_datapipe("zip")
class ZipperMapDataPipe(MapDataPipe):
    """Tuples of the samples of each at a place.

    Raises:
        ValueError: there is none. TypeError: something else is given.
    """

    def __init__(self, *datapipes: MapDataPipe) -> None:
        _check_sized(datapipes)
        self.datapipes: tuple[Any, ...] = datapipes

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        found = []
        for pipe in self.datapipes:
            try:
                found.append(pipe[index])
            except IndexError as error:
                raise IndexError(
                    f"Index {index} is out of range for one of the input MapDataPipes {pipe}."
                ) from error
        return tuple(found)

    def __len__(self) -> int:
        return min(len(pipe) for pipe in self.datapipes)


@functional_datapipe("batch")
class BatcherMapDataPipe(MapDataPipe):
    """Samples in batches.

    Args:
        batch_size: how many. drop_last: leave out the last ones if they are fewer.
        wrapper_class: what holds a batch.

    Raises:
        AssertionError: `batch_size` is not above 0.
    """

    def __init__(
        self,
        datapipe: MapDataPipe,
        batch_size: int,
        drop_last: bool = False,
        wrapper_class: type[DataChunk] = DataChunk,
    ) -> None:
        if batch_size <= 0:
            raise AssertionError("Batch size is required to be larger than 0!")
        super().__init__()
        self.datapipe: Any = datapipe
        self.batch_size, self.drop_last = batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __getitem__(self, index: Any) -> DataChunk:
        places = range(index * self.batch_size, (index + 1) * self.batch_size)
        count = len(self.datapipe)
        if places.stop <= count or (places.start < count and not self.drop_last):
            return self.wrapper_class([self.datapipe[k] for k in places if k < count])
        raise IndexError(f"Index {index} is out of bound.")

    def __len__(self) -> int:
        count = len(self.datapipe)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class ShufflerIterDataPipe(IterDataPipe):
    """The samples in any order: an iterated pipe.

    Args:
        indices: their places or keys, where these are not 0, 1, 2, ...
    """

    def __init__(self, datapipe: MapDataPipe, *, indices: list[Any] | None = None) -> None:
        super().__init__()
        self.datapipe: Any = datapipe
        self.indices = list(range(len(self.datapipe))) if indices is None else indices
        self._enabled = True
        self._seed: int | None = None
        self._rng = random.Random()
        self._shuffled_indices: list[Any] = self.indices

    def set_shuffle(self, shuffle: bool = True) -> ShufflerIterDataPipe:
        """Shuffle, or leave the order."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> ShufflerIterDataPipe:
        """The next pass's seed."""
        self._seed = seed
        return self

    def __iter__(self) -> Iterator[Any]:
        for k in reversed(self._shuffled_indices) if self._enabled else self.indices:
            yield self.datapipe[k]

    def reset(self) -> None:
        """Another order: seeded from PyTorch's generator, unless a seed was set."""
        if not self._enabled:
            return
        if self._seed is None:
            self._seed = int(flambeau.empty((), dtype=flambeau.int64).random_().item())
        self._rng.seed(self._seed)
        self._seed = None
        self._shuffled_indices = self._rng.sample(self.indices, len(self.indices))

    def __len__(self) -> int:
        return len(self.datapipe)


MapDataPipe.register_datapipe_as_function("shuffle", ShufflerIterDataPipe)


class SequenceWrapperMapDataPipe(MapDataPipe):
    """A pipe over anything that can be indexed.

    Args:
        deepcopy: keep a copy, which nobody else changes.
    """

    def __init__(self, sequence: Any, deepcopy: bool = True) -> None:
        self.sequence = sequence
        if deepcopy:
            try:
                self.sequence = copy.deepcopy(sequence)
            except TypeError:
                warnings.warn(
                    "The input sequence can not be deepcopied, please be aware of in-place "
                    "modification would affect source data",
                    stacklevel=2,
                )

    def __getitem__(self, index: Any) -> Any:
        return self.sequence[index]

    def __len__(self) -> int:
        return len(self.sequence)


Batcher = BatcherMapDataPipe
Concater = ConcaterMapDataPipe
Mapper = MapperMapDataPipe
SequenceWrapper = SequenceWrapperMapDataPipe
Shuffler = ShufflerIterDataPipe
Zipper = ZipperMapDataPipe
