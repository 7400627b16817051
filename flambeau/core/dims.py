"""Dimension arguments: negative ones wrapped, wrong ones refused, reduced ones put back.

What a shape's strides may be is in `layout`. Stands on errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from operator import index
from typing import Any

import numpy as np

from flambeau.core.errors import fail

__all__ = ["reduced_size", "several", "spread", "unreduce", "wrap_dim", "wrap_dims"]


def several(numbers: Any) -> tuple[Any, ...]:
    """One whole number, of whatever type, or several, as a tuple.

    Raises:
        TypeError: something else.
    """
    return tuple(numbers) if isinstance(numbers, (tuple, list)) else (index(numbers),)


def wrap_dim(dim: int, ndim: int, op: str = "dim") -> int:
    """The dimension counted from the front: -1 is the last. A 0-d tensor answers to 0 and -1.

    Args:
        dim: the user's argument.
        ndim: how many dimensions the tensor has.
        op: the operation, for the error.

    Raises:
        IndexError: no such dimension.
        TypeError: not an integer.
    """
    if type(dim) is not int:
        dim = _as_index(dim, op)
    if -ndim <= dim < ndim:
        return dim if dim >= 0 else dim + ndim
    if ndim == 0 and -1 <= dim <= 0:
        return 0
    limit = max(ndim, 1)
    raise fail(
        IndexError,
        op,
        f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], "
        f"but got {dim})",
    )


def wrap_dims(
    dims: Any, ndim: int, op: str = "dim", *, empty_is_all: bool = True
) -> tuple[int, ...]:
    """Several dimensions counted from the front, in the order given, as an axis tuple for NumPy.

    Args:
        dims: None (all), one int, or a sequence of ints.
        ndim: how many dimensions the tensor has; 0 gives ``()`` after the check.
        op: the operation, for the error.
        empty_is_all: an empty sequence means all dimensions, as in reductions.

    Raises:
        IndexError: no such dimension.
        RuntimeError: a dimension is named twice.
        TypeError: not integers.
    """
    if dims is None:
        return tuple(range(ndim))
    if type(dims) is int:
        wrapped: tuple[int, ...] = (wrap_dim(dims, ndim, op),)
    elif isinstance(dims, Iterable) and not isinstance(dims, str) and getattr(dims, "ndim", True):
        wrapped = tuple([wrap_dim(dim, ndim, op) for dim in dims])
        if not wrapped and empty_is_all:
            return tuple(range(ndim))
        if len(set(wrapped)) < len(wrapped):
            twice = next(dim for k, dim in enumerate(wrapped) if dim in wrapped[:k])
            raise fail(
                RuntimeError,
                op,
                f"dim {twice} appears multiple times in the list of dims {list(dims)}. "
                "Name each dimension once.",
            )
    else:
        wrapped = (wrap_dim(dims, ndim, op),)
    return wrapped if ndim else ()


def unreduce(grad: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A reduction's gradient with the reduced dimensions back as size 1, fit to expand to `shape`.

    Args:
        grad: Tensor or array of the reduction's output shape.
        shape: the shape that was reduced.
        dim: the dimensions reduced (None: all).
        keepdim: they are there already.
    """
    if keepdim or not shape or dim is None:
        return grad
    reduced = wrap_dims(dim, len(shape))
    if len(reduced) == len(shape) and not grad.ndim:
        return grad
    return grad.reshape(tuple([1 if k in reduced else n for k, n in enumerate(shape)]))


def reduced_size(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements a reduction over `dim` (None or empty: all) folds into one."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return prod(shape)
    if type(dim) is int:
        return shape[dim] if shape else 1
    return prod([shape[k] for k in wrap_dims(dim, len(shape))])


def spread(grad: Any, shape: tuple[int, ...]) -> Any:
    """A gradient expanded to `shape` without a copy; Tensor or array."""
    if type(grad) is np.ndarray:
        if not grad.ndim:
            return np.ndarray(shape, grad.dtype, grad, 0, (0,) * len(shape))
        return np.broadcast_to(grad, shape)
    return np.broadcast_to(grad, shape) if isinstance(grad, np.generic) else grad.expand(shape)


def _as_index(dim: Any, op: str) -> int:
    try:
        if isinstance(dim, bool):
            raise TypeError
        return index(dim)
    except TypeError:
        raise fail(
            TypeError,
            op,
            f"argument 'dim' must be int, not {type(dim).__name__}",
        ) from None
