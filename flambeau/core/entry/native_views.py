"""Views as native functions: the result shares the input's storage and remembers its base.

Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, mode, operand, stored
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.views import whole

__all__ = ["functions"]

EQUAL = 2
"""CPython's number of the comparison `==`."""
MOST = 8
"""Arguments of a view at most."""
DIMS = 32
"""Dimensions at most."""


def _show(made: Module, slots: Slots) -> None:
    """show(op, input, array, rest, recording): the tensor of a view, whose node is made on demand;
    takes `array` and `rest`, the arguments after the input.
    """
    w = Writer(made, "show", "op", "x", "array", "rest", "recording")
    f = w.f
    op, x, array, rest, recording = w.arguments
    t = w.own("wrap", array)
    w.unless(t.eq(0))
    s = stored(w, x)
    w.drop(w.field(t, slots.tensor["_storage"]))
    w.put(t, slots.tensor["_storage"], w.held(s))
    version = w.held(w.field(s, slots.storage["version"]))
    old = w.field(x, slots.tensor["_view"])
    base, source = f.variable("ptr", x), f.variable("ptr", w.field(x, slots.tensor["_edge"]))
    f.branch(w.is_none(old), "based", "again")
    f.label("again")
    base.set(f.load("ptr", w.items(old)))
    then = f.load("ptr", w.items(old), f.index(1))
    same = f.call(w.word("compare"), "i32", version, then, f.value("i32", EQUAL))
    w.require(same.ge(0), "lost")
    with w.when(same.eq(0)):
        found = w.invoke(w.word("edge_of"), x)
        w.unless(found.eq(0))
        w.drop(found)
        source.set(found)
        base.set(f.load("ptr", w.items(w.field(x, slots.tensor["_view"]))))
    with w.when(w.type_of(source.get()).eq(w.word("py_tuple"))):
        source.set(x)
    f.label("based")
    how = f.select(recording.ne(0), w.word("no_text"), w.word("no_grad_text"))
    w.drop(w.field(t, slots.tensor["_view"]))
    w.put(t, slots.tensor["_view"], w.tuple(w.held(base.get()), version, w.held(how)))
    f.branch(w.is_none(source.get()) | recording.eq(0), "done", "ruled")
    f.label("ruled")
    rules = f.call(w.word("get_attribute"), "ptr", op, w.word("rules"))
    w.unless(rules.eq(0))
    w.drop(rules)
    f.branch(w.field(rules, table.TUPLE_SIZE, "i64").eq(0), "done", "record")
    f.label("record")
    shape = w.own("shape", w.field(x, slots.tensor["_array"]))
    w.unless(shape.eq(0))
    room = f.memory("ptr", 2)
    w.require(w.own("place", room, w.word("depth"), returns="i1"), "lost")
    number = f.call(w.word("iter_next"), "ptr", w.word("count"))
    w.unless(number.eq(0))
    edge = w.tuple(
        w.held(op), w.held(source.get()), rest, shape, f.load("ptr", room),
        f.load("ptr", room, f.index(1)), number,
    )  # fmt: skip
    w.drop(w.field(t, slots.tensor["_edge"]))
    w.put(t, slots.tensor["_edge"], edge)
    f.ret(t)
    f.label("done")
    w.drop(rest)
    f.ret(t)
    w.end(other=False)


def _as_view(made: Module) -> None:
    """as_view(op, input, array, args)."""
    w = Writer(made, "as_view")
    f = w.f
    op, x, array, args = begin(w, 4)
    recording = mode(w)
    w.require(w.type_of(args).eq(w.word("py_tuple")))
    size = w.field(args, table.TUPLE_SIZE, "i64")
    rest = f.call(w.word("slice"), "ptr", args, f.index(1), size)
    w.unless(rest.eq(0))
    f.ret(w.own("show", op, x, w.held(array), rest, recording.to("i64").to("ptr")))
    w.fall_back()


def _look(made: Module, slots: Slots) -> None:
    """look(input, *rest): a view by the operation's kernel."""
    w = Writer(made, "look")
    f = w.f
    n = f.argument["n"]
    w.require(n.ge(1) & n.le(MOST))
    x = f.load("ptr", f.argument["args"])
    a = operand(w, slots, x)
    recording = mode(w)
    given = f.memory("ptr", MOST)
    f.store(a, given)
    rest = f.call(w.word("new_tuple"), "ptr", n - 1)
    w.unless(rest.eq(0))
    with f.loop(1, n) as i:
        item = f.load("ptr", f.argument["args"], i)
        f.store(item, given, i)
        f.store(w.held(item), w.items(rest), i - 1)
    r = f.call(w.word("call"), "ptr", w.word("kernel"), given, n, f.value("ptr", 0))
    f.branch(r.eq(0), "failed", "made")
    f.label("failed")
    w.drop(rest)
    f.ret(r)
    f.label("made")
    f.ret(w.own("show", w.word("op"), x, r, rest, recording.to("i64").to("ptr")))
    w.end()


def _shaped(made: Module, slots: Slots) -> None:
    """shaped(input, *sizes): the view of a contiguous array in another shape; sizes as they come or
    in one tuple, one of them may be -1.
    """
    w = Writer(made, "shaped")
    f = w.f
    n, args = f.argument["n"], f.argument["args"]
    w.require(n.ge(2))
    x = f.load("ptr", args)
    a = operand(w, slots, x)
    w.require((w.field(a, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    recording = mode(w)
    count, items = f.variable("i64", n - 1), f.variable("ptr", f.at(args, 1, "ptr"))
    only = f.load("ptr", args, f.index(1))
    kind = w.type_of(only)
    with w.when(n.eq(2) & (kind.eq(w.word("py_tuple")) | kind.eq(w.word("size")))):
        count.set(w.field(only, table.TUPLE_SIZE, "i64"))
        items.set(w.items(only))
    w.require(count.get().le(DIMS))
    room = f.memory("i64", DIMS)
    product, open_at = f.variable("i64", 1), f.variable("i64", -1)
    with f.loop(0, count.get()) as i:
        size = whole(f, f.load("ptr", items.get(), i))
        f.store(size, room, i)
        k = f.fresh()
        f.branch(size.eq(-1), f"open{k}", f"closed{k}")
        f.label(f"open{k}")
        w.require(open_at.get().eq(-1))
        open_at.set(i)
        f.jump(f"next{k}")
        f.label(f"closed{k}")
        w.require(size.gt(0))
        product.set(product.get() * size)
        f.label(f"next{k}")
    total = f.variable("i64", 1)
    dims = w.field(a, table.DIMS)
    with f.loop(0, w.field(a, table.NDIM, "i32").to("i64")) as i:
        total.set(total.get() * f.load("i64", dims, i))
    w.require(total.get().gt(0))
    with w.when(open_at.get().ge(0)):
        f.store(total.get() // product.get(), room, open_at.get())
        product.set(product.get() * (total.get() // product.get()))
    w.require(product.get().eq(total.get()))
    null = f.value("ptr", 0)
    r = w.own("shown", a, room, count.get().to("ptr"), null, w.field(a, table.DATA))
    w.unless(r.eq(0))
    shape = w.own("shape", r)
    w.unless(shape.eq(0))
    f.ret(w.own("show", w.word("op"), x, r, w.tuple(shape), recording.to("i64").to("ptr")))
    w.end()


def _shown(made: Module) -> None:
    """shown(array, sizes, count, strides, data): an array on another's memory; strides NULL for
    elements in order.
    """
    w = Writer(made, "shown", "array", "sizes", "count", "steps", "data")
    f = w.f
    array, sizes, count, steps, data = w.arguments
    descr, null = w.field(array, table.DESCR), f.value("ptr", 0)
    f.call(w.word("incref"), "void", descr)
    flags = w.field(array, table.FLAGS, "i32") & table.WRITEABLE
    made_array = f.call(
        w.word("new"), "ptr", w.word("ndarray"), descr, count.to("i64").to("i32"), sizes, steps,
        data, flags, null,
    )  # fmt: skip
    w.unless(made_array.eq(0))
    f.call(w.word("incref"), "void", array)
    based = f.call(w.word("set_base"), "i32", made_array, array)
    w.require(based.ge(0), "lost")
    f.ret(made_array)
    w.end(other=False)


def _same_memory(made: Module, slots: Slots) -> None:
    """same_memory(input): a tensor without history on the input's storage."""
    w = Writer(made, "same_memory")
    f = w.f
    (x,) = begin(w, 1)
    a = operand(w, slots, x)
    mode(w)
    t = w.own("wrap", w.held(a))
    w.unless(t.eq(0))
    w.drop(w.field(t, slots.tensor["_storage"]))
    w.put(t, slots.tensor["_storage"], w.held(stored(w, x)))
    f.ret(t)
    w.end()


def _parts(made: Module, slots: Slots) -> None:
    """parts(input, dim, sizes, mark, node): the views that tile the input along a dimension, of the
    given sizes (a tuple) or at each index (None), with `mark` as their `_view`; each has a port of
    the node (None: no history).
    """
    w = Writer(made, "parts")
    f = w.f
    x, dim, sizes, mark, node = begin(w, 5)
    a = operand(w, slots, x)
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
    s = stored(w, x)
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
        with w.when(w.is_none(mark).eq(False)):
            w.drop(w.field(t, slots.tensor["_storage"]))
            w.put(t, slots.tensor["_storage"], w.held(s))
            w.drop(w.field(t, slots.tensor["_view"]))
            w.put(t, slots.tensor["_view"], w.held(mark))
        with w.when(w.is_none(node).eq(False)):
            w.drop(w.field(t, slots.tensor["_edge"]))
            j = f.fresh()
            f.branch(count.get().eq(1), f"node{j}", f"port{j}")
            f.label(f"node{j}")
            w.put(t, slots.tensor["_edge"], w.held(node))
            f.jump(f"edged{j}")
            f.label(f"port{j}")
            w.put(t, slots.tensor["_edge"], w.held(w.word("none")))
            port = w.make("port")
            number = f.call(w.word("from_long"), "ptr", k)
            w.unless(number.eq(0))
            w.put(port, slots.port["node"], w.held(node))
            w.put(port, slots.port["number"], number)
            w.drop(w.field(t, slots.tensor["_edge"]))
            w.put(t, slots.tensor["_edge"], port)
            f.label(f"edged{j}")
    f.ret(found)
    w.end()


def functions(made: Module, slots: Slots) -> None:
    """All of them."""
    _show(made, slots)
    _shown(made)
    _look(made, slots)
    _shaped(made, slots)
    _same_memory(made, slots)
    _parts(made, slots)
    _as_view(made)
