"""Elements moved, repeated, masked by their place, filled: flip, roll, repeat, tril, diag, fill_, resize_ and their kin.

Views are in `view`, joining and cutting in `cat`. Stands on declare.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core import dtypes, layout, state
from flambeau.core.binding import sizes
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim, wrap_dims
from flambeau.core.errors import fail
from flambeau.core.inplace import check_inplace, write_result
from flambeau.core.ir.abstract import Abstract
from flambeau.core.output import write_one
from flambeau.core.overlap import check_writable
from flambeau.core.silence import quiet
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.storage import storage_of, touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap
from flambeau.core.tensor import wrap as as_tensor

__all__: list[str] = []

nd = np.ndarray


def _flip_backward(g: Tensor, dims: Any) -> Tensor:
    return ops._flip(g, dims)


@primitive(name="_flip", node="Flip", function=False, method=False, vjp=_flip_backward, infer=lambda input, dims: (input.shape, input.dtype))
def _flip(input, dims: Any):
    """A copy read backwards along `dims`."""
    if not input.ndim:
        return input.copy()
    fresh = np.empty_like(input)
    fresh[...] = input[tuple([slice(None, None, -1) if k in dims else slice(None) for k in range(input.ndim)])]
    return fresh


@composite(method=True)
def flip(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """A copy with the order of elements along `dims` reversed.

    Raises:
        RuntimeError: a dimension named twice. IndexError: no such dimension.
    """
    given = dims if dims is not None else sizes(order)
    given = (given,) if isinstance(given, int) else tuple(given)
    return ops._flip(input, wrap_dims(given, input._array.ndim, "flip", empty_is_all=False))


@composite(method=True)
def fliplr(input: Tensor) -> Tensor:
    """`flip` of dimension 1. Raises RuntimeError for fewer than 2 dimensions."""
    if input._array.ndim < 2:
        raise fail(RuntimeError, "fliplr", "Input must be >= 2-d.")
    return ops._flip(input, (1,))


@composite(method=True)
def flipud(input: Tensor) -> Tensor:
    """`flip` of dimension 0. Raises RuntimeError for a 0-d tensor."""
    if input._array.ndim < 1:
        raise fail(RuntimeError, "flipud", "Input must be >= 1-d.")
    return ops._flip(input, (0,))


@primitive(
    name="_roll", node="Roll", function=False, method=False,
    vjp=lambda g, shifts, dims: ops._roll(g, tuple([-s for s in shifts]), dims),
    infer=lambda input, shifts, dims: (input.shape, input.dtype),
)  # fmt: skip
def _roll(input, shifts: Any, dims: Any):
    """The elements shifted along dimensions, those that leave come in at the other end."""
    return np.ascontiguousarray(np.roll(input, shifts, dims or None)) if input.size and input.ndim else input.copy()


@composite(method=True)
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """The elements shifted along `dims` (without `dims`: of the flattened tensor), wrapping around.

    Raises:
        RuntimeError: numbers of shifts and dimensions differ.
    """
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not shifts:
        raise fail(RuntimeError, "roll", "`shifts` required")
    if dims and not input._array.ndim:
        raise fail(IndexError, "roll", f"Dimension specified as {dims[0]} but tensor has no dimensions")
    if not dims and len(shifts) == 1:
        return ops._roll(input, shifts, ())
    if len(shifts) != len(dims):
        raise fail(RuntimeError, "roll", f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    return ops._roll(input, shifts, tuple([wrap_dim(d, input._array.ndim) for d in dims]))


@primitive(
    name="_rot90", node="Rot90", function=False, method=False, vjp=lambda g, k, dims: ops._rot90(g, -k, dims),
)  # fmt: skip
def _rot90(input, k: int, dims: Any):
    """A plane turned by k right angles."""
    if type(input) is Abstract:
        a, b = dims
        order = list(range(input.ndim))
        if k % 2:
            order[a], order[b] = b, a
        return Abstract(tuple(input.shape[d] for d in order), input.dtype)
    a, b = dims
    # PyTorch turns by flipping a copy and transposing it: the strides show it.
    turned = np.rot90(input, k, dims)
    return np.ascontiguousarray(turned.swapaxes(a, b)).swapaxes(a, b) if k % 2 else np.ascontiguousarray(turned)


@composite(method=True)
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """The tensor turned by `k` right angles in the plane of two dimensions, from the first towards the second.

    Raises:
        RuntimeError: not two different dimensions, or fewer than 2 dimensions.
    """
    dims = tuple(dims)
    ndim = input._array.ndim
    if len(dims) != 2:
        raise fail(RuntimeError, "rot90", f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise fail(RuntimeError, "rot90", f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == ndim:
        raise fail(RuntimeError, "rot90", f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    for d in dims:
        if not -ndim <= d < ndim:
            raise fail(RuntimeError, "rot90", f"Rotation dim{dims.index(d)} out of range, dim{dims.index(d)} = {d}")
    return ops._rot90(input, k, tuple(d % ndim for d in dims))


def _repeat_backward(g: Tensor, shape: Any, repeats: Any) -> Tensor:
    padded = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    if 0 in repeats:
        return g.new_zeros(shape)
    parts: list[int] = []
    summed = []
    for k, n in zip(repeats, padded, strict=True):
        if k != 1:
            summed.append(len(parts))
            parts.append(k)
        parts.append(n)
    if not summed:
        return g.reshape(shape)
    return g.reshape(parts).sum(tuple(summed)).reshape(shape)


@primitive(
    name="_repeat", node="Repeat", function=False, method=False, vjp=_repeat_backward,
    infer=lambda input, repeats: (
        tuple(k * n for k, n in zip(repeats, (1,) * (len(repeats) - input.ndim) + input.shape, strict=True)), input.dtype,
    ),
)  # fmt: skip
def _repeat(input, repeats: Any):
    """The tensor laid side by side `repeats` times along each dimension."""
    padded = (1,) * (len(repeats) - input.ndim) + input.shape
    inner = [size for k, n in zip(repeats, padded, strict=True) for size in (k, n)]
    fresh = np.empty(inner, input.dtype)
    fresh[...] = input.reshape([size for n in padded for size in (1, n)])
    return fresh.reshape([k * n for k, n in zip(repeats, padded, strict=True)])


@composite(method=True, function=False)
def repeat(input: Tensor, *times: Any, repeats: Any = None) -> Tensor:
    """The tensor laid side by side `repeats` times along each dimension; new dimensions in front.

    Raises:
        RuntimeError: fewer numbers than dimensions, or a negative one.
    """
    times = tuple([int(k) for k in (sizes(times) if repeats is None else repeats)])
    if len(times) < input._array.ndim:
        raise fail(
            RuntimeError,
            "repeat",
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
            f"{len(times)} for {input._array.ndim}",
        )
    if any(k < 0 for k in times):
        raise fail(RuntimeError, "repeat", f"Trying to create tensor with negative dimension: repeats are {list(times)}")
    return ops._repeat(input, times)


@composite(method=True)
def tile(input: Tensor, *times: Any, dims: Any = None) -> Tensor:
    """`repeat`, with missing numbers in front taken as 1."""
    given = sizes(times) if dims is None else (dims,) if isinstance(dims, int) else dims
    return repeat(input, (1,) * (input._array.ndim - len(given)) + tuple(given))


@composite(method=True)
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element (or slice along `dim`) repeated `repeats` times in its place.

    Raises:
        RuntimeError: repeats of another length or kind, or negative ones. ValueError: a wrong `output_size`.
    """
    if repeats is None:
        return ops.repeat_interleave(ops.arange(input._array.size), input, 0, output_size=output_size)
    if dim is None:
        input, dim = ops.reshape(input, (-1,)), 0
    ndim = input._array.ndim
    dim = wrap_dim(dim, ndim)
    if not ndim:
        input = ops.reshape(input, (1,))
    if isinstance(repeats, Tensor):
        counts = repeats._array
        if counts.ndim > 1 or counts.dtype not in (np.int64, np.int32):
            if counts.ndim > 1:
                raise fail(RuntimeError, "repeat_interleave", "repeats must be 0-dim or 1-dim tensor")
            raise fail(RuntimeError, "repeat_interleave", "repeats has to be Long or Int tensor")
    elif isinstance(repeats, (list, tuple)):
        counts = np.array(repeats, np.int64)
    else:
        counts = np.array(int(repeats))
    if counts.size and counts.min() < 0:
        raise fail(RuntimeError, "repeat_interleave", "repeats can not be negative")
    n = input._array.shape[dim]
    if counts.size == 1:
        times = int(counts.reshape(()))
        if output_size is not None and output_size != times * n:
            raise fail(ValueError, "repeat_interleave", f"allocated size does not match required size {times * n}: output_size is {output_size}")
        shape = tuple(input._array.shape)
        wide = ops.unsqueeze(input, dim + 1).expand(*shape[: dim + 1], times, *shape[dim + 1 :])
        return ops.reshape(wide.clone(memory_format=layout.contiguous_format), (*shape[:dim], n * times, *shape[dim + 1 :]))
    if counts.shape != (n,):
        raise fail(
            RuntimeError,
            "repeat_interleave",
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and input.size({dim}) = "
            f"{n}",
        )
    total = int(counts.sum())
    if output_size is not None and output_size != total:
        raise fail(ValueError, "repeat_interleave", f"allocated size does not match required size {total}: output_size is {output_size}")
    return ops.index_select(input, dim, wrap(np.repeat(np.arange(n), counts)))


def _triangle(name: str, keep: Any) -> None:
    label = name.capitalize()

    def body(input, diagonal: Any = 0):
        if input.ndim < 2:
            raise fail(RuntimeError, name, f"input tensor must have at least 2 dimensions, it has {input.ndim}")
        rows, columns = input.shape[-2:]
        inside = keep(np.arange(columns) - np.arange(rows)[:, None], diagonal)
        found = np.where(inside, input, input.dtype.type(0))
        return found if type(found) is not nd or found.flags.c_contiguous else np.ascontiguousarray(found)

    body.__name__ = name
    body.__doc__ = (
        f"The {'lower' if name == 'tril' else 'upper'} triangle of the last two dimensions, up to `diagonal`; zeros elsewhere."
    )
    primitive(
        name=name, node=label, inplace=True, vjp=lambda g, diagonal: getattr(ops, name)(g, diagonal),
        infer=lambda input, diagonal: (input.shape, input.dtype),
    )(body)  # fmt: skip


_triangle("tril", lambda offset, diagonal: offset <= diagonal)
_triangle("triu", lambda offset, diagonal: offset >= diagonal)


@primitive(
    name="_diag_embed", node="DiagEmbed", function=False, method=False,
    vjp=lambda g, offset, dim1, dim2: ops.diagonal(g, offset, dim1, dim2),
)  # fmt: skip
def _diag_embed(input, offset: int, dim1: int, dim2: int):
    """Matrices with the last dimension on a diagonal."""
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((dim1, dim2)):
        shape.insert(d, n)
    if type(input) is Abstract:
        return Abstract(tuple(shape), input.dtype)
    found = np.zeros(shape, input.dtype)
    k = np.arange(input.shape[-1])
    i, j = (k, k + offset) if offset >= 0 else (k - offset, k)
    place: list[Any] = [slice(None)] * len(shape)
    place[dim1], place[dim2] = i, j
    # With one dimension between them NumPy puts the indexed one in front, else in the place of the first.
    adjacent = abs(dim1 - dim2) == 1
    found[tuple(place)] = np.moveaxis(input, -1, min(dim1, dim2) if adjacent else 0)
    return found


@composite(method=True)
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices (in `dim1`, `dim2`) with the last dimension on the diagonal `offset`, zeros elsewhere.

    Raises:
        RuntimeError: both dimensions the same. IndexError: no such dimension.
    """
    ndim = input._array.ndim + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise fail(RuntimeError, "diag_embed", f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops._diag_embed(input, offset, first, second)


@primitive(
    name="_diag_copy", node=lambda node: "DiagonalBackward0_copy", function=False, method=False,
    vjp=lambda g, shape, offset: ops.diagonal_backward(g, shape, offset, 0, 1),
)  # fmt: skip
def _diag_copy(input, offset: int):
    """A copy of a matrix's diagonal."""
    return input.diagonal(offset).copy()


@composite(method=True)
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The square matrix with a vector on a diagonal, or a copy of a matrix's diagonal.

    Raises:
        RuntimeError: neither vector nor matrix.
    """
    ndim = input._array.ndim
    if ndim not in (1, 2):
        raise fail(RuntimeError, "diag", f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    found = ops._diag_embed(input, diagonal, 0, 1) if ndim == 1 else ops._diag_copy(input, diagonal)
    return found if out is None else write_one("diag", found, out)


@composite(method=True)
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The square matrix with the flattened tensor on a diagonal."""
    return ops._diag_embed(ops.reshape(input, (-1,)), offset, 0, 1)


def _trace_backward(g: Tensor, shape: Any) -> Tensor:
    n = min(shape)
    return ops.diagonal_backward(g.expand(n), shape, 0, 0, 1)


@primitive(name="trace", vjp=_trace_backward)
def trace(input):
    """The sum of a matrix's diagonal. Raises RuntimeError for other than 2 dimensions."""
    if input.ndim != 2:
        raise fail(RuntimeError, "trace", f"expected a matrix, got a tensor of {input.ndim} dimensions")
    kind = np.dtype(np.int64) if input.dtype.kind in "iub" else input.dtype
    if type(input) is Abstract:
        return Abstract((), kind)
    diagonal = input.diagonal()
    if kind.kind in "fV" and kind.itemsize == 2:
        return np.asarray(diagonal.astype("f4").sum()).astype(kind)
    return np.asarray(diagonal.sum(dtype=kind))


@composite()
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: the powers 0 to N-1 of a vector's elements as columns, falling unless `increasing`.

    Raises:
        RuntimeError: not a vector, or a negative N.
    """
    if x._array.ndim != 1:
        raise fail(RuntimeError, "vander", "x must be a one-dimensional tensor.")
    n = x._array.shape[0] if N is None else N
    if n < 0:
        raise fail(RuntimeError, "vander", "N must be non-negative.")
    kind = ops._to_copy(x, dtypes.int64) if x._array.dtype.kind in "iub" and x._array.dtype != np.int64 else x
    if not n:
        return kind.new_empty((x._array.shape[0], 0))
    columns = [ops.ones_like(kind)]
    for _ in range(n - 1):
        columns.append(columns[-1] * kind)
    return ops.stack(columns if increasing else columns[::-1], 1)


def _filled(input: Any, value: Any) -> Any:
    """A tensor of one value."""
    fresh = np.empty_like(input)
    fresh[...] = value if value.dtype == input.dtype else value.astype(input.dtype)
    return fresh


def _declare_fill(name: str, number: int) -> None:
    def body(input, value):
        return _filled(input, value)

    primitive(
        name=name, node=lambda node: f"FillBackward{number}", function=False, method=False,
        vjp={"input": lambda g: g * 0, "value": lambda g: g.sum()}, infer=lambda input, value: (input.shape, input.dtype),
    )(body)  # fmt: skip


_declare_fill("_fill", 1)
_declare_fill("_fill_in_place", 2)  # PyTorch's names for the forms with and without writing


def _value(name: str, input: Tensor, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise fail(
                RuntimeError,
                name,
                f"{name} only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions. Use copy_ or "
                "expand.",
            )
        return value
    from flambeau.core.indexing import number_for

    if not isinstance(value, (bool, int, float, complex, np.generic)):
        raise fail(TypeError, name, f"argument 'value' (position 2) must be Number, not {type(value).__name__}")
    dtype = input._array.dtype
    return wrap(quiet(np.array, number_for(name, value, dtype), dtype))


@composite()
def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like `input`, every element `value` (a number or a 0-d tensor)."""
    return ops._fill(input, _value("fill", input, value))


@composite(method=True)
def fill_(input: Tensor, value: Any) -> Tensor:
    """Set every element to `value` (a number or a 0-d tensor), in place.

    Raises:
        RuntimeError: a value of more than one element, or one that does not fit the dtype.
    """
    m = mode()
    if (m is None or m is NO_GRAD) and type(input) in PLAIN and type(value) in (int, float, bool):
        a = input._array
        if type(a) is nd and a.dtype.kind == "f" and a.itemsize > 2 and (
            m is not None or (input._view is None and input._edge is None) or edge_of(input) is None
        ):
            check_writable("fill_", a)
            quiet(a.fill, value)
            touch(input, "fill_")
            return input
    value = _value("fill_", input, value)
    recording = state.grad_enabled() and (edge_of(input) is not None or edge_of(value) is not None)
    check_inplace("fill_", input, recording)
    write_result("fill_", input, ops._fill_in_place(input, value))
    return input


@primitive(
    name="_zero", node="Zero", function=False, method=False, vjp=lambda g: g * 0, infer=lambda input: (input.shape, input.dtype)
)
def _zero(input):
    """Zeros like the input."""
    return np.zeros_like(input)


@composite(method=True)
def zero_(input: Tensor) -> Tensor:
    """Set every element to 0, in place."""
    m = mode()
    if type(input) in PLAIN and (m is None or m is NO_GRAD):
        a = input._array
        if type(a) is nd and (m is not None or edge_of(input) is None):
            check_writable("zero_", a)
            a[...] = 0
            touch(input, "zero_")
            return input
    check_inplace("zero_", input, state.grad_enabled() and edge_of(input) is not None)
    write_result("zero_", input, ops._zero(input))
    return input


@composite()
def zero(input: Tensor) -> Tensor:
    """Zeros like the input."""
    return ops._zero(input)


@composite(method=True)
def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the main diagonal to a number, in place; `wrap` starts it anew below a tall matrix's square.

    Raises:
        RuntimeError: fewer than 2 dimensions, or more of different sizes.
    """
    a = input._array
    if a.ndim < 2:
        raise fail(RuntimeError, "fill_diagonal_", "dimensions must larger than 1")
    if a.ndim > 2 and len(set(a.shape)) > 1:
        raise fail(RuntimeError, "fill_diagonal_", "all dimensions of input must be of equal length")
    mask = np.zeros(a.shape, bool)
    np.fill_diagonal(mask, True, wrap=False)
    if wrap and a.ndim == 2 and a.shape[0] > a.shape[1]:
        mask.reshape(-1)[:: a.shape[1] + 1] = True
    return ops.masked_fill_(input, as_tensor(mask), fill_value)


@composite(method=True)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None) -> Tensor:
    """Each slice along `dim` scaled down so that its p-norm is at most `maxnorm`.

    Raises:
        RuntimeError: p not positive, maxnorm negative, or fewer than 2 dimensions.
    """
    found = _renorm(input, p, dim, maxnorm)
    return found if out is None else write_one("renorm", found, out)


def _renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    ndim = input._array.ndim
    if p <= 0:
        raise fail(RuntimeError, "renorm", f"renorm: non-positive-norm not supported: p is {p}")
    if maxnorm < 0:
        raise fail(RuntimeError, "renorm", f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if ndim < 2:
        raise fail(RuntimeError, "renorm", f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    dim = wrap_dim(dim, ndim)
    rest = tuple(k for k in range(ndim) if k != dim)
    size = ops.abs(input)
    half = input._array.dtype.kind in "fV" and input._array.dtype.itemsize == 2
    if half:
        size = size.to(dtypes.float32)
    if p == math.inf:
        norm = ops.amax(size, rest, True)
    elif p == 2:
        norm = ops.sqrt(ops.sum(size * size, rest, True))
    else:
        norm = ops.sum(size**p, rest, True) ** (1 / p)
    scale = ops.where(norm > maxnorm, maxnorm / (norm + 1e-7), ops.ones_like(norm))
    return (input * scale.to(input.dtype)) if half else input * scale


@composite(method=True, function=False)
def renorm_(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """`renorm`, in place."""
    check_inplace("renorm_", input, edge_of(input) is not None)
    write_result("renorm_", input, _renorm(_before_write(input), p, dim, maxnorm))
    return input


def _before_write(input: Tensor) -> Tensor:
    """A copy on the same edge: what rules save of a tensor about to be written."""
    kept = wrap(input._array.copy())
    kept._edge = edge_of(input)
    return kept


@composite(method=True, function=False)
def resize_(input: Tensor, *new: Any, size: Any = None, memory_format: Any = layout.contiguous_format) -> Tensor:
    """Give the tensor another shape over its storage, which grows when it must (new elements hold anything).

    Raises:
        RuntimeError: the tensor requires grad.
    """
    shape = tuple([int(n) for n in (sizes(new) if size is None else size)])
    if any(n < 0 for n in shape):
        raise fail(RuntimeError, "resize_", f"Trying to create tensor with negative dimension: {list(shape)}")
    if edge_of(input) is not None and state.grad_enabled():
        raise fail(RuntimeError, "resize_", "cannot resize variables that require grad")
    a = input._array
    if type(a) is Abstract:
        input._array = Abstract(shape, a.dtype)
        return input
    if a.shape == shape:
        return input
    if memory_format is layout.contiguous_format or memory_format is layout.preserve_format:
        steps = layout.contiguous_strides(shape)
    else:
        steps = layout.memory_format_strides(shape, memory_format)
    _reshape_storage(input, shape, steps, input.storage_offset())
    return input


def _reshape_storage(input: Tensor, shape: Any, steps: Any, offset: int) -> None:
    """Show the storage from `offset` in another geometry; a storage too small is copied into a larger one."""
    from flambeau.core.storage import root_of

    a = input._array
    item = a.itemsize
    need = offset + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1 if 0 not in shape else 0
    root = root_of(input)
    if not root.flags.c_contiguous or need * item > root.nbytes:
        flat = np.zeros(max(need, 1), a.dtype)
        store = storage_of(input)
        if root.flags.c_contiguous and root.nbytes:
            old = root.reshape(-1).view(np.uint8)
            flat.view(np.uint8)[: min(old.size, flat.nbytes)] = old[: flat.nbytes]
        elif a.size:
            flat[: a.size] = a.reshape(-1)
        if store.root is not None:
            store.root = flat
        root = flat
    flat_bytes = root.reshape(-1).view(np.uint8) if root.size else root
    input._array = np.ndarray(shape, a.dtype, flat_bytes, offset * item if root.size else 0, tuple(s * item for s in steps))
    if input._storage is not None:
        touch(input, "resize_")


@composite(method=True)
def resize_as_(input: Tensor, other: Tensor, memory_format: Any = layout.contiguous_format) -> Tensor:
    """`resize_` to another tensor's shape."""
    return resize_(input, tuple(other._array.shape), memory_format=memory_format)


@composite(method=True, function=False)
def resize(input: Tensor, *shape: Any) -> Tensor:
    """The reshaped tensor; its number of elements must stay (PyTorch's deprecated method)."""
    return ops.reshape(input, *shape)


@composite(method=True, function=False)
def set_(
    input: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Let the tensor show another tensor's memory, or a storage in the given geometry; without arguments, nothing.

    Raises:
        RuntimeError: dtypes differ, or the geometry lies outside the storage.
    """
    if source is None:
        input._array = np.empty((0,), input._array.dtype)
        input._storage = None
    elif isinstance(source, Tensor) and size is None:
        if source._array.dtype != input._array.dtype:
            raise fail(
                RuntimeError,
                "set_",
                "Could not set tensor of type "
                f"{dtypes.of(source._array.dtype)} to a tensor of type {dtypes.of(input._array.dtype)}",
            )
        input._array = source._array
        input._storage = storage_of(source)
    else:
        if isinstance(source, Tensor):
            whole = source.untyped_storage()
        else:
            whole = source.untyped() if hasattr(source, "untyped") else source
        flat = whole.tensor(dtypes.of(input._array.dtype))
        shape = (flat._array.size - storage_offset,) if size is None else (size,) if isinstance(size, int) else tuple(size)
        steps = layout.contiguous_strides(shape) if stride is None else (stride,) if isinstance(stride, int) else tuple(stride)
        found = flat.as_strided(shape, steps, storage_offset)
        input._array = found._array
        input._storage = whole._cdata
    touch(input, "set_")
    return input


def _copied(name: str, source: str) -> None:
    """`<view>_copy`: the view, copied."""

    def copied(input: Tensor, *args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
        shown = getattr(ops, source, None) or getattr(Tensor, source)
        found = shown(input, *args, **kwargs).clone(memory_format=layout.contiguous_format)
        return found if out is None else write_one(name, found, out)

    copied.__name__ = copied.__qualname__ = name
    copied.__doc__ = f"`{source}`, copied."
    composite()(copied)


for _name in (
    "alias", "as_strided", "diagonal", "expand", "permute", "select", "slice", "squeeze", "t", "transpose", "unfold",
    "unsqueeze", "view",
):  # fmt: skip
    _copied(_name + "_copy", _name)


@composite(name="slice", function=False)
def _slice_view(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """The view of a range of a dimension, its bounds clamped."""
    dim = wrap_dim(dim, input._array.ndim)
    first, last, step = slice(start, end, step).indices(input._array.shape[dim])
    return ops._slice(input, dim, first, max(first, last), step)
