"""Several tensors at a common shape, grids, and choices of elements. Stands on declare and cat."""

from __future__ import annotations

from itertools import combinations as choose
from itertools import combinations_with_replacement as choose_again
from typing import Any

import numpy as np

from flambeau.core import layout
from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.node import labelled
from flambeau.core.ops.cat import stack, tensors_of
from flambeau.core.silence import quiet
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []


@composite()
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors at their common shape: views, or the tensor itself where it has that shape."""
    found = tensors_of("broadcast_tensors", tensors)
    shape = layout.broadcast_shapes(*[tuple(t._array.shape) for t in found])
    return tuple([t if t._array.shape == shape else t.expand(shape) for t in found])


@composite()
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of the given shapes broadcast to (an int is a shape of one dimension).

    Raises:
        RuntimeError: shapes that do not broadcast, or something that is no shape.
        ValueError: a negative size.
    """
    found = []
    for shape in shapes:
        if not isinstance(shape, (int, tuple, list)):
            raise fail(
                RuntimeError,
                "broadcast_shapes",
                f"input shapes should be of type ints, a tuple of ints, or a list of ints, got "
                f"{shape}",
            )
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n < 0 for n in sizes):
            raise fail(ValueError, "broadcast_shapes", f"shape {list(sizes)} has a negative size")
        found.append(sizes)
    return Size(layout.broadcast_shapes(*found))


@composite()
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: each vector expanded along its own dimension.

    Args:
        indexing: "ij" (matrix order, the default) or "xy" (the first two dimensions swapped).

    Raises:
        RuntimeError: tensors of more than one dimension, of different dtypes, or another indexing.
    """
    found = tensors_of("meshgrid", tensors)
    if indexing is None:
        from flambeau.compat import warn_once

        warn_once(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing "
            "argument.",
            UserWarning,
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise fail(
            RuntimeError,
            "meshgrid",
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}',
        )
    if not found:
        raise fail(RuntimeError, "meshgrid", "meshgrid expects a non-empty TensorList")
    for t in found:
        if t._array.ndim > 1:
            raise fail(
                RuntimeError,
                "meshgrid",
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: "
                f"{list(t._array.shape)}",
            )
        if t._array.dtype != found[0]._array.dtype:
            raise fail(
                RuntimeError,
                "meshgrid",
                "torch.meshgrid expects all tensors to have the same dtype",
            )
    swap = indexing == "xy" and len(found) > 1
    if swap:
        found[0], found[1] = found[1], found[0]
    shape = [t.numel() for t in found]
    ndim = len(shape)
    grids = [
        t.view((1,) * k + (-1,) + (1,) * (ndim - k - 1)).expand(shape)
        if t.numel()
        else t.reshape(shape)
        for k, t in enumerate(found)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@composite()
def cartesian_prod(*tensors: Any) -> Tensor:
    """Every choice of one element from each vector, a row each; of a single vector, itself.

    Raises:
        RuntimeError: a tensor that is no vector.
    """
    found = tensors_of("cartesian_prod", tensors)
    for t in found:
        if t._array.ndim != 1:
            raise fail(
                RuntimeError,
                "cartesian_prod",
                f"Expect a 1D vector, but got shape {list(t._array.shape)}",
            )
    if len(found) == 1:
        return found[0]
    return stack([g.flatten() for g in meshgrid(*found, indexing="ij")], 1)


@composite()
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of `r` elements of a vector in order, a row each.

    Raises:
        RuntimeError: the tensor is no vector, or r is negative.
    """
    if input._array.ndim != 1:
        raise fail(
            RuntimeError,
            "combinations",
            f"Expect a 1D vector, but got shape {list(input._array.shape)}",
        )
    if r < 0:
        raise fail(RuntimeError, "combinations", f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty((0,))
    picked = list((choose_again if with_replacement else choose)(range(input._array.size), r))
    places = np.array(picked, np.int64).reshape(len(picked), r)
    kind = input.dtype
    if kind.itemsize == 2 and kind.category == "float":  # gradients are summed before they round
        input = input.float()
    found = ops._index_one(input, wrap(quiet(np.ascontiguousarray, places)), 0)
    return labelled(found.to(kind), "StackBackward0")
