"""Copies of few elements in another order, or with others among them, as native functions: tril,
triu, flip, roll, padding by a number.

Contiguous arrays of numbers of 1, 2, 4 or 8 bytes; larger ones, and what does not fit, go to the
NumPy form. Triangles may be written over their own array, as the last argument. Stands on geometry
and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    around,
    contiguous,
    count_of,
    count_on,
    end,
    is_dtype,
    item,
    items_of,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, python_number, word

__all__ = ["COPIES", "native"]

LARGEST = 1 << 11
PADDED = 1 << 14
"""Elements of a padded array: whole rows are copied."""
CARRIED = ("i8", "i16", "i32", "i64")
COPIES = {
    "tril": "tril", "triu": "triu", "_flip": "flip", "_roll": "roll", "constant_pad_nd": "pad",
}  # fmt: skip
"""By the operation's name."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The operation's kernel, with `numpy_form` for what it does not take; that form itself where
    there is none.
    """
    if name not in COPIES:
        return numpy_form
    return table.native(COPIES[name], numpy_form, lambda: _module(COPIES[name]))


def _module(name: str) -> Module:
    made = Module(f"copies_{name}", vectorize=name == "pad")
    {"flip": _flip, "roll": _roll, "pad": _pad}.get(name, _triangle)(made, name)
    return made


def _array(f: Function, x: Value, largest: int = LARGEST) -> Value:
    """How many elements a served array has."""
    kind = contiguous(f, x)
    require(f, is_dtype(f, kind) & field(f, kind, table.KIND, "i8").ne(ord("O")))
    size, known = item(f, x), f.value("i1", 0)
    for type in CARRIED:
        known = known | size.eq(SIZES[type])
    total = count_of(f, x)
    require(f, known & total.gt(0) & total.lt(largest))
    return total


def _fresh(f: Function, x: Value, total: Value) -> Value:
    ndim, dims = field(f, x, table.NDIM, "i32"), field(f, x, table.DIMS, "ptr")
    return made_array(f, field(f, x, table.DESCR, "ptr"), ndim, dims, total * item(f, x))


def _by_size(f: Function, x: Value, out: Value, write: Callable[[str, Value, Value], None]) -> None:
    """``write(type, source, target)`` for elements of the array's size; then it is done."""
    source, target = (field(f, a, table.DATA, "ptr") for a in (x, out))
    for type in CARRIED:
        with f.when(item(f, x).eq(SIZES[type])):
            write(type, source, target)
    f.ret(out)


def _triangle(made: Module, name: str) -> None:
    """tril(array, diagonal[, array])."""
    f = made.function(name, SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    require(f, n.eq(2) | n.eq(3))
    x = f.load("ptr", args)
    total, ndim = _array(f, x), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.ge(2))
    diagonal = whole(f, f.load("ptr", args, 1))
    require(f, diagonal.gt(-LARGEST) & diagonal.lt(LARGEST))
    out = f.variable("ptr", x)
    k = f.fresh()
    f.branch(n.eq(3), f"into{k}", f"apart{k}")
    f.label(f"into{k}")
    require(f, f.load("ptr", args, 2).eq(x))
    require(f, (field(f, x, table.FLAGS, "i32") & table.WRITEABLE).ne(0))
    f.call(word(f, "incref"), "void", x)
    f.jump(f"ready{k}")
    f.label(f"apart{k}")
    out.set(_fresh(f, x, total))
    f.label(f"ready{k}")
    dims = field(f, x, table.DIMS, "ptr")
    rows, columns = f.load("i64", dims, ndim - 2), f.load("i64", dims, ndim - 1)

    def write(type: str, source: Value, target: Value) -> None:
        with f.loop(0, total / columns) as r:
            row = r - r / rows * rows
            with f.loop(0, columns) as c:
                far = c - row
                kept = far.le(diagonal) if name == "tril" else far.ge(diagonal)
                at = r * columns + c
                f.store(f.select(kept, f.load(type, source, at), 0), target, at)

    _by_size(f, x, out.get(), write)
    end(f)


def _roll(made: Module, name: str) -> None:
    """roll(array, shifts, dims): of one dimension, or of the flattened array."""
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(3))
    x, shifts, dims = (f.load("ptr", f.argument["args"], k) for k in range(3))
    total, ndim = _array(f, x), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0))
    count, items = items_of(f, shifts)
    require(f, count.eq(1))
    shift = whole(f, f.load("ptr", items))
    require(f, shift.gt(-(1 << 40)) & shift.lt(1 << 40))
    named, given = items_of(f, dims)
    outer, size, inner = (f.variable("i64", v) for v in (f.index(1), total, f.index(1)))
    with f.when(named.ne(0)):
        require(f, named.eq(1))
        found = around(f, x, wrapped(f, whole(f, f.load("ptr", given)), ndim))
        for part, value in zip((outer, size, inner), found, strict=True):
            part.set(value)
    n, wide = size.get(), inner.get()
    rest = shift - shift / n * n
    rest = f.select(rest.lt(0), rest + n, rest)

    def write(type: str, source: Value, target: Value) -> None:
        with f.loop(0, outer.get()) as o, f.loop(0, n) as j:
            to = j + rest
            to = f.select(to.ge(n), to - n, to)
            with f.loop(0, wide) as i:
                found = f.load(type, source, (o * n + j) * wide + i)
                f.store(found, target, (o * n + to) * wide + i)

    _by_size(f, x, _fresh(f, x, total), write)
    end(f)


def _flip(made: Module, name: str) -> None:
    """flip(array, dims)."""
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(2))
    x, dims = (f.load("ptr", f.argument["args"], k) for k in range(2))
    total, ndim = _array(f, x), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0) & ndim.lt(MOST))
    count, items = items_of(f, dims)
    sizes, steps, at = field(f, x, table.DIMS, "ptr"), f.memory("i64", MOST), f.memory("i64", MOST)
    step, start = f.variable("i64", 1), f.variable("i64", 0)
    with f.loop(0, ndim) as j:
        k = ndim - 1 - j
        f.store(step.get(), steps, k)
        f.store(f.index(0), at, k)
        step.set(step.get() * f.load("i64", sizes, k))
    with f.loop(0, count) as j:
        k = wrapped(f, whole(f, f.load("ptr", items, j)), ndim)
        own = f.load("i64", steps, k)
        require(f, own.gt(0))  # each is named once
        start.set(start.get() + own * (f.load("i64", sizes, k) - 1))
        f.store(-own, steps, k)

    last = ndim - 1
    width, along = f.load("i64", sizes, last), f.load("i64", steps, last)

    def write(type: str, source: Value, target: Value) -> None:
        here = f.variable("i64", start.get())
        with f.loop(0, total / width) as row:
            with f.loop(0, width) as i:
                f.store(f.load(type, source, here.get() + i * along), target, row * width + i)
            with f.when(last.gt(0)):  # the next row: a counter, its last digit first
                count_on(f, at, sizes, last - 1, lambda dim: f.load("i64", steps, dim), here)

    _by_size(f, x, _fresh(f, x, total), write)
    end(f)


def _pad(made: Module, name: str) -> None:
    """pad(array, amounts, value): low and high of the last dimension, then of the one before; what
    is negative crops.
    """
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(3))
    x, amounts, value = (f.load("ptr", f.argument["args"], k) for k in range(3))
    _array(f, x, PADDED)
    ndim = field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0) & ndim.lt(MOST))
    count, items = items_of(f, amounts)
    require(f, count.gt(0) & (count & 1).eq(0) & count.le(ndim * 2))
    dims, lows, sizes = field(f, x, table.DIMS, "ptr"), f.memory("i64", MOST), f.memory("i64", MOST)
    outer, whole_size = f.variable("i64", 1), f.variable("i64", 1)
    with f.loop(0, ndim) as d:
        own, below, above = f.load("i64", dims, d), f.variable("i64", 0), f.variable("i64", 0)
        at = (ndim - 1 - d) * 2
        with f.when(at.lt(count)):
            for part, place in ((below, at), (above, at + 1)):
                part.set(whole(f, f.load("ptr", items, place)))
                require(f, part.get().gt(-PADDED) & part.get().lt(PADDED))
        size = own + below.get() + above.get()
        require(f, size.gt(0) & (below.get() + own).gt(0) & (above.get() + own).gt(0))
        f.store(below.get(), lows, d)
        f.store(size, sizes, d)
        whole_size.set(whole_size.get() * size)
        require(f, whole_size.get().lt(PADDED))
    with f.loop(0, ndim - 1) as d:
        outer.set(outer.get() * f.load("i64", sizes, d))
    kind = field(f, x, table.DESCR, "ptr")
    real, number, given = python_number(f, value)
    fill = f.variable("i64", 0)
    with f.when(real.get() | given.get().ne(0)):
        require(f, kind.eq(word(f, "float")) | kind.eq(word(f, "double")))
        fill.set(number.get().bits("i64"))
        with f.when(kind.eq(word(f, "float"))):
            fill.set(number.get().to("float").bits("i32").to("i64"))
    out = made_array(f, kind, ndim, sizes, whole_size.get() * item(f, x))
    last = ndim - 1
    low, n, width = (f.load("i64", p, last) for p in (lows, dims, sizes))
    begin = f.intrinsic("smax", low, f.index(0))
    stop = f.intrinsic("smin", low + n, width)

    def write(type: str, source: Value, target: Value) -> None:
        blank = fill.get() if type == "i64" else fill.get().to(type)
        with f.loop(0, outer.get()) as row:
            rest, place, step = f.variable("i64", row), f.variable("i64", 0), f.variable("i64", n)
            inside = f.variable("i1", True)
            with f.loop(0, last) as j:
                d = last - 1 - j
                size, own = f.load("i64", sizes, d), f.load("i64", dims, d)
                at = rest.get() % size - f.load("i64", lows, d)
                rest.set(rest.get() / size)
                inside.set(inside.get() & at.ge(0) & at.lt(own))
                place.set(place.get() + at * step.get())
                step.set(step.get() * own)
            first = f.select(inside.get(), begin, width)
            end_at = f.select(inside.get(), stop, width)
            with f.loop(0, first) as i:
                f.store(blank, target, row * width + i)
            with f.loop(first, end_at, independent=True) as i:
                f.store(f.load(type, source, place.get() + i - low), target, row * width + i)
            with f.loop(end_at, width) as i:
                f.store(blank, target, row * width + i)

    _by_size(f, x, out, write)
    end(f)
