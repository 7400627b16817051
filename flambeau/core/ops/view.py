"""Views of another shape or dtype: view, reshape, flatten and their kin. They share memory and
versions. Other views are in the files `view_*`. Stands on declare.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core.binding import sizes_of
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.dims import wrap_dim
from flambeau.core.dtypes import of
from flambeau.core.entry import as_view, at_first, looking, nothing, process
from flambeau.core.errors import fail
from flambeau.core.factory_options import element_type
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import late
from flambeau.core.state import ordinary
from flambeau.core.storage import address
from flambeau.core.tensor import PLAIN, Tensor, edge_of

__all__ = ["restride", "same_size_as", "strided"]

nd = np.ndarray


def _strided_again(input: Any, size: Any) -> Any | None:
    """The view of another shape of what is not row-major; None where there is none."""
    item = input.dtype.itemsize
    steps = layout.view_strides(input.shape, tuple([s // item for s in input.strides]), size)
    return None if steps is None else strided(input, size, tuple([s * item for s in steps]))


def strided(input: Any, shape: Any, steps: Any, offset: int = 0) -> Any:
    """A view of other geometry on an array's memory; strides and offset in bytes, from its first
    element. The callers know that it stays within the storage.
    """
    if type(input) is Abstract:
        return Abstract(tuple(shape), input.dtype, tuple(steps), input.offset)
    return restride(input, tuple(shape), tuple(steps), offset)


def _constructed(input: Any, shape: Any, steps: Any, offset: int) -> Any:
    """`strided` by NumPy's constructor."""
    if not offset and input.flags.c_contiguous:
        try:
            return nd(shape, input.dtype, input, 0, steps)
        except ValueError:
            pass  # it reaches beyond this view, into the storage
    base = input
    while isinstance(base.base, nd):
        base = base.base
    start = address(input) - address(base) + offset
    # The owner of memory is dense in some order of its dimensions: in memory order it is one piece.
    return nd(
        shape,
        input.dtype,
        base if base.flags.c_contiguous else base.ravel(order="K"),
        start,
        steps,
    )


restride = late.native("views", "restride", _constructed)


@declare_view(
    vjp=lambda g, shape: g.reshape(shape), name="_view", node="View", method=False, function=False
)
def _view(input, size: Any):
    """The view of another shape, where strides allow it."""
    if type(input) is nd and input.flags.c_contiguous:
        return input.reshape(size)
    found = _strided_again(input, size)
    if found is None:
        raise fail(
            RuntimeError,
            "view",
            f"view size is not compatible with input tensor's size and stride (shape "
            f"{list(input.shape)} to {list(size)}: at "
            "least one dimension spans across two contiguous subspaces). Use .reshape(...) "
            "instead.",
        )
    return found


@declare_view(
    name="_reshape_alias",
    node="ReshapeAlias",
    method=False,
    function=False,
    vjp=lambda g, shape: g.reshape(shape),
)
def _reshape_alias(input, size: Any):
    """`_view` as `reshape` makes it of what is not row-major."""
    return _strided_again(input, size)


_shaped: Callable[..., Any] = at_first(
    globals(), "_shaped", lambda: process.native("shaped", VIEW, nothing) or nothing
)
"""``_shaped(input, *sizes)``: the view; None where the long way must look."""
_reshaped: Callable[..., Any] = at_first(
    globals(),
    "_reshaped",
    lambda: process.native("shaped", VIEW, nothing, copying=id(COPY), again=id(AGAIN)) or nothing,
)
"""The same, but a copy where there is no view."""


@composite(method=True)
def reshape(input: Tensor, shape: Any = None, *sizes: Any) -> Tensor:
    """The tensor in another shape: a view where strides allow it, else a copy."""
    found = _reshaped(input, shape, *sizes)
    if found is not None:
        return found  # type: ignore[no-any-return]
    size = (shape, *sizes) if sizes else sizes_of("reshape", "shape", (), shape)
    if type(input) in PLAIN and ordinary():
        a = input._array
        if type(a) is nd and a.flags.c_contiguous:
            try:
                r = a.reshape(size) if min(size, default=0) >= -1 else None
            except (ValueError, TypeError):
                r = None  # worded below
            if r is not None:
                return as_view(VIEW, input, r, (None, r.shape))
    a = input._array
    size = layout.infer_size(size, a.size, "reshape")
    if type(a) is not Abstract and not hasattr(a, "strides"):
        return ops._view(input, size)
    item = a.dtype.itemsize
    steps = tuple([s // item for s in a.strides])
    if steps == layout.contiguous_strides(a.shape):
        return ops._view(input, size)
    if layout.view_strides(a.shape, steps, size) is not None:
        return ops._reshape_alias(input, size)
    return ops._reshape_copy(input, size)


VIEW: Any = ops._view.operation


@primitive(
    function=False,
    method=False,
    node="UnsafeView",
    vjp=lambda g, shape: g.reshape(shape),
    infer=lambda input, size: (size, input.dtype),
)
def _reshape_copy(input, size: Any):
    """The elements in order, in another shape, copied: what `reshape` does where no view can."""
    return input.reshape(size)


COPY: Any = ops._reshape_copy.operation
AGAIN: Any = ops._reshape_alias.operation


@composite(method=True, function=False)
def view(input: Tensor, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory in another shape, or (given a dtype) its bytes read as another type.

    Raises:
        RuntimeError: strides that no view of that shape can have.
    """
    if len(shape) == 1 and type(shape[0]) is dtypes.dtype:
        if edge_of(input) is not None:
            input = input.detach()  # bytes have no gradient
        found = _retyped(input, shape[0].numpy)
        return _as_type(input, shape[0]) if found is None else found
    if size is not None or not (shape or dtype):
        shape = (sizes_of("view", "size", shape, size),)
    if dtype is None:
        found = _shaped(input, *shape)
        if found is not None:
            return found  # type: ignore[no-any-return]
    asked = dtype or (shape[0] if len(shape) == 1 else None)
    if dtype is not None or isinstance(asked, (dtypes.dtype, type)):
        return _as_type(input.detach(), element_type("view", asked))
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    a = input._array
    if type(input) in PLAIN and type(a) is nd and a.flags.c_contiguous and ordinary():
        try:
            r = a.reshape(wanted) if min(wanted, default=0) >= -1 else None
        except (ValueError, TypeError):
            r = None  # worded below
        if r is not None:
            return as_view(VIEW, input, r, (None, r.shape))
    return ops._view(input, layout.infer_size(wanted, a.size, "view"))


@declare_view(name="_view_dtype", node="View", method=False, function=False)
def _view_dtype(input, dtype: Any):
    """The bytes read as another dtype; the last dimension shrinks or grows with the size of an
    element.
    """
    new, old = dtype.numpy.itemsize, input.dtype.itemsize
    if new == old:
        return (
            input.view(dtype.numpy)
            if type(input) is nd
            else Abstract(input.shape, dtype.numpy, input.strides)
        )
    if not input.ndim:
        raise fail(
            RuntimeError,
            "view",
            f"self.dim() cannot be 0 to view {of(input.dtype)} as {dtype} (different element "
            f"sizes)",
        )
    if input.size and input.strides[-1] != old:
        raise fail(
            RuntimeError,
            "view",
            f"self.stride(-1) must be 1 to view {of(input.dtype)} as {dtype} (different element "
            f"sizes)",
        )
    if new > old and (input.shape[-1] * old) % new:
        raise fail(
            RuntimeError,
            "view",
            f"self.size(-1) must be divisible by {new // old} to view {of(input.dtype)} as "
            f"{dtype} (different element sizes), but got {input.shape[-1]}",
        )
    if new > old and any(s % new for s in input.strides[:-1]):
        raise fail(
            RuntimeError,
            "view",
            f"self.stride() must be divisible by {new // old} to view {of(input.dtype)} as {dtype} "
            f"(different element sizes), but got {[s // old for s in input.strides]}",
        )
    if type(input) is Abstract:
        return Abstract((*input.shape[:-1], input.shape[-1] * old // new), dtype.numpy)
    return input.view(dtype.numpy)


def _as_type(input: Tensor, dtype: Any) -> Any:
    """The bytes as another dtype; larger elements must start where they would in the storage.

    Raises:
        RuntimeError: they do not.
    """
    ratio = dtype.numpy.itemsize // input._array.dtype.itemsize
    if ratio > 1 and input.dim() and input.storage_offset() % ratio:
        raise fail(
            RuntimeError,
            "view",
            f"self.storage_offset() must be divisible by {ratio} to view {input.dtype} as {dtype} "
            f"(different element sizes), but got {input.storage_offset()}",
        )
    return ops._view_dtype(input, dtype)


_retyped: Callable[..., Any] = at_first(
    globals(), "_retyped", lambda: looking(ops._view_dtype.operation, "retype")
)


def same_size_as(name: str, *given: Any) -> None:
    if len(given) != 1 or not isinstance(given[0], Tensor):
        kinds = ", ".join(type(x).__name__ for x in given)
        raise fail(
            TypeError,
            f"{name}_as",
            f"argument 'other' must be one Tensor, not {kinds}: for sizes use {name}(...)",
        )


@composite(method=True, function=False)
def view_as(input: Tensor, other: Tensor, *sizes: Any) -> Tensor:
    """The view with `other`'s shape.

    Raises:
        TypeError: sizes instead of a tensor (that is `view`).
    """
    same_size_as("view", other, *sizes)
    found = _shaped(input, other._array.shape)
    return view(input, other.size()) if found is None else found


@composite(method=True, function=False)
def reshape_as(input: Tensor, other: Tensor, *sizes: Any) -> Tensor:
    """`reshape` to `other`'s shape.

    Raises:
        TypeError: sizes instead of a tensor (that is `reshape`).
    """
    same_size_as("reshape", other, *sizes)
    found = _reshaped(input, other._array.shape)
    return reshape(input, other.size()) if found is None else found


@composite(method=True)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` laid into one.

    Raises:
        RuntimeError: start after end.
    """
    shape = input._array.shape
    if not shape:
        return reshape(input, (1,))
    if start_dim == 0 and end_dim == -1 and len(shape) > 1:
        found = _reshaped(input, -1)
        if found is not None:
            return found  # type: ignore[no-any-return]
    n = len(shape)
    if type(start_dim) is int is type(end_dim) and -n <= start_dim < n and -n <= end_dim < n:
        start, end = start_dim % n, end_dim % n
    else:
        start, end = wrap_dim(start_dim, n), wrap_dim(end_dim, n)
    if start > end:
        raise fail(
            RuntimeError,
            "flatten",
            "flatten() has invalid args: start_dim cannot come after end_dim",
        )
    if start == end:
        return input
    if end == n - 1 and input._array.size:
        found = _reshaped(input, (*shape[:start], -1))
        if found is not None:
            return found  # type: ignore[no-any-return]
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@composite(method=True)
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Dimension `dim` split into `sizes` (one may be -1).

    Raises:
        RuntimeError: sizes that do not multiply to the dimension.
    """
    shape = input._array.shape
    dim = wrap_dim(dim, len(shape))
    sizes = tuple(sizes)
    if sizes and -1 not in sizes and math.prod(sizes) == shape[dim]:
        found = _shaped(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))
        if found is not None:
            return found  # type: ignore[no-any-return]
    if not sizes:
        raise fail(RuntimeError, "unflatten", "unflatten: sizes must be non-empty")
    try:
        sizes = layout.infer_size(sizes, shape[dim], "unflatten")
    except RuntimeError:
        raise fail(
            RuntimeError,
            "unflatten",
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor",
        ) from None
    return (
        view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))
        if _viewable(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))
        else reshape(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))
    )


def _viewable(input: Tensor, size: Any) -> bool:
    a = input._array
    return (
        layout.view_strides(a.shape, tuple(s // a.dtype.itemsize for s in a.strides), size)
        is not None
    )


@composite(method=True)
def ravel(input: Tensor) -> Tensor:
    """The elements in one dimension."""
    a = input._array
    found = _shaped(input, -1) if type(a) is nd and a.flags.c_contiguous else None
    if found is not None:
        return found  # type: ignore[no-any-return]
    return reshape(input.contiguous(), (-1,))
