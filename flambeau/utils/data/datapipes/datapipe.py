"""The bases of data pipes, and what decorates them. A pipe is a step of a composed dataset:
``pipe.map(f).batch(4)``; each step is also a method of every pipe, by its registered name.

An iterated pipe has one iterator at a time. Stands on dataset.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

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
    reduce_ex_hook: Callable[..., Any] | None = None
    getstate_hook: Callable[..., Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in type(self).functions:
            return functools.partial(type(self).functions[name], self)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *type(self).functions]

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

    def __getstate__(self) -> Any:
        hook = type(self).getstate_hook
        return self.__dict__ if hook is None else hook(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        hook = type(self).reduce_ex_hook
        if hook is not None:
            try:
                return hook(self)
            except NotImplementedError:  # the hook's way to leave this one alone
                pass
        return super().__reduce_ex__(protocol)

    @classmethod
    def set_getstate_hook(cls, hook_fn: Callable[..., Any] | None) -> None:
        """Let a function say what a pipe's pickle holds; None: its attributes.

        Raises:
            RuntimeError: there is one.
        """
        if cls.getstate_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing getstate_hook")
        _Steps.getstate_hook = staticmethod(hook_fn) if hook_fn else None

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn: Callable[..., Any] | None) -> None:
        """Let a function pickle pipes; None: as ever.

        Raises:
            RuntimeError: there is one.
        """
        if cls.reduce_ex_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing reduce_ex_hook")
        _Steps.reduce_ex_hook = staticmethod(hook_fn) if hook_fn else None

    def __repr__(self) -> str:
        return str(type(self).__qualname__)

    __str__ = __repr__


class _Only:
    """The one valid iterator of a pipe: it ends where another is made."""

    def __init__(self, pipe: Any, inner: Any) -> None:
        self._pipe, self._inner, self._number = pipe, inner, pipe._valid_iterator_id

    def __iter__(self) -> _Only:
        return self

    def __next__(self) -> Any:
        pipe = self._pipe
        if self._number != pipe._valid_iterator_id:
            raise RuntimeError(
                "This iterator has been invalidated because another iterator has been created "
                f"from the same IterDataPipe: {pipe!r}. A pipe is read by one at a time; .fork() "
                "makes several of it."
            )
        value = next(self._inner)
        pipe._number_of_samples_yielded += 1
        return value

    def __len__(self) -> int:
        return len(self._pipe)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _one_at_a_time(function: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Any]:
    @functools.wraps(function)
    def begin(self: Any) -> Any:
        restored = vars(self).pop("_fast_forward_iterator", None)
        if restored is not None:
            return restored
        self._valid_iterator_id = self._valid_iterator_id + 1
        self._number_of_samples_yielded = 0
        self.reset()
        return _Only(self, iter_of(function(self), self))

    return begin


def iter_of(found: Any, pipe: Any) -> Any:
    """The iterator that a pipe's `__iter__` gave; a pipe that is its own is asked by `__next__`."""
    return found if found is pipe else iter(found)


class IterDataPipe(_Steps, IterableDataset[T_co]):
    """The base of pipes that are iterated: a subclass writes `__iter__`.

    Raises:
        RuntimeError: when an iterator is asked after the same pipe began another.
    """

    functions: dict[str, Callable[..., Any]] = {}
    _valid_iterator_id = 0
    _number_of_samples_yielded = 0
    _shared_source = False
    """Whether the pipe is one of several of a source, which watches over their iterators."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("__iter__")
        if own is not None and not cls._shared_source:
            cls.__iter__ = _one_at_a_time(own)  # type: ignore[method-assign]

    def __iter__(self) -> Any:
        return self

    def reset(self) -> None:
        """Called before each pass."""


class DFIterDataPipe(IterDataPipe):
    """The base of pipes of data frames."""


class MapDataPipe(_Steps, Dataset[T_co]):
    """The base of pipes that are indexed: a subclass writes `__getitem__`."""

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
    """Class decorator: pipes get a method of that name which makes the step.

    Raises:
        TypeError: the class is no pipe.
    """

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name = name

    def __call__(self, cls: Any) -> Any:
        kind = cls._arg if isinstance(cls, non_deterministic) else cls
        for base in (IterDataPipe, MapDataPipe):
            if isinstance(kind, type) and issubclass(kind, base):
                base.register_datapipe_as_function(self.name, cls)
                return cls
        raise TypeError("`functional_datapipe` can only decorate IterDataPipe or MapDataPipe")


class guaranteed_datapipes_determinism:
    """The block in which steps marked `non_deterministic` refuse to be made."""

    on = False

    def __enter__(self) -> None:
        self._before = guaranteed_datapipes_determinism.on
        guaranteed_datapipes_determinism.on = True

    def __exit__(self, *exc: object) -> None:
        guaranteed_datapipes_determinism.on = self._before


class non_deterministic:
    """Class decorator: the step's order may differ from run to run.

    Args:
        arg: the class; or a function of its constructor's arguments that says whether it may.

    Raises:
        TypeError: neither; or the step is made while determinism is guaranteed.
    """

    def __init__(self, arg: Any) -> None:
        self._fn: Callable[..., bool] = lambda *args, **kwargs: True
        self._arg: Any = None
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(
                    "Only `IterDataPipe` can be decorated with `non_deterministic`, but "
                    f"{arg.__name__} is found"
                )
            self._arg = arg
        elif callable(arg):
            self._fn = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._arg is None:
            self._arg = args[0]
            return functools.wraps(self._arg, updated=())(self.deterministic_wrapper_fn)
        return self.deterministic_wrapper_fn(*args, **kwargs)

    def deterministic_wrapper_fn(self, *args: Any, **kwargs: Any) -> Any:
        """The step, unless determinism is guaranteed."""
        if guaranteed_datapipes_determinism.on and self._fn(*args, **kwargs):
            raise TypeError(
                f"{self._arg.__name__} is non-deterministic, but you set "
                "'guaranteed_datapipes_determinism'. Leave that block, or the step out."
            )
        return self._arg(*args, **kwargs)


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
