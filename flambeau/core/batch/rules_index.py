"""Batching rules of indexing: gather and scatter, index_select and index_add, index tensors,
masks.

An index for each sample is an index into all samples laid end to end. Stands on kernels.scatter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.batch.array import dynamic
from flambeau.core.kernels.scatter import put_sum

__all__ = ["RULES"]

ALL = slice(None)


def _everywhere(array: Any, many: Any, size: int) -> Any:
    """A value with the batch's axis."""
    return array if many else np.broadcast_to(array, (size, *array.shape))


def along_lanes(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """gather, scatter and kin: batch is one more leading dimension of everything."""
    given = list(args)
    place = op.names.index("dim")
    ranks = {args[i].ndim - bool(which[i]) for i, _ in op.tensors}
    if len(ranks) != 1:
        return None
    ndim = ranks.pop()
    for i, _ in op.tensors:
        given[i] = np.ascontiguousarray(_everywhere(args[i], which[i], size))
        if not ndim:
            given[i] = given[i][:, None]
    dim = args[place]
    if not -max(ndim, 1) <= dim < max(ndim, 1):
        return None
    given[place] = dim % max(ndim, 1) + 1
    if "shape" in op.names:
        shape = op.names.index("shape")
        given[shape] = (size, *(args[shape] if ndim else (1,)))
    found = op.kernel(*given)
    return found if ndim else found.reshape(size)


def _forward(array: Any, dim: int) -> Any:
    """(B, ..., n at `dim`, ...) as (B, n, ...)."""
    return np.moveaxis(array, dim + 1, 1)


def selected(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """index_select and indexing by one tensor."""
    input = args[0]
    dim, index = args[op.names.index("dim")], args[op.names.index("index")]
    many = which[op.names.index("index")]
    ndim = input.ndim - bool(which[0])
    if many and index.dtype.kind == "b":
        raise dynamic("index")
    if index.dtype.kind == "b" and index.shape == input.shape[bool(which[0]) :][dim : dim + 1]:
        index = index.nonzero()[0]  # a mask of one dimension stands for its coordinates
    if not ndim or index.dtype.kind != "i" or not -ndim <= dim < ndim:
        return None
    dim %= ndim
    if op.name == "index_select" and index.ndim - bool(many) != 1:
        return None
    if index.size:
        low, high = int(index.min()), int(index.max())
        n = input.shape[dim + bool(which[0])]
        if low < (-n if op.name == "_index_one" else 0) or high >= n:
            return None
    if not many:
        return input.take(index, dim + 1)
    if not which[0]:
        found = input.take(index, dim)  # (..., B, *index, ...)
        return np.ascontiguousarray(np.moveaxis(found, dim, 0))
    rank = index.ndim - 1
    turned = _forward(input, dim)
    flat = np.arange(size).reshape(size, *(1,) * rank)
    found = turned[flat, index]  # (B, *index, ...)
    for k in range(rank):
        found = np.moveaxis(found, 1 + rank - 1 - k, 1 + dim + rank - 1 - k)
    return np.ascontiguousarray(found)


def summed_back(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """The gradient of indexing by one tensor."""
    grad, index, shape, dim = args
    if index.dtype.kind != "i" or index.dtype == np.uint8:
        return None
    dim %= len(shape)
    if not which[1]:
        return put_sum((size, *shape), dim + 1, index, grad)
    grad = _everywhere(grad, which[0], size)
    rank = index.ndim - 1
    axes = tuple(range(1 + dim, 1 + dim + rank))
    rows = np.moveaxis(grad, axes, tuple(range(1, 1 + rank)))  # (B, *index, ...)
    n = shape[dim]
    others = (*shape[:dim], *shape[dim + 1 :])
    places = np.where(index < 0, index + n, index)
    places = (places + np.arange(size).reshape(size, *(1,) * rank) * n).reshape(-1)
    values = np.ascontiguousarray(rows).reshape(places.size, *others)
    found = put_sum((size * n, *others), 0, places, values).reshape(size, n, *others)
    return np.ascontiguousarray(np.moveaxis(found, 1, dim + 1))


def put_along(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """index_add, index_copy, index_fill."""
    names = op.names
    dim, index = args[names.index("dim")], args[names.index("index")]
    input = args[0]
    ndim = input.ndim - bool(which[0])
    if not ndim or not -ndim <= dim < ndim or index.ndim - bool(which[2]) != 1:
        return None
    dim %= ndim
    given = list(args)
    given[0] = _everywhere(input, which[0], size)
    source = names.index("source") if "source" in names else None
    if "value" in names and which[names.index("value")]:
        return None
    if source is not None:
        if args[source].ndim - bool(which[source]) != ndim:
            return None
        given[source] = _everywhere(args[source], which[source], size)
    if not which[2]:
        given[names.index("dim")] = dim + 1
        return op.kernel(*given)
    n = given[0].shape[dim + 1]
    if index.size and (int(index.min()) < 0 or int(index.max()) >= n):
        return None
    turned = _forward(given[0], dim)
    others = turned.shape[2:]
    given[0] = np.ascontiguousarray(turned).reshape(size * n, *others)
    given[2] = (index + (np.arange(size) * n)[:, None].astype(index.dtype)).reshape(-1)
    if source is not None:
        given[source] = np.ascontiguousarray(_forward(given[source], dim)).reshape(-1, *others)
    given[names.index("dim")] = 0
    found = op.kernel(*given).reshape(size, n, *others)
    return np.ascontiguousarray(np.moveaxis(found, 1, dim + 1))


def _places(indices: Any, flags: Any, size: int) -> Any:
    """Index arrays with the batch's axis in front of their common rank; None for whole dimensions.

    Raises:
        RuntimeError: a mask differs from sample to sample: its result would have no one shape.
    """
    flags = flags or [False] * len(indices)
    found: list[Any] = []
    many: list[bool] = []
    for index, flag in zip(indices, flags, strict=True):
        if index is not None and index.dtype.kind == "b":
            if flag:
                raise dynamic("index")
            parts = index.nonzero()
            found += parts
            many += [False] * len(parts)
        elif index is not None and index.dtype.kind != "i":
            return None
        else:
            found.append(index)
            many.append(bool(flag))
    rank = max(i.ndim - m for i, m in zip(found, many, strict=True) if i is not None)
    for k, (index, flag) in enumerate(zip(found, many, strict=True)):
        if index is not None and flag:
            missing = rank - (index.ndim - 1)
            found[k] = index.reshape(size, *(1,) * missing, *index.shape[1:])
    return found, rank, any(many)


def indexed(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Reading at several index tensors."""
    input, indices = args
    made = _places(indices, which[1], size)
    if made is None:
        return None
    places, rank, many = made
    at = [k for k, each in enumerate(places) if each is not None]
    adjacent = at == list(range(at[0], at[-1] + 1))
    front = at[0] if adjacent else 0
    shown = tuple(ALL if each is None else each for each in places)
    if not many:
        found = input[(ALL, *shown)]
        return np.ascontiguousarray(found if adjacent else np.moveaxis(found, rank, 0))
    if not which[0]:
        found = input[shown]
        return np.ascontiguousarray(np.moveaxis(found, front, 0))
    rows = np.arange(size).reshape(size, *(1,) * rank)
    found = input[(rows, *shown)]
    if adjacent and front:  # (B, *index, before, after) as (B, before, *index, after)
        found = np.moveaxis(
            found, tuple(range(1, 1 + rank)), tuple(range(1 + front, 1 + front + rank))
        )
    return np.ascontiguousarray(found)


def masked_fill(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    given = list(args)
    rank = max(args[i].ndim - bool(which[i]) for i in (0, 1))
    if args[0].ndim - bool(which[0]) != rank:
        return None
    given[0] = _everywhere(args[0], which[0], size)
    if which[1]:
        missing = rank + 1 - args[1].ndim
        given[1] = args[1].reshape(size, *(1,) * missing, *args[1].shape[1:])
    if which[2]:
        return None
    return op.kernel(*given)


def copied(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """One tensor's numbers in the place of another's."""
    input, source = args
    shape = input.shape[bool(which[0]) :]
    if which[1]:
        missing = len(shape) - (source.ndim - 1)
        source = source.reshape(size, *(1,) * missing, *source.shape[1:])
    return op.kernel(_everywhere(input, which[0], size), source)


RULES = {
    "_copied": copied,
    "_add_along": along_lanes,
    "_index": indexed,
    "_index_fill": put_along,
    "_index_one": selected,
    "_index_one_backward": summed_back,
    "_masked_fill": masked_fill,
    "_scatter": along_lanes,
    "_scatter_number": along_lanes,
    "_scatter_reduce": along_lanes,
    "_take_along": along_lanes,
    "gather": along_lanes,
    "index_add": put_along,
    "index_copy": put_along,
    "index_select": selected,
    "scatter_add": along_lanes,
}
