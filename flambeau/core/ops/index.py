"""Whole slices by a vector of indices along a dimension: index_select, index_add, index_copy,
index_fill, index_reduce;
and `select_scatter` and its kin, which write a view's place in a copy.

`x[index]` is in `core.indexing`, single elements in `scatter`. Stands on declare and
kernels.scatter.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.direct import Small, direct
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.forward import forward
from flambeau.core.inplace import check_inplace
from flambeau.core.kernels import copies
from flambeau.core.kernels.generate import picked, slices
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.scatter import add_rows
from flambeau.core.node import labelled
from flambeau.core.numbers import number_for
from flambeau.core.ops import view as _views  # noqa: F401  (declares the views written here)
from flambeau.core.overlap import check_apart, overlaps
from flambeau.core.rules import both
from flambeau.core.storage import touch
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, edge_of, wrap

__all__: list[str] = []

nd = np.ndarray
ALL = slice(None)


def check_vector(
    name: str, input: Any, dim: int, index: Any, error: type[Exception] = IndexError
) -> tuple[Any, int]:
    """The index as a checked int64 vector and the wrapped dimension.

    Raises:
        IndexError: more than one dimension, or out of range. RuntimeError: another dtype.
    """
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise fail(
            IndexError,
            name,
            f"{name}(): Index is supposed to be a vector, it has shape {list(index.shape)}",
        )
    if index.dtype not in (np.int64, np.int32):
        kind = IndexError if name in ("index_fill", "index_copy") else RuntimeError
        raise fail(
            kind, name, f"{name}(): Expected dtype int32 or int64 for index, got {of(index.dtype)}"
        )
    index = index.reshape(-1).astype(np.int64, copy=False)
    n = input.shape[dim] if input.ndim else 1
    # Negative ones are the largest unsigned: one look finds both.
    if index.size and int(np.maximum.reduce(index.view(np.uint64))) >= n:
        low, high = int(index.min()), int(index.max())
        negative = name == "index_fill"
        if high >= n or low < (-n if negative else 0):
            bad = high if high >= n else low
            raise fail(
                error,
                name,
                f"{name}(): index {bad} is out of range in self: dimension {dim} has size {n}",
            )
        if negative and low < 0:
            index = np.where(index < 0, index + n, index)
    return index, dim


def _select_shape(input: Any, dim: int, index: Any) -> Any:
    dim = wrap_dim(dim, input.ndim)
    return (
        input.shape[:dim] + (index.size,) + input.shape[dim + 1 :] if input.ndim else ()
    ), input.dtype


@both
def _select_backward(g: Any, shape: Any, dim: int, index: Any) -> Any:
    if type(g) is nd:
        found = copies.zeros(shape, g.dtype)
        add_slices(found, dim, index, g)
        return found
    return ops.index_add(g.new_zeros(shape), dim, index, g)


@primitive(vjp={"input": _select_backward}, infer=_select_shape, out_apart=True)
def index_select(input, dim: int, index):
    """A copy of the slices of `dim` that the vector `index` names.

    Raises:
        IndexError: an index out of range, or not a vector. RuntimeError: an index that is no
            int32 or int64.
    """
    if not input.size and index.size and input.ndim and not input.shape[wrap_dim(dim, input.ndim)]:
        raise fail(RuntimeError, "index_select", f"dimension {dim} has no slices to take.")
    index, dim = check_vector("index_select", input, dim, index)
    if not input.ndim:
        if index.size != 1:
            raise fail(
                IndexError,
                "index_select",
                f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)",
            )
        return input.copy()
    found = picked.rows(input, dim, index)
    return input.take(index, dim) if found is None else found


def _check_source(name: str, input: Any, dim: int, index: Any, source: Any) -> None:
    if source.dtype != input.dtype:
        raise fail(
            RuntimeError,
            name,
            f"{name}(): self and source expected to have the same dtype, but got (self) "
            f"{of(input.dtype)} and (source) "
            f"{of(source.dtype)}",
        )
    if source.ndim and dim >= source.ndim:
        raise fail(
            IndexError,
            name,
            f"{name}(): Indexing dim {dim} is out of bounds of the source tensor with dim "
            f"{source.ndim}",
        )
    if index.size != (source.shape[dim] if source.ndim else 1):
        raise fail(
            IndexError if name == "index_copy" else RuntimeError,
            name,
            f"{name}(): Number of indices ({index.size}) should be equal to source.size(dim): "
            f"({source.shape[dim] if source.ndim else 1}), for dim: {dim}",
        )
    if source.ndim and input.ndim:
        kept, given = (
            input.shape[:dim] + input.shape[dim + 1 :],
            source.shape[:dim] + source.shape[dim + 1 :],
        )
        if kept != given:
            raise fail(
                RuntimeError,
                name,
                f"{name}(): source must match self in all dimensions but {dim}: source has shape "
                f"{list(source.shape)}, self "
                f"{list(input.shape)}",
            )


def _flat_rows(array: Any, dim: int) -> tuple[int, int, int]:
    """How many blocks, slices and elements in a slice lie around `dim`."""
    shape = array.shape or (1,)
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


def _same(input: Any, *_: Any) -> Any:
    return input.shape, input.dtype


def _added_backward(g: Tensor, dim: int, index: Tensor, source_shape: Any, alpha: Any) -> Tensor:
    found = ops.index_select(g, dim, index)
    found = found if alpha == 1 and type(alpha) is int else found * alpha
    return found.reshape(source_shape)


@primitive(inplace=True, infer=_same, vjp={"input": lambda g: g, "source": _added_backward})
def index_add(input, dim: int, index, source, *, alpha: Any = 1):
    """The input with ``alpha * source`` added to the slices of `dim` that `index` names; repeated
    indices add up.

    Raises:
        IndexError: an index out of range. RuntimeError: source or its dtype does not fit.
    """
    found = copies.copy(input)
    add_slices(found, dim, index, source, alpha)
    return found


def add_slices(target: Any, dim: int, index: Any, source: Any, alpha: Any = 1) -> None:
    """``target[index] += alpha * source`` along a dimension of a row-major array: 16-bit floats in
    single precision.
    """
    index, dim = check_vector("index_add", target, dim, index)
    _check_source("index_add", target, dim, index, source)
    if target.dtype.kind == "b" and not isinstance(alpha, bool) and alpha != 1:
        alpha = bool(alpha)
    if alpha != 1:
        source = (source * np.array(alpha).astype(target.dtype)).astype(target.dtype)
    if target.dtype.itemsize == 2 and target.dtype.kind in "fV":
        wide = recast(target, "f4")
        add_slices(wide, dim, index, recast(source, "f4"))
        target[...] = recast(wide, target.dtype)
        return
    if target.ndim and slices.add_slices(target, dim, index, source):
        return
    before, n, after = _flat_rows(target, dim)
    places = index if before == 1 else (np.arange(0, before * n, n)[:, None] + index).reshape(-1)
    add_rows(target.reshape(before * n, after), places, source.reshape(places.size, after))


direct("index_add_", add_slices)


@primitive(
    inplace=True,
    infer=_same,
    vjp={
        "input": lambda g, dim, index: ops.index_fill(g, dim, index, 0),
        "source": lambda g, dim, index, source_shape: ops.index_select(g, dim, index).expand(
            source_shape
        ),
    },
)
def index_copy(input, dim: int, index, source):
    """The input with the slices of `dim` that `index` names replaced by those of `source`.

    Raises:
        IndexError: an index out of range. RuntimeError: source or its dtype does not fit.
    """
    found = copies.copy(input)
    copy_slices(found, dim, index, source)
    return found


def copy_slices(target: Any, dim: int, index: Any, source: Any) -> None:
    """``target[index] = source`` along a dimension of a row-major array."""
    if index.dtype != np.int64:
        raise fail(
            RuntimeError,
            "index_copy",
            f"index is expected to be int64, got {index.dtype}. Convert it with .long() first",
        )
    index, dim = check_vector("index_copy", target, dim, index)
    _check_source("index_copy", target, dim, index, source)
    if target.ndim and slices.put_slices(target, dim, index, source):
        return
    if index.size:
        target.reshape(target.shape or (1,))[(ALL,) * dim + (index,)] = (
            source if source.ndim else source.reshape(1)
        )


direct("index_copy_", copy_slices)


@primitive(
    name="_index_fill",
    node="IndexFill",
    seen={"IndexFillBackward0": (0,)},
    function=False,
    method=False,
    inplace=True,
    infer=_same,
    vjp={
        "input": lambda g, dim, index: ops.index_fill(g, dim, index, 0),
        "value": lambda g, dim, index: ops.index_select(
            g, dim, _once(index, g.size(dim) if g.dim() else 1)
        ).sum(),
    },
)
def _index_fill(input, dim: int, index, value):
    """The input with one value in the slices that the index names."""
    found = input.copy("K")
    fill_slices(found, dim, index, value)
    return found


def fill_slices(target: Any, dim: int, index: Any, value: Any) -> None:
    """``target[index] = value`` along a dimension."""
    index, dim = check_vector("index_fill", target, dim, index)
    if target.ndim and slices.fill_slices(target, dim, index, value.astype(target.dtype)):
        return
    if index.size > 1 and dim:  # marks cost less than places inside each row
        named = np.zeros((target.shape[dim], *(1,) * (target.ndim - dim - 1)), bool)
        named[index] = True
        np.copyto(target, value.astype(target.dtype), where=named)
    elif index.size:
        target.reshape(target.shape or (1,))[(ALL,) * dim + (index,)] = value.astype(target.dtype)


direct("_index_fill_", fill_slices)
NUMBERS = frozenset((int, float))
_FILLED = Small(ops._index_fill.operation)
_FILLED_ = Small(ops._index_fill.operation, "index_fill_")


def _once(index: Tensor, n: int) -> Tensor:
    """Each slice named, once."""
    return wrap(np.unique(index._array % n))


def _fill_value(name: str, input: Tensor, value: Any) -> Tensor:
    dtype = input._array.dtype
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise fail(
                RuntimeError,
                name,
                f"{name}_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value._array.ndim} dimension(s).",
            )
        kind = value._array.dtype.kind
    else:
        kind = "c" if isinstance(value, complex) else "f"
    if kind in "cW" and dtype.kind not in "cW":
        raise fail(
            RuntimeError,
            name,
            f"{name}_(): Converting complex Scalar to non-complex type is not supported",
        )
    return (
        value
        if isinstance(value, Tensor)
        else wrap(np.array(number_for(name, value, dtype), dtype))
    )


def _of_overload(made: Tensor, value: Any) -> Tensor:
    return labelled(made, "IndexFillBackward1") if isinstance(value, Tensor) else made


@composite(method=True, numpy=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """The input with `value` (a number or a 0-d tensor) in the slices of `dim` that `index` names.

    Raises:
        IndexError: an index out of range. RuntimeError: a value of more than one element.
    """
    if type(value) in NUMBERS and (t := _FILLED.call(input, dim, index, value)) is not None:
        return t  # type: ignore[no-any-return]
    found = ops._index_fill(input, dim, index, _fill_value("index_fill", input, value))
    return _of_overload(found, value)


@composite(method=True, function=False, numpy=True)
def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`index_fill`, in place; elements that share memory get the value together."""
    a = input._array
    if type(a) is nd and (a.dtype is index._array.dtype or 0 in a.strides):
        check_apart("index_fill_", a, (index._array,), whole=True)
        if overlaps(a) and edge_of(input) is None:
            check_inplace("index_fill_", input, False, "deprecated")
            vector, d = check_vector("index_fill", a, dim, index._array)
            fill_slices(a, d, vector, _fill_value("index_fill", input, value)._array)
            touch(input, "index_fill_")
            return input
    if type(value) in NUMBERS and (t := _FILLED_.call(input, dim, index, value)) is not None:
        return t  # type: ignore[no-any-return]
    made = ops._index_fill_(input, dim, index, _fill_value("index_fill", input, value))
    return _of_overload(made, value)


def _as_elements(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str
) -> Tensor:
    """The vector of slice indices as scatter's index of every element of the source.

    Raises:
        RuntimeError: an unknown reduction, or a source that does not fit. IndexError: an index
            out of range.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise fail(
            RuntimeError,
            name,
            f"{name}(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.",
        )
    a = input._array
    if type(a) is nd:
        refuse_dtype("index_reduce", a.dtype, "fiu")
        vector, d = check_vector("index_reduce", a, dim, index._array)
        _check_source("index_reduce", a, d, vector, source._array)
    d = wrap_dim(dim, a.ndim)
    shape = tuple(source._array.shape)
    if not shape:
        return index.reshape(())
    return index.reshape((1,) * d + (-1,) + (1,) * (len(shape) - d - 1)).expand(shape)


@composite(method=True)
def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """The input with the slices of `source` combined into those of `dim` that `index` names.

    Args:
        reduce: "prod", "mean", "amax" or "amin".
        include_self: whether the input's own values take part.

    Raises:
        RuntimeError: an unknown reduction, or a source that does not fit. IndexError: an index
            out of range.
    """
    elements = _as_elements("index_reduce", input, dim, index, source, reduce)
    found = ops._scatter_reduce(input, dim, elements, source, reduce, include_self, True)
    labelled(found, "IndexReduceBackward0")
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("index_reduce", found, out)


@composite(method=True, function=False)
def index_reduce_(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """`index_reduce`, in place."""
    elements = _as_elements("index_reduce", input, dim, index, source, reduce)
    made = ops._scatter_reduce_(input, dim, elements, source, reduce, include_self)
    return labelled(made, "IndexReduceBackward0")


def _placed(name: str, node: str, view: str) -> None:
    """`<view>_scatter`'s primitive: a copy whose view (by arguments `place`) holds `src`."""
    shown = getattr(ops, view).operation.body

    def body(input, src, place: Any):
        fresh = input.copy("C" if view == "_as_strided" else "K")
        target = shown(fresh, *place)
        if target.shape != src.shape:
            raise fail(
                RuntimeError,
                name,
                f"expected src to have a size equal to the {view.strip('_')} of self. src size = "
                f"{list(src.shape)}, {view.strip('_')} "
                f"size = {list(target.shape)}",
            )
        target[...] = src
        return fresh

    def into(t, src, place):
        return getattr(ops, "_" + name)(t, src, place)

    @forward(lambda t, src_shape, place: into(t, t.new_zeros(src_shape), place))
    def outside(g, src_shape, place):
        if view == "_as_strided":  # PyTorch hands the input the slice's gradient, and nothing else
            return into(ops.zeros_like(g), ops._as_strided(g, *place), place)
        return into(g, g.new_zeros(src_shape), place)

    primitive(
        name="_" + name,
        node=node,
        function=False,
        method=False,
        infer=lambda input, src, place: (input.shape, input.dtype),
        vjp={
            "input": outside,
            "src": lambda g, place: getattr(ops, view)(g, *place),
        },
    )(body)


_placed("select_scatter", "SelectScatter", "_select")
_placed("slice_scatter", "SliceScatter", "_slice")
_placed("diagonal_scatter", "DiagonalScatter", "diagonal")
_placed("as_strided_scatter", "AsStridedScatter", "_as_strided")


def _out(name: str, found: Tensor, out: Any) -> Tensor:
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one(name, found, out)


@composite(method=True, numpy=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int, *, out: Any = None) -> Tensor:
    """A copy of the input with `src` at `index` of dimension `dim`.

    Raises:
        RuntimeError: src has not the slice's shape. IndexError: an index out of range.
    """
    shape = input._array.shape
    dim = wrap_dim(dim, len(shape))
    if not shape or not -shape[dim] <= index < shape[dim]:
        raise fail(
            IndexError,
            "select_scatter",
            f"index {index} out of range for tensor of size {list(shape)} at dimension {dim}",
        )
    return _out("select_scatter", ops._select_scatter(input, src, (dim, index % shape[dim])), out)


@composite(method=True, numpy=True)
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Any = None,
) -> Tensor:
    """A copy of the input with `src` in a range of dimension `dim`.

    Raises:
        RuntimeError: src has not the range's shape, or the step is not positive.
    """
    if step <= 0:
        raise fail(RuntimeError, "slice_scatter", "slice step must be positive")
    dim = wrap_dim(dim, input._array.ndim)
    first, last, step = slice(start, end, step).indices(input._array.shape[dim])
    return _out(
        "slice_scatter", ops._slice_scatter(input, src, (dim, first, max(first, last), step)), out
    )


@composite(method=True)
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Any = None
) -> Tensor:
    """A copy of the input with `src` on a diagonal. Raises RuntimeError when src has not the
    diagonal's shape.
    """
    return _out("diagonal_scatter", ops._diagonal_scatter(input, src, (offset, dim1, dim2)), out)


@composite(method=True)
def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Any,
    stride: Any,
    storage_offset: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """A copy of the input's geometry with `src` in a strided view of it.

    Raises:
        RuntimeError: src has not the view's shape, or the view leaves the storage.
    """
    size, stride = tuple(size), tuple(stride)
    shape = tuple(input._array.shape)
    own = input.storage_offset()
    if own or not input.is_contiguous():
        steps = input.stride()
        extent = own + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1
        memory = ops.as_strided(input, (extent if 0 not in shape else own,), (1,), 0)
        offset = own if storage_offset is None else storage_offset
        made = as_strided_scatter(memory, src, size, stride, offset)
        return _out("as_strided_scatter", ops.as_strided(made, shape, steps, own), out)
    offset = storage_offset or 0
    last = (
        offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
    )
    if last >= max(input._array.size, 1) or offset < 0:
        raise fail(
            RuntimeError,
            "as_strided_scatter",
            f"sizes {list(size)}, strides {list(stride)}, storage offset {offset} are out of "
            "bounds for storage of size "
            f"{input._array.size * input._array.itemsize}",
        )
    return _out(
        "as_strided_scatter",
        ops._as_strided_scatter(input, src, (size, stride, offset, None)),
        out,
    )
