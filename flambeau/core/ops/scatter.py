"""Reading and writing single elements by an index of equal rank: gather and the scatter family.

Whole slices by a vector of indices are in `index`, flat positions in `take`. Stands on declare and
kernels.scatter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.direct import direct
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import copies, late
from flambeau.core.kernels.generate import picked
from flambeau.core.kernels.scatter import add_at, add_rows, linear
from flambeau.core.numbers import number_for
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray
INDICES = frozenset((np.dtype("i8"), np.dtype("i4")))
UNSIGNED = {4: np.dtype("u4"), 8: np.dtype("u8")}


def check_index(name: str, input: Any, dim: int, index: Any, src: Any = None) -> tuple[Any, int]:
    """The index as int64 positions along the wrapped dimension, checked against input and source.

    Raises:
        RuntimeError: ranks, sizes or dtypes do not fit, or an index is out of range.
    """
    dim = wrap_dim(dim, input.ndim)
    if index.size and index.dtype not in INDICES:
        raise fail(
            RuntimeError,
            name,
            f"{name}(): Expected dtype int32/int64 for index, got {of(index.dtype)}. Convert it: "
            "index.long().",
        )
    if src is not None and src.dtype != input.dtype:
        raise fail(
            RuntimeError,
            name,
            f"{name}(): Expected self.dtype to be equal to src.dtype: self is {of(input.dtype)}, "
            f"src {of(src.dtype)}.",
        )
    if not index.size:
        return index.astype(np.int64), dim
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise fail(
            RuntimeError,
            name,
            "Index tensor must have the same number of dimensions as self tensor: index has "
            f"{index.ndim} dimensions, input has "
            f"{input.ndim}. unsqueeze or expand the index.",
        )
    if src is not None and max(src.ndim, 1) != max(index.ndim, 1):
        raise fail(
            RuntimeError,
            name,
            "Index tensor must have the same number of dimensions as src tensor: index has "
            f"{index.ndim} dimensions, src has "
            f"{src.ndim}.",
        )
    for k in range(input.ndim and index.ndim):
        wide = index.shape[k]
        if (k != dim and wide > input.shape[k]) or (
            src is not None and src.ndim and wide > src.shape[k]
        ):
            raise fail(
                RuntimeError,
                name,
                f"Expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}"
                + (f" and to be no larger than src {list(src.shape)}" if src is not None else "")
                + f": size does not match at dimension {k}.",
            )
    n = input.shape[dim] if input.ndim else 1
    unsigned = index.view(
        UNSIGNED[index.itemsize]
    )  # negative ones are the largest: one look finds both
    if int(np.maximum.reduce(unsigned, None)) >= n:
        low, high = int(index.min()), int(index.max())
        raise fail(
            RuntimeError,
            name,
            f"index {low if low < 0 else high} is out of bounds for dimension {dim} with size {n}",
        )
    return (index if index.dtype == np.int64 else index.astype(np.int64)), dim


def _places(input: Any, dim: int, index: Any) -> Any:
    """Positions in the flattened input, as a vector."""
    if not input.ndim:
        return np.zeros(index.size, np.int64)
    return linear(index, dim, input.shape).reshape(-1)


def _corner(src: Any, index: Any) -> Any:
    """The part of a source that its index reads, as a vector."""
    if src.shape != index.shape and src.ndim:
        src = src[tuple([slice(n) for n in index.shape])] if index.ndim else src.reshape(-1)[:1]
    return src.reshape(-1)


def _added(target: Any, dim: int, index: Any, src: Any) -> Any:
    add_elements(target, dim, index, src)
    return target


_add_picked = late.native("picks", "add", _added)


@both
def _gather_backward(g: Any, shape: Any, dim: int, index: Any) -> Any:
    if type(g) is nd:
        return _add_picked(copies.zeros(shape, g.dtype), dim, index, g)
    return ops.scatter_add(g.new_zeros(shape), dim, index, g)


def _same_for_all(input: Any, dim: Any, index: Any) -> Any:
    """An index expanded over all other dimensions, as whole rows are picked: its one line of
    indices; None for every other index.
    """
    if type(index) is not nd or type(input) is not nd or type(dim) is not int or index.ndim < 2:
        return None
    k = dim + index.ndim if dim < 0 else dim
    if index.ndim != input.ndim or not 0 <= k < index.ndim or not index.size:
        return None
    for j, step in enumerate(index.strides):
        if j != k and (step or index.shape[j] != input.shape[j]):
            return None
    return index[tuple(slice(None) if j == k else slice(0, 1) for j in range(index.ndim))]


def _gathered(input: Any, dim: int, index: Any, sparse_grad: bool) -> Any:
    index, dim = check_index("gather", input, dim, index)
    if not index.size:
        return np.empty(index.shape, input.dtype)
    return input.reshape(-1).take(_places(input, dim, index)).reshape(index.shape)


_gather = late.native("picks", "gather", _gathered)


@primitive(
    vjp={"input": _gather_backward},
    infer=lambda input, dim, index, sparse_grad: (index.shape, input.dtype),
    out_apart=True,
)
def gather(input, dim: int, index, *, sparse_grad: bool = False):
    """Elements along `dim` picked by `index`: ``out[i][j] = input[index[i][j]][j]`` for ``dim=0``.

    Args:
        dim: the dimension along which to pick.
        index: int64, of input's rank, no larger than input in the other dimensions.

    Raises:
        RuntimeError: rank, size or dtype of the index does not fit, or an index is out of range.
    """
    along = _same_for_all(input, dim, index)
    if along is not None:
        short, k = check_index("gather", input, dim, along)
        places = short.reshape(-1)
        found = picked.rows(input, k, places)
        return input.take(places, k) if found is None else found
    if index.size >= picked.SMALLEST and type(index) is nd and type(input) is nd:
        index, dim = check_index("gather", input, dim, index)
        found = picked.elements(input, dim, index)
        if found is not None:
            return found
    return _gather(input, dim, index, sparse_grad)


def _pad(grad: Tensor, shape: Any) -> Tensor:
    """A gradient for the part of a source that was read, with zeros for the rest."""
    if tuple(grad._array.shape) == tuple(shape):
        return grad
    if grad._array.size == 1 and not shape:
        return grad.reshape(())
    return ops._view_backward(grad, shape, tuple([slice(n) for n in grad._array.shape]))


def _source_grad(g: Tensor, dim: int, index: Tensor, src_shape: Any) -> Tensor:
    return _pad(ops.gather(g, dim, index), src_shape)


def _shape_of_first(input: Any, *_: Any) -> Any:
    return input.shape, input.dtype


@primitive(
    name="_scatter",
    node=lambda node: "ScatterBackward0",
    function=False,
    method=False,
    inplace=True,
    infer=_shape_of_first,
    vjp={
        "input": lambda g, dim, index: ops._scatter_number(g, dim, index, 0),
        "src": lambda g, dim, index, src_shape: _source_grad(g, dim, index, src_shape),
    },
)
def _scatter(input, dim: int, index, src):
    """The input with elements of `src` written where the index points."""
    found = copies.copy(input)
    put_elements(found, dim, index, src)
    return found


def put_elements(target: Any, dim: int, index: Any, src: Any) -> None:
    """Write elements of `src` into a row-major array."""
    index, dim = check_index("scatter", target, dim, index, src)
    if index.size:
        source = _corner(src, index)
        if not picked.put_elements(target, dim, index, source):
            target.reshape(-1)[_places(target, dim, index)] = source


@primitive(
    name="_scatter_number",
    node=lambda node: "ScatterBackward1",
    function=False,
    method=False,
    inplace=True,
    infer=_shape_of_first,
    vjp={"input": lambda g, dim, index: ops._scatter_number(g, dim, index, 0)},
)
def _scatter_number(input, dim: int, index, value: Any):
    """The input with a number written where the index points."""
    found = copies.copy(input)
    put_number(found, dim, index, value)
    return found


def put_number(target: Any, dim: int, index: Any, value: Any) -> None:
    """Write a number into a row-major array where the index points."""
    index, dim = check_index("scatter", target, dim, index)
    if index.size:
        target.reshape(-1)[_places(target, dim, index)] = number_for("scatter", value, target.dtype)


def _scatter_any(
    written: str, input: Tensor, dim: int, index: Tensor, src: Any, value: Any, reduce: str | None
) -> Tensor:
    if src is None:
        src = value
    if src is None:
        raise fail(
            TypeError,
            "scatter",
            'scatter() missing 1 required positional argument: "src" or "value"',
        )
    if reduce is not None:
        kind = {"add": "sum", "multiply": "prod"}.get(reduce)
        if kind is None:
            raise fail(
                RuntimeError,
                "scatter",
                f"reduce argument must be either add or multiply, not {reduce!r}: see "
                "scatter_reduce.",
            )
        if isinstance(src, Tensor):
            from flambeau.compat import warn_once

            warn_once(
                "The reduce argument of torch.scatter with Tensor src is deprecated and will be "
                "removed in a future PyTorch "
                "release. Use torch.scatter_reduce instead for more reduction options.",
                UserWarning,
            )
        else:
            src = ops.full(tuple(index.shape), src, dtype=input.dtype)
        return getattr(ops, "scatter_reduce" + written)(input, dim, index, src, kind)
    if isinstance(src, Tensor):
        return getattr(ops, "_scatter" + written)(input, dim, index, src)
    return getattr(ops, "_scatter_number" + written)(input, dim, index, src)


@composite(method=True)
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Any = None,
) -> Tensor:
    """The input with `src` (a tensor or a number) written along `dim` where `index` points.

    ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``; at repeated indices the last wins. `reduce`
    "add" or "multiply"
    combines instead.

    Raises:
        RuntimeError: rank, size or dtype of index or source does not fit, or an index is out of
            range.
    """
    found = _scatter_any("", input, dim, index, src, value, reduce)
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("scatter", found, out)


@composite(method=True, function=False)
def scatter_(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """`scatter`, in place."""
    return _scatter_any("_", input, dim, index, src, value, reduce)


@primitive(
    inplace=True, infer=_shape_of_first,
    vjp={
        "input": lambda g: g,
        "src": lambda g, dim, index, src_shape: _source_grad(g, dim, index, src_shape),
    },
)  # fmt: skip
def scatter_add(input, dim: int, index, src):
    """The input with elements of `src` added along `dim` where `index` points; repeated indices add
    up.

    Raises:
        RuntimeError: rank, size or dtype of index or source does not fit, or an index is out of
            range.
    """
    found = copies.copy(input)
    add_elements(found, dim, index, src)
    return found


def add_elements(target: Any, dim: int, index: Any, src: Any) -> None:
    """Add elements of `src` into a row-major array where the index points: 16-bit floats in single
    precision.
    """
    if target.dtype.itemsize == 2 and target.dtype.kind in "fV" and src.dtype == target.dtype:
        wide = target.astype("f4")
        add_elements(wide, dim, index, src.astype("f4"))
        target[...] = wide
        return
    along = _same_for_all(target, dim, index) if dim == 0 else None
    if along is not None and type(src) is nd and src.shape == index.shape:
        short, _ = check_index("scatter_add", target, dim, along, src)
        rows, count = target.reshape(len(target), -1), len(src)
        add_rows(rows, short.reshape(-1), src.reshape(count, -1))
        return
    index, dim = check_index("scatter_add", target, dim, index, src)
    if index.size:
        source = _corner(src, index)
        if not picked.add_elements(target, dim, index, source):
            add_at(target.reshape(-1), _places(target, dim, index), source)


direct("_scatter_", put_elements)
direct("_scatter_number_", put_number)
direct("scatter_add_", add_elements)


REDUCES = {
    "sum": (np.add, 0),
    "mean": (np.add, 0),
    "prod": (np.multiply, 1),
    "amax": (np.maximum, None),
    "amin": (np.minimum, None),
}


def neutral(reduce: str, dtype: np.dtype[Any]) -> Any:
    """What a reduction starts from without the tensor's own values."""
    value = REDUCES[reduce][1]
    if value is not None:
        return value
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return limits.min if reduce == "amax" else limits.max
    return -np.inf if reduce == "amax" else np.inf


@primitive(
    name="_scatter_reduce",
    node="ScatterReduce",
    function=False,
    method=False,
    inplace=True,
    infer=_shape_of_first,
    vjp={
        ("input", "src"): lambda g, input, dim, index, src, reduce, include_self, out, needs: (
            _reduce_backward(g, input, dim, index, src, reduce, include_self, out, needs)
        )
    },
)
def _scatter_reduce(
    input, dim: int, index, src, reduce: str, include_self: bool, in_half: bool = False
):
    """The input combined with elements of `src` where the index points; 16-bit floats in single
    precision, but for `in_half`.
    """
    index, dim = check_index("scatter_reduce", input, dim, index, src)
    if not index.size:
        return input.copy()
    takes = "fiu" + "c" * (reduce in ("sum", "mean", "prod")) + "b" * (reduce != "mean")
    refuse_dtype(f"scatter_reduce {reduce}", input.dtype, takes)
    function = REDUCES[reduce][0]
    dtype = input.dtype
    half = dtype.kind in "fV" and dtype.itemsize == 2 and not in_half
    found = (input.astype("f4") if half else input.copy()).reshape(-1)
    values = _corner(src, index)
    values = values.astype("f4") if half else values
    places = _places(input, dim, index)
    if not include_self:
        found[places] = neutral(reduce, dtype)
    if dtype.kind == "b":
        function = np.logical_or if reduce in ("sum", "mean", "amax") else np.logical_and
    function.at(found, places, values)
    if reduce == "mean":
        count = np.bincount(places, minlength=found.size) + (1 if include_self else 0)
        count = np.maximum(count, 1)
        if dtype.kind in "iu":
            found = np.floor_divide(found, count.astype(dtype))
        elif dtype.kind != "b":
            found = found / count.astype(found.dtype)
    return found.astype(dtype, copy=False).reshape(input.shape)


def _reduce_backward(
    g: Tensor,
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    include_self: bool,
    out: Tensor,
    needs: Any,
) -> tuple[Any, Any]:
    """Gradients of scatter_reduce for the input and the source."""
    if not index._array.size:
        return g, src.new_zeros(tuple(src.shape))
    read = tuple(src._array.shape)
    if src._array.ndim and src._array.shape != index._array.shape:
        src = ops._basic(src, tuple([slice(n) for n in index._array.shape]))
    own, other = _PARTS[reduce](g, input, dim, index, src, include_self, out)
    if not include_self:
        own = ops._scatter_number(own, dim, index, 0)
    return own, _pad(other, read)


def _sum_parts(
    g: Any, input: Any, dim: int, index: Any, src: Any, include_self: bool, out: Any
) -> Any:
    return g, ops.gather(g, dim, index)


def _mean_parts(
    g: Any, input: Any, dim: int, index: Any, src: Any, include_self: bool, out: Any
) -> Any:
    count = ops.ones_like(g) if include_self else ops.zeros_like(g)
    count = ops.scatter_add(count.detach(), dim, index, ops.ones_like(src, dtype=g.dtype))
    count = ops.masked_fill(count, count == 0, 1)
    share = g / count
    return share, ops.gather(share, dim, index)


def _prod_parts(
    g: Any, input: Any, dim: int, index: Any, src: Any, include_self: bool, out: Any
) -> Any:
    """The product without one factor: by division where it is not 0, by the product without it
    where it is the only 0.
    """
    own = ops.masked_fill(input, input == 0, 1)
    without_own = ops._scatter_reduce(own, dim, index, src, "prod", include_self)
    zero = src == 0
    zeros = ops.gather(
        ops.scatter_add(ops.zeros_like(input), dim, index, zero.to(src.dtype)), dim, index
    )
    single = ops.logical_and(zero, zeros == 1)
    without = ops._scatter_reduce(
        input, dim, index, ops.masked_fill(src, single, 1), "prod", include_self
    )
    divided = ops.gather(g * out, dim, index) / ops.masked_fill(src, zero, 1)
    return g * without_own / own, ops.where(single, ops.gather(g * without, dim, index), divided)


def _extreme_parts(
    g: Any, input: Any, dim: int, index: Any, src: Any, include_self: bool, out: Any
) -> Any:
    """Those that reached the extreme share the gradient."""
    own = (input == out).to(g.dtype)
    other = (src == ops.gather(out, dim, index)).to(g.dtype)
    share = g / ops.scatter_add(own, dim, index, other)
    return own * share, other * ops.gather(share, dim, index)


_PARTS = {
    "sum": _sum_parts,
    "mean": _mean_parts,
    "prod": _prod_parts,
    "amax": _extreme_parts,
    "amin": _extreme_parts,
}


def _check_reduce(name: str, reduce: Any) -> None:
    if reduce not in REDUCES:
        raise fail(
            RuntimeError,
            name,
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.",
        )


@composite(method=True, numpy=True)
def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """The input with elements of `src` combined along `dim` where `index` points.

    Args:
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the input's own values take part where an index points.

    Raises:
        RuntimeError: an unknown reduction, or index and source that do not fit.
    """
    _check_reduce("scatter_reduce", reduce)
    found = ops._scatter_reduce(input, dim, index, src, reduce, include_self)
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("scatter_reduce", found, out)


@composite(method=True, function=False, numpy=True)
def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce`, in place."""
    _check_reduce("scatter_reduce_", reduce)
    return ops._scatter_reduce_(input, dim, index, src, reduce, include_self)
