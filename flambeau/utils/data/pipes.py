"""Data pipes: PyTorch's deprecated way to compose datasets, `pipe.map(f).batch(4)`. The base
classes, and the steps that need nothing but Python."""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import flambeau
from flambeau.utils.data._utils.collate import default_collate
from flambeau.utils.data.dataset import Dataset, IterableDataset, T_co

__all__ = [
    "DFIterDataPipe",
    "DataChunk",
    "IterDataPipe",
    "MapDataPipe",
    "argument_validation",
    "functional_datapipe",
    "guaranteed_datapipes_determinism",
    "non_deterministic",
    "runtime_validation",
    "runtime_validation_disabled",
]


class _Steps:
    """`pipe.name(...)` makes the step registered under that name, on the pipe."""

    functions: dict[str, Callable[..., Any]]

    def __getattr__(self, name: str) -> Any:
        if name in type(self).functions:
            return functools.partial(type(self).functions[name], self)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @classmethod
    def register_function(cls, function_name: str, function: Callable[..., Any]) -> None:
        """Let pipes have the method."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(
        cls, function_name: str, cls_to_register: Any, enable_df_api_tracing: bool = False
    ) -> None:
        """Let pipes have a method that makes a step of the class.

        Raises:
            Exception: the name is taken.
        """
        if function_name in cls.functions:
            raise Exception(
                f"Unable to add DataPipe function name {function_name} as it is already taken"
            )
        cls.functions[function_name] = cls_to_register

    def __repr__(self) -> str:
        return type(self).__qualname__

    __str__ = __repr__


class IterDataPipe(_Steps, IterableDataset[T_co]):
    """The base of pipes that are iterated."""

    functions: dict[str, Callable[..., Any]] = {}

    def __iter__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: __iter__ is to be written.")

    def reset(self) -> None:
        """Called before each pass."""


class DFIterDataPipe(IterDataPipe):
    """The base of pipes of data frames."""


class MapDataPipe(_Steps, Dataset[T_co]):
    """The base of pipes that are indexed."""

    functions: dict[str, Callable[..., Any]] = {}


class DataChunk(list):  # type: ignore[type-arg]
    """A batch: a list that remembers its items."""

    def __init__(self, items: Iterable[Any]) -> None:
        items = list(items)
        super().__init__(items)
        self.items = items

    def as_str(self, indent: str = "") -> str:
        """The items in brackets."""
        return indent + "[" + ", ".join(str(x) for x in self) + "]"

    def raw_iterator(self) -> Iterator[Any]:
        """The items."""
        yield from self.items


class functional_datapipe:
    """Class decorator: pipes get a method of that name which makes the step."""

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name = name

    def __call__(self, cls: Any) -> Any:
        base: Any = IterDataPipe if issubclass(cls, IterDataPipe) else MapDataPipe
        if not issubclass(cls, base):
            raise TypeError("`functional_datapipe` can only decorate IterDataPipe or MapDataPipe")
        base.register_datapipe_as_function(self.name, cls)
        return cls


class guaranteed_datapipes_determinism:
    """The block in which steps marked `non_deterministic` refuse to be made."""

    on = False

    def __enter__(self) -> None:
        self._before, guaranteed_datapipes_determinism.on = (
            guaranteed_datapipes_determinism.on,
            True,
        )

    def __exit__(self, *exc: object) -> None:
        guaranteed_datapipes_determinism.on = self._before


class non_deterministic:
    """Class decorator: the step's order may differ from run to run."""

    def __init__(self, arg: Any) -> None:
        self._arg = arg

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self._arg, type):
            if guaranteed_datapipes_determinism.on:
                raise TypeError(f"{self._arg.__name__} is non-deterministic, which was refused.")
            return self._arg(*args, **kwargs)
        return args[0]


def argument_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: annotations of pipes are not checked."""
    return f


def runtime_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: annotations of pipes are not checked."""
    return f


class runtime_validation_disabled:
    """The block in which annotations are not checked; they never are."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


def _step(name: str, label: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a generator function ``f(pipe, ...)`` as a step of iterated pipes."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        class Step(IterDataPipe):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                self._args, self._kwargs = args, kwargs

            def __iter__(self) -> Iterator[Any]:
                yield from function(*self._args, **self._kwargs)

            def __len__(self) -> int:
                if name in ("map", "collate", "shuffle"):
                    return len(self._args[0])
                raise TypeError(f"{label} instance doesn't have valid length")

        Step.__name__ = Step.__qualname__ = f"{label}IterDataPipe"
        IterDataPipe.register_datapipe_as_function(name, Step)
        return Step

    return register


@_step("map", "Mapper")
def _map(pipe: Any, fn: Callable[..., Any], input_col: Any = None, output_col: Any = None) -> Any:
    for item in pipe:
        if input_col is None:
            yield fn(item)
            continue
        columns = input_col if isinstance(input_col, (list, tuple)) else [input_col]
        made = fn(*(item[c] for c in columns))
        row = list(item) if isinstance(item, tuple) else item
        if output_col == -1:
            row.append(made)
        else:
            row[columns[0] if output_col is None else output_col] = made
        yield tuple(row) if isinstance(item, tuple) else row


@_step("filter", "Filter")
def _filter(pipe: Any, filter_fn: Callable[..., Any], input_col: Any = None) -> Any:
    for item in pipe:
        keeps = filter_fn(item if input_col is None else item[input_col])
        if not isinstance(keeps, bool):
            raise ValueError(f"filter: a boolean is needed, got {type(keeps).__name__}.")
        if keeps:
            yield item


@_step("batch", "Batcher")
def _batch(
    pipe: Any, batch_size: int, drop_last: bool = False, wrapper_class: Any = DataChunk
) -> Any:
    batch: list[Any] = []
    for item in pipe:
        batch.append(item)
        if len(batch) == batch_size:
            yield wrapper_class(batch)
            batch = []
    if batch and not drop_last:
        yield wrapper_class(batch)


@_step("unbatch", "UnBatcher")
def _unbatch(pipe: Any, unbatch_level: int = 1) -> Any:
    def open_up(item: Any, level: int) -> Iterator[Any]:
        if level == 0 or (level < 0 and not isinstance(item, (list, DataChunk))):
            yield item
            return
        for each in item:
            yield from open_up(each, level - 1 if level > 0 else level)

    for item in pipe:
        yield from open_up(item, unbatch_level)


@_step("collate", "Collator")
def _collate(pipe: Any, collate_fn: Callable[..., Any] | None = None, **_: Any) -> Any:
    for item in pipe:
        yield (collate_fn or default_collate)(item)


@_step("concat", "Concater")
def _concat(*pipes: Any) -> Any:
    for pipe in pipes:
        yield from pipe


@_step("zip", "Zipper")
def _zip(*pipes: Any) -> Any:
    yield from zip(*pipes, strict=False)


@_step("mux", "Multiplexer")
def _mux(*pipes: Any) -> Any:
    for row in zip(*pipes, strict=False):
        yield from row


@_step("shuffle", "Shuffler")
def _shuffle(pipe: Any, *, buffer_size: int = 10000, unbatch_level: int = 0) -> Any:
    source = pipe.unbatch(unbatch_level=unbatch_level) if unbatch_level else pipe
    rng = random.Random(int(flambeau.empty((), dtype=flambeau.int64).random_().item()))
    buffer: list[Any] = []
    for item in source:
        if len(buffer) == buffer_size:
            k = rng.randint(0, len(buffer) - 1)
            value, buffer[k] = buffer[k], item
            yield value
        else:
            buffer.append(item)
    rng.shuffle(buffer)
    yield from buffer


@_step("groupby", "Grouper")
def _groupby(
    pipe: Any, group_key_fn: Callable[..., Any], *, buffer_size: int = 10000,
    group_size: int | None = None, drop_remaining: bool = False, **_: Any,
) -> Any:  # fmt: skip
    groups: dict[Any, list[Any]] = {}
    for item in pipe:
        group = groups.setdefault(group_key_fn(item), [])
        group.append(item)
        if len(group) == group_size:
            yield DataChunk(groups.pop(group_key_fn(item)))
    for group in groups.values():
        if not drop_remaining or group_size is None:
            yield DataChunk(group)


@_step("sharding_filter", "ShardingFilter")
def _sharding_filter(pipe: Any, sharding_group_filter: Any = None) -> Any:
    yield from pipe


class _Branch(IterDataPipe):
    """One of several pipes that read one source; what the others have not read is kept."""

    def __init__(self, shared: dict[str, Any], number: int) -> None:
        self._shared, self._number = shared, number

    def __iter__(self) -> Iterator[Any]:
        shared, mine = self._shared, self._shared["queues"][self._number]
        if shared["source"] is None:
            shared["source"] = iter(shared["pipe"])
        while True:
            if mine:
                yield mine.popleft()
                continue
            try:
                item = next(shared["source"])
            except StopIteration:
                shared["source"] = None if not any(shared["queues"]) else shared["source"]
                return
            for k in shared["choose"](item):
                shared["queues"][k].append(item)


def _branches(pipe: Any, count: int, choose: Callable[[Any], Iterable[int]]) -> list[_Branch]:
    shared = {
        "pipe": pipe, "source": None, "choose": choose, "queues": [deque() for _ in range(count)],
    }  # fmt: skip
    return [_Branch(shared, k) for k in range(count)]


def _fork(pipe: Any, num_instances: int, buffer_size: int = 1000, copy: Any = None) -> Any:
    return _branches(pipe, num_instances, lambda item: range(num_instances))


def _demux(
    pipe: Any, num_instances: int, classifier_fn: Callable[..., Any], drop_none: bool = False,
    buffer_size: int = 1000,
) -> Any:  # fmt: skip
    def choose(item: Any) -> Iterable[int]:
        kind = classifier_fn(item)
        if kind is None and drop_none:
            return ()
        if kind is None or not 0 <= int(kind) < num_instances:
            raise ValueError(
                f"demux: the classifier gives numbers from 0 to {num_instances - 1}, got {kind}."
            )
        return (int(kind),)

    return _branches(pipe, num_instances, choose)


IterDataPipe.register_function("fork", _fork)
IterDataPipe.register_function("demux", _demux)


class _Mapped(MapDataPipe):
    def __init__(self, datapipe: Any, fn: Callable[..., Any] = lambda x: x) -> None:
        self.datapipe, self.fn = datapipe, fn

    def __len__(self) -> int:
        return len(self.datapipe)

    def __getitem__(self, index: Any) -> Any:
        return self.fn(self.datapipe[index])


class _Joined(MapDataPipe):
    def __init__(self, *datapipes: Any) -> None:
        self.datapipes = datapipes

    def __len__(self) -> int:
        return sum(map(len, self.datapipes))

    def __getitem__(self, index: Any) -> Any:
        for pipe in self.datapipes:
            if index < len(pipe):
                return pipe[index]
            index -= len(pipe)
        raise IndexError(f"Index {index} is out of range.")


class _Paired(_Joined):
    def __len__(self) -> int:
        return min(map(len, self.datapipes))

    def __getitem__(self, index: Any) -> Any:
        return tuple(pipe[index] for pipe in self.datapipes)


class _Batched(MapDataPipe):
    def __init__(
        self,
        datapipe: Any,
        batch_size: int,
        drop_last: bool = False,
        wrapper_class: Any = DataChunk,
    ) -> None:
        self.datapipe, self.size, self.last = datapipe, batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __len__(self) -> int:
        n = len(self.datapipe)
        return n // self.size if self.last else -(-n // self.size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError("Index is out of bound.")
        stop = min((index + 1) * self.size, len(self.datapipe))
        return self.wrapper_class([self.datapipe[k] for k in range(index * self.size, stop)])


for _name, _class in (("map", _Mapped), ("concat", _Joined), ("zip", _Paired), ("batch", _Batched)):
    MapDataPipe.register_datapipe_as_function(_name, _class)


class IterableWrapper(IterDataPipe):
    """A pipe over anything that can be iterated."""

    def __init__(self, iterable: Iterable[Any], deepcopy: bool = True) -> None:
        self.iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        yield from self.iterable

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]


class SequenceWrapper(MapDataPipe):
    """A pipe over anything that can be indexed."""

    def __init__(self, sequence: Any, deepcopy: bool = True) -> None:
        self.sequence = sequence

    def __len__(self) -> int:
        return len(self.sequence)

    def __getitem__(self, index: Any) -> Any:
        return self.sequence[index]
