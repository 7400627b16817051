"""Short rows in order as native functions: sort, topk, kthvalue and medians of small arrays.

Contiguous arrays along any dimension; up to 16 numbers PyTorch sorts by insertion, so that equal
ones keep their order, NaN behind all. Where it finds one of several equal ones in another way
(topk, kthvalue) such rows are the NumPy form's, as longer rows are. Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    contiguous,
    end,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, tuple_of, word

__all__ = ["ORDERS", "native"]

LONGEST = 16
LARGEST = 1 << 10
TYPES = ("float", "double", "i64", "i32")


class Order(NamedTuple):
    """Which of a row in order is given, and where the arguments stand."""

    arguments: int
    gives: str
    """"all", the "first", the "kth", the "middle"."""
    dim_at: int = 0
    """0: the whole array is one row, of which one number is given."""
    count_at: int = 0
    descending_at: int = 0
    keep_at: int = 0
    ordered_at: int = 0
    """The argument that must be true."""


ORDERS = {
    "_sort": Order(3, "all", 1, descending_at=2),
    "_sort_stable": Order(4, "all", 1, descending_at=2),
    "topk": Order(5, "first", 2, count_at=1, descending_at=3, ordered_at=4),
    "kthvalue": Order(4, "kth", 2, count_at=1, keep_at=3),
    "_median_all": Order(1, "middle"),
    "_median_dim": Order(3, "middle", 1, keep_at=2),
}
"""By the operation's name."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The operation's kernel, with `numpy_form` for what it does not take; that form itself where
    there is none.
    """
    if name not in ORDERS:
        return numpy_form
    return table.native(f"order{name}", numpy_form, lambda: _module(f"order{name}", ORDERS[name]))


def _module(name: str, order: Order) -> Module:
    made = Module(name)
    sorts = {type: _insert(made, type) for type in TYPES}
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(order.arguments))
    args = [f.load("ptr", f.argument["args"], k) for k in range(order.arguments)]
    x = args[0]
    kind = contiguous(f, x)
    ndim, dims = field(f, x, table.NDIM, "i32").to("i64"), field(f, x, table.DIMS, "ptr")
    require(f, ndim.gt(0) & ndim.lt(MOST))
    outer, size, inner = (f.variable("i64", 1) for _ in range(3))
    dim = wrapped(f, whole(f, args[order.dim_at]), ndim) if order.dim_at else f.index(-1)
    with f.loop(0, ndim) as k:
        n = f.load("i64", dims, k)
        here = k.eq(dim) if order.dim_at else f.value("i1", 1)
        for part, mine in ((outer, k.lt(dim)), (size, here), (inner, k.gt(dim))):
            if order.dim_at or part is size:
                with f.when(mine):
                    part.set(part.get() * n)
    length, total = size.get(), outer.get() * size.get() * inner.get()
    require(f, length.gt(0) & length.le(LONGEST) & total.gt(0) & total.lt(LARGEST))
    count, given = _count(f, order, args, length)
    descending = _truth(f, args[order.descending_at]) if order.descending_at else f.value("i1", 0)
    if order.ordered_at:
        require(f, _truth(f, args[order.ordered_at]))
    room, rank = _shape(f, order, args, dims, ndim, dim, given)
    for type in TYPES:
        way = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{way}", f"not{way}")
        f.label(f"is{way}")
        _typed(f, order, type, sorts[type], x, (outer.get(), length, inner.get()), count, given,
               descending, room, rank)  # fmt: skip
        f.label(f"not{way}")
    f.jump("other")
    end(f)
    return made


def _truth(f: Function, x: Value) -> Value:
    """Python's True or False, or another whole number."""
    value = f.call(word(f, "as_long"), "i64", x)
    k = f.fresh()
    f.branch(value.eq(-1), f"doubt{k}", f"read{k}")
    f.label(f"doubt{k}")
    f.call(word(f, "clear"), "void")
    f.jump("other")
    f.label(f"read{k}")
    return value.ne(0)


def _count(f: Function, order: Order, args: list[Value], size: Value) -> tuple[Value, Value]:
    """The number k that was asked for, and how many numbers of a row are given."""
    if not order.count_at:
        return f.index(0), size if order.gives == "all" else f.index(1)
    k = whole(f, args[order.count_at])
    require(f, k.gt(0) & k.le(size))
    return k, k if order.gives == "first" else f.index(1)


def _shape(
    f: Function, order: Order, args: list[Value], dims: Value, ndim: Value, dim: Value, given: Value
) -> tuple[Value, Value]:
    """The results' dimensions."""
    room, shown = f.memory("i64", MOST), f.variable("i64", 0)
    if not order.dim_at:
        return room, f.index(0)
    keep = f.value("i1", 1)
    if order.gives in ("kth", "middle"):
        keep = _truth(f, args[order.keep_at])
    with f.loop(0, ndim) as k:
        size = f.select(k.eq(dim), given, f.load("i64", dims, k))
        with f.when(keep | k.ne(dim)):
            f.store(size, room, shown.get())
            shown.set(shown.get() + 1)
    return room, shown.get()


def _typed(
    f: Function, order: Order, type: str, insert: Function, x: Value,
    sizes: tuple[Value, Value, Value], asked: Value, given: Value, descending: Value,
    room: Value, rank: Value,
) -> None:  # fmt: skip
    outer, size, inner = sizes
    many = outer * given * inner
    arrays = [
        made_array(f, word(f, kind), rank, room, many * SIZES[kind])
        for kind in ((type, "i64") if order.dim_at else (type,))
    ]
    source = field(f, x, table.DATA, "ptr")
    targets = [field(f, each, table.DATA, "ptr") for each in arrays]
    keys, places = f.memory(type, LONGEST), f.memory("i64", LONGEST)
    tied = f"tied{f.fresh()}"
    with f.loop(0, outer) as o, f.loop(0, inner) as i:
        first = f.at(source, o * size * inner + i, type)
        f.call(insert, "void", first, size, inner, descending, keys, places)
        if order.gives in ("first", "kth"):
            _apart(f, type, keys, size, tied)
        start = f.index(0)
        if order.gives == "kth":
            start = asked - 1
        elif order.gives == "middle":
            start = _middle(f, type, keys, size)
        with f.loop(0, given) as j:
            at = (o * given + j) * inner + i
            f.store(f.load(type, keys, start + j), targets[0], at)
            if order.dim_at:
                f.store(f.load("i64", places, start + j), targets[1], at)
    f.ret(tuple_of(f, *arrays) if order.dim_at else arrays[0])
    f.label(tied)
    for each in arrays:
        f.call(word(f, "decref"), "void", each)
    f.jump("other")


def _apart(f: Function, type: str, keys: Value, size: Value, tied: str) -> None:
    """Leave where two numbers of a row in order are equal."""
    with f.loop(1, size) as j:
        a, b = f.load(type, keys, j - 1), f.load(type, keys, j)
        equal = a.eq(b) | (a.isnan() & b.isnan()) if a.floating else a.eq(b)
        k = f.fresh()
        f.branch(equal, tied, f"apart{k}")
        f.label(f"apart{k}")


def _middle(f: Function, type: str, keys: Value, size: Value) -> Value:
    """The lower of two middle ones; the first NaN where there is one."""
    place = f.variable("i64", (size - 1) / 2)
    if f.load(type, keys).floating:
        with f.loop(0, size) as j:
            back = size - 1 - j
            with f.when(f.load(type, keys, back).isnan()):
                place.set(back)
    return place.get()


def _insert(made: Module, type: str) -> Function:
    """A row in order, by insertion: its numbers and where they were."""
    f = made.function(
        f"insert_{type}",
        (("ptr", "x"), ("i64", "size"), ("i64", "step"), ("i1", "descending"), ("ptr", "keys"),
         ("ptr", "places")),
        internal=True, attributes="noinline",
    )  # fmt: skip
    a = f.argument
    with f.loop(0, a["size"]) as i:
        x = f.load(type, a["x"], i * a["step"])
        j = f.variable("i64", i)
        k = f.fresh()
        f.label(f"look{k}")
        f.branch(j.get().gt(0), f"some{k}", f"here{k}")
        f.label(f"some{k}")
        before = f.load(type, a["keys"], j.get() - 1)
        up, down = x.lt(before), x.gt(before)
        if x.floating:
            up = up | (before.isnan() & ~x.isnan())
            down = down | (x.isnan() & ~before.isnan())
        f.branch(f.select(a["descending"], down, up), f"move{k}", f"here{k}")
        f.label(f"move{k}")
        f.store(before, a["keys"], j.get())
        f.store(f.load("i64", a["places"], j.get() - 1), a["places"], j.get())
        j.set(j.get() - 1)
        f.jump(f"look{k}")
        f.label(f"here{k}")
        f.store(x, a["keys"], j.get())
        f.store(i, a["places"], j.get())
    return f
