"""Views that tile a tensor as native functions: each with a history of its own, or with one node
behind all.

Stands on steps and native_views.
"""

from __future__ import annotations

from flambeau.core.entry.native_views import DIMS
from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, mode, operand, own_slots, stored
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import whole

__all__ = ["functions"]


def _cut(made: Module, slots: Slots) -> None:
    """cut(input, dim, bounds): the ranges of a dimension between bounds that rise, as views of
    their own.
    """
    w = Writer(made, "cut")
    f = w.f
    x, dim, bounds = begin(w, 3)
    a = operand(w, slots, x)
    recording = mode(w)
    ndim = w.field(a, table.NDIM, "i32").to("i64")
    w.require(ndim.gt(0) & ndim.le(DIMS) & w.type_of(bounds).eq(w.word("py_tuple")))
    at, items = whole(f, dim), w.items(bounds)
    w.require(at.ge(0) & at.lt(ndim))
    dims, steps = w.field(a, table.DIMS), w.field(a, table.STRIDES)
    count = w.field(bounds, table.TUPLE_SIZE, "i64") - 1
    w.require(count.gt(0))
    last = f.variable("i64", -1)
    with f.loop(0, count + 1) as k:
        bound = whole(f, f.load("ptr", items, k))
        w.require(bound.gt(last.get()) & bound.le(f.load("i64", dims, at)))
        last.set(bound)
    room = f.memory("i64", DIMS)
    with f.loop(0, ndim) as i:
        f.store(f.load("i64", dims, i), room, i)
    found = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(found.eq(0))
    with f.loop(0, count) as k:
        start, stop = f.load("ptr", items, k), f.load("ptr", items, k + 1)
        first = whole(f, start)
        f.store(whole(f, stop) - first, room, at)
        data = f.at(w.field(a, table.DATA), first * f.load("i64", steps, at), "i8")
        r = w.own("shown", a, room, ndim.to("ptr"), steps, data)
        w.unless(r.eq(0))
        rest = w.tuple(*[w.held(v) for v in (dim, start, stop, w.word("one"))])
        t = w.own("show", w.word("op"), x, r, rest, recording.to("i64").to("ptr"))
        w.unless(t.eq(0))
        f.store(t, w.items(found), k)
    f.ret(found)
    w.end()


def _parts(made: Module, slots: Slots) -> None:
    """parts(input, dim, sizes, label, marked): the views that tile the input along a dimension, of
    the given sizes (a tuple) or at each index (None), with one node behind them; two at least.
    """
    w = Writer(made, "parts")
    f = w.f
    x, dim, sizes, label, marked = begin(w, 5)
    a = operand(w, slots, x)
    recording = mode(w)
    ndim = w.field(a, table.NDIM, "i32").to("i64")
    w.require(ndim.gt(0) & ndim.le(DIMS))
    at = whole(f, dim)
    w.require(at.ge(0) & at.lt(ndim))
    dims, steps = w.field(a, table.DIMS), w.field(a, table.STRIDES)
    single = w.is_none(sizes)
    count = f.variable("i64", f.load("i64", dims, at))
    with w.when(single.eq(False)):
        w.require(w.type_of(sizes).eq(w.word("py_tuple")))
        count.set(w.field(sizes, table.TUPLE_SIZE, "i64"))
    w.require(count.get().gt(1))
    node = f.variable("ptr", w.word("none"))
    with w.when(recording):
        node.set(_parts_node(w, slots, x, a, dim, sizes, label, count.get()))
    mark = f.variable("ptr", w.word("none"))
    s = stored(w, x)
    with w.when(marked.ne(w.word("false"))):
        view, base = w.field(x, slots.tensor["_view"]), f.variable("ptr", x)
        with w.when(w.is_none(view).eq(False)):
            base.set(f.load("ptr", w.items(view)))
        how = f.select(recording, w.word("multi_text"), w.word("no_grad_text"))
        version = w.field(s, slots.storage["version"])
        mark.set(w.tuple(w.held(base.get()), w.held(version), w.held(how)))
    room, room_steps = f.memory("i64", DIMS), f.memory("i64", DIMS)
    with f.loop(0, ndim) as i:
        to = f.select(single & i.gt(at), i - 1, i)
        with w.when(single.eq(False) | i.ne(at)):
            f.store(f.load("i64", dims, i), room, to)
            f.store(f.load("i64", steps, i), room_steps, to)
    given = f.select(single, ndim - 1, ndim)
    found = f.call(w.word("new_tuple"), "ptr", count.get())
    w.unless(found.eq(0))
    data = f.variable("ptr", w.field(a, table.DATA))
    left = f.variable("i64", f.load("i64", dims, at))
    with f.loop(0, count.get()) as k:
        length = f.variable("i64", 1)
        with w.when(single.eq(False)):
            length.set(whole(f, f.load("ptr", w.items(sizes), k)))
            w.require(length.get().ge(0) & length.get().le(left.get()))
            f.store(length.get(), room, at)
        left.set(left.get() - length.get())
        r = w.own("shown", a, room, given.to("ptr"), room_steps, data.get())
        w.unless(r.eq(0))
        data.set(f.at(data.get(), length.get() * f.load("i64", steps, at), "i8"))
        t = w.own("wrap", r)
        w.unless(t.eq(0))
        f.store(t, w.items(found), k)
        with w.when(w.is_none(mark.get()).eq(False)):
            w.drop(w.field(t, slots.tensor["_storage"]))
            w.put(t, slots.tensor["_storage"], w.held(s))
            w.drop(w.field(t, slots.tensor["_view"]))
            w.put(t, slots.tensor["_view"], w.held(mark.get()))
        assert w.inferring is not None
        with w.when(w.is_none(mark.get()) & w.inferring):
            w.require(w.own("infer", t, returns="i1"), "lost")
        with w.when(w.is_none(node.get()).eq(False)):
            shape = w.own("shape", r)
            w.unless(shape.eq(0))
            shapes = w.field(node.get(), slots.node["shape"])
            f.store(shape, w.items(shapes), k)
            port = w.make("port")
            number = f.call(w.word("from_long"), "ptr", k)
            w.unless(number.eq(0))
            w.put(port, slots.port["node"], w.held(node.get()))
            w.put(port, slots.port["number"], number)
            w.drop(w.field(t, slots.tensor["_edge"]))
            w.put(t, slots.tensor["_edge"], port)
    for thing in (mark.get(), node.get()):
        with w.when(w.is_none(thing).eq(False)):
            w.drop(thing)
    f.ret(found)
    w.end()


def _parts_node(
    w: Writer, slots: Slots, x: Value, a: Value, dim: Value, sizes: Value, label: Value,
    count: Value,
) -> Value:  # fmt: skip
    """The node behind the parts, its output's shapes still to come; None where the input needs no
    gradient.
    """
    f = w.f
    found = f.variable("ptr", w.word("none"))
    e = w.own("edge", x)
    w.unless(e.eq(0))
    with w.when(w.is_none(e).eq(False)):
        node = w.make("own_node")
        found.set(node)
        kind = w.field(a, table.DESCR)
        shapes, dtypes = (f.call(w.word("new_tuple"), "ptr", count) for _ in range(2))
        shape, number = w.own("shape", a), f.call(w.word("from_long"), "ptr", count)
        for thing in (shapes, dtypes, shape, number):
            w.unless(thing.eq(0))
        with f.loop(0, count) as k:
            f.store(w.held(kind), w.items(dtypes), k)
        own = (w.held(kind), shape, w.held(dim), w.held(label), number, w.held(sizes))
        own_slots(w, node, own)  # in the order of `process.PARTS_SLOTS`
        for name, value in (
            ("shape", shapes), ("dtype", dtypes), ("edges", w.tuple(w.held(e))),
            ("hooks", w.held(w.word("none"))),
        ):  # fmt: skip
            w.put(node, slots.node[name], value)
        w.require(w.own("locate", node, returns="i1"), "lost")
    return found.get()


def functions(made: Module, slots: Slots) -> None:
    """Both."""
    _cut(made, slots)
    _parts(made, slots)
