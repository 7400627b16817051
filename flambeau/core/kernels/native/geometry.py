"""The geometry of arrays in native functions: how they read sizes, strides and Python's ints, and
how a view is made.

Whatever is not plain (subclasses, odd arguments, errors to word) goes another way: to the label
`other`, which `end` writes. Stands on table, objects and jit.
"""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import field, word

__all__ = [
    "MOST", "SIGNATURE", "around", "begin", "contiguous", "copy_around", "count_of", "count_on",
    "end", "geometry", "give", "is_dtype", "item", "items_of", "require", "whole", "wrapped",
]  # fmt: skip

MOST = 32
"""Dimensions at most; NumPy allows 64, more than 32 go its way."""

SIGNATURE = (("ptr", "self"), ("ptr", "args"), ("i64", "n"))


def begin(made: Module, name: str, count: int) -> tuple[Function, list[Value], Value, Value]:
    """A function of an array and more: the arguments, the array's dimensions, room for the view's
    geometry (sizes, then strides).
    """
    f = made.function(name, SIGNATURE, "ptr")
    f.branch(f.argument["n"].eq(count), "given", "other")
    f.label("given")
    args = [f.load("ptr", f.argument["args"], k) for k in range(count)]
    f.branch(field(f, args[0], table.TYPE, "ptr").eq(word(f, "ndarray")), "array", "other")
    f.label("array")
    ndim = field(f, args[0], table.NDIM, "i32").to("i64")
    f.branch(ndim.lt(MOST), "low", "other")
    f.label("low")
    return f, args, ndim, f.memory("i64", 2 * MOST)


def end(f: Function) -> None:
    """Where the function does not serve."""
    f.label("other")
    args, n, null = f.argument["args"], f.argument["n"], f.value("ptr", 0)
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, n, null))


def require(f: Function, condition: Value) -> None:
    """Go on where it holds; else the other way, which `end` writes."""
    k = f.fresh()
    f.branch(condition, f"on{k}", "other")
    f.label(f"on{k}")


def contiguous(f: Function, x: Value) -> Value:
    """The dtype of an array whose elements lie in order; anything else goes the other way."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, (field(f, x, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    return field(f, x, table.DESCR, "ptr")


def whole(f: Function, x: Value) -> Value:
    """A Python int, read; bools and what does not fit go the other way."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "py_int")))
    value = f.call(word(f, "as_long"), "i64", x)
    k = f.fresh()
    f.branch(value.ne(-1), f"fits{k}", f"doubt{k}")
    f.label(f"doubt{k}")
    f.branch(f.call(word(f, "occurred"), "ptr").eq(0), f"fits{k}", f"large{k}")
    f.label(f"large{k}")
    f.call(word(f, "clear"), "void")
    f.jump("other")
    f.label(f"fits{k}")
    return value


def wrapped(f: Function, dim: Value, count: Value) -> Value:
    """A dimension counted from the front; one that is out of range goes the other way."""
    dim = f.select(dim.lt(0), dim + count, dim)
    require(f, dim.ge(0) & dim.lt(count))
    return dim


def items_of(f: Function, x: Value) -> tuple[Value, Value]:
    """The length of a tuple, and where its items lie."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "py_tuple")))
    size = field(f, x, table.TUPLE_SIZE, "i64")
    require(f, size.le(MOST))
    return size, f.at(x, word(f, "tuple_items").to("i64"), "i8")


def geometry(f: Function, array: Value) -> tuple[Value, Value]:
    return field(f, array, table.DIMS, "ptr"), field(f, array, table.STRIDES, "ptr")


def give(
    f: Function, array: Value, ndim: Value, room: Value, offset: Value, kind: Value | None = None
) -> None:
    """Return the view with the geometry in `room`, `offset` bytes into the array; of another dtype
    where one is given.
    """
    kind = field(f, array, table.DESCR, "ptr") if kind is None else kind
    null = f.value("ptr", 0)
    f.call(word(f, "incref"), "void", kind)
    data = f.at(field(f, array, table.DATA, "ptr"), offset, "i8")
    flags = field(f, array, table.FLAGS, "i32") & table.WRITEABLE
    steps = f.at(room, MOST, "i64")
    made = f.call(
        word(f, "new"), "ptr", word(f, "ndarray"), kind, ndim.to("i32"), room, steps, data, flags,
        null,
    )  # fmt: skip
    k = f.fresh()
    f.branch(made.eq(null), f"failed{k}", f"based{k}")
    f.label(f"failed{k}")
    f.ret(null)
    f.label(f"based{k}")
    f.call(word(f, "incref"), "void", array)
    f.branch(f.call(word(f, "set_base"), "i32", made, array).lt(0), f"lost{k}", f"good{k}")
    f.label(f"lost{k}")
    f.call(word(f, "decref"), "void", made)
    f.ret(null)
    f.label(f"good{k}")
    f.ret(made)


def item(f: Function, array: Value) -> Value:
    """The size of an element in bytes."""
    return field(f, field(f, array, table.DESCR, "ptr"), table.ITEM, "i64")


def copy_around(f: Function, array: Value, ndim: Value, room: Value) -> tuple[Value, Value]:
    """The array's own geometry into `room`."""
    dims, steps = geometry(f, array)
    with f.loop(0, ndim) as i:
        f.store(f.load("i64", dims, i), room, i)
        f.store(f.load("i64", steps, i), room, i + MOST)
    return dims, steps


def count_of(f: Function, array: Value) -> Value:
    """The number of elements."""
    dims = field(f, array, table.DIMS, "ptr")
    total = f.variable("i64", 1)
    with f.loop(0, field(f, array, table.NDIM, "i32").to("i64")) as i:
        total.set(total.get() * f.load("i64", dims, i))
    return total.get()


def around(f: Function, x: Value, dim: Value) -> tuple[Value, Value, Value]:
    """How many blocks, slices and elements in a slice lie around a dimension."""
    outer, inner = f.variable("i64", 1), f.variable("i64", 1)
    dims = field(f, x, table.DIMS, "ptr")
    with f.loop(0, field(f, x, table.NDIM, "i32").to("i64")) as k:
        size = f.load("i64", dims, k)
        for part, mine in ((outer, k.lt(dim)), (inner, k.gt(dim))):
            with f.when(mine):
                part.set(part.get() * size)
    return outer.get(), f.load("i64", dims, dim), inner.get()


def count_on(
    f: Function,
    at: Value,
    sizes: Value,
    last: Value,
    step: Callable[[Value], Value],
    place: Variable,
) -> None:
    """One step of a counter through an array in order, and of the place it stands for.

    Args:
        at: a number for each dimension, the counter.
        sizes: how far each goes.
        last: the dimension that goes first.
        step: ``step(dimension)``: how far one more along it moves the place.
    """
    d, k = f.variable("i64", last), f.fresh()
    f.label(f"digit{k}")
    here = d.get()
    own, count = step(here), f.load("i64", at, here) + 1
    f.branch(count.lt(f.load("i64", sizes, here)), f"up{k}", f"over{k}")
    f.label(f"up{k}")
    f.store(count, at, here)
    place.set(place.get() + own)
    f.jump(f"done{k}")
    f.label(f"over{k}")
    f.store(f.index(0), at, here)
    place.set(place.get() - (count - 1) * own)
    d.set(here - 1)
    f.branch(here.gt(0), f"digit{k}", f"done{k}")
    f.label(f"done{k}")


def is_dtype(f: Function, kind: Value) -> Value:
    """Whether it is a plain dtype: of the kind of float32's own class, or any that shares its."""
    of_class = field(f, field(f, kind, table.TYPE, "ptr"), table.TYPE, "ptr")
    known = field(f, field(f, word(f, "float"), table.TYPE, "ptr"), table.TYPE, "ptr")
    return of_class.eq(known)
