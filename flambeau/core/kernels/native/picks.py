"""Elements along one dimension by an index of equal rank, as native functions: gather, and adding
back to the places that were read.

The index is contiguous int64 and no larger than the array elsewhere; the array has any strides.
What does not fit, and indices out of range, go to the NumPy form. Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import same_shape
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    count_on,
    end,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, word

__all__ = ["module"]

GATHERED = {"float": "i32", "double": "i64", "i64": "i64", "i1": "i8"}
"""The dtypes that can be read, and the words that carry them."""
ADDED = ("float", "double")

Each = Callable[[Function, Value, Value], None]


def _walk(made: Module, name: str, more: tuple[str, ...], each: Each) -> Function:
    """A function that calls ``each(f, place in the array, number of the index)`` in order.

    Its arguments: the array's first element, its strides, the index's data and dimensions, their
    number, the dimension picked along, how many elements the index has.
    """
    names = (
        ("ptr", "data"), ("ptr", "steps"), ("ptr", "index"), ("ptr", "dims"), ("i64", "ndim"),
        ("i64", "dim"), ("i64", "total"),
    )  # fmt: skip
    f = made.function(name, (*names, *[("ptr", m) for m in more]), internal=True)
    a = f.argument
    at = f.memory("i64", MOST)  # the place in the index, a number for each dimension
    along = f.load("i64", a["steps"], a["dim"])
    with f.loop(0, a["ndim"]) as k:
        f.store(f.index(0), at, k)
    base = f.variable("i64", 0)  # of the coordinates, but the one picked along

    def step(dim: Value) -> Value:
        return f.select(dim.eq(a["dim"]), 0, f.load("i64", a["steps"], dim))

    with f.loop(0, a["total"]) as i:
        place = base.get() + f.load("i64", a["index"], i) * along
        each(f, f.at(a["data"], place, "i8"), i)
        count_on(f, at, a["dims"], a["ndim"] - 1, step, base)
    return f


def _operands(
    f: Function, array: Value, dim: Value, index: Value
) -> tuple[list[Value], Value, Value]:
    """What `_walk` takes; the array's dtype; the index's number of elements. Checks them all."""
    for x in (array, index):
        require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, field(f, index, table.DESCR, "ptr").eq(word(f, "i64")))
    require(f, (field(f, index, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    ndim = field(f, array, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0) & ndim.lt(MOST))
    require(f, field(f, index, table.NDIM, "i32").to("i64").eq(ndim))
    at = wrapped(f, whole(f, dim), ndim)
    sizes, dims = field(f, array, table.DIMS, "ptr"), field(f, index, table.DIMS, "ptr")
    total = f.variable("i64", 1)
    with f.loop(0, ndim) as k:
        have = f.load("i64", dims, k)
        require(f, k.eq(at) | have.le(f.load("i64", sizes, k)))
        total.set(total.get() * have)
    places, limit = field(f, index, table.DATA, "ptr"), f.load("i64", sizes, at)
    with f.loop(0, total.get()) as i:
        place = f.load("i64", places, i)
        require(f, place.ge(0) & place.lt(limit))
    given = [field(f, array, table.DATA, "ptr"), field(f, array, table.STRIDES, "ptr"), places,
             dims, ndim, at, total.get()]  # fmt: skip
    return given, field(f, array, table.DESCR, "ptr"), ndim


def _gather(made: Module) -> None:
    """gather(array, dim, index, sparse_grad)."""

    def reading(carrier: str) -> Each:
        return lambda f, place, i: f.store(f.load(carrier, place), f.argument["out"], i)

    walks = {
        carrier: _walk(made, f"read_{carrier}", ("out",), reading(carrier))
        for carrier in sorted(set(GATHERED.values()))
    }
    f = made.function("gather", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(4))
    array, dim, index = (f.load("ptr", f.argument["args"], k) for k in range(3))
    given, kind, ndim = _operands(f, array, dim, index)
    known = f.value("i1", 0)
    for type in GATHERED:
        known = known | kind.eq(word(f, type))
    require(f, known)
    out = made_array(f, kind, ndim, given[3], given[-1] * 8)
    for type, carrier in GATHERED.items():
        with f.when(kind.eq(word(f, type))):
            f.call(walks[carrier], "void", *given, field(f, out, table.DATA, "ptr"))
    f.ret(out)
    end(f)


def _add(made: Module) -> None:
    """add(array, dim, index, source): into the array, which comes back."""

    def adding(type: str) -> Each:
        return lambda f, place, i: f.store(
            f.load(type, place) + f.load(type, f.argument["source"], i), place
        )

    walks = {type: _walk(made, f"add_{type}", ("source",), adding(type)) for type in ADDED}
    shaped = same_shape(made)
    f = made.function("add", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(4))
    array, dim, index, source = (f.load("ptr", f.argument["args"], k) for k in range(4))
    given, kind, _ = _operands(f, array, dim, index)
    require(f, (field(f, array, table.FLAGS, "i32") & table.WRITEABLE).ne(0))
    require(f, field(f, source, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, field(f, source, table.DESCR, "ptr").eq(kind))
    require(f, (field(f, source, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    require(f, f.call(shaped, "i1", source, index))
    for type in ADDED:
        with f.when(kind.eq(word(f, type))):
            f.call(walks[type], "void", *given, field(f, source, table.DATA, "ptr"))
            f.call(word(f, "incref"), "void", array)
            f.ret(array)
    f.jump("other")
    end(f)


def module() -> Module:
    """Both."""
    made = Module("picks")
    _gather(made)
    _add(made)
    return made
