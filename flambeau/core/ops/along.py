"""Values taken and put along one dimension by index: shared by sort, topk, max and cummax.

Private operations; the public `gather` and `scatter` are in their own areas. Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.kernels import late
from flambeau.core.rules import both

__all__ = ["in_order", "lanes_last", "selected", "spelled"]


def _added_by_numpy(found: Any, dim: int, indices: Any, source: Any) -> Any:
    np.put_along_axis(found, indices, source, dim)
    return found


_added = late.native("picks", "add", _added_by_numpy)


@primitive(
    function=False,
    method=False,
    infer=lambda input, dim, indices: (indices.shape, input.dtype),
    vjp={"input": lambda g, dim, indices, shape: ops._add_along(g, dim, indices, shape)},
)
def _take_along(input, dim: int, indices):
    """``input`` at `indices` along `dim`; the other dimensions are equal."""
    return np.take_along_axis(input, indices, dim) if input.ndim else np.take(input, indices)


@primitive(
    function=False,
    method=False,
    infer=lambda input, dim, indices, shape, unique: (shape, input.dtype),
    vjp={"input": lambda g, dim, indices: ops._take_along(g, dim, indices)},
)
def _add_along(input, dim: int, indices, shape: Any, unique: bool = False):
    """Zeros of `shape`, with `input` added at `indices`. `unique`: none stands twice in a lane."""
    found = np.zeros(shape, input.dtype)
    if not shape:
        return found + input.reshape(shape)
    if unique or indices.shape[dim] == 1:
        np.put_along_axis(found, indices, input, dim)
        return found
    grid = list(np.ogrid[tuple(map(slice, indices.shape))])
    grid[dim] = indices
    if found.dtype.itemsize == 2 and found.dtype.kind in "fV":  # added up in single precision
        wide = found.astype("f4")
        np.add.at(wide, tuple(grid), input.astype("f4"))
        return wide.astype(found.dtype)
    np.add.at(found, tuple(grid), input)
    return found


@both
def selected(g: Any, indices: Any, shape: Any, dim: int, keepdim: bool) -> Any:
    """The rule of operations that give one selected element a lane, and its place."""
    return _put_back(g[0], dim, indices, shape, keepdim)


def _put_back(g: Any, dim: int, indices: Any, shape: tuple[int, ...], keepdim: bool) -> Any:
    """The gradient of one selected element a lane (max, median): `g` at `indices`, else zeros."""
    if not shape:
        return g.reshape(shape)
    dim = wrap_dim(dim, len(shape))
    if type(g) is np.ndarray:
        if not keepdim:
            kept = (*shape[:dim], 1, *shape[dim + 1 :])
            g, indices = g.reshape(kept), indices.reshape(kept)
        return _added(np.zeros(shape, g.dtype), dim, indices, g)
    if not keepdim:
        g, indices = g.unsqueeze(dim), indices.unsqueeze(dim)
    return ops._add_along(g, dim, indices, shape, True)


def lanes_last(input: Any, dim: int) -> Any:
    """The array with `dim` last, as contiguous rows."""
    if not input.ndim:
        return input.reshape(1)
    if dim not in (-1, input.ndim - 1):
        input = np.moveaxis(input, dim, -1)
    return np.ascontiguousarray(input)


def in_order(found: Any) -> Any:
    """A result as PyTorch lays it out: contiguous, where NumPy keeps a permuted input's order."""
    if type(found) is np.ndarray and found.ndim > 1 and not found.flags.c_contiguous:
        return found.copy()
    return found


NAMES = {"axis": "dim", "keepdims": "keepdim"}


def spelled(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """NumPy's spellings of a composite's arguments in PyTorch's words.

    Raises:
        TypeError: a name that is neither's.
    """
    from flambeau.core.errors import fail

    for key in given:
        if key not in NAMES:
            raise fail(TypeError, name, f"{name}() got an unexpected keyword argument '{key}'")
    return {NAMES[key]: value for key, value in given.items()}
