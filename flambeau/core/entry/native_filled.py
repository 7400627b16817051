"""New tensors of one value, of none, or of drawn numbers, as a native function. Stands on steps."""

from __future__ import annotations

from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import mode, result
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels import memory
from flambeau.core.kernels.jit.ir import Module, Value, Variable
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import new_array

__all__ = ["functions"]

DIMS = 8
"""Dimensions at most."""
ELEMENT_SIZE = 40
"""Where a dtype's bytes an element stand."""


def _sizes(w: Writer, items: Value, count: Value, dims: Value) -> None:
    """Python ints as sizes; leaves where one is none, or too large or negative."""
    f = w.f
    w.require(count.le(DIMS))
    with f.loop(0, count) as i:
        x = f.load("ptr", items, i)
        w.require(w.type_of(x).eq(w.word("py_int")))
        size = f.call(w.word("as_long"), "i64", x)
        k = f.fresh()
        f.branch(size.eq(-1), f"doubt{k}", f"read{k}")
        f.label(f"doubt{k}")
        f.call(w.word("clear"), "void")
        f.jump("other")
        f.label(f"read{k}")
        w.require(size.ge(0) & size.lt(memory.LARGE))
        f.store(size, dims, i)


def _model(w: Writer, slots: Slots, x: Value, dims: Value, count: Variable) -> None:
    """A tensor's sizes; leaves where its strides say more than those do."""
    f = w.f
    a = w.field(x, slots.tensor["_array"])
    w.require(w.type_of(a).eq(w.word("ndarray")))
    w.require((w.field(a, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    count.set(w.field(a, table.NDIM, "i32").to("i64"))
    w.require(count.get().le(DIMS))
    extents = w.field(a, table.DIMS)
    with f.loop(0, count.get()) as i:
        size = f.load("i64", extents, i)
        w.require(size.ne(1))
        f.store(size, dims, i)


def functions(made: Module, slots: Slots) -> None:
    """filled(*sizes) and filled(tuple); filled(tensor) where it is made like one. So many trailing
    arguments go to the function that draws, behind the new array.
    """
    w = Writer(made, "filled")
    f = w.f
    args, trailing = f.argument["args"], w.word("trailing").to("i64")
    n = f.argument["n"] - trailing
    dims = f.memory("i64", DIMS)
    count = f.variable("i64", n)
    mode(w)
    w.require(n.gt(0) & trailing.lt(DIMS))
    f.branch(n.eq(1), "one", "several")
    f.label("several")
    _sizes(w, args, n, dims)
    f.jump("sized")
    f.label("one")
    x = f.load("ptr", args)
    kind = w.type_of(x)
    f.branch(kind.eq(w.word("py_int")), "several", "more")
    f.label("more")
    f.branch(w.word("like").ne(0), "model", "row")
    f.label("model")
    w.require(w.own("is_plain", x, returns="i1"))
    _model(w, slots, x, dims, count)
    f.jump("sized")
    f.label("row")
    w.require(kind.eq(w.word("py_tuple")) | kind.eq(w.word("size")))
    count.set(w.field(x, table.TUPLE_SIZE, "i64"))
    _sizes(w, w.items(x), count.get(), dims)
    f.label("sized")
    descr = w.word("kind")
    item = w.field(descr, ELEMENT_SIZE, "i64")
    total = f.variable("i64", 1)
    with f.loop(0, count.get()) as i:
        w.require(total.get().lt(memory.LARGE))
        total.set(total.get() * f.load("i64", dims, i))
    size = total.get() * item
    w.require(size.lt(memory.LARGE))
    r = new_array(f, descr, count.get().to("i32"), dims, size)
    w.unless(r.eq(0))
    data, pattern = w.field(r, table.DATA), w.word("pattern").to("i64")
    f.branch(w.word("blank").ne(0), "made", "fill")
    f.label("fill")  # what follows whole words is the beginning of another
    with f.loop(0, size / 8) as i:
        f.store(pattern, data, i)
    rest = f.variable("i64", pattern)
    with f.loop(size / 8 * 8, size) as i:
        f.store(rest.get().to("i8"), data, i)
        rest.set(rest.get() >> 8)
    f.label("made")
    f.branch(w.word("draw").ne(0), "draw", "drawn")
    f.label("draw")
    given = f.memory("ptr", DIMS + 1)
    f.store(r, given)
    with f.loop(0, trailing) as i:
        f.store(f.load("ptr", args, n + i), given, i + 1)
    done = f.call(w.word("call"), "ptr", w.word("draw"), given, trailing + 1, f.value("ptr", 0))
    f.branch(done.eq(0), "refused", "filled")
    f.label("refused")  # a ValueError: the long way draws
    w.drop(r)
    f.call(w.word("clear"), "void")
    f.jump("other")
    f.label("filled")
    w.drop(done)
    f.label("drawn")
    t = result(w, r)
    f.ret(t)
    w.end()
