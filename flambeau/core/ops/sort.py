"""Order along a dimension: sort, argsort, msort, topk, kthvalue.

NaN stands above all numbers; equal elements stand where PyTorch's algorithms leave them. Sets and
counts are in unique and count. Stands on declare, along and the kernels introsort and sorting.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.kernels import introsort
from flambeau.core.kernels.generate import sorting
from flambeau.core.ops.along import lanes_last, selected
from flambeau.core.ops.cast import empty_copy
from flambeau.core.tensor import Tensor

__all__ = ["as_rows", "comparable", "order_of", "unstable_order"]

# Elements up to which equal ones stand exactly where PyTorch's unstable algorithms leave them where
# no code can be generated (10 ms at the limit, where NumPy's own sort takes 0.4); beyond, an order
# is stable. Generated code gives PyTorch's order always.
EXACT = 1 << 14
# Integers of one dimension are sorted byte by byte from here on, which is stable.
BYTEWISE = 1 << 15
# The dtypes that generated code sorts in another one.
SORTED_AS = {
    np.dtype(kind): np.dtype(other)
    for kind, other in (("f2", "f4"), ("?", "i4"), ("i1", "i4"), ("u1", "i4"), ("i2", "i4"),
                        ("u2", "i4"), ("u4", "i8"))
}  # fmt: skip


def comparable(name: str, input: Any) -> Any:
    """The array in a dtype whose order NumPy knows: bfloat16 as float32.

    Raises:
        RuntimeError: complex numbers.
    """
    if input.dtype.kind == "c":
        raise fail(
            RuntimeError,
            name,
            "Sort does not support complex dtypes on CPU: sort by abs() or a part.",
        )
    return input.astype(np.float32) if input.dtype.kind == "V" else input


def order_of(input: Any, axis: int, descending: bool = False) -> Any:
    """The stable order along `axis`; in a descending one equal elements keep their order too."""
    if not descending:
        return np.argsort(input, axis=axis, kind="stable")
    turned = np.argsort(np.flip(input, axis), axis=axis, kind="stable")
    return np.ascontiguousarray(input.shape[axis] - 1 - np.flip(turned, axis))


def ranks(rows: Any, order: Any) -> Any:
    """Each element's place among the distinct ones of its row, which `order` sorts."""
    ranked = np.take_along_axis(rows, order, -1)
    before, after = ranked[..., :-1], ranked[..., 1:]
    rises = np.zeros(rows.shape, np.int32)
    rises[..., 1:] = (before != after) & ((before == before) | (after == after))
    found = np.empty_like(rises)
    np.put_along_axis(found, order, np.cumsum(rises, -1, dtype=np.int32), -1)
    return found


def unstable_order(input: Any, axis: int, descending: bool = False) -> Any:
    """The order along `axis` that PyTorch's sort gives where nobody asked for a stable one."""
    return _in_order(input, axis % input.ndim, descending, False)[1]


def _in_order(input: Any, axis: int, descending: bool, stable: bool) -> tuple[Any, Any]:
    """The values in order where they come with it, else None; and the order."""
    size = input.shape[axis]
    bytewise = input.ndim == 1 and input.dtype.kind in "iu" and size >= BYTEWISE and not descending
    exact = not (stable or bytewise) and size > introsort.SHORT_SORTED and input.strides[axis] != 0
    found = sorting.ordered(as_rows(input, axis), descending, exact)
    if found is not None:
        values, order = (from_rows(each, input.shape, axis) for each in found)
        return values if values.dtype == input.dtype else None, order
    order = order_of(input, axis, descending)
    if not exact or input.size > EXACT:
        return None, order
    places = lanes_last(order, axis).reshape(-1, size)
    keys = ranks(lanes_last(input, axis).reshape(-1, size), places)
    tied = np.flatnonzero(keys.max(-1) < size - 1)
    if not len(tied):
        return None, order
    for i in tied:
        places[i] = introsort.sorted_places(keys[i].tolist())
    return None, from_rows(places, order.shape, axis)


def as_rows(input: Any, axis: int) -> Any:
    """The lanes along `axis` as contiguous rows, in a dtype that generated code sorts."""
    lanes = lanes_last(input, axis)
    rows = lanes.reshape(math.prod(lanes.shape[:-1]), lanes.shape[-1])
    kind = SORTED_AS.get(rows.dtype)
    return rows if kind is None else rows.astype(kind)


def from_rows(rows: Any, shape: Any, axis: int) -> Any:
    """Rows of any length as the lanes along `axis` of an array whose other sizes are `shape`'s."""
    others = shape[:axis] + shape[axis + 1 :]
    if axis == len(others):
        return rows.reshape(*others, rows.shape[-1])
    # A copy: it has PyTorch's strides, of dimensions of size 1, too.
    return np.moveaxis(rows.reshape(*others, rows.shape[-1]), -1, axis).copy()


def laid_like(input: Any, found: Any) -> Any:
    """`found` with the strides that preserve_format gives for `input`."""
    fresh = empty_copy(input, found.dtype)
    np.copyto(fresh, found)
    return fresh


def _infer_sort(input: Any, *rest: Any) -> Any:
    return (input.shape, input.dtype), (input.shape, np.dtype("i8"))


def _order_rule(g: Any, indices: Any, shape: Any, dim: int) -> Any:
    return ops._add_along(g[0], wrap_dim(dim, len(shape)), indices, shape, True)


@primitive(
    outputs=("values", "indices"),
    differentiable=("values",),
    infer=_infer_sort,
    vjp=_order_rule,
    name="_sort",
    node=lambda node: "SortBackward0",
    result_name="sort",
    function=False,
    method=False,
)
def _sort(input, dim: int, descending: bool):
    """Values in order along `dim`, and where they were."""
    return _sorted(input, dim, descending, False)


def _sorted(input: Any, dim: int, descending: bool, stable: bool) -> Any:
    k = wrap_dim(dim, input.ndim, "sort")
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    values, order = _in_order(comparable("sort", input), k, descending, stable)
    if values is None or values.dtype != input.dtype:
        values = np.take_along_axis(input, order, k)
    if not input.flags.c_contiguous:
        values, order = laid_like(input, values), laid_like(input, order)
    return values, order


@primitive(
    outputs=("values", "indices"),
    differentiable=("values",),
    infer=_infer_sort,
    vjp=_order_rule,
    name="_sort_stable",
    node=lambda node: "SortBackward1",
    result_name="sort",
    function=False,
    method=False,
)
def _sort_stable(input, dim: int, descending: bool, stable: bool):
    """`_sort`, by the overload that names `stable`."""
    return _sorted(input, dim, descending, stable)


@composite(method=True)
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    axis: int | None = None,
    out: Any = None,
) -> Any:
    """The values in order along `dim`, and where each came from. NaN is the largest.

    Args:
        descending: the largest first.
        stable: equal elements keep their order.

    Raises:
        RuntimeError: complex numbers.
    """
    dim = dim if axis is None else axis
    if isinstance(dim, bool):
        raise fail(
            TypeError,
            "sort",
            "sort() received an invalid combination of arguments: dim must be int, not bool.",
        )
    if stable is None:
        return ops._sort(input, dim, descending, out=out)
    return ops._sort_stable(input, dim, descending, stable, out=out)


@composite(method=True)
def argsort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    axis: int | None = None,
) -> Tensor:
    """The indices that put the tensor in order along `dim`."""
    return ops._sort_stable(input, dim if axis is None else axis, descending, stable)[1]


@composite(method=True)
def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """The values in order along the first dimension."""
    found = ops._sort(input, 0, False)[0]
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("msort", found, out)


def _infer_topk(input: Any, k: int, dim: int = -1, *rest: Any) -> Any:
    shape = list(input.shape)
    if shape:
        shape[wrap_dim(dim, len(shape))] = k
    return (tuple(shape), input.dtype), (tuple(shape), np.dtype("i8"))


@primitive(
    outputs=("values", "indices"),
    differentiable=("values",),
    infer=_infer_topk,
    vjp=_order_rule,
)
def topk(input, k: int, dim: int = -1, largest: bool = True, sorted: bool = True):
    """The `k` largest (or smallest) elements along `dim`, in order, and where they are.

    Raises:
        RuntimeError: `k` is negative or more than there are.
    """
    if input.dtype.kind in "bc":
        raise fail(
            RuntimeError, "topk", f"topk does not support {input.dtype} on CPU: sort numbers."
        )
    axis = wrap_dim(dim, input.ndim, "topk")
    size = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= size:
        raise fail(
            RuntimeError,
            "topk",
            f"selected index k out of range: k is {k}, dimension {dim} has {size} elements.",
        )
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    keys = comparable("topk", input)
    found = sorting.top(as_rows(keys, axis), k, largest, sorted)
    if found is not None:
        values, places = (from_rows(each, input.shape, axis) for each in found)
        if values.dtype != input.dtype:
            values = np.take_along_axis(input, places, axis)
        return values, places
    if 0 < k and 4 * k < size:
        lanes = np.argpartition(keys, size - k if largest else k - 1, axis=axis)
        chosen = np.take(lanes, np.arange(size - k, size) if largest else np.arange(k), axis=axis)
        chosen.sort(axis=axis)
        order = order_of(np.take_along_axis(keys, chosen, axis), axis, largest)
        places = np.take_along_axis(chosen, order, axis)
    else:
        places = np.ascontiguousarray(
            np.take(order_of(keys, axis, largest), np.arange(k), axis=axis)
        )
    if k and size > introsort.SHORT_SELECTED and keys.size <= EXACT:
        places = _as_selected(keys, places, axis, largest, sorted)
    return np.take_along_axis(input, places, axis), places


def _as_selected(keys: Any, places: Any, axis: int, largest: bool, in_order: bool) -> Any:
    """`places` of the top, where equal elements make a difference as PyTorch finds them."""
    k, size = places.shape[axis], keys.shape[axis]
    rows, found = lanes_last(keys, axis).reshape(-1, size), lanes_last(places, axis)
    shape, found = found.shape, found.reshape(-1, k)
    if in_order:
        top = np.take_along_axis(rows, found, -1)
        beyond = rows < top[:, -1:] if largest else rows > top[:, -1:]
        apart = top[:, 1:] < top[:, :-1] if largest else top[:, 1:] > top[:, :-1]
        tied = np.flatnonzero((beyond.sum(-1) < size - k) | ~apart.all(-1))
    else:
        tied = np.arange(len(rows))
    if not len(tied):
        return places
    keys = ranks(rows[tied], order_of(rows[tied], -1, largest)).tolist()
    for i, row in zip(tied, keys, strict=True):
        found[i] = introsort.top_places(row, k, in_order)
    return np.ascontiguousarray(np.moveaxis(found.reshape(shape), -1, axis))


def _infer_kth(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    shape = list(input.shape)
    if shape:
        at = wrap_dim(dim, len(shape))
        shape[at : at + 1] = [1] if keepdim else []
    return (tuple(shape), input.dtype), (tuple(shape), np.dtype("i8"))


@primitive(
    outputs=("values", "indices"),
    differentiable=("values",),
    infer=_infer_kth,
    out_apart=True,
    vjp=selected,
)
def kthvalue(input, k: int, dim: int = -1, keepdim: bool = False):
    """The `k`-th smallest element (counted from 1) along `dim`, and where it is.

    Raises:
        RuntimeError: `k` is less than 1 or more than there are.
    """
    axis = wrap_dim(dim, input.ndim, "kthvalue")
    size = input.shape[axis] if input.ndim else 1
    if input.ndim and not input.size and not size:
        raise fail(
            IndexError,
            "kthvalue",
            f"kthvalue(): Expected reduction dim {dim} to have non-zero size.",
        )
    if not 1 <= k <= size:
        raise fail(
            RuntimeError,
            "kthvalue",
            f"kthvalue(): selected number k out of range for dimension {dim}: k is {k} of {size}.",
        )
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    if input.dtype.kind in "bc":
        raise fail(
            NotImplementedError, "kthvalue", f"kthvalue is not implemented for {input.dtype}."
        )
    rows = lanes_last(comparable("kthvalue", input), axis)
    places = sorting.kth(as_rows(rows, -1), k - 1)
    if places is None:
        places = np.array(np.argpartition(rows, k - 1, axis=-1)[..., k - 1], order="C")
        if input.size <= EXACT:
            _as_found(rows, places, k - 1)
    places = np.expand_dims(places.reshape(rows.shape[:-1]), axis)
    values = np.take_along_axis(input, places, axis)
    return (values, places) if keepdim else (values.squeeze(axis), places.squeeze(axis))


def _as_found(rows: Any, places: Any, k: int) -> None:
    """Set those of `places` where others equal the `k`-th to the one that PyTorch finds."""
    kth = np.take_along_axis(rows, places[..., None], -1)
    tied = ((rows < kth) | (rows > kth)).sum(-1) < rows.shape[-1] - 1
    if tied.any():
        keys = ranks(rows[tied], order_of(rows[tied], -1)).tolist()
        places[tied] = [introsort.kth_place(row, k) for row in keys]
