"""Elements moved, repeated, masked by their place: flip, roll, repeat, tril, diag and their kin.

Views are in `view`, joining in `cat`, filling in `fill`. Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core.binding import sizes_of
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import several, wrap_dim, wrap_dims
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.generate.triangle import triangle
from flambeau.core.node import labelled
from flambeau.core.ops.view import strided
from flambeau.core.output import write_one
from flambeau.core.sampling import each_on_its_own
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


def _flip_backward(g: Tensor, dims: Any) -> Tensor:
    return ops._flip(g, dims)


@primitive(
    name="_flip",
    node="Flip",
    function=False,
    method=False,
    vjp=_flip_backward,
    infer=lambda input, dims: (input.shape, input.dtype),
)
def _flip(input, dims: Any):
    """A copy read backwards along `dims`."""
    if not input.ndim:
        return input.copy()
    fresh = memory.empty_like(input) if input.flags.c_contiguous else np.empty_like(input)
    backwards = [slice(None, None, -1) if k in dims else slice(None) for k in range(input.ndim)]
    copies.copy_into(fresh, input[tuple(backwards)])
    return fresh


@composite(method=True)
def flip(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """A copy with the order of elements along `dims` reversed.

    Raises:
        RuntimeError: a dimension named twice. IndexError: no such dimension.
    """
    if dims is None and len(order) == 1 and type(order[0]) is int:
        rank = input._array.ndim
        if -rank <= order[0] < rank:
            return ops._flip(input, (order[0] % rank,))  # type: ignore[no-any-return]
    given = sizes_of("flip", "dims", order, dims)
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
    if not input.size or not input.ndim:
        return input.copy()
    if not dims:
        return _turned(input.reshape(-1), shifts[0], 0).reshape(input.shape)
    if len(dims) == 1:
        return _turned(input, shifts[0], dims[0])
    return np.ascontiguousarray(np.roll(input, shifts, dims))


def _turned(input: Any, shift: int, dim: int) -> Any:
    """A contiguous copy, its two parts along a dimension exchanged."""
    found = memory.empty_like(input)
    n = input.shape[dim]
    cut = -shift % n
    for into, part in ((slice(n - cut), slice(cut, n)), (slice(n - cut, n), slice(cut))):
        lead = (slice(None),) * dim
        copies.copy_into(found[(*lead, into)], input[(*lead, part)])
    return found


@composite(method=True)
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """The elements shifted along `dims` (without `dims`: of the flattened tensor), wrapping around.

    Raises:
        RuntimeError: numbers of shifts and dimensions differ.
    """
    shifts, dims = several(shifts), () if dims is None else several(dims)
    if not shifts:
        raise fail(RuntimeError, "roll", "`shifts` required")
    if dims and not input._array.ndim:
        raise fail(
            IndexError, "roll", f"Dimension specified as {dims[0]} but tensor has no dimensions"
        )
    if not dims and len(shifts) == 1:
        return ops._roll(input, shifts, ())
    if len(shifts) != len(dims):
        raise fail(
            RuntimeError,
            "roll",
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}",
        )
    return ops._roll(input, shifts, tuple([wrap_dim(d, input._array.ndim) for d in dims]))


@primitive(
    name="_rot90",
    node="Rot90",
    function=False,
    method=False,
    vjp=lambda g, k, dims: ops._rot90(g, -k, dims),
)
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
    return (
        np.ascontiguousarray(turned.swapaxes(a, b)).swapaxes(a, b)
        if k % 2
        else np.ascontiguousarray(turned)
    )


@composite(method=True)
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """The tensor turned by `k` right angles in the plane of two dimensions, from the first towards
    the second.

    Raises:
        RuntimeError: not two different dimensions, or fewer than 2 dimensions.
    """
    dims = tuple(dims)
    ndim = input._array.ndim
    if len(dims) != 2:
        raise fail(
            RuntimeError, "rot90", f"expected total rotation dims == 2, but got dims = {len(dims)}"
        )
    if ndim < 2:
        raise fail(RuntimeError, "rot90", f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == ndim:
        raise fail(
            RuntimeError,
            "rot90",
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = "
            f"{dims[1]}",
        )
    for d in dims:
        if not -ndim <= d < ndim:
            raise fail(
                RuntimeError,
                "rot90",
                f"Rotation dim{dims.index(d)} out of range, dim{dims.index(d)} = {d}",
            )
    return ops._rot90(input, k, tuple(d % ndim for d in dims))


def _repeat_backward(g: Tensor, shape: Any, repeats: Any) -> Tensor:
    if 0 in repeats:
        return g.new_zeros(shape)
    lead = len(repeats) - len(shape)
    for _ in range(lead):  # one by one: each sum is rounded
        g = g.sum(0)
    parts: list[int] = []
    summed = []
    for k, n in zip(repeats[lead:], shape, strict=True):
        if k != 1:
            summed.append(len(parts))
            parts.append(k)
        parts.append(n)
    if not summed:
        return g.reshape(shape)
    return g.reshape(parts).sum(tuple(summed)).reshape(shape)


@primitive(
    name="_repeat",
    node="Repeat",
    function=False,
    method=False,
    vjp=_repeat_backward,
    infer=lambda input, repeats: (
        tuple(
            k * n
            for k, n in zip(repeats, (1,) * (len(repeats) - input.ndim) + input.shape, strict=True)
        ),
        input.dtype,
    ),
)
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
    times = tuple([int(k) for k in sizes_of("repeat", "repeats", times, repeats)])
    if len(times) < input._array.ndim:
        raise fail(
            RuntimeError,
            "repeat",
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor: got "
            f"{len(times)} for {input._array.ndim}",
        )
    if any(k < 0 for k in times):
        raise fail(
            RuntimeError,
            "repeat",
            f"Trying to create tensor with negative dimension: repeats are {list(times)}",
        )
    return ops._repeat(input, times)


@composite(method=True)
def tile(input: Tensor, *times: Any, dims: Any = None) -> Tensor:
    """`repeat`, with missing numbers in front taken as 1."""
    given = sizes_of("tile", "dims", times, dims)
    return repeat(input, (1,) * (input._array.ndim - len(given)) + given)


@composite(method=True, numpy=True)
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along `dim`) repeated `repeats` times in its place.

    Raises:
        RuntimeError: repeats of another length or kind, or negative ones. ValueError: a wrong
            `output_size`.
    """
    if repeats is None:
        return ops.repeat_interleave(
            ops.arange(input._array.size), input, 0, output_size=output_size
        )
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
                raise fail(
                    RuntimeError, "repeat_interleave", "repeats must be 0-dim or 1-dim tensor"
                )
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
            raise fail(
                ValueError,
                "repeat_interleave",
                f"allocated size does not match required size {times * n}: output_size is "
                f"{output_size}",
            )
        shape = tuple(input._array.shape)
        wide = ops.unsqueeze(input, dim + 1).expand(*shape[: dim + 1], times, *shape[dim + 1 :])
        return ops.reshape(
            wide.clone(memory_format=layout.contiguous_format),
            (*shape[:dim], n * times, *shape[dim + 1 :]),
        )
    if counts.shape != (n,):
        raise fail(
            RuntimeError,
            "repeat_interleave",
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts.size} and input.size({dim}) = "
            f"{n}",
        )
    total = int(counts.sum())
    if output_size is not None and output_size != total:
        raise fail(
            ValueError,
            "repeat_interleave",
            f"allocated size does not match required size {total}: output_size is {output_size}",
        )
    return ops.index_select(input, dim, wrap(np.repeat(np.arange(n), counts)))


def _triangle(name: str, keep: Any) -> None:
    label = name.capitalize()

    def body(input, diagonal: Any = 0):
        if input.ndim < 2:
            raise fail(
                RuntimeError,
                name,
                f"input tensor must have at least 2 dimensions, it has {input.ndim}",
            )
        if type(input) is nd and isinstance(diagonal, int):
            generated = triangle(name, input, diagonal)
            if generated is not None:
                return generated
        rows, columns = input.shape[-2:]
        inside = keep(np.arange(columns) - np.arange(rows)[:, None], diagonal)
        found = np.where(inside, input, input.dtype.type(0))
        return (
            found
            if type(found) is not nd or found.flags.c_contiguous
            else np.ascontiguousarray(found)
        )

    body.__name__ = name
    side = "lower" if name == "tril" else "upper"
    body.__doc__ = f"""The {side} triangle of the last two dimensions, to `diagonal`; else zeros.

    Raises:
        RuntimeError: fewer than 2 dimensions.
    """
    primitive(
        name=name,
        node=label,
        inplace=True,
        vjp=lambda g, diagonal: getattr(ops, name)(g, diagonal),
        infer=lambda input, diagonal: (input.shape, input.dtype),
    )(body)


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
    if input.size:
        steps = found.strides
        kept = [step for d, step in enumerate(steps) if d not in (dim1, dim2)]
        start = offset * steps[dim2] if offset > 0 else -offset * steps[dim1]
        strided(found, input.shape, (*kept, steps[dim1] + steps[dim2]), start)[...] = input
    return found


@composite(method=True)
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices (in `dim1`, `dim2`) with the last dimension on the diagonal `offset`, zeros
    elsewhere.

    Raises:
        RuntimeError: both dimensions the same. IndexError: no such dimension.
    """
    ndim = input._array.ndim + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise fail(
            RuntimeError, "diag_embed", f"diagonal dimensions cannot be identical {dim1}, {dim2}"
        )
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
        raise fail(
            RuntimeError, "trace", f"expected a matrix, got a tensor of {input.ndim} dimensions"
        )
    if input.dtype.kind == "b":
        raise fail(
            NotImplementedError,
            "trace",
            "\"trace\" not implemented for 'Bool': count with .diagonal().sum().",
        )
    kind = np.dtype(np.int64) if input.dtype.kind in "iu" else input.dtype
    if type(input) is Abstract:
        return Abstract((), kind)
    diagonal = input.diagonal()
    if kind.kind in "fV" and kind.itemsize == 2:
        return np.asarray(diagonal.astype("f4").sum()).astype(kind)
    return np.asarray(diagonal.sum(dtype=kind))


@composite()
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: the powers 0 to N-1 of a vector's elements as columns, falling unless
    `increasing`.

    Raises:
        RuntimeError: not a vector, or a negative N.
    """
    if x._array.ndim != 1:
        raise fail(RuntimeError, "vander", "x must be a one-dimensional tensor.")
    n = x._array.shape[0] if N is None else N
    if n < 0:
        raise fail(RuntimeError, "vander", "N must be non-negative.")
    kind = (
        ops._to_copy(x, dtypes.int64)
        if x._array.dtype.kind in "iub" and x._array.dtype != np.int64
        else x
    )
    if not n:
        return kind.new_empty((x._array.shape[0], 0))
    columns = [ops.ones_like(kind)]
    for _ in range(n - 1):
        columns.append(columns[-1] * kind)
    return ops.stack(columns if increasing else columns[::-1], 1)


def _copied(name: str, source: str) -> None:
    """`<view>_copy`: the view, copied."""

    def copied(input: Tensor, *args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
        shown = getattr(ops, source, None) or getattr(Tensor, source)
        view = shown(input, *args, **kwargs)
        found = view.clone(memory_format=layout.contiguous_format)
        if view is not input and view.grad_fn is not None:
            labelled(found, view.grad_fn.name() + "_copy")
        return found if out is None else write_one(name, found, out)

    copied.__name__ = copied.__qualname__ = name
    copied.__doc__ = f"`{source}`, copied."
    composite()(copied)


for _name in (
    "alias",
    "as_strided",
    "diagonal",
    "expand",
    "permute",
    "select",
    "slice",
    "squeeze",
    "t",
    "transpose",
    "unfold",
    "unsqueeze",
    "view",
    "view_as_complex",
    "view_as_real",
):
    _copied(_name + "_copy", _name)


@composite(name="slice", function=False)
def _slice_view(
    input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """The view of a range of a dimension, its bounds clamped."""
    dim = wrap_dim(dim, input._array.ndim)
    first, last, step = slice(start, end, step).indices(input._array.shape[dim])
    return ops._slice(input, dim, first, max(first, last), step)


each_on_its_own("repeat_interleave")
