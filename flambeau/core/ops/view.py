"""Views: transpose, reshape, slices, expand, squeeze and their kin. They share memory and versions. Stands on declare."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout
from flambeau.core.declare import composite, ops, view
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.entry import as_view
from flambeau.core.state import ordinary
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []

nd = np.ndarray


def strided(input: Any, shape: Any, steps: Any, offset: int = 0) -> Any:
    """A view of other geometry on an array's memory; strides and offset in bytes, from its first element."""
    if type(input) is Abstract:
        return Abstract(tuple(shape), input.dtype, tuple(steps), input.offset)
    if not offset and input.flags.c_contiguous:
        return nd(shape, input.dtype, input, 0, steps)
    base = input
    while isinstance(base.base, nd):
        base = base.base
    from flambeau.core.storage import address

    if not base.flags.c_contiguous and not base.flags.f_contiguous:
        return np.lib.stride_tricks.as_strided(input, shape, steps)
    start = address(input) - address(base) + offset
    return nd(shape, input.dtype, base if base.flags.c_contiguous else base.T, start, steps)


@view(vjp=lambda g, dim0, dim1: ops.transpose(g, dim0, dim1), alias=("swapaxes", "swapdims"), inplace=False)
def transpose(input, dim0: int, dim1: int):
    """The view with two dimensions swapped."""
    return input.swapaxes(wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)) if input.ndim else input.view()


@view(vjp=lambda g, shape: g.reshape(shape), name="_view", node="View", method=False, function=False)
def _view(input, size: Any):
    """The view of another shape, where strides allow it."""
    if type(input) is nd and input.flags.c_contiguous:
        return input.reshape(size)
    item = input.dtype.itemsize
    steps = layout.view_strides(input.shape, tuple(s // item for s in input.strides), size)
    if steps is None:
        raise fail(
            RuntimeError,
            "view",
            f"view size is not compatible with input tensor's size and stride (shape {list(input.shape)} to {list(size)}: at "
            "least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
        )
    return strided(input, size, tuple(s * item for s in steps))


@composite(method=True)
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The tensor in another shape: a view where strides allow it, else a copy."""
    size = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if type(input) in PLAIN and ordinary():
        a = input._array
        if type(a) is nd and a.flags.c_contiguous:
            try:
                r = a.reshape(size)
            except (ValueError, TypeError):
                r = None  # worded below
            if r is not None:
                return as_view(VIEW, input, r, (None, r.shape))
    a = input._array
    size = layout.infer_size(size, a.size, "reshape")
    item = a.dtype.itemsize
    if type(a) is not Abstract and not hasattr(a, "strides"):
        return ops._view(input, size)
    if layout.view_strides(a.shape, tuple([s // item for s in a.strides]), size) is not None:
        return ops._view(input, size)
    return ops._view(ops._clone(input, layout.contiguous_format), size)


VIEW = ops._view.operation


@view(vjp=lambda g, dim: ops.squeeze(g, dim))
def unsqueeze(input, dim: int):
    """The view with a dimension of size 1 inserted at `dim`."""
    dim = wrap_dim(dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None,)]


@view(vjp=lambda g, shape: ops.sum_to_size(g, shape), name="_expand", node="Expand", function=False, method=False)
def _expand(input, size: Any):
    """The view in which dimensions of size 1 repeat."""
    size, steps = layout.expand(input.shape, input.strides, size)
    return strided(input, size, steps)


@composite(method=True)
def expand(input: Tensor, *sizes: Any, implicit: bool = False) -> Tensor:
    """The view in which dimensions of size 1 repeat to `sizes`; -1 keeps a size."""
    size = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    return ops._expand(input, tuple(size))

