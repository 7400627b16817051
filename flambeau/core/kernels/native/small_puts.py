"""Elements and slices written by index as native functions, for small arrays: scatter, index_add,
index_copy, index_fill, put and their kin.

``scatter(array, dim, index, source[, out])`` and so on: into `out`, which must be the array itself,
or into a copy. The array is row-major; index and source have any strides and lie elsewhere. What
does not fit, and indices out of range, are the fallback's. Stands on geometry and jit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    SIGNATURE,
    count_of,
    end,
    geometry,
    is_dtype,
    item,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.narrow import WORKING, holds, load, stored
from flambeau.core.kernels.native.objects import field, made_array, python_number, word

__all__ = ["PUTS", "native"]

LARGEST = 1 << 12
"""Elements from which on generated kernels take over."""
ADDED = ("float", "double", "i64", "i32")
NUMBERS = ("float", "double", "i64", "i32", "bf16")
MOST_OF = {"float": 3e38, "bf16": 3e38, "double": math.inf}
"""What larger numbers become is not decided here."""
DIMS = 8
"""Dimensions at most."""


class Put(NamedTuple):
    """How an operation writes."""

    where: str
    """What its index names: "elements" or "slices" of a dimension, "flat" positions."""
    source: str = "array"
    """What is written: an "array", a "number"."""
    adds: bool = False
    unit: bool = False
    """Its last argument is a factor, which must be 1."""
    chooses: bool = False
    """Its last argument says whether it adds, which must be False."""
    wraps: bool = False
    """Negative indices count from the end."""


PUTS = {
    "_scatter": Put("elements"),
    "_scatter_number": Put("elements", "number"),
    "scatter_add": Put("elements", adds=True),
    "index_copy": Put("slices"),
    "index_add": Put("slices", adds=True, unit=True),
    "_index_fill": Put("slices", "number", wraps=True),
    "put": Put("flat", chooses=True, wraps=True),
}
"""By the operation's name."""


def native(name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The operation's kernel, with `otherwise` for what it does not take; that itself where there
    is none.
    """
    if name not in PUTS:
        return otherwise
    return table.native(f"put{name}", otherwise, lambda: _module(f"put{name}", PUTS[name]))


class Strided(NamedTuple):
    """Memory that is walked through: where it begins, and how far a step of each dimension goes."""

    data: Value
    steps: Value


def _module(name: str, put: Put) -> Module:
    made = Module(name)
    f = made.function(name, SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    flat = put.where == "flat"
    count = (3 if flat else 4) + (put.unit or put.chooses)
    require(f, n.eq(count) | n.eq(count + 1))
    given = [f.load("ptr", args, k) for k in range(count)]
    x, index, source = given[0], given[1 if flat else 2], given[2 if flat else 3]
    for array in (x, index):
        require(f, field(f, array, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, field(f, index, table.DESCR, "ptr").eq(word(f, "i64")))
    if put.unit:
        require(f, whole(f, given[-1]).eq(1))
    if put.chooses:
        require(f, f.call(word(f, "as_long"), "i64", given[-1]).eq(0))
    flags = table.C_CONTIGUOUS | table.WRITEABLE
    require(f, (field(f, x, table.FLAGS, "i32") & flags).eq(flags))
    kind, total = field(f, x, table.DESCR, "ptr"), count_of(f, x)
    require(f, is_dtype(f, kind) & field(f, kind, table.KIND, "i8").ne(ord("O")))
    require(f, _served(f, put, kind, item(f, x)))
    require(f, total.gt(0) & total.lt(LARGEST))
    ndim = field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.le(DIMS))
    dims = f.memory("i64", DIMS)
    if put.source == "array":
        require(f, field(f, source, table.TYPE, "ptr").eq(word(f, "ndarray")))
        require(f, field(f, source, table.DESCR, "ptr").eq(kind))
    if flat:
        walked = _flat(f, x, index, source, dims)
    else:
        require(f, ndim.gt(0))
        walked = _along(f, put, x, index, source, ndim, dims, f.load("ptr", args, 1))
    rank, dim, limit, places, values, target_steps = walked
    if put.source == "number":
        values = Strided(_number(f, source, kind), _zeros(f))
    many = f.variable("i64", 1)
    with f.loop(0, rank) as k:
        many.set(many.get() * f.load("i64", dims, k))
    require(f, many.get().gt(0) & many.get().lt(LARGEST))
    _check(f, put, places, dims, rank, dim, limit, many.get())
    _apart(f, x, total * item(f, x), index, *([source] if put.source == "array" else []))
    out = _target(f, x, n.eq(count + 1), f.load("ptr", args, count), total * item(f, x))
    _write(f, put, kind, Strided(field(f, out, table.DATA, "ptr"), target_steps), places, values,
           dims, rank, dim, limit, item(f, x))  # fmt: skip
    f.ret(out)
    end(f)
    return made


CARRIED = ("i8", "i16", "i32", "i64")
"""What elements are copied as."""


def _served(f: Function, put: Put, kind: Value, size: Value) -> Value:
    found = f.value("i1", 0)
    if put.adds:
        for type in ADDED:
            found = found | kind.eq(word(f, type))
    else:
        for type in CARRIED:
            found = found | size.eq(SIZES[type])
    return found


def _zeros(f: Function) -> Value:
    room = f.memory("i64", DIMS)
    for k in range(DIMS):
        f.store(f.index(0), room, k)
    return room


Walked = tuple[Value, Value, Value, Strided, Strided, Value]
"""Dimensions walked through; the one picked along and its size; the index; the source; the steps
of the target."""


def _flat(f: Function, x: Value, index: Value, source: Value, dims: Value) -> Walked:
    """Positions of the flattened array: index and source are contiguous, and as many."""
    for array in (index, source):
        require(f, (field(f, array, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    many = count_of(f, index)
    require(f, count_of(f, source).eq(many))
    f.store(many, dims)
    size, eight = f.memory("i64", 1), f.memory("i64", 1)
    f.store(item(f, x), size)
    f.store(f.index(8), eight)
    places = Strided(field(f, index, table.DATA, "ptr"), eight)
    values = Strided(field(f, source, table.DATA, "ptr"), size)
    return f.index(1), f.index(0), count_of(f, x), places, values, size


def _along(
    f: Function, put: Put, x: Value, index: Value, source: Value, ndim: Value, dims: Value,
    dim: Value,
) -> Walked:  # fmt: skip
    """Elements by an index of equal rank, or slices by a vector, along a dimension."""
    dim = wrapped(f, whole(f, dim), ndim)
    sizes, steps = geometry(f, x)
    extents, strides = geometry(f, index)
    places = f.memory("i64", DIMS)
    if put.where == "elements":
        require(f, field(f, index, table.NDIM, "i32").to("i64").eq(ndim))
        with f.loop(0, ndim) as k:
            have = f.load("i64", extents, k)
            require(f, k.eq(dim) | have.le(f.load("i64", sizes, k)))
            f.store(have, dims, k)
            f.store(f.load("i64", strides, k), places, k)
    else:
        require(f, field(f, index, table.NDIM, "i32").eq(1))
        with f.loop(0, ndim) as k:
            here = k.eq(dim)
            have = f.select(here, f.load("i64", extents), f.load("i64", sizes, k))
            f.store(have, dims, k)
            f.store(f.select(here, f.load("i64", strides), f.index(0)), places, k)
    values = Strided(x, x)  # of a number it comes later
    if put.source == "array":
        require(f, field(f, source, table.NDIM, "i32").to("i64").eq(ndim))
        given, own = geometry(f, source)
        with f.loop(0, ndim) as k:
            have, wanted = f.load("i64", given, k), f.load("i64", dims, k)
            require(f, have.ge(wanted) if put.where == "elements" else have.eq(wanted))
        values = Strided(field(f, source, table.DATA, "ptr"), own)
    limit = f.load("i64", sizes, dim)
    return ndim, dim, limit, Strided(field(f, index, table.DATA, "ptr"), places), values, steps


def _number(f: Function, x: Value, kind: Value) -> Value:
    """A Python number as an element of the array's dtype: whole numbers take whole ones that they
    hold, others any.
    """
    real, number, integer = python_number(f, x)
    room, k = f.memory("i64", 1), f.fresh()
    for type in NUMBERS:
        f.branch(kind.eq(word(f, type)), f"is{type}{k}", f"not{type}{k}")
        f.label(f"is{type}{k}")
        if type in ("i64", "i32"):
            require(f, real.get().eq(False) & holds(f, type, integer.get()))
            f.store(integer.get().to(type), room)
        else:
            size = f.intrinsic("fabs", number.get())
            fits = size.lt(MOST_OF[type]) | size.ge(math.inf) | size.isnan()
            require(f, fits & (real.get() | size.lt(2.0**53)))
            f.store(stored(f, number.get().to(WORKING.get(type, type)), type), room)
        f.jump(f"kept{k}")
        f.label(f"not{type}{k}")
    f.jump("other")
    f.label(f"kept{k}")
    return room


def _walk(
    f: Function, dims: Value, rank: Value, many: Value, walked: list[Strided],
    each: Callable[..., None], skip: Value | None = None,
) -> None:  # fmt: skip
    """``each(address in every memory)`` in order; in the first the dimension `skip` stays."""
    at = f.memory("i64", DIMS)
    with f.loop(0, rank) as k:
        f.store(f.index(0), at, k)
    bases = [f.variable("i64", 0) for _ in walked]
    with f.loop(0, many):
        each(*(f.at(w.data, b.get(), "i8") for w, b in zip(walked, bases, strict=True)))
        d, one = f.variable("i64", rank - 1), f.fresh()
        f.label(f"digit{one}")
        here = d.get()
        steps = [f.load("i64", w.steps, here) for w in walked]
        if skip is not None:
            steps[0] = f.select(here.eq(skip), f.index(0), steps[0])
        count = f.load("i64", at, here) + 1
        f.branch(count.lt(f.load("i64", dims, here)), f"up{one}", f"over{one}")
        f.label(f"up{one}")
        f.store(count, at, here)
        for base, step in zip(bases, steps, strict=True):
            base.set(base.get() + step)
        f.jump(f"done{one}")
        f.label(f"over{one}")
        f.store(f.index(0), at, here)
        for base, step in zip(bases, steps, strict=True):
            base.set(base.get() - (count - 1) * step)
        d.set(here - 1)
        f.branch(here.gt(0), f"digit{one}", f"done{one}")
        f.label(f"done{one}")


def _check(
    f: Function, put: Put, places: Strided, dims: Value, rank: Value, dim: Value, limit: Value,
    many: Value,
) -> None:  # fmt: skip
    """Leave where an index is out of range: before anything is written."""
    least = -limit if put.wraps else f.index(0)

    def each(place: Value) -> None:
        number = f.load("i64", place)
        require(f, number.ge(least) & number.lt(limit))

    if put.where == "elements":
        _walk(f, dims, rank, many, [places], each)
    else:  # one line holds them all
        with f.loop(0, f.load("i64", dims, dim)) as i:
            each(f.at(places.data, i * f.load("i64", places.steps, dim), "i8"))


def _apart(f: Function, x: Value, size: Value, *others: Value) -> None:
    """Leave where what is read may lie in what is written."""
    begin = field(f, x, table.DATA, "ptr").to("i64")
    for other in others:
        low = f.variable("i64", field(f, other, table.DATA, "ptr").to("i64"))
        high = f.variable("i64", low.get() + item(f, other))
        sizes, steps = geometry(f, other)
        with f.loop(0, field(f, other, table.NDIM, "i32").to("i64")) as k:
            reach = (f.load("i64", sizes, k) - 1) * f.load("i64", steps, k)
            with f.when(reach.lt(0)):
                low.set(low.get() + reach)
            with f.when(reach.gt(0)):
                high.set(high.get() + reach)
        require(f, high.get().le(begin) | low.get().ge(begin + size))


def _target(f: Function, x: Value, into: Value, out: Value, size: Value) -> Value:
    """The array itself where it is named again, else a copy; a reference is taken."""
    found, k = f.variable("ptr", x), f.fresh()
    f.branch(into, f"into{k}", f"fresh{k}")
    f.label(f"into{k}")
    require(f, out.eq(x))
    f.call(word(f, "incref"), "void", x)
    f.jump(f"ready{k}")
    f.label(f"fresh{k}")
    ndim, dims = field(f, x, table.NDIM, "i32"), field(f, x, table.DIMS, "ptr")
    made = made_array(f, field(f, x, table.DESCR, "ptr"), ndim, dims, size)
    found.set(made)
    source, target = (field(f, a, table.DATA, "ptr") for a in (x, made))
    words = size / 8
    with f.loop(0, words, independent=True) as i:
        f.store(f.load("i64", source, i, 1), target, i, 1)
    with f.loop(words * 8, size) as i:
        f.store(f.load("i8", source, i), target, i)
    f.label(f"ready{k}")
    return found.get()


def _write(
    f: Function, put: Put, kind: Value, target: Strided, places: Strided, values: Strided,
    dims: Value, rank: Value, dim: Value, limit: Value, size: Value,
) -> None:  # fmt: skip
    many = f.variable("i64", 1)
    with f.loop(0, rank) as k:
        many.set(many.get() * f.load("i64", dims, k))
    along = f.load("i64", target.steps, dim)

    def place(base: Value, where: Value) -> Value:
        number = f.load("i64", where)
        if put.wraps:
            number = f.select(number.lt(0), number + limit, number)
        return f.at(base, number * along, "i8")

    done = f.fresh()

    def run(write: Callable[[Value, Value], None]) -> None:
        def each(base: Value, where: Value, value: Value) -> None:
            write(place(base, where), value)

        _walk(f, dims, rank, many.get(), [target, places, values], each, dim)
        f.jump(f"done{done}")

    def adding(type: str) -> Callable[[Value, Value], None]:
        def write(here: Value, value: Value) -> None:
            total = load(f, type, here, 0) + load(f, type, value, 0)
            f.store(stored(f, total, type), here)

        return write

    def copying(type: str) -> Callable[[Value, Value], None]:
        return lambda here, value: f.store(f.load(type, value), here)

    if put.adds:
        for type in ADDED:
            way = f.fresh()
            f.branch(kind.eq(word(f, type)), f"is{way}", f"not{way}")
            f.label(f"is{way}")
            run(adding(type))
            f.label(f"not{way}")
    else:
        for type in CARRIED:
            way = f.fresh()
            f.branch(size.eq(SIZES[type]), f"is{way}", f"not{way}")
            f.label(f"is{way}")
            run(copying(type))
            f.label(f"not{way}")
    f.jump("other")  # never: `_served` was asked
    f.label(f"done{done}")
