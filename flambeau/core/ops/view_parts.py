"""Views of a part: select, narrow, slices, diagonals, windows. Stands on declare and view."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.dims import wrap_dim
from flambeau.core.entry import as_view, nothing
from flambeau.core.errors import fail
from flambeau.core.kernels import late
from flambeau.core.node import labelled
from flambeau.core.ops.view import strided
from flambeau.core.state import ordinary
from flambeau.core.storage import address
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []

nd = np.ndarray


@declare_view(
    vjp=lambda g, shape, dim, index: ops._select_backward(g, shape, dim, index),
    name="_select",
    node="Select",
    function=False,
    method=False,
)
def _select(input, dim: int, index: int):
    """The view at one index of a dimension."""
    return input[(slice(None),) * dim + (index, ...)]


SELECT = ops._select.operation
_at = late.native("views", "select", nothing)


@primitive(
    function=False,
    method=False,
    vjp=lambda g, dim, index: ops._select(g, dim, index),
    infer=lambda grad, shape, dim, index: (shape, grad.dtype),
)
def _select_backward(grad, shape: Any, dim: int, index: int):
    """Zeros with `grad` at one index of a dimension."""
    found = np.zeros(shape, grad.dtype)
    found[(slice(None),) * dim + (index,)] = grad
    return found


@composite(method=True)
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The view at `index` of dimension `dim`, without that dimension.

    Raises:
        IndexError: a 0-d tensor, or an index out of range.
    """
    if type(input) in PLAIN and ordinary():
        a = input._array
        r = _at(a, dim, index)
        if r is not None:
            dim = dim if dim >= 0 else dim + a.ndim
            return as_view(SELECT, input, r, (None, dim, index % a.shape[dim]))
    shape = input._array.shape
    if not shape:
        raise fail(IndexError, "select", "select() cannot be applied to a 0-dim tensor.")
    dim, index = wrap_dim(dim, len(shape)), int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise fail(
            IndexError,
            "select",
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{dim}",
        )
    return ops._select(input, dim, index % shape[dim])


@declare_view(
    vjp=lambda g, shape, dim, start, end, step: ops._slice_backward(
        g, shape, dim, start, end, step
    ),
    name="_slice",
    node="Slice",
    function=False,
    method=False,
    native="range",
)
def _slice(input, dim: int, start: int, end: int, step: int):
    """The view of a range of a dimension."""
    return input[(slice(None),) * dim + (slice(start, end, step),)]


SLICE = ops._slice.operation
_within = late.native("views", "narrow", nothing)


@primitive(
    function=False,
    method=False,
    vjp=lambda g, dim, start, end, step: ops._slice(g, dim, start, end, step),
    infer=lambda grad, shape, dim, start, end, step: (shape, grad.dtype),
)
def _slice_backward(grad, shape: Any, dim: int, start: int, end: int, step: int):
    """Zeros with `grad` in a range of a dimension."""
    found = np.zeros(shape, grad.dtype)
    found[(slice(None),) * dim + (slice(start, end, step),)] = grad
    return found


@composite(method=True)
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The view of `length` indices of dimension `dim` from `start`.

    Raises:
        IndexError: the start lies outside. RuntimeError: the range leaves the dimension.
    """
    if type(input) in PLAIN and ordinary():
        a = input._array
        r = _within(a, dim, start, length)
        if r is not None:
            dim = dim if dim >= 0 else dim + a.ndim
            return as_view(SLICE, input, r, (None, dim, start, start + length, 1))
    shape = input._array.shape
    if not shape:
        raise fail(RuntimeError, "narrow", "narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise fail(RuntimeError, "narrow", "start must be an 0-dim integral Tensor.")
        start = start.item()
    dim = wrap_dim(dim, len(shape))
    size = shape[dim]
    if length < 0:
        raise fail(RuntimeError, "narrow", "narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise fail(
            IndexError,
            "narrow",
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})",
        )
    start = start + size if start < 0 else start
    if start + length > size:
        raise fail(
            RuntimeError,
            "narrow",
            f"start ({start}) + length ({length}) exceeds dimension size ({size}).",
        )
    return ops._slice(input, dim, start, start + length, 1)


@composite(method=True, numpy=True)
def narrow_copy(
    input: Tensor, dim: int, start: int, length: int, *, out: Tensor | None = None
) -> Tensor:
    """`narrow`, copied.

    Raises:
        RuntimeError: `dim` is not there, or the range leaves it.
    """
    if type(dim) is int and dim >= max(input.ndim, 1):
        raise fail(
            RuntimeError,
            "narrow_copy",
            f"expected dim to be less than the input's {input.ndim} dimensions, got dim={dim}. "
            f"The last is {input.ndim - 1}, or -1.",
        )
    found = narrow(input, dim, start, length).clone(memory_format=layout.contiguous_format)
    labelled(found, "NarrowCopyBackward0")
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("narrow_copy", found, out)


@declare_view(
    vjp=lambda g, shape, offset, dim1, dim2: ops.diagonal_backward(g, shape, offset, dim1, dim2),
    native="diagonal",
)
def diagonal(input, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """The view of a diagonal of two dimensions; it becomes the last dimension."""
    dim1, dim2 = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if dim1 == dim2:
        raise fail(
            RuntimeError, "diagonal", f"diagonal dimensions cannot be identical {dim1}, {dim2}"
        )
    if type(input) is nd:
        found = input.diagonal(offset, dim1, dim2)
        return strided_writable(input, found)
    return input.diagonal(offset, dim1, dim2)


def strided_writable(input: Any, found: Any) -> Any:
    """NumPy hands out diagonals read-only; the same view, writable."""
    if found.flags.writeable or not found.size:
        return found if found.flags.writeable else found.copy()
    return strided(input, found.shape, found.strides, address(found) - address(input))


@primitive(
    method=False,
    function=False,
    vjp=lambda g, offset, dim1, dim2: ops.diagonal(g, offset, dim1, dim2),
    infer=lambda grad, shape, offset, dim1, dim2: (shape, grad.dtype),
)
def diagonal_backward(grad, shape: Any, offset: int, dim1: int, dim2: int):
    """Zeros with `grad` on a diagonal."""
    found = np.zeros(shape, grad.dtype)
    view = found.diagonal(offset, dim1, dim2)
    if view.size:
        strided_writable(found, view)[...] = grad
    return found


@declare_view(
    vjp=lambda g, shape, dimension, size, step: ops.unfold_backward(
        g, shape, dimension, size, step
    ),
    function=False,
    native="unfold",
)
def unfold(input, dimension: int, size: int, step: int):
    """The view of all windows of `size` along a dimension, `step` apart; the window becomes the
    last dimension.

    Raises:
        RuntimeError: a window larger than the dimension, or a step that is not positive.
    """
    d = wrap_dim(dimension, input.ndim)
    length = input.shape[d] if input.ndim else 1
    if size < 0:
        raise fail(RuntimeError, "unfold", f"size is {size} but must be >= 0")
    if size > length:
        raise fail(
            RuntimeError,
            "unfold",
            f"maximum size for tensor at dimension {d} is {length} but size is {size}",
        )
    if step <= 0:
        raise fail(RuntimeError, "unfold", f"step is {step} but must be > 0")
    if not input.ndim:
        return strided(input, (size,), (input.dtype.itemsize,))
    shape = (*input.shape[:d], (length - size) // step + 1, *input.shape[d + 1 :], size)
    steps = (*input.strides[:d], input.strides[d] * step, *input.strides[d + 1 :], input.strides[d])
    return strided(input, shape, steps)


@primitive(
    method=False,
    function=False,
    vjp=lambda g, dim, size, step: ops.unfold(g, dim, size, step),
    infer=lambda grad, shape, dim, size, step: (shape, grad.dtype),
)
def unfold_backward(grad, shape: Any, dim: int, size: int, step: int):
    """The sum of windows at their places: the adjoint of `unfold`."""
    found = np.zeros(shape, grad.dtype)
    if not len(shape):
        return grad.sum().reshape(()) if size else found
    d = wrap_dim(dim, len(shape))
    steps = (*found.strides[:d], found.strides[d] * step, *found.strides[d + 1 :])
    # From the windows' ends on, as PyTorch adds them up: of one step at a time, which lie apart.
    for k in reversed(range(0, size, step)):
        part = grad[..., k : k + step]
        place = found[(slice(None),) * d + (slice(k, None),)]
        np.lib.stride_tricks.as_strided(place, part.shape, (*steps, found.strides[d]))[...] += part
    return found
