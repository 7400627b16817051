"""Views of arrays as native functions: another geometry on an array's memory in 0.1 us, where
NumPy's constructor takes 0.3 and indexing builds tuples first.

Sizes and strides are checked by the callers where they are not checked here; whatever is not plain
(subclasses, odd arguments, errors to word) goes to the NumPy form. Stands on geometry
and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    begin,
    copy_around,
    count_of,
    end,
    geometry,
    give,
    is_dtype,
    item,
    items_of,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.indexed import index
from flambeau.core.kernels.native.objects import field, word

__all__ = ["module", "native"]


def _restride(made: Module) -> None:
    """restride(array, sizes, strides, offset): the geometry as it is given, in bytes."""
    f, (array, sizes, steps, offset), _, room = begin(made, "restride", 4)
    count, size = items_of(f, sizes)
    others, step = items_of(f, steps)
    require(f, count.eq(others))
    with f.loop(0, count) as i:
        f.store(whole(f, f.load("ptr", size, i)), room, i)
        f.store(whole(f, f.load("ptr", step, i)), room, i + MOST)
    give(f, array, count, room, whole(f, offset))
    end(f)


def _swap(made: Module) -> None:
    """swap(array, dim0, dim1)."""
    f, (array, one, two), ndim, room = begin(made, "swap", 3)
    first = wrapped(f, whole(f, one), ndim)
    second = wrapped(f, whole(f, two), ndim)
    dims, steps = copy_around(f, array, ndim, room)
    for here, there in ((first, second), (second, first)):
        f.store(f.load("i64", dims, there), room, here)
        f.store(f.load("i64", steps, there), room, here + MOST)
    give(f, array, ndim, room, f.index(0))
    end(f)


def _insert(made: Module) -> None:
    """insert(array, dim): a dimension of size 1, with the stride of one more that lay there."""
    f, (array, dim), ndim, room = begin(made, "insert", 2)
    at = wrapped(f, whole(f, dim), ndim + 1)
    dims, steps = geometry(f, array)
    with f.loop(0, ndim) as i:
        to = f.select(i.ge(at), i + 1, i)
        f.store(f.load("i64", dims, i), room, to)
        f.store(f.load("i64", steps, i), room, to + MOST)
    f.store(f.index(1), room, at)
    step = f.variable("i64", 0)
    f.branch(at.eq(ndim), "last", "within")
    f.label("last")
    step.set(item(f, array))
    f.jump("set")
    f.label("within")
    step.set(f.load("i64", dims, at) * f.load("i64", steps, at))
    f.label("set")
    f.store(step.get(), room, at + MOST)
    give(f, array, ndim + 1, room, f.index(0))
    end(f)


def _expand(made: Module) -> None:
    """expand(array, sizes): dimensions of size 1 repeat, new ones stand in front."""
    f, (array, sizes), ndim, room = begin(made, "expand", 2)
    count, size = items_of(f, sizes)
    lead = count - ndim
    require(f, lead.ge(0))
    dims, steps = geometry(f, array)
    with f.loop(0, count) as i:
        asked = whole(f, f.load("ptr", size, i))
        k = f.fresh()
        kept = asked.eq(-1) & i.ge(lead)  # -1 keeps a size
        own = f.load("i64", dims, f.select(kept, i - lead, 0))
        wanted = f.select(kept, own, asked)
        f.store(wanted, room, i)
        f.branch(i.lt(lead), f"new{k}", f"old{k}")
        f.label(f"new{k}")  # of size 1: its stride is not 0
        require(f, wanted.gt(1))
        f.store(f.index(0), room, i + MOST)
        f.jump(f"next{k}")
        f.label(f"old{k}")
        have = f.load("i64", dims, i - lead)
        require(f, have.gt(0) & wanted.gt(0) & (have.eq(wanted) | have.eq(1)))
        step = f.load("i64", steps, i - lead)
        f.store(f.select(have.eq(wanted), step, 0), room, i + MOST)
        f.label(f"next{k}")
    give(f, array, count, room, f.index(0))
    end(f)


def _narrow(made: Module) -> None:
    """narrow(array, dim, start, length): a range within the dimension, counted from its front."""
    f, (array, dim, start, length), ndim, room = begin(made, "narrow", 4)
    at = wrapped(f, whole(f, dim), ndim)
    first, count = whole(f, start), whole(f, length)
    dims, steps = copy_around(f, array, ndim, room)
    require(f, first.ge(0) & count.gt(0) & (first + count).le(f.load("i64", dims, at)))
    f.store(count, room, at)
    give(f, array, ndim, room, first * f.load("i64", steps, at))
    end(f)


def _range(made: Module) -> None:
    """range(array, dim, start, end, step): a range that is not empty, counted from the front."""
    f, (array, dim, start, stop, stride), ndim, room = begin(made, "range", 5)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    first, last, step = whole(f, start), whole(f, stop), whole(f, stride)
    dims, steps = copy_around(f, array, ndim, room)
    require(f, first.ge(0) & first.lt(last) & last.le(f.load("i64", dims, at)) & step.gt(0))
    own = f.load("i64", steps, at)
    f.store((last - first + step - 1) // step, room, at)
    f.store(own * step, room, at + MOST)
    give(f, array, ndim, room, first * own)
    end(f)


def _select(made: Module) -> None:
    """select(array, dim, index): the dimension falls away; negative indices count from its end."""
    f, (array, dim, index), ndim, room = begin(made, "select", 3)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    dims, steps = geometry(f, array)
    where = wrapped(f, whole(f, index), f.load("i64", dims, at))
    with f.loop(0, ndim - 1) as i:
        source = f.select(i.ge(at), i + 1, i)
        f.store(f.load("i64", dims, source), room, i)
        f.store(f.load("i64", steps, source), room, i + MOST)
    give(f, array, ndim - 1, room, where * f.load("i64", steps, at))
    end(f)


def _squeeze(made: Module) -> None:
    """squeeze(array, dim): without the dimensions named, one or a tuple of them, or (None) any,
    that are of size 1.
    """
    f, (array, dim), ndim, room = begin(made, "squeeze", 2)
    bits = f.variable("i64", -1)
    f.branch(dim.eq(word(f, "none")), "squeeze", "named")
    f.label("named")
    require(f, ndim.gt(0))
    bits.set(f.index(0))
    f.branch(field(f, dim, table.TYPE, "ptr").eq(word(f, "py_tuple")), "several", "one")
    f.label("one")
    bits.set(f.index(1) << wrapped(f, whole(f, dim), ndim))
    f.jump("squeeze")
    f.label("several")
    count, items = items_of(f, dim)
    with f.loop(0, count) as i:
        bit = f.index(1) << wrapped(f, whole(f, f.load("ptr", items, i)), ndim)
        require(f, (bits.get() & bit).eq(0))  # named twice
        bits.set(bits.get() | bit)
    f.label("squeeze")
    dims, steps = geometry(f, array)
    left = f.variable("i64", 0)
    with f.loop(0, ndim) as i:
        size = f.load("i64", dims, i)
        gone = size.eq(1) & ((bits.get() >> i) & 1).ne(0)
        with f.when(gone.eq(False)):
            f.store(size, room, left.get())
            f.store(f.load("i64", steps, i), room, left.get() + MOST)
            left.set(left.get() + 1)
    give(f, array, left.get(), room, f.index(0))
    end(f)


def _permute(made: Module) -> None:
    """permute(array, dims): the dimensions in the order of a tuple, each named once."""
    f, (array, order), ndim, room = begin(made, "permute", 2)
    count, items = items_of(f, order)
    require(f, count.eq(ndim))
    dims, steps = geometry(f, array)
    seen = f.variable("i64", 0)
    with f.loop(0, count) as i:
        at = wrapped(f, whole(f, f.load("ptr", items, i)), ndim)
        bit = f.index(1) << at
        require(f, (seen.get() & bit).eq(0))
        seen.set(seen.get() | bit)
        f.store(f.load("i64", dims, at), room, i)
        f.store(f.load("i64", steps, at), room, i + MOST)
    give(f, array, count, room, f.index(0))
    end(f)


def _strided(made: Module) -> None:
    """strided(array, sizes, strides, offset, ...): in elements, checked, on an array that begins
    where its memory does.
    """
    f, (array, sizes, steps, offset, _), _, room = begin(made, "strided", 5)
    _from_the_start(f, array)
    require(f, (field(f, array, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    count, size = items_of(f, sizes)
    others, step = items_of(f, steps)
    require(f, count.eq(others))
    size_of, first = item(f, array), whole(f, offset)
    last = f.variable("i64", first)
    require(f, first.ge(0))
    with f.loop(0, count) as i:
        length, stride = whole(f, f.load("ptr", size, i)), whole(f, f.load("ptr", step, i))
        require(f, length.gt(0) & stride.ge(0) & length.lt(LARGE) & stride.lt(LARGE))
        last.set(last.get() + (length - 1) * stride)
        require(f, last.get().lt(LARGE))
        f.store(length, room, i)
        f.store(stride * size_of, room, i + MOST)
    require(f, last.get().lt(count_of(f, array)))
    give(f, array, count, room, first * size_of)
    end(f)


def _from_the_start(f: Function, array: Value) -> None:
    """Go on where the array begins where its memory does."""
    base, k = field(f, array, table.BASE, "ptr"), f.fresh()
    f.branch(base.eq(0), f"owner{k}", f"view{k}")
    f.label(f"view{k}")
    require(f, field(f, base, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, field(f, base, table.BASE, "ptr").eq(0))
    require(f, field(f, base, table.DATA, "ptr").eq(field(f, array, table.DATA, "ptr")))
    f.label(f"owner{k}")


LARGE = 1 << 31
"""Sizes and strides whose products cannot overflow; larger ones go the other way."""


def _retype(made: Module) -> None:
    """retype(array, dtype): the bytes read as another dtype of the same size."""
    f, (array, kind), ndim, room = begin(made, "retype", 2)
    require(f, is_dtype(f, kind))
    require(f, field(f, kind, table.ITEM, "i64").eq(item(f, array)))
    copy_around(f, array, ndim, room)
    give(f, array, ndim, room, f.index(0), kind)
    end(f)


def _pairs(made: Module) -> None:
    """pairs(array, dtype): complex numbers as two of half their size in a new last dimension."""
    f, (array, kind), ndim, room = begin(made, "pairs", 2)
    require(f, is_dtype(f, kind) & ndim.lt(MOST - 1))
    half = field(f, kind, table.ITEM, "i64")
    require(f, item(f, array).eq(half * 2))
    copy_around(f, array, ndim, room)
    f.store(f.index(2), room, ndim)
    f.store(half, room, ndim + MOST)
    give(f, array, ndim + 1, room, f.index(0), kind)
    end(f)


def _joined(made: Module) -> None:
    """joined(array, dtype): pairs in the last dimension as one number of twice the size."""
    f, (array, kind), ndim, room = begin(made, "joined", 2)
    require(f, is_dtype(f, kind) & ndim.gt(0))
    half = item(f, array)
    require(f, field(f, kind, table.ITEM, "i64").eq(half * 2))
    dims, steps = copy_around(f, array, ndim, room)
    require(f, f.load("i64", dims, ndim - 1).eq(2) & f.load("i64", steps, ndim - 1).eq(half))
    with f.loop(0, ndim - 1) as i:
        require(f, (f.load("i64", steps, i) % (half * 2)).eq(0))
    give(f, array, ndim - 1, room, f.index(0), kind)
    end(f)


def _diagonal(made: Module) -> None:
    """diagonal(array, offset, dim1, dim2): of two dimensions, laid last; not an empty one."""
    f, (array, offset, one, two), ndim, room = begin(made, "diagonal", 4)
    first = wrapped(f, whole(f, one), ndim)
    second = wrapped(f, whole(f, two), ndim)
    require(f, first.ne(second))
    shift = whole(f, offset)
    dims, steps = geometry(f, array)
    left = f.variable("i64", 0)
    with f.loop(0, ndim) as i:
        with f.when(i.ne(first) & i.ne(second)):
            f.store(f.load("i64", dims, i), room, left.get())
            f.store(f.load("i64", steps, i), room, left.get() + MOST)
            left.set(left.get() + 1)
    down = f.select(shift.lt(0), -shift, 0)
    right = f.select(shift.gt(0), shift, 0)
    rows, columns = f.load("i64", dims, first) - down, f.load("i64", dims, second) - right
    length = f.intrinsic("smin", rows, columns)
    require(f, length.gt(0))
    row, column = f.load("i64", steps, first), f.load("i64", steps, second)
    f.store(length, room, left.get())
    f.store(row + column, room, left.get() + MOST)
    give(f, array, left.get() + 1, room, down * row + right * column)
    end(f)


def _unfold(made: Module) -> None:
    """unfold(array, dim, size, step): windows of a dimension, the window laid last."""
    f, (array, dim, size, step), ndim, room = begin(made, "unfold", 4)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    window, stride = whole(f, size), whole(f, step)
    dims, steps = copy_around(f, array, ndim, room)
    length, own = f.load("i64", dims, at), f.load("i64", steps, at)
    require(f, window.ge(0) & window.le(length) & stride.gt(0))
    f.store((length - window) // stride + 1, room, at)
    f.store(own * stride, room, at + MOST)
    f.store(window, room, ndim)
    f.store(own, room, ndim + MOST)
    give(f, array, ndim + 1, room, f.index(0))
    end(f)


def _same(made: Module) -> None:
    """same(array, other): None where both are the very same elements."""
    f, (array, other), ndim, _ = begin(made, "same", 2)
    require(f, field(f, other, table.TYPE, "ptr").eq(word(f, "ndarray")))
    for offset, type in ((table.DATA, "ptr"), (table.DESCR, "ptr"), (table.NDIM, "i32")):
        require(f, field(f, array, offset, type).eq(field(f, other, offset, type)))
    for one, two in zip(geometry(f, array), geometry(f, other), strict=True):
        with f.loop(0, ndim) as k:
            require(f, f.load("i64", one, k).eq(f.load("i64", two, k)))
    none = word(f, "none")
    f.call(word(f, "incref"), "void", none)
    f.ret(none)
    end(f)


def module() -> Module:
    """All of them."""
    made = Module("views")
    for write in (
        _restride, _strided, _swap, _permute, _insert, _expand, _narrow, _range, _select, index,
        _squeeze, _diagonal, _unfold, _retype, _pairs, _joined, _same,
    ):  # fmt: skip
        write(made)
    return made


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The native function of that name, or the NumPy form where there is none."""
    return table.native(name, numpy_form, module)
