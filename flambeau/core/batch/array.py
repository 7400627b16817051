"""`Batched`: the arrays of all samples, seen as the array of one. Tensors inside `vmap` hold one.

Its memory is an ndarray with one leading axis for each level of `vmap` (outermost first); what it
shows (shape, strides, dtype) is a sample's. The levels that are active stand here too, for what
draws random numbers and for gradients on their way out. Stands on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = [
    "ACTIVE",
    "Batched",
    "Level",
    "TRANSFORMING",
    "align",
    "by_sample",
    "dynamic",
    "each_sample",
    "like_sample",
    "outside",
    "sizes_of",
    "spread",
    "union",
    "write",
]

nd = np.ndarray


class Level(NamedTuple):
    """A `vmap` that is running."""

    number: int
    """Taken from the line of nodes and writes: what carries a smaller number was there before."""
    size: int
    randomness: str


ACTIVE: ContextVar[tuple[Level, ...]] = ContextVar("flambeau_vmap_levels", default=())

TRANSFORMING: ContextVar[bool] = ContextVar("flambeau_transforming", default=False)
"""Whether a function is being differentiated by one of torch.func's transforms."""


def no_value(what: str) -> RuntimeError:
    """The error of asking a batch for one Python value."""
    return RuntimeError(
        f"vmap: It looks like you're either (1) calling .item() on a Tensor or (2) attempting to "
        f"use a Tensor in some data-dependent control flow or (3) encountering this error in "
        f"PyTorch internals: {what} of a tensor that differs from sample to sample is no single "
        "value. Choose with torch.where(condition, a, b), or keep the tensor out of vmap."
    )


def dynamic(name: str) -> RuntimeError:
    """The error of a result whose shape depends on values."""
    error = RuntimeError(
        f"vmap: It looks like you're attempting to use {name.lstrip('_')}, whose result's shape "
        "depends on the values (dynamic shape): the samples' results could not be stacked. Use "
        "torch.where(mask, a, b), or masked sums, in its place."
    )
    error.final = True  # type: ignore[attr-defined]
    return error


class Batched(NDArrayOperatorsMixin):
    """An array for each sample, in one memory."""

    __slots__ = ("data", "levels")

    def __init__(self, data: np.ndarray[Any, Any], levels: tuple[int, ...]) -> None:
        self.data = data
        self.levels = levels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape[len(self.levels) :]

    @property
    def strides(self) -> tuple[int, ...]:
        return self.data.strides[len(self.levels) :]

    @property
    def ndim(self) -> int:
        return self.data.ndim - len(self.levels)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.data.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def base(self) -> Any:
        return self.data

    @property
    def flags(self) -> Any:
        """The flags of one sample."""
        return self.sample().flags

    @property
    def real(self) -> Batched:
        return Batched(self.data.real, self.levels)

    @property
    def imag(self) -> Batched:
        return Batched(self.data.imag, self.levels)

    @property
    def T(self) -> Batched:
        n = len(self.levels)
        axes = (*range(n), *range(self.data.ndim - 1, n - 1, -1))
        return Batched(self.data.transpose(axes), self.levels)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        raise AttributeError("__array_interface__: a batch has an array for each sample")

    @property
    def address(self) -> int:
        """Where the first sample's first element lies."""
        return int(self.data.__array_interface__["data"][0])

    def sample(self) -> np.ndarray[Any, Any]:
        """The first sample, or (of no samples) one of zeros."""
        if 0 in self.data.shape[: len(self.levels)]:
            return np.zeros(self.shape, self.dtype)
        found: np.ndarray[Any, Any] = self.data[(0,) * len(self.levels) + (...,)]
        return found

    def astype(self, dtype: Any, **_: Any) -> Batched:
        return Batched(self.data.astype(dtype), self.levels)

    def copy(self, order: Any = "K") -> Batched:
        return Batched(self.data.copy(order="K"), self.levels)

    def conj(self) -> Batched:
        return Batched(np.asarray(self.data.conj()), self.levels)

    def reshape(self, *shape: Any) -> Batched:
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        batch = self.data.shape[: len(self.levels)]
        if -1 in sizes:
            sizes = np.broadcast_to(np.empty(()), self.shape).reshape(sizes).shape
        return Batched(self.data.reshape((*batch, *sizes)), self.levels)

    def __getitem__(self, index: Any) -> Any:
        return each_sample(lambda a: a[index], [self])

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        raise no_value("the truth")

    def __int__(self) -> int:
        raise no_value("the integer value")

    def __float__(self) -> float:
        raise no_value("the value")

    __complex__: Any = __float__
    __index__ = __int__

    def item(self, *_: Any) -> Any:
        raise no_value("the item()")

    def tolist(self) -> Any:
        raise no_value("the tolist()")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise no_value("the array")

    # Asked of everything, these four serve an operation's own checks: of all samples together.

    def any(self, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            return self.data.any()
        return each_sample(lambda a: a.any(*args, **kwargs), [self])

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        return each_sample(lambda a: a.sum(*args, **kwargs), [self])

    def all(self, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            return self.data.all()
        return each_sample(lambda a: a.all(*args, **kwargs), [self])

    def min(self, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            return self.data.min()
        return each_sample(lambda a: a.min(*args, **kwargs), [self])

    def max(self, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            return self.data.max()
        return each_sample(lambda a: a.max(*args, **kwargs), [self])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs.get("out") is not None or ufunc.signature is not None:
            if kwargs.get("out") is not None:
                raise TypeError("a batch is not written by a ufunc")
            return each_sample(lambda *a: getattr(ufunc, method)(*a, **kwargs), list(inputs))
        levels, arrays = align(inputs)
        found = ufunc(*arrays, **kwargs)
        if isinstance(found, tuple):
            return tuple(Batched(np.asarray(each), levels) for each in found)
        return Batched(np.asarray(found), levels)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        count = len(args)
        names = list(kwargs)
        return each_sample(
            lambda *a: function(*a[:count], **dict(zip(names, a[count:], strict=True))),
            [*args, *kwargs.values()],
        )

    def __repr__(self) -> str:
        return f"Batched({self.data!r}, levels={self.levels})"


def union(values: Any) -> tuple[int, ...]:
    """All levels of the batches among values (which may lie in lists), outermost first."""
    found: tuple[int, ...] = ()
    for value in values:
        if type(value) is Batched:
            levels = value.levels
        elif type(value) in (list, tuple):
            levels = union(value)
        else:
            continue
        if levels != found:
            found = tuple(sorted({*found, *levels})) if found and levels else found or levels
    return found


def spread(value: Batched, levels: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """A batch's memory with an axis for every level; of length one where it has not that level."""
    if value.levels == levels:
        return value.data
    index = tuple(slice(None) if level in value.levels else None for level in levels)
    found: np.ndarray[Any, Any] = value.data[index]
    return found


def align(values: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Values as arrays that broadcast as their samples do, with the levels in front."""
    levels = union(values)
    ndim = max(getattr(value, "ndim", 0) for value in values)
    count = len(levels)
    found = []
    for value in values:
        if type(value) is Batched:
            data = spread(value, levels)
            missing = ndim + count - data.ndim
            if missing:
                data = data.reshape(data.shape[:count] + (1,) * missing + data.shape[count:])
            found.append(data)
        else:
            found.append(value)
    return levels, found


def sizes_of(values: Any, levels: tuple[int, ...]) -> tuple[int, ...]:
    """How many samples each level has."""
    found: dict[int, int] = {}
    stack = list(values)
    while stack:
        value = stack.pop()
        if type(value) is Batched:
            found.update(zip(value.levels, value.data.shape, strict=False))
        elif type(value) in (list, tuple):
            stack.extend(value)
    return tuple(found[level] for level in levels)


def _taken(value: Any, levels: tuple[int, ...], index: tuple[int, ...]) -> Any:
    if type(value) is Batched:
        own: tuple[Any, ...] = tuple(
            k for k, level in zip(index, levels, strict=True) if level in value.levels
        )
        return value.data[(*own, ...)]
    if type(value) is list or type(value) is tuple:
        return type(value)(_taken(each, levels, index) for each in value)
    return value


def each_sample(function: Callable[..., Any], values: list[Any]) -> Any:
    """A function of arrays on one sample after the other, and its results as a batch.

    Raises:
        RuntimeError: the results' shapes differ, or they are no arrays.
    """
    levels = union(values)
    sizes = sizes_of(values, levels)
    if 0 in sizes:
        values = [_zero_samples(value) for value in values]
        made = function(*values)
        rows = [made]
    else:
        rows = [function(*_taken(values, levels, index)) for index in np.ndindex(*sizes)]
    if not isinstance(rows[0], tuple):
        return _stacked(rows, sizes, levels)
    columns = zip(*rows, strict=True)
    return tuple(_stacked(list(column), sizes, levels) for column in columns)


def by_sample(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays that takes batches sample by sample."""

    @wraps(function)
    def call(*args: Any) -> Any:
        return each_sample(function, list(args)) if union(args) else function(*args)

    return call


def _zero_samples(value: Any) -> Any:
    if type(value) is Batched:
        return value.sample()
    if type(value) in (list, tuple):
        return type(value)(_zero_samples(each) for each in value)
    return value


def _stacked(rows: list[Any], sizes: tuple[int, ...], levels: tuple[int, ...]) -> Any:
    if rows[0] is None:
        return None
    arrays = [np.asarray(row) for row in rows]
    if arrays[0].dtype.kind == "O":
        raise RuntimeError("vmap: an operation's result is neither dense nor an array of numbers")
    if len({array.shape for array in arrays}) > 1:
        raise RuntimeError(
            "vmap: an operation's result has another shape for each sample (dynamic shape): "
            f"{sorted({array.shape for array in arrays})}. Use an operation whose shape does not "
            "depend on values (torch.where instead of a mask)."
        )
    if 0 in sizes:
        return Batched(np.empty((*sizes, *arrays[0].shape), arrays[0].dtype), levels)
    whole = np.empty((len(arrays), *arrays[0].shape), arrays[0].dtype)
    for k, array in enumerate(arrays):
        whole[k] = array
    return Batched(whole.reshape((*sizes, *arrays[0].shape)), levels)


def write(name: str, old: Any, new: Any) -> None:
    """Copy a result into a tensor's memory where either is a batch.

    Raises:
        RuntimeError: the written tensor is one for all samples, the result is not.
    """
    levels = union((old, new))
    if type(old) is not Batched or old.levels != levels:
        raise RuntimeError(
            f"vmap: {name}: inplace arithmetic(self, *extra_args) is not possible because there "
            "exists a Tensor `other` in extra_args that has more elements than `self`: `other` "
            "differs from sample to sample, `self` is one for all. Write out of place, or make "
            "`self` of a batched tensor (x.new_zeros(...))."
        )
    _, (target, source) = align((old, new))
    np.copyto(target, source, casting="unsafe")


def like_sample(array: np.ndarray[Any, Any], batch: Batched) -> Batched:
    """An array of one sample's shape repeated for all samples of a batch, in memory of its own."""
    sizes = batch.data.shape[: len(batch.levels)]
    steps = (*_row_major(sizes, array.size * array.itemsize), *array.strides)
    whole = np.empty(int(np.prod(sizes, dtype=np.int64)) * max(array.size, 1), array.dtype)
    dense = array.size * array.itemsize == sum(
        (n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)
    ) + (array.itemsize if array.size else 0)
    if not dense or 0 in sizes:
        return Batched(np.array(np.broadcast_to(array, (*sizes, *array.shape))), batch.levels)
    data: Any = np.ndarray((*sizes, *array.shape), array.dtype, whole, 0, steps)
    data[...] = array
    return Batched(data, batch.levels)


def _row_major(sizes: tuple[int, ...], step: int) -> tuple[int, ...]:
    steps = []
    for size in reversed(sizes):
        steps.append(step)
        step *= size
    return tuple(steps[::-1])


def outside(array: Any, sequence: int) -> tuple[int, ...]:
    """The levels of a batch that began after what bears the number `sequence`, and have ended."""
    running = {level.number for level in ACTIVE.get()}
    return tuple(n for n in array.levels if n > sequence and n not in running)
