"""Composites that read values as they go (counts, lengths, offsets): inside `vmap` they run on one
sample after the other.

Their results are stacked, in the graph. Stands on crossing and declare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from flambeau.core.batch.array import Batched, sizes_of, union
from flambeau.core.crossing import enter_level, leave_level
from flambeau.core.declare import ops, republish
from flambeau.core.tensor import Tensor

__all__ = ["by_sample", "each_on_its_own"]


def by_sample(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; on batches, sample by sample."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        arrays = _arrays(given)
        if not any(type(array) is Batched for array in arrays):
            return function(*args, **kwargs)
        levels = union(arrays)
        sizes = sizes_of(arrays, levels)
        count = len(args)
        rows = []
        for index in np.ndindex(*sizes):
            taken = [_sample(value, levels, index) for value in given]
            rows.append(function(*taken[:count], **dict(zip(kwargs, taken[count:], strict=True))))
        return _together(rows, levels, sizes)

    return call


def each_on_its_own(*names: str) -> None:
    """Publish operations anew so that they take batches sample by sample."""
    for name in names:
        republish(name, by_sample(getattr(ops, name)))


def _arrays(values: Any) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value._array)
        elif type(value) in (list, tuple):
            found += _arrays(value)
    return found


def _sample(value: Any, levels: tuple[int, ...], index: tuple[int, ...]) -> Any:
    if type(value) in (list, tuple):
        return type(value)(_sample(each, levels, index) for each in value)
    if not isinstance(value, Tensor):
        return value
    for level, k in zip(levels, index, strict=True):
        array = value._array
        if type(array) is Batched and level in array.levels:
            size = array.data.shape[array.levels.index(level)]
            value = leave_level(value, level, 0, size).select(0, k)
    return value


def _together(rows: list[Any], levels: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """One result (a tensor, or a tuple of such) of the samples' results."""
    first = rows[0]
    if isinstance(first, tuple):
        members = [_together(list(column), levels, sizes) for column in zip(*rows, strict=True)]
        return (
            type(first)(members)
            if hasattr(first, "_fields") or type(first) is not tuple
            else (tuple(members))
        )
    if isinstance(first, list):
        return [_together(list(column), levels, sizes) for column in zip(*rows, strict=True)]
    if not isinstance(first, Tensor):
        return first
    if len({tuple(row.shape) for row in rows}) > 1:
        raise RuntimeError(
            "vmap: an operation's result has another shape for each sample (dynamic shape). Use "
            "an operation whose shape does not depend on values."
        )
    whole = ops.stack(rows).reshape((*sizes, *first.shape))
    for level in levels:
        whole = enter_level(whole, level, 0)
    return whole
