"""Views: transpose, reshape, slices, expand, squeeze and their kin. They share memory and versions.
Stands on declare.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.dims import wrap_dim, wrap_dims
from flambeau.core.dtypes import of
from flambeau.core.entry import as_view, record_one
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.native.views import lazily
from flambeau.core.methods import attach
from flambeau.core.state import mode, ordinary
from flambeau.core.storage import address
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

__all__: list[str] = []

nd = np.ndarray


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


restride = lazily("restride", _constructed)


@declare_view(
    vjp=lambda g, dim0, dim1: ops.transpose(g, dim0, dim1),
    alias=("swapaxes", "swapdims"),
    inplace=False,
    native="swap",
)
def transpose(input, dim0: int, dim1: int):
    """The view with two dimensions swapped."""
    return (
        input.swapaxes(wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim))
        if input.ndim
        else input.view()
    )


@declare_view(
    vjp=lambda g, shape: g.reshape(shape), name="_view", node="View", method=False, function=False
)
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
            f"view size is not compatible with input tensor's size and stride (shape "
            f"{list(input.shape)} to {list(size)}: at "
            "least one dimension spans across two contiguous subspaces). Use .reshape(...) "
            "instead.",
        )
    return strided(input, size, tuple(s * item for s in steps))


def _reshaped(input: Tensor, a: Any, size: Any) -> Tensor | None:
    """The short way of a reshape of an array that is not row-major; None where the long way must
    look.
    """
    try:
        r = a.reshape(size)
    except (ValueError, TypeError):
        return None
    under = r.base  # a view's is the array it shows, or that array's own base; a copy's its own
    if under is not None and (under is a or under is a.base):
        if 1 in r.shape and r.strides != _unit_steps(a, r):
            return None
        return as_view(VIEW, input, r, (None, r.shape))
    found = wrap(r)
    edge = input._edge if input._view is None else edge_of(input)
    if edge is not None and mode() is None:
        record_one(COPY, (input, r.shape), (a, None), (edge,), 1, found)
    return found


def _unit_steps(a: Any, r: Any) -> tuple[int, ...]:
    """The strides of `r`, a reshaped view of `a`, with PyTorch's for dimensions of size 1: as if
    one more lay there.
    """
    steps = list(r.strides)
    after = a.strides[-1]
    for k in range(r.ndim - 1, -1, -1):
        if r.shape[k] == 1:
            steps[k] = after
        after = steps[k] * r.shape[k]
    return tuple(steps)


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
        elif type(a) is nd and a.size and a.dtype.kind == "f":
            found = _reshaped(input, a, size)
            if found is not None:
                return found
    a = input._array
    size = layout.infer_size(size, a.size, "reshape")
    item = a.dtype.itemsize
    if type(a) is not Abstract and not hasattr(a, "strides"):
        return ops._view(input, size)
    if layout.view_strides(a.shape, tuple([s // item for s in a.strides]), size) is not None:
        return ops._view(input, size)
    return ops._reshape_copy(input, size)


VIEW = ops._view.operation


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


COPY = ops._reshape_copy.operation


@composite(method=True, function=False)
def view(input: Tensor, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory in another shape, or (given a dtype) its bytes read as another type.

    Raises:
        RuntimeError: strides that no view of that shape can have.
    """
    if size is not None:
        shape = (size,)
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], dtypes.dtype)):
        return ops._view_dtype(input, dtype or shape[0])
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    a = input._array
    if type(input) in PLAIN and type(a) is nd and a.flags.c_contiguous and ordinary():
        try:
            r = a.reshape(wanted)
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
    if input.strides[-1] != old:
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
    if type(input) is Abstract:
        return Abstract((*input.shape[:-1], input.shape[-1] * old // new), dtype.numpy)
    return input.view(dtype.numpy)


def _like(name: str, *given: Any) -> None:
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
    _like("view", other, *sizes)
    return view(input, other.size())


@composite(method=True, function=False)
def reshape_as(input: Tensor, other: Tensor, *sizes: Any) -> Tensor:
    """`reshape` to `other`'s shape.

    Raises:
        TypeError: sizes instead of a tensor (that is `reshape`).
    """
    _like("reshape", other, *sizes)
    return reshape(input, other.size())


@declare_view(vjp=lambda g, dim: ops.squeeze(g, dim), inplace=False, native="insert")
def unsqueeze(input, dim: int):
    """The view with a dimension of size 1 inserted at `dim`."""
    dim = wrap_dim(dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None,)]


def _squeeze_name(node: Any) -> str:
    dim = node.params[1]
    return (
        "SqueezeBackward0"
        if dim is None
        else "SqueezeBackward2"
        if isinstance(dim, (tuple, list))
        else "SqueezeBackward1"
    )


@declare_view(vjp=lambda g, shape: g.reshape(shape), inplace=False, node=_squeeze_name)
def squeeze(input, dim: Any = None):
    """The view without the dimensions of size 1 (all of them, or those in `dim` that are)."""
    if dim == ():
        gone = []
    elif dim is None:
        gone = [k for k, n in enumerate(input.shape) if n == 1]
    else:
        gone = [k for k in wrap_dims(dim, input.ndim) if input.ndim and input.shape[k] == 1]
    return (
        input[(*[0 if k in gone else slice(None) for k in range(input.ndim)], ...)]
        if gone
        else _whole(input)
    )


def _whole(input: Any) -> Any:
    return input.view() if type(input) is nd else input


@declare_view(
    vjp=lambda g, dims: ops._permute(g, inverse(dims)),
    name="_permute",
    node="Permute",
    function=False,
    method=False,
)
def _permute(input, dims: Any):
    """The view with its dimensions in another order."""
    return input.transpose(dims)


def inverse(dims: Any) -> tuple[int, ...]:
    """The permutation that undoes `dims`."""
    found = [0] * len(dims)
    for k, d in enumerate(dims):
        found[d] = k
    return tuple(found)


@composite(method=True)
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The view with its dimensions in the order `dims`.

    Raises:
        RuntimeError: not every dimension named once.
    """
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    a = input._array
    if type(input) in PLAIN and type(a) is nd and ordinary():
        try:
            r = a.transpose(order) if order else None
        except (ValueError, TypeError):
            r = None  # worded below
        if r is not None:
            return as_view(PERMUTE, input, r, (None, tuple(order)))
    ndim = a.ndim
    if len(order) != ndim:
        raise fail(
            RuntimeError,
            "permute",
            f"number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. "
            f"input.dim() = {ndim} is not equal to len(dims) = {len(order)}",
        )
    wrapped = tuple([wrap_dim(d, ndim) for d in order])
    if len(set(wrapped)) < ndim:
        raise fail(RuntimeError, "permute", f"duplicate dims are not allowed: {tuple(order)}")
    return ops._permute(input, wrapped)


PERMUTE = ops._permute.operation
REVERSED = {1: (0,), 2: (1, 0), 3: (2, 1, 0)}


def _move(input: Tensor, source: Any, destination: Any) -> Tensor:
    ndim = input._array.ndim
    sources = (source,) if isinstance(source, int) else tuple(source)
    targets = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(sources) != len(targets):
        raise fail(
            RuntimeError,
            "movedim",
            f"Invalid source or destination dims: source ({list(sources)} dims) should contain "
            f"the same number of dims as destination ({list(targets)} dims)",
        )
    sources, targets = wrap_dims(sources, ndim), wrap_dims(targets, ndim)
    order = [-1] * ndim
    for s, t in zip(sources, targets, strict=True):
        order[t] = s
    rest = iter(k for k in range(ndim) if k not in sources)
    return ops._permute(input, tuple([k if k >= 0 else next(rest) for k in order]))


@composite(method=True, alias=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The view with the dimensions `source` moved to the places `destination`."""
    return _move(input, source, destination)


@declare_view(vjp=lambda g: g.t(), inplace=False)
def t(input):
    """The transposed matrix; vectors and scalars as they are.

    Raises:
        RuntimeError: more than 2 dimensions.
    """
    if input.ndim > 2:
        raise fail(
            RuntimeError,
            "t",
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D: use .mT or "
            f"transpose(dim0, dim1)",
        )
    return input.swapaxes(0, 1) if input.ndim == 2 else _whole(input)


@composite(method=True)
def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of the last two dimensions."""
    if input._array.ndim < 2:
        raise fail(
            RuntimeError,
            "adjoint",
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got "
            f"{input._array.ndim}-D tensor.",
        )
    found = ops.transpose(input, -2, -1)
    return found.conj() if input.is_complex() else found


class Transposed:
    """`T`, `mT`, `H`, `mH`."""

    @property
    def T(self: Tensor) -> Tensor:
        """The tensor with its dimensions reversed."""
        a = self._array
        if type(self) in PLAIN and type(a) is nd and ordinary():
            return as_view(
                PERMUTE, self, a.T, (None, REVERSED.get(a.ndim) or tuple(range(a.ndim))[::-1])
            )
        return ops._permute(self, tuple(range(self._array.ndim))[::-1])

    @property
    def mT(self: Tensor) -> Tensor:
        """The last two dimensions swapped."""
        if self._array.ndim < 2:
            raise fail(
                RuntimeError,
                "mT",
                f"tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self._array.ndim}-D tensor.",
            )
        return ops.transpose(self, -2, -1)

    @property
    def H(self: Tensor) -> Tensor:
        """The conjugate transpose of a matrix."""
        if self._array.ndim not in (0, 2):
            raise fail(
                RuntimeError,
                "H",
                f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D "
                f"tensor.",
            )
        return adjoint(self) if self._array.ndim else self.conj()

    @property
    def mH(self: Tensor) -> Tensor:
        """The conjugate transpose of the last two dimensions."""
        return adjoint(self)


attach(Transposed)


@declare_view(
    vjp=lambda g, shape: ops.sum_to_size(g, shape),
    name="_expand",
    node="Expand",
    function=False,
    method=False,
)
def _expand(input, size: Any):
    """The view in which dimensions of size 1 repeat."""
    size, steps = layout.expand(input.shape, input.strides, size)
    return strided(input, size, steps)


EXPAND = ops._expand.operation


@composite(method=True, function=False)
def expand(input: Tensor, *sizes: Any, size: Any = None, implicit: bool = False) -> Tensor:
    """The view in which dimensions of size 1 repeat to `sizes`; -1 keeps a size."""
    wanted = (
        size
        if size is not None
        else sizes[0]
        if len(sizes) == 1 and isinstance(sizes[0], (tuple, list))
        else sizes
    )
    a = input._array
    if type(input) in PLAIN and type(a) is nd and ordinary():
        wanted = tuple(wanted)
        r = _spread(a, wanted)
        if r is not None:
            return as_view(EXPAND, input, r, (None, wanted))
    return ops._expand(input, tuple(wanted))


def _repeated(a: Any, wanted: Any) -> Any:
    """The expanded array; None where the declared operation must look: sizes of -1, new dimensions
    of size 1, errors.
    """
    lead = len(wanted) - a.ndim
    steps = [0] * lead
    for n, have, step in zip(wanted[lead:], a.shape, a.strides):
        if n == have:
            steps.append(step)
        elif have == 1 and n > 0:
            steps.append(0)
    if lead >= 0 and len(steps) == len(wanted) and 1 not in wanted[:lead] and a.size:
        return strided(a, wanted, steps)
    return None


_spread = lazily("expand", _repeated)


@composite(method=True)
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """The view broadcast to `size`."""
    return ops._expand(input, tuple(size))


@composite(method=True, function=False)
def expand_as(input: Tensor, other: Tensor, *sizes: Any) -> Tensor:
    """The view expanded to `other`'s size.

    Raises:
        TypeError: sizes instead of a tensor (that is `expand`).
    """
    _like("expand", other, *sizes)
    return ops._expand(input, tuple(other._array.shape))


@composite(method=True, function=False)
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions along which `size` would broadcast to this tensor.

    Raises:
        RuntimeError: `size` does not broadcast to the tensor's.
    """
    wanted = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    shape = input._array.shape
    if wanted == shape and shape:
        return input
    lead = len(shape) - len(wanted)
    if lead < 0 or any(n not in (1, m) for n, m in zip(wanted, shape[lead:], strict=True)):
        raise fail(
            RuntimeError,
            "sum_to_size",
            f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.",
        )
    dims = tuple(range(lead)) + tuple(
        lead + k for k, n in enumerate(wanted) if n == 1 != shape[lead + k]
    )
    if not wanted:
        return input.sum()
    found = input.sum(dims, keepdim=True) if dims else input
    return found.reshape(wanted) if lead else found


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


def _no_short_way(*args: Any) -> None:
    """The long way checks the arguments and words the errors."""


SELECT = ops._select.operation
_at = lazily("select", _no_short_way)


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
)
def _slice(input, dim: int, start: int, end: int, step: int):
    """The view of a range of a dimension."""
    return input[(slice(None),) * dim + (slice(start, end, step),)]


SLICE = ops._slice.operation
_within = lazily("narrow", _no_short_way)


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


@composite(method=True)
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
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("narrow_copy", found, out)


@declare_view(
    name="_as_strided",
    node="AsStrided",
    function=False,
    method=False,
    vjp=lambda g, input_geometry, size, stride, storage_offset: ops.as_strided_backward(
        g, input_geometry[0], input_geometry[1], size, stride, storage_offset
    ),
)
def _as_strided(input, size: Any, stride: Any, storage_offset: int, input_geometry: Any):
    """A view of any geometry; `storage_offset` from the input's first element, in elements."""
    item = input.dtype.itemsize
    if type(input) is Abstract:
        return Abstract(size, input.dtype, tuple(s * item for s in stride), storage_offset)
    return strided(input, size, tuple(s * item for s in stride), storage_offset * item)


@composite(method=True)
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the storage with the given sizes, strides and offset (in elements).

    Raises:
        RuntimeError: mismatched lengths, negative strides, or elements outside the storage.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise fail(
            RuntimeError,
            "as_strided",
            f"mismatch in length of strides and shape: {len(stride)} and {len(size)}",
        )
    if len(size) > 64:
        raise fail(
            RuntimeError,
            "as_strided",
            f"only tensors with up to 64 dims are supported, size has {len(size)}: flatten some.",
        )
    if any(s < 0 for s in stride):
        raise fail(
            RuntimeError,
            "as_strided",
            f"as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}",
        )
    own = input.storage_offset()
    offset = own if storage_offset is None else storage_offset
    if offset < 0:
        raise fail(RuntimeError, "as_strided", f"Tensor: invalid storage offset {offset}")
    if type(input._array) is nd and 0 not in size:
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        room = input.untyped_storage().nbytes() // input._array.itemsize
        if last >= room:
            raise fail(
                RuntimeError,
                "as_strided",
                f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset "
                f"{offset}, and itemsize "
                f"{input._array.itemsize} requiring a storage size of "
                f"{(last + 1) * input._array.itemsize} are out of bounds for "
                f"storage of size {room * input._array.itemsize}",
            )
    geometry = (tuple(input._array.shape), input.stride())
    return ops._as_strided(input, size, stride, offset - own, geometry)


@primitive(
    function=False,
    method=False,
    vjp=lambda g, base_stride, size, stride, offset: ops.as_strided_gather(
        g, base_stride, size, stride, offset
    ),
    infer=lambda grad, base_shape, base_stride, size, stride, offset: (base_shape, grad.dtype),
)
def as_strided_backward(
    grad, base_shape: Any, base_stride: Any, size: Any, stride: Any, offset: int
):
    """The gradient of a strided view for its base: each element of the storage gets the sum of
    those that show it.
    """
    places, own, count = _shared(size, stride, offset, base_shape, base_stride)
    flat = _collected(places, grad, count)
    # Elements of the base that show the same place share its gradient.
    shown = np.bincount(own.reshape(-1), minlength=count)
    return (flat[own] / shown[own]).astype(grad.dtype)


@primitive(
    function=False,
    method=False,
    vjp=lambda g, input_shape, base_stride, size, stride, offset: ops.as_strided_backward(
        g, input_shape, base_stride, size, stride, offset
    ),
    infer=lambda input, base_stride, size, stride, offset: (size, input.dtype),
)
def as_strided_gather(input, base_stride: Any, size: Any, stride: Any, offset: int):
    """The adjoint of `as_strided_backward`: places of the storage that no element of the base shows
    read as 0.
    """
    places, own, count = _shared(size, stride, offset, input.shape, base_stride)
    shown = np.bincount(own.reshape(-1), minlength=count)
    return _collected(own, input / shown[own], count)[places].astype(input.dtype)


def _shared(
    size: Any, stride: Any, offset: int, base_shape: Any, base_stride: Any
) -> tuple[Any, Any, int]:
    """The places of a view and of its base in one numbering from 0, and how many there are."""
    places, own = _places(size, stride, offset), _places(base_shape, base_stride, 0)
    low = min(int(places.min(initial=0)), 0)
    return (
        places - low,
        own - low,
        max(int(places.max(initial=-1)), int(own.max(initial=-1))) + 1 - low,
    )


def _collected(places: Any, values: Any, count: int) -> Any:
    """The sum of the values at each place."""
    at = places.reshape(-1)
    if values.dtype.kind == "c":
        return np.bincount(at, values.real.reshape(-1), count) + 1j * np.bincount(
            at, values.imag.reshape(-1), count
        )
    return np.bincount(at, values.reshape(-1).astype("f8"), count)


def _places(size: Any, stride: Any, offset: int) -> Any:
    found = np.full((1,) * len(size), offset)
    for k, (n, s) in enumerate(zip(size, stride, strict=True)):
        found = found + (np.arange(n) * s).reshape((-1,) + (1,) * (len(size) - k - 1))
    return found


@declare_view(
    vjp=lambda g, shape, offset, dim1, dim2: ops.diagonal_backward(g, shape, offset, dim1, dim2)
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
    count = grad.shape[d]
    for k in range(size):
        place = (slice(None),) * d + (slice(k, k + step * (count - 1) + 1, step),)
        found[place] += grad[..., k]
    return found


@composite(method=True)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` laid into one.

    Raises:
        RuntimeError: start after end.
    """
    shape = input._array.shape
    if not shape:
        return reshape(input, (1,))
    if start_dim == 0 and end_dim == -1 and len(shape) > 1 and type(input) in PLAIN and ordinary():
        a = input._array
        if type(a) is nd and a.flags.c_contiguous:
            return as_view(VIEW, input, a.reshape(-1), (None, (a.size,)))
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise fail(
            RuntimeError,
            "flatten",
            "flatten() has invalid args: start_dim cannot come after end_dim",
        )
    if start == end:
        return input
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
    return reshape(input.contiguous(), (-1,))


def _rebind(name: str, function: Any) -> None:
    """`t_()` and its kin: the tensor becomes its own view."""

    def written(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        from flambeau.core.inplace import check_inplace
        from flambeau.core.storage import touch

        check_inplace(name, input, edge_of(input) is not None)
        found = function(input, *args, **kwargs)
        input._array = found._array
        input._edge = edge_of(found)
        touch(input, name)
        if input._view is not None:
            input._view = (input._view[0], input._storage.version, input._view[2])  # type: ignore[union-attr]
        return input

    written.__name__ = name
    written.__doc__ = f"`{name[:-1]}`, in place: the tensor takes the view's geometry."
    composite(method=True, function=False)(written)


for _name in ("t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided"):
    _rebind(_name + "_", getattr(ops, _name))
