"""Small arrays of other geometries under elementwise functions: broadcast against each other, or
slices of larger ones. Results lie in order of their dimensions.

Served are operands whose strides fall, where NumPy's result lies so too; transposed and large ones
go to the NumPy form. Stands on table and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table

__all__ = ["serve", "spread", "walk"]

DIMS = 8
"""Dimensions at most."""
LARGEST = 4096
"""Elements at most: NumPy's loops take over."""

Field = Callable[..., Value]


def _field(f: Function, thing: Value, offset: int, type: str) -> Value:
    return f.load(type, f.at(thing, offset, "i8"))


def spread(made: Module) -> Function:
    """spread(a, b, dims, steps of a, steps of b): the common geometry of two arrays; how many
    dimensions it has, -1 where it is not served.
    """
    names = ("a", "b", "dims", "first", "second")
    f = made.function(
        "spread", tuple(("ptr", n) for n in names), "i64", internal=True, attributes="noinline"
    )
    a, b, dims, first, second = (f.argument[n] for n in names)
    counts = [_field(f, x, table.NDIM, "i32").to("i64") for x in (a, b)]
    ndim = f.intrinsic("smax", *counts)
    f.branch(ndim.gt(0) & ndim.le(DIMS), "few", "no")
    f.label("few")
    total = f.variable("i64", 1)
    before = [f.variable("i64", 1 << 62) for _ in (a, b)]
    with f.loop(0, ndim) as i:
        size = f.variable("i64", 1)
        for x, count, steps, last in zip((a, b), counts, (first, second), before, strict=True):
            k = f.fresh()
            own = i - (ndim - count)
            f.store(f.index(0), steps, i)
            f.branch(own.ge(0), f"own{k}", f"next{k}")
            f.label(f"own{k}")
            have = f.load("i64", _field(f, x, table.DIMS, "ptr"), own)
            f.branch(have.eq(1), f"next{k}", f"sized{k}")
            f.label(f"sized{k}")
            now = size.get()
            f.branch(now.eq(1) | now.eq(have), f"fits{k}", "no")
            f.label(f"fits{k}")
            size.set(have)
            step = f.load("i64", _field(f, x, table.STRIDES, "ptr"), own)
            f.store(step, steps, i)
            f.branch(step.eq(0), f"next{k}", f"falls{k}")
            f.label(f"falls{k}")
            f.branch(step.gt(0) & step.le(last.get()), f"kept{k}", "no")
            f.label(f"kept{k}")
            last.set(step)
            f.label(f"next{k}")
        f.store(size.get(), dims, i)
        total.set(total.get() * size.get())
    f.branch(total.get().gt(0) & total.get().le(LARGEST), "yes", "no")
    f.label("yes")
    f.ret(ndim)
    f.label("no")
    f.ret(-1)
    return f


def walk(made: Module, formula: Any, type: str) -> Function:
    """walk(dims, ndim, steps of a, steps of b, a, b, out): the formula over a common geometry."""
    names = ("dims", "first", "second", "x", "y", "out")
    f = made.function(
        f"walk_{type}", (*[("ptr", n) for n in names], ("i64", "ndim")), internal=True,
        attributes="noinline",
    )  # fmt: skip
    g = f.argument
    result = formula.result or type
    last = g["ndim"] - 1
    inner = f.load("i64", g["dims"], last)
    outer = f.variable("i64", 1)
    with f.loop(0, last) as i:
        outer.set(outer.get() * f.load("i64", g["dims"], i))
    steps = [f.load("i64", g["first"], last), f.load("i64", g["second"], last)]
    with f.loop(0, outer.get()) as row:
        rest, places = f.variable("i64", row), [f.variable("i64", 0) for _ in steps]
        with f.loop(0, last) as back:
            d = last - 1 - back
            size = f.load("i64", g["dims"], d)
            at = rest.get() % size
            rest.set(rest.get() // size)
            for place, name in zip(places, ("first", "second"), strict=True):
                place.set(place.get() + at * f.load("i64", g[name], d))
        starts = [
            f.at(g[name], place.get(), "i8") for name, place in zip("xy", places, strict=True)
        ]
        with f.loop(0, inner) as i:
            values = [
                f.load(type, f.at(start, i * step, "i8"))
                for start, step in zip(starts, steps, strict=True)
            ]
            found = formula.write(f, *values[: formula.arity])
            if result == "i1":
                found = found.to("i8")
            f.store(found, g["out"], row * inner + i)
    return f


def serve(
    f: Function, formula: Any, spread: Function, walks: dict[str, Function], word: Field
) -> None:
    """Written before the NumPy form is called: the result where the arrays are served."""
    args = f.argument["args"]
    f.branch(f.argument["n"].eq(formula.arity), "counted", "numpy")
    f.label("counted")
    a = f.load("ptr", args)
    b = f.load("ptr", args, f.index(1)) if formula.arity == 2 else a
    arrays = _field(f, a, table.TYPE, "ptr").eq(word(f, "ndarray"))
    arrays = arrays & _field(f, b, table.TYPE, "ptr").eq(word(f, "ndarray"))
    f.branch(arrays, "arrays", "numpy")
    f.label("arrays")
    descr = _field(f, a, table.DESCR, "ptr")
    f.branch(descr.eq(_field(f, b, table.DESCR, "ptr")), "alike", "numpy")
    f.label("alike")
    dims, first, second = (f.memory("i64", DIMS) for _ in range(3))
    ndim = f.call(spread, "i64", a, b, dims, first, second)
    f.branch(ndim.gt(0), "spread", "numpy")
    f.label("spread")
    null = f.value("ptr", 0)
    for type, each in walks.items():
        f.branch(descr.eq(word(f, type)), f"walk_{type}", f"skip_{type}")
        f.label(f"walk_{type}")
        kind = word(f, formula.result or type)
        f.call(word(f, "incref"), "void", kind)
        out = f.call(
            word(f, "new"), "ptr", word(f, "ndarray"), kind, ndim.to("i32"), dims, null, null,
            f.value("i32", 0), null,
        )  # fmt: skip
        f.branch(out.eq(null), f"failed_{type}", f"made_{type}")
        f.label(f"failed_{type}")
        f.ret(null)
        f.label(f"made_{type}")
        data = [_field(f, x, table.DATA, "ptr") for x in (a, b, out)]
        f.call(each, "void", dims, first, second, *data, ndim)
        f.ret(out)
        f.label(f"skip_{type}")
    f.label("numpy")
