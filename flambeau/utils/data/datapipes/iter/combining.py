"""Pipes of several pipes, and several of one: one after the other, side by side, in turns; the same
samples for each, or each its own kind."""

from __future__ import annotations

import copy as copies
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from flambeau.utils.data.datapipes.datapipe import IterDataPipe, functional_datapipe
from flambeau.utils.data.datapipes.utils.common import StreamWrapper, check_can_be_pickled

__all__ = [
    "ConcaterIterDataPipe",
    "DemultiplexerIterDataPipe",
    "ForkerIterDataPipe",
    "MultiplexerIterDataPipe",
    "ZipperIterDataPipe",
]


def _lengths(owner: Any, pipes: Any) -> list[int]:
    if all(hasattr(type(pipe), "__len__") for pipe in pipes):
        return [len(pipe) for pipe in pipes]
    raise TypeError(f"{type(owner).__name__} instance doesn't have valid length")


@functional_datapipe("concat")
class ConcaterIterDataPipe(IterDataPipe):
    """One pipe after the other.

    Raises:
        ValueError: there is none. TypeError: something else is given.
    """

    def __init__(self, *datapipes: IterDataPipe) -> None:
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("Expected all inputs to be `IterDataPipe`")
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for pipe in self.datapipes:
            yield from pipe

    def __len__(self) -> int:
        return sum(_lengths(self, self.datapipes))


@functional_datapipe("zip")
class ZipperIterDataPipe(IterDataPipe):
    """Tuples of one sample of each, as long as all have some.

    Raises:
        TypeError: something else than pipes is given.
    """

    def __init__(self, *datapipes: IterDataPipe) -> None:
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("All inputs are required to be `IterDataPipe` for `ZipIterDataPipe`.")
        super().__init__()
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        yield from zip(*self.datapipes, strict=False)

    def __len__(self) -> int:
        return min(_lengths(self, self.datapipes))


@functional_datapipe("mux")
class MultiplexerIterDataPipe(IterDataPipe):
    """One sample of each in turn, as long as all have some."""

    def __init__(self, *datapipes: IterDataPipe) -> None:
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for row in zip(*self.datapipes, strict=False):
            yield from row

    def __len__(self) -> int:
        return len(self.datapipes) * min(_lengths(self, self.datapipes))


class _Child(IterDataPipe):
    """One of several pipes that read one source."""

    _shared_source = True

    def __init__(self, main: _Source, number: int) -> None:
        self.main_datapipe, self.instance_id = main, number
        self._valid_iterator_id: Any = None

    def __iter__(self) -> _ChildIterator:
        main = self.main_datapipe
        if main.turn is None:
            main.turn = 0
        elif main.turn == self._valid_iterator_id:  # this one begins anew: so do all
            main.turn += 1
            if not main.is_every_instance_exhausted():
                warnings.warn(
                    "Some child DataPipes are not exhausted when __iter__ is called. The buffer "
                    "is emptied, and each child reads from the start again.",
                    UserWarning,
                    stacklevel=2,
                )
            main.reset()
        self._valid_iterator_id = main.turn
        return _ChildIterator(self)

    def __len__(self) -> int:
        return len(self.main_datapipe)

    def __repr__(self) -> str:
        return "_ChildDataPipe"

    __str__ = __repr__


class _ChildIterator:
    def __init__(self, child: _Child) -> None:
        self.child, self.turn = child, child._valid_iterator_id
        self.inner = child.main_datapipe.samples(child.instance_id)

    def __iter__(self) -> _ChildIterator:
        return self

    def __next__(self) -> Any:
        main = self.child.main_datapipe
        if self.turn != main.turn or self.child._valid_iterator_id != main.turn:
            raise RuntimeError(
                "This iterator has been invalidated, because a new iterator has been created from "
                f"one of the children of {main!r}."
            )
        return next(self.inner)


class _Source(IterDataPipe):
    """What several pipes read; keeps what some have read and others not yet."""

    def __init__(self, datapipe: IterDataPipe, num_instances: int, buffer_size: int) -> None:
        if num_instances < 1:
            raise ValueError(
                f"Expected `num_instances` larger than 0, but {num_instances} is found"
            )
        self.main_datapipe, self.num_instances = datapipe, num_instances
        self.buffer_size, self.turn = buffer_size, None
        if buffer_size < 0:
            warnings.warn(
                f"Unlimited buffer size is set for `{self.word}`, please be aware of OOM risks",
                UserWarning,
                stacklevel=4,
            )
        self.reset()

    word = ""
    turn: int | None

    def reset(self) -> None:
        """Begin anew."""
        self.source: Any = None
        self.ended = False
        self.queues: list[deque[Any]] = [deque() for _ in range(self.num_instances)]
        self.done = [False] * self.num_instances

    def is_every_instance_exhausted(self) -> bool:
        """Whether all have read all."""
        return self.ended and not any(self.queues)

    def waiting(self, reader: int) -> int:
        """How many samples are kept for others than the one who reads."""
        raise NotImplementedError

    def deal(self, sample: Any) -> None:
        """Give a sample to those who are to have it."""
        raise NotImplementedError

    def samples(self, number: int) -> Iterator[Any]:
        """What one child reads."""
        queue = self.queues[number]
        while True:
            while queue:
                yield queue.popleft()
            if self.ended:
                return
            if self.source is None:
                self.source = iter(self.main_datapipe)
            try:
                sample = next(self.source)
            except StopIteration:
                self.ended = True
                return
            self.deal(sample)
            if 0 <= self.buffer_size < self.waiting(number):
                raise BufferError(
                    f"{type(self).__name__} buffer overflow, buffer size {self.buffer_size} is "
                    "insufficient."
                )

    def __getstate__(self) -> Any:
        kept = super().__getstate__()
        if isinstance(kept, dict):
            empty = {"source": None, "ended": False, "turn": None}
            kept = kept | empty | {"queues": [deque() for _ in self.queues]}
        return kept


class _ForkerIterDataPipe(_Source):
    word = "fork"

    def __init__(
        self, datapipe: IterDataPipe, num_instances: int, buffer_size: int, copy: str | None
    ) -> None:
        forms: dict[Any, Callable[[Any], Any]] = {
            None: lambda x: x, "shallow": copies.copy, "deep": copies.deepcopy,
        }  # fmt: skip
        if copy not in forms:
            raise ValueError(
                f"Unknown copy method `{copy}` requested, choose one of None, `shallow` or `deep`."
            )
        self.copy = copy
        super().__init__(datapipe, num_instances, buffer_size)

    def waiting(self, reader: int) -> int:
        return max(map(len, self.queues))

    def deal(self, sample: Any) -> None:
        for queue in self.queues:
            made = sample
            if self.copy is not None:
                made = copies.copy(sample) if self.copy == "shallow" else copies.deepcopy(sample)
            queue.append(made)

    def __len__(self) -> int:
        return _lengths(self, [self.main_datapipe])[0]


class _DemultiplexerIterDataPipe(_Source):
    word = "demux"

    def __init__(
        self,
        datapipe: IterDataPipe,
        num_instances: int,
        classifier_fn: Callable[[Any], int | None],
        drop_none: bool,
        buffer_size: int,
    ) -> None:
        self.classifier_fn, self.drop_none = classifier_fn, drop_none
        super().__init__(datapipe, num_instances, buffer_size)

    def waiting(self, reader: int) -> int:
        return sum(map(len, self.queues)) - len(self.queues[reader])

    def deal(self, sample: Any) -> None:
        number = self.classifier_fn(sample)
        if number is None and self.drop_none:
            StreamWrapper.close_streams(sample)
            return
        if number is None or not 0 <= number < self.num_instances:
            raise ValueError(
                "Output of the classification fn should be between 0 and "
                f"{self.num_instances - 1}. {number} is returned."
            )
        self.queues[number].append(sample)

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")


@functional_datapipe("fork")
class ForkerIterDataPipe(IterDataPipe):
    """Several pipes that each give all samples.

    Args:
        num_instances: how many. buffer_size: how far one may be ahead of another; -1: any way.
        copy: None: all give the same objects; "shallow" or "deep": each its own copies.

    Raises:
        BufferError: when read: one is further ahead. ValueError: fewer than one, another `copy`.
    """

    def __new__(  # type: ignore[misc]
        cls,
        datapipe: IterDataPipe,
        num_instances: int,
        buffer_size: int = 1000,
        copy: str | None = None,
    ) -> Any:
        if num_instances < 1:
            raise ValueError(
                f"Expected `num_instances` larger than 0, but {num_instances} is found"
            )
        if num_instances == 1:
            return datapipe
        main = _ForkerIterDataPipe(datapipe, num_instances, buffer_size, copy)
        return [_Child(main, k) for k in range(num_instances)]


@functional_datapipe("demux")
class DemultiplexerIterDataPipe(IterDataPipe):
    """Several pipes that each give the samples of one kind.

    Args:
        num_instances: how many. classifier_fn: a sample's number.
        drop_none: leave out samples without a number.
        buffer_size: how many samples wait for those who are to have them; -1: any number.

    Raises:
        BufferError: when read: more wait. ValueError: a number too large, or fewer than one pipe.
    """

    def __new__(  # type: ignore[misc]
        cls,
        datapipe: IterDataPipe,
        num_instances: int,
        classifier_fn: Callable[[Any], int | None],
        drop_none: bool = False,
        buffer_size: int = 1000,
    ) -> Any:
        check_can_be_pickled(classifier_fn)
        main = _DemultiplexerIterDataPipe(
            datapipe, num_instances, classifier_fn, drop_none, buffer_size
        )
        return [_Child(main, k) for k in range(num_instances)]
