"""Sets and search: unique, unique_consecutive, isin, searchsorted, bucketize. No gradients.

Stands on sort.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from flambeau.core import slow
from flambeau.core.batch.array import by_sample
from flambeau.core.declare import composite
from flambeau.core.dims import wrap_dim
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels.generate import sorting
from flambeau.core.kernels.generate.runs import distinct
from flambeau.core.ops.sort import as_rows, comparable
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.promotion import promote_arrays
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []


def _marks(rows: Any) -> Any:
    """Where a row differs from the one before it; the first does."""
    starts = np.ones(len(rows), bool)
    if len(rows) > 1:
        differ = rows[1:] != rows[:-1]
        starts[1:] = differ if rows.ndim == 1 else differ.any(axis=1)
    return starts


def _gather(ranked: Any, order: Any) -> tuple[Any, Any, Any]:
    """(places of the first of each run, inverse, counts) of rows that are ranked in an order."""
    starts = _marks(ranked)
    first = np.flatnonzero(starts)
    inverse = np.empty(len(ranked), np.int64)
    inverse[order] = np.cumsum(starts) - 1
    return order[first], inverse, np.diff(np.append(first, len(ranked)))


def _in_order(keys: Any) -> tuple[Any, Any]:
    """The keys in a stable order, and the order."""
    found = None if keys.dtype.kind == "c" else sorting.ordered(as_rows(keys, 0), False, False)
    if found is not None:
        return found[0][0], found[1][0]
    order = np.argsort(keys, kind="stable")
    return keys[order], order


def _unique(
    name: str, input: Tensor, dim: Any, consecutive: bool, inverse: bool, counts: bool
) -> Any:
    a = input._array
    if a.dtype.kind == "c":
        raise fail(
            NotImplementedError,
            name,
            f"\"unique\" not implemented for '{of(a.dtype).legacy}': complex numbers have no "
            "order. Take view_as_real(...) with dim=0.",
        )
    if dim is not None:
        if not a.ndim:
            raise fail(
                IndexError, name, f"Dimension specified as {dim} but tensor has no dimensions"
            )
        k = wrap_dim(dim, a.ndim, name)
        moved = np.ascontiguousarray(np.moveaxis(a, k, 0))
        size = len(moved)
        if not moved.size and any(not n for j, n in enumerate(a.shape) if j != k):
            raise fail(
                RuntimeError,
                name,
                f"{name}: There are 0 sized dimensions, and they aren't selected, so unique "
                f"cannot be applied: shape {list(a.shape)}, dim {dim}.",
            )
        rows = comparable(name, moved.reshape(size, math.prod(moved.shape[1:])))
        order: Any = (
            np.arange(size) if consecutive else np.lexsort(rows.T[::-1]) if size else np.arange(0)
        )
        chosen, back, number = _gather(rows[order], order)
        found = np.moveaxis(moved[chosen], 0, k)  # PyTorch's strides: slices lie in rows
    else:
        flat = a.reshape(-1)
        keys = flat if flat.dtype.kind == "c" else comparable(name, flat)
        ranked, places = (keys, None) if consecutive else _in_order(keys)
        back = number = a
        if not inverse:
            found = distinct(ranked).astype(a.dtype, copy=False)
            if counts:
                starts = np.flatnonzero(_marks(ranked))
                number = np.diff(np.append(starts, len(flat)))
        else:
            order = np.arange(len(flat)) if places is None else places
            chosen, back, number = _gather(ranked, order)
            found, back = flat[chosen], back.reshape(a.shape)
    result = (
        wrap(np.asarray(found)),
        wrap(back) if inverse else None,
        wrap(number) if counts else None,
    )
    wanted = tuple(t for t in result if t is not None)
    return wanted if len(wanted) > 1 else wanted[0]


@composite(method=True)
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or slices along `dim`), in order.

    Args:
        return_inverse: also where each element of the input is in the result.
        return_counts: also how often each stands in the input.
    """
    return _unique("unique", input, dim, False, return_inverse, return_counts)


@composite(method=True)
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along `dim`) with repetitions of the one before left out."""
    return _unique("unique_consecutive", input, dim, True, return_inverse, return_counts)


@composite()
def isin(
    elements: Any = None,
    test_elements: Any = None,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Any = None,
    element: Any = None,
    test_element: Any = None,
) -> Tensor:
    """Which `elements` are among `test_elements` (which are not, with `invert`).

    Raises:
        RuntimeError: bool or complex tensors.
    """
    elements = element if elements is None else elements
    test_elements = test_element if test_elements is None else test_elements
    arrays = [
        t._array if isinstance(t, Tensor) else np.asarray(t) for t in (elements, test_elements)
    ]
    if not any(isinstance(t, Tensor) for t in (elements, test_elements)) or not all(
        isinstance(t, (Tensor, int, float, np.generic)) for t in (elements, test_elements)
    ):
        raise fail(
            TypeError,
            "isin",
            "isin() received an invalid combination of arguments: one of the two must be a Tensor.",
        )
    for t, a in zip((elements, test_elements), arrays, strict=True):
        if isinstance(t, Tensor) and a.dtype.kind in "bc":
            raise fail(
                RuntimeError,
                "isin",
                f"Unsupported input type encountered for isin(): {t.dtype}. Convert it first.",
            )
    first, second = (a.astype(np.float32) if a.dtype.kind == "V" else a for a in arrays)
    within = np.isin(first, second, assume_unique=assume_unique, invert=invert)
    found = wrap(slow.settle(within))
    if out is not None:
        from flambeau.core.output import write_one

        return write_one("isin", found, out)
    return found


@by_sample
def _ranks(rows: Any, values: Any, right: bool, out_int32: bool) -> Any:
    """Where `values` would stand in the ordered rows: one row, or one for each row of values."""
    side: Literal["left", "right"] = "right" if right else "left"
    kind = np.int32 if out_int32 else np.int64
    if rows.ndim == 1:
        return np.asarray(np.searchsorted(rows, values, side)).astype(kind)
    many = (
        rows.reshape(-1, rows.shape[-1])
        if rows.shape[-1]
        else np.empty((math.prod(rows.shape[:-1]), 0), rows.dtype)
    )
    lanes = values.reshape(len(many), -1) if values.size else values.reshape(len(many), 0)
    found = np.empty(lanes.shape, kind)
    for k, (row, lane) in enumerate(zip(many, lanes, strict=True)):
        found[k] = np.searchsorted(row, lane, side)
    return found.reshape(values.shape)


def _check_side(name: str, right: bool, side: str | None) -> bool:
    if side is not None and side not in ("left", "right"):
        raise fail(
            RuntimeError, name, f"{name}(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise fail(
            RuntimeError,
            name,
            f"{name}(): side and right can't be set to opposites, got side of left while right "
            "was True",
        )
    return right or side == "right"


@composite()
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Any = None,
) -> Tensor:
    """Where `input` would stand in `sorted_sequence` (ordered along its last dimension).

    Args:
        right: behind equal elements instead of before them; ``side="right"`` says the same.
        sorter: the order of an unordered sequence.

    Raises:
        RuntimeError: shapes, dtypes or sides that do not go together.
    """
    require_tensor("searchsorted", "sorted_sequence", sorted_sequence)
    rows = sorted_sequence._array
    right = _check_side("searchsorted", right, side)
    number = not isinstance(input, Tensor)
    values = (
        np.asarray(
            input, rows.dtype if isinstance(input, (bool, int)) or rows.dtype.kind == "f" else None
        )
        if number
        else input._array
    )
    if sorter is not None:
        order = sorter._array
        if order.shape != rows.shape:
            raise fail(
                RuntimeError,
                "searchsorted",
                f"sorter and boundary tensor must have same size: {list(order.shape)} and "
                f"{list(rows.shape)}.",
            )
        if order.dtype != np.int64:
            raise fail(
                RuntimeError,
                "searchsorted",
                f"sorter must be a tensor of long dtype, not {sorter.dtype}.",
            )
        if order.size and (order.min() < 0 or order.max() >= rows.shape[-1]):
            raise fail(
                RuntimeError,
                "searchsorted",
                f"sorter index out of range: indices must be in [0, {rows.shape[-1]}).",
            )
        rows = np.take_along_axis(rows, order, -1)
    if not rows.ndim:
        raise fail(
            RuntimeError,
            "searchsorted",
            "input tensor should have positive dimension: sorted_sequence is 0-dimensional.",
        )
    if number and rows.ndim != 1:
        raise fail(
            RuntimeError,
            "searchsorted",
            "a number can be searched in a 1-dimensional sorted_sequence only.",
        )
    if not number:
        rows, values = _alike(rows, values)
    if rows.ndim != 1 and rows.shape[:-1] != values.shape[:-1]:
        raise fail(
            RuntimeError,
            "searchsorted",
            "sorted_sequence must be 1-dimensional or agree with input in all but the last "
            f"dimension: {list(rows.shape)} and {list(values.shape)}.",
        )
    return _ranked("searchsorted", rows, values, right, out_int32, out)


@composite()
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Any = None
) -> Tensor:
    """The bucket between ordered `boundaries` of each element: `searchsorted`, turned round.

    Raises:
        RuntimeError: boundaries that are not one-dimensional.
    """
    require_tensor("bucketize", "boundaries", boundaries)
    edges = boundaries._array
    if edges.ndim != 1:
        raise fail(
            RuntimeError,
            "bucketize",
            f"boundaries tensor must be 1 dimension, but got dim({edges.ndim})",
        )
    if isinstance(input, Tensor):
        edges, values = _alike(edges, input._array)
    else:
        values = np.asarray(input)
    return _ranked("bucketize", edges, values, right, out_int32, out)


def _alike(rows: Any, values: Any) -> tuple[Any, Any]:
    """Both in the dtype they promote to."""
    if rows.dtype == values.dtype:
        return rows, values
    wide = promote_arrays(rows.dtype, values.dtype)
    return rows.astype(wide), values.astype(wide)


def _ranked(name: str, rows: Any, values: Any, right: bool, out_int32: bool, out: Any) -> Tensor:
    rows, values = (a.astype(np.float32) if a.dtype.kind == "V" else a for a in (rows, values))
    if (
        out is not None
        and isinstance(out, Tensor)
        and out._array.dtype != (np.int32 if out_int32 else np.int64)
    ):
        raise fail(
            RuntimeError,
            name,
            "output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending "
            f"on whether out_int32 flag is True, but we got {out.dtype}",
        )
    if values.size and rows.dtype == values.dtype:
        refuse_dtype(name, values.dtype, "fiu")
    found = wrap(_ranks(rows, values, right, out_int32))
    if out is not None:
        from flambeau.core.output import write_one

        return write_one(name, found, out)
    return found
