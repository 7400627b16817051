"""`x[index] = value`: numbers and tensors written where a user's index points.

What needs no history and reads the same in NumPy is written at once; the rest reads the index as
``indexing`` does, and writes through the operations. Stands on indexing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import indexing, overrides
from flambeau.core.declare import ops
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.indexing import (
    ALL,
    LONG,
    PARTS,
    are_places,
    basic_view,
    forward,
    parts_of,
    read,
    span_of,
)
from flambeau.core.kernels import late
from flambeau.core.methods import bind
from flambeau.core.numbers import number_for
from flambeau.core.ops.advanced import one_mask
from flambeau.core.overlap import check_writable, meets, overlaps
from flambeau.core.part_written import write_part, write_rows
from flambeau.core.silence import quiet, run
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap, wrap_like_view

__all__ = ["setitem"]

nd = np.ndarray


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """Write a number or a tensor (broadcast and converted) where `index` points.

    Raises:
        IndexError: as `getitem`. TypeError: neither number nor tensor.
        RuntimeError: the value does not broadcast or fit, or the tensor may not be written.
    """
    m = mode()
    a = input._array
    number = type(value) in (int, float, bool)
    if (m is None or m is NO_GRAD) and type(input) in PLAIN and type(a) is nd:
        if number:
            new = value if a.dtype.kind == "f" and a.itemsize > 2 else None
        else:
            new = value._array if type(value) in PLAIN and value._array.dtype is a.dtype else None
        if new is not None:
            place = _plain_index(index)
            store = input._storage
            free = place is not None and not overlaps(a) and (store is None or not store.inference)
            apart = number or (
                type(new) is nd and (new.base is None or not _meeting(a, place, new))
            )
            if (
                place is None
                and type(index) is tuple
                and _write_places(input, index, new, value, m)
            ):
                return
            if not free or not apart:
                pass
            elif m is None and not (edge_of(input) is None and (number or edge_of(value) is None)):
                simple = input._view is None and (store is None or store.origin is None)
                if simple and place is not Ellipsis:
                    edge = None if number else edge_of(value)
                    if type(place) is nd:
                        written = write_rows(input, index, new, edge)
                    else:
                        written = write_part(input, place, new, edge)
                    if written:
                        return
            else:
                try:
                    run(a.__setitem__, place, new)
                except (IndexError, TypeError, ValueError, RuntimeError, OverflowError):
                    pass  # worded below
                else:
                    touch(_written_part(input, place), "__setitem__")
                    return
    if overrides.concern((input, value, *parts_of(index)), m):
        overrides.dispatch(Tensor.__setitem__, (input, index, value), {})
        return
    if not isinstance(value, Tensor):
        if not isinstance(value, (bool, int, float, complex, np.generic)):
            raise fail(
                TypeError,
                "__setitem__",
                f"can't assign a {type(value).__name__} to a tensor of {of(a.dtype)}: use "
                "torch.tensor(value)",
            )
        if isinstance(value, np.generic):
            value = value.item()
        number = True
    shown: Tensor | None = None
    if index is Ellipsis:
        shown = input  # the tensor itself is written, no view of it
    elif type(index) is not Tensor:
        shown = indexing.viewed(input, index)
    basic, indices = ((), None) if shown is not None else read(input, index)
    if indices is None:
        shown = basic_view(input, basic) if shown is None else shown
        if number:
            check_writable("__setitem__", shown._array)
            ops.fill_(shown, value)
        else:
            ops.copy_(shown, _broadcast(without_ones(value, shown._array.ndim), shown))
        return
    shown = basic_view(input, basic) if any(k is not ALL for k in basic) else input
    if number:
        value = wrap(quiet(np.array, number_for("__setitem__", value, a.dtype), a.dtype))
    else:
        value = without_ones(value, _result_rank(shown, indices))
    if value._array.size == 1:
        indices = [_mask(k) for k in indices]
        if one_mask(indices) and value._array.dtype != a.dtype:
            ops.masked_fill_(shown, indices[0], value.reshape(()).to(of(a.dtype)))
            return
    ops.index_put_(shown, indices, value)


def _write_places(input: Tensor, index: Any, new: Any, value: Any, m: Any) -> bool:
    """Write where tensors of whole numbers point, with slices among them, where no history is
    made. Whether that was all there is to do.
    """
    a, store = input._array, input._storage
    places = tuple([p._array if type(p) in PLAIN else p for p in index])
    tensors = [p for p in index if type(p) in PLAIN]
    if not (
        tensors
        and are_places(tensors)
        and all(type(p) in (nd, slice) for p in places)
        and all(forward(p) for p in places if type(p) is slice)
        and not overlaps(a)
        and (store is None or not (store.inference or store.origin is not None))
    ):
        return False
    if m is None and not (
        edge_of(input) is None and (type(value) not in PLAIN or edge_of(value) is None)
    ):
        return False
    for each in (new, *places):
        if type(each) is nd and np.may_share_memory(a, each):
            return False
    try:
        run(a.__setitem__, places, new)
    except (IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return False  # worded where the long way is gone
    touch(input, "__setitem__")
    return True


def _mask(index: Any) -> Any:
    """An index where one value is written: masks of bytes are a form of old.

    Raises:
        RuntimeError: a mask of bytes inside ``compat.strict()``.
    """
    if not isinstance(index, Tensor) or index._array.dtype != np.uint8:
        return index
    from flambeau.compat import bool_mask

    mask = bool_mask("masked_fill_", index)
    if mask is index:
        raise fail(
            RuntimeError,
            "masked_fill_",
            "masked_fill_ only supports boolean masks, but got mask with dtype torch.uint8. Use "
            "mask != 0.",
        )
    return mask


def _meeting(array: Any, place: Any, value: Any) -> bool:
    """Whether a value lies where it is written to: the long way knows whether that may be."""
    if type(place) is nd:
        return np.may_share_memory(array, value)
    try:
        part = array[place]
    except (IndexError, OverflowError):
        return True  # worded there
    if type(part) is not nd or _same(part, value) is None:  # as ``x[i] += 1`` writes its own part
        return False
    return np.may_share_memory(array, value) and meets(part, value)


_same = late.native("views", "same", lambda part, value: value)


def _broadcast(value: Tensor, shown: Tensor) -> Tensor:
    """A value that shares memory with the place it is written to, in that place's shape: of
    repeated elements nobody says that they are read after they were written.
    """
    here, there = shown._array, value._array
    if type(here) is not nd or type(there) is not nd or here.shape == there.shape:
        return value
    return ops.expand_as(value, shown) if np.may_share_memory(here, there) else value


def _written_part(input: Tensor, place: Any) -> Tensor:
    """The tensor itself; its part at a basic index where the write goes through `x.data`, so that
    what lies beside it does not count as written.
    """
    storage = input._storage
    if storage is None or storage.origin is None or type(place) is nd:
        return input
    basic = place if type(place) is tuple else (place,)
    array = input._array
    return wrap_like_view(array[basic if Ellipsis in basic else (*basic, ...)], input)


def _plain_index(index: Any) -> Any:
    """The index as NumPy takes it, where it means the same there; None where it must be read."""
    kind = type(index)
    if kind is int or (kind is slice and forward(index)):
        return index
    if kind is Tensor:
        a = index._array
        return a if type(a) is nd and a.ndim and (a.dtype.kind == "b" or a.dtype is LONG) else None
    if kind is tuple and all(
        type(p) in PARTS and (type(p) is not slice or forward(p)) for p in index
    ):
        return index
    return None


def _result_rank(input: Tensor, indices: list[Any]) -> int:
    """The rank of what the indices select."""
    rank = input._array.ndim - sum(span_of(k) if k is not None else 1 for k in indices)
    joined = max(
        (
            1 if k._array.dtype.kind == "b" or k._array.dtype == np.uint8 else k._array.ndim
            for k in indices
            if k is not None
        ),
        default=0,
    )
    return rank + sum(k is None for k in indices) + joined


def without_ones(value: Tensor, ndim: int) -> Tensor:
    """A value without the leading dimensions of size 1 that the place it goes to has not.

    Raises:
        RuntimeError: more dimensions than the place, not of size 1.
    """
    shape = value._array.shape
    extra = len(shape) - ndim
    if extra <= 0:
        return value
    if any(n != 1 for n in shape[:extra]):
        raise fail(
            RuntimeError,
            "__setitem__",
            f"the value has shape {list(shape)}, the place it is written to has {ndim} "
            "dimensions: it may only broadcast up to "
            "those. reshape the value, or index it.",
        )
    return ops.reshape(value, tuple(shape[extra:]))


setitem.__name__ = "__setitem__"  # what handlers are shown
bind(__setitem__=setitem)
