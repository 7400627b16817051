"""Pipes of batches: samples in rows, batches opened, samples of one key together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flambeau.utils.data.datapipes.datapipe import DataChunk, IterDataPipe, functional_datapipe
from flambeau.utils.data.datapipes.utils.common import check_can_be_pickled

__all__ = ["BatcherIterDataPipe", "GrouperIterDataPipe", "UnBatcherIterDataPipe"]


@functional_datapipe("batch")
class BatcherIterDataPipe(IterDataPipe):
    """Samples in batches.

    Args:
        batch_size: how many. drop_last: leave out the last ones if they are fewer.
        wrapper_class: what holds a batch.

    Raises:
        AssertionError: `batch_size` is not above 0.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        batch_size: int,
        drop_last: bool = False,
        wrapper_class: type[DataChunk] = DataChunk,
    ) -> None:
        if batch_size <= 0:
            raise AssertionError("Batch size is required to be larger than 0!")
        super().__init__()
        self.datapipe, self.batch_size, self.drop_last = datapipe, batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __iter__(self) -> Iterator[DataChunk]:
        batch: list[Any] = []
        for sample in self.datapipe:
            batch.append(sample)
            if len(batch) == self.batch_size:
                yield self.wrapper_class(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.wrapper_class(batch)

    def __len__(self) -> int:
        if not hasattr(type(self.datapipe), "__len__"):
            raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
        count = len(self.datapipe)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


@functional_datapipe("unbatch")
class UnBatcherIterDataPipe(IterDataPipe):
    """The members of batches.

    Args:
        unbatch_level: how deep; -1: as far as lists go.

    Raises:
        ValueError: when read: another level. IndexError: batches are not as deep.
    """

    def __init__(self, datapipe: IterDataPipe, unbatch_level: int = 1) -> None:
        self.datapipe, self.unbatch_level = datapipe, unbatch_level

    def __iter__(self) -> Iterator[Any]:
        for element in self.datapipe:
            yield from self._dive(element, self.unbatch_level)

    def _dive(self, element: Any, unbatch_level: int) -> Iterator[Any]:
        if unbatch_level < -1:
            raise ValueError("unbatch_level must be -1 or >= 0")
        is_batch = isinstance(element, (list, DataChunk))
        if unbatch_level == 0 or (unbatch_level == -1 and not is_batch):
            yield element
        elif is_batch:
            for item in element:
                yield from self._dive(item, max(unbatch_level - 1, -1))
        else:
            raise IndexError(
                f"unbatch_level {self.unbatch_level} exceeds the depth of the DataPipe"
            )


@functional_datapipe("groupby")
class GrouperIterDataPipe(IterDataPipe):
    """Samples of one key together.

    Args:
        group_key_fn: a sample's key. keep_key: give (key, samples).
        buffer_size: how many samples wait for others of their key; where there are more, the
            largest group goes.
        group_size: how many make a group; None: all that fit.
        guaranteed_group_size: fewer than so many do not go early.
        drop_remaining: leave out what is too few when the buffer is full.

    Raises:
        RuntimeError: when read: the buffer is full of groups too small.
        AssertionError: sizes that do not fit each other.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        group_key_fn: Callable[[Any], Any],
        *,
        keep_key: bool = False,
        buffer_size: int = 10000,
        group_size: int | None = None,
        guaranteed_group_size: int | None = None,
        drop_remaining: bool = False,
    ) -> None:
        check_can_be_pickled(group_key_fn)
        self.datapipe, self.group_key_fn, self.keep_key = datapipe, group_key_fn, keep_key
        self.max_buffer_size, self.group_size = buffer_size, group_size
        self.guaranteed_group_size: int | None = None
        if group_size is not None and buffer_size is not None:
            if not 0 < group_size <= buffer_size:
                raise AssertionError("group_size must be > 0 and <= buffer_size")
            self.guaranteed_group_size = group_size
        if guaranteed_group_size is not None:
            if group_size is None or not 0 < guaranteed_group_size <= group_size:
                raise AssertionError(
                    "guaranteed_group_size must be > 0 and <= group_size and group_size must be set"
                )
            self.guaranteed_group_size = guaranteed_group_size
        self.drop_remaining = drop_remaining
        self.wrapper_class = DataChunk

    def _largest(self, groups: dict[Any, list[Any]]) -> tuple[Any, list[Any] | None]:
        """Take the largest group out: its key, and its samples if they are enough."""
        key = max(groups, key=lambda k: len(groups[k]))
        members = groups.pop(key)
        enough = self.guaranteed_group_size
        if enough is not None and len(members) < enough and not self.drop_remaining:
            raise RuntimeError(
                f"Failed to group items: a group of {len(members)} has to go and {enough} are "
                f"guaranteed. Make buffer_size larger than {self.max_buffer_size}."
            )
        return key, members if enough is None or len(members) >= enough else None

    def _made(self, key: Any, members: list[Any]) -> Any:
        found = self.wrapper_class(members)
        return (key, found) if self.keep_key else found

    def __iter__(self) -> Iterator[Any]:
        groups: dict[Any, list[Any]] = {}
        waiting = 0
        for sample in self.datapipe:
            key = self.group_key_fn(sample)
            groups.setdefault(key, []).append(sample)
            waiting += 1
            if self.group_size is not None and len(groups[key]) == self.group_size:
                members = groups.pop(key)
                waiting -= len(members)
                yield self._made(key, members)
            if waiting == self.max_buffer_size:
                before = sum(map(len, groups.values()))
                gone, biggest = self._largest(groups)
                waiting -= before - sum(map(len, groups.values()))
                if biggest is not None:
                    yield self._made(gone, biggest)
        for key in tuple(groups):
            members = groups.pop(key)
            yield self._made(key, members)
