"""Tensors joined by a native function: one after another along a dimension, or side by side along a
new one.

Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.native_operands import differentiable
from flambeau.core.entry.native_views import DIMS
from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, mode, operand, own_slots, result
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import whole
from flambeau.core.kernels.native.objects import new_array

__all__ = ["functions"]

MOST = 32
"""Tensors at most."""
SMALL = 1 << 13
"""Bytes at most: NumPy copies more faster."""


def _members(w: Writer, given: Value) -> tuple[Value, Value]:
    """How many tensors a list or a tuple holds, and where they stand."""
    f = w.f
    items = f.variable("ptr", w.items(given))
    kind = w.type_of(given)
    f.branch(kind.eq(w.word("py_tuple")), "read", "list")
    f.label("list")
    w.require(kind.eq(w.word("py_list")))
    items.set(w.field(given, table.LIST_ITEMS))
    f.label("read")
    count = w.field(given, table.TUPLE_SIZE, "i64")  # a list's stands there, too
    w.require(count.gt(0) & count.le(MOST))
    return count, items.get()


def _join(made: Module, slots: Slots) -> None:
    """join(tensors, dim, values): row-major tensors of one dtype along a dimension, a new one where
    the operation `stacks`; `values` is what the node keeps.
    """
    w = Writer(made, "join")
    f = w.f
    tensors, dim, values = begin(w, 3)
    count, items = _members(w, tensors)
    recording = mode(w)
    first = operand(w, slots, f.load("ptr", items))
    kind, ndim = w.field(first, table.DESCR), w.field(first, table.NDIM, "i32").to("i64")
    stacks = w.word("stacks").ne(0)
    rank = f.select(stacks, ndim + 1, ndim)
    w.require(rank.gt(0) & rank.le(DIMS))
    at = whole(f, dim)
    at = f.select(at.lt(0), at + rank, at)
    w.require(at.ge(0) & at.lt(rank))
    dims, room = w.field(first, table.DIMS), f.memory("i64", DIMS)
    outer, inner = f.variable("i64", 1), f.variable("i64", w.field(kind, table.ITEM, "i64"))
    with f.loop(0, ndim) as d:
        size = f.load("i64", dims, d)
        f.store(size, room, f.select(stacks & d.ge(at), d + 1, d))
        with w.when(d.lt(at)):
            outer.set(outer.get() * size)
        with w.when(d.gt(at) | (stacks & d.eq(at))):
            inner.set(inner.get() * size)
    arrays, length = f.memory("ptr", MOST), f.variable("i64", 0)
    with f.loop(0, count) as k:
        a = operand(w, slots, f.load("ptr", items, k))
        w.require((w.field(a, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
        w.require(w.field(a, table.DESCR).eq(kind))
        w.require(w.field(a, table.NDIM, "i32").to("i64").eq(ndim))
        sizes = w.field(a, table.DIMS)
        with f.loop(0, ndim) as d:
            same = f.load("i64", sizes, d).eq(f.load("i64", dims, d))
            w.require(same | stacks.eq(False) & d.eq(at))
        own = f.variable("i64", 1)
        with w.when(stacks.eq(False)):
            own.set(f.load("i64", sizes, at))
        f.store(a, arrays, k)
        length.set(length.get() + own.get())
    f.store(length.get(), room, at)
    row = length.get() * inner.get()
    size = row * outer.get()
    w.require(size.gt(0) & size.le(SMALL))
    r = new_array(f, kind, rank.to("i32"), room, size)
    w.unless(r.eq(0))
    target = f.variable("ptr", w.field(r, table.DATA))
    with f.loop(0, count) as k:
        a, part = f.load("ptr", arrays, k), f.variable("i64", inner.get())
        with w.when(stacks.eq(False)):
            part.set(inner.get() * f.load("i64", w.field(a, table.DIMS), at))
        with f.loop(0, outer.get()) as o:
            source = f.at(w.field(a, table.DATA), o * part.get(), "i8")
            _copy(w, source, f.at(target.get(), o * row, "i8"), part.get())
        target.set(f.at(target.get(), part.get(), "i8"))
    t = result(w, r)
    f.branch(recording & differentiable(w, r), "recording", "done")
    f.label("recording")
    edges = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(edges.eq(0))
    any_edge = f.variable("i1", False)
    with f.loop(0, count) as k:
        edge = w.own("edge", f.load("ptr", items, k))
        w.unless(edge.eq(0))
        any_edge.set(any_edge.get() | w.is_none(edge).eq(False))
        f.store(w.held(edge), w.items(edges), k)
    f.branch(any_edge.get(), "record", "constant")
    f.label("constant")
    w.drop(edges)
    f.jump("done")
    f.label("record")
    shapes = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(shapes.eq(0))
    with f.loop(0, count) as k:
        shape = w.own("shape", f.load("ptr", arrays, k))
        w.unless(shape.eq(0))
        f.store(shape, w.items(shapes), k)
    node = w.make("own_node")
    w.put(node, slots.node["edges"], edges)
    w.put(node, slots.node["hooks"], w.held(w.word("none")))
    # in the order of `process.JOIN_SLOTS`
    own_slots(w, node, (w.held(w.word("op")), shapes, w.held(values)))
    w.require(w.own("finish", node, t, returns="i1"), "lost")
    f.label("done")
    f.ret(t)
    w.end()


def _copy(w: Writer, source: Value, target: Value, size: Value) -> None:
    """Bytes from one place to another, eight at a time as long as there are."""
    f = w.f
    whole_words = size >> 3
    with f.loop(0, whole_words) as i:
        f.store(f.load("i64", source, i, 1), target, i, 1)
    with f.loop(whole_words << 3, size) as i:
        f.store(f.load("i8", source, i), target, i)


def functions(made: Module, slots: Slots) -> None:
    """One."""
    _join(made, slots)
