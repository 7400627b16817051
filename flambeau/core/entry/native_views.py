"""Views as native functions: the result shares the input's storage and remembers its base.

Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.native_operands import differentiable
from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, mode, operand, result, stored
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import count_of, whole
from flambeau.core.kernels.native.objects import new_array

__all__ = ["DIMS", "functions"]

EQUAL = 2
"""CPython's number of the comparison `==`."""
MOST = 8
"""Arguments of a view at most."""
DIMS = 32
"""Dimensions at most."""
SMALL = 1 << 15
"""Bytes that are copied at once."""


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
    kind = f.select(recording.ne(0), w.word("no_text"), w.word("no_grad_text"))
    how = f.variable("ptr", kind)
    f.branch(w.is_none(old), "based", "again")
    f.label("again")
    base.set(f.load("ptr", w.items(old)))
    inherited = f.load("ptr", w.items(old), f.index(2))
    how.set(f.select(inherited.eq(w.word("no_text")), kind, inherited))
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
    w.drop(w.field(t, slots.tensor["_view"]))
    w.put(t, slots.tensor["_view"], w.tuple(w.held(base.get()), version, w.held(how.get())))
    f.branch(w.is_none(source.get()), "done", "ruled")
    f.label("ruled")
    rules = f.call(w.word("get_attribute"), "ptr", op, w.word("rules"))
    w.unless(rules.eq(0))
    w.drop(rules)
    f.branch(w.field(rules, table.TUPLE_SIZE, "i64").eq(0), "done", "differentiable")
    f.label("differentiable")
    f.branch(recording.eq(0), "alone", "record")
    f.label("alone")  # under no_grad: it requires a gradient as its base does, for nobody
    leaf = w.invoke(w.word("dead_end"), t)
    w.unless(leaf.eq(0))
    w.drop(leaf)
    f.jump("done")
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
    """look(input, *rest): a view by the operation's kernel; None where that gives none."""
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
    f.branch(w.is_none(r), "nothing", "some")
    f.label("nothing")
    w.drop(rest)
    f.ret(r)
    f.label("some")
    f.ret(w.own("show", w.word("op"), x, r, rest, recording.to("i64").to("ptr")))
    w.end()


def _sizes(w: Writer, a: Value) -> tuple[Value, Value]:
    """The sizes asked for, which come one by one or in one tuple, with one of -1 found out: where
    they lie, and how many.
    """
    f = w.f
    n, args = f.argument["n"], f.argument["args"]
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
    total = count_of(f, a)
    w.require(total.gt(0))
    with w.when(open_at.get().ge(0)):
        f.store(total // product.get(), room, open_at.get())
        product.set(product.get() * (total // product.get()))
    w.require(product.get().eq(total))
    return room, count.get()


def _steps(w: Writer, a: Value, room: Value, count: Value) -> tuple[Value, Value]:
    """Strides of a view of other sizes on an array that is not in order: where they lie, and
    whether there are any. Dimensions that lie in one piece are cut anew together.
    """
    f = w.f
    dims, own = w.field(a, table.DIMS), w.field(a, table.STRIDES)
    found = f.memory("i64", DIMS)
    ndim = w.field(a, table.NDIM, "i32").to("i64")
    w.require(ndim.gt(0) & ndim.le(DIMS))
    to = f.variable("i64", count - 1)  # the next dimension of the view, the last first
    have, given = (
        f.variable("i64", 1),
        f.variable("i64", 1),
    )  # elements of the piece, and of its cut
    base = f.variable("i64", f.load("i64", own, ndim - 1))
    viewable = f.variable("i1", True)
    with f.loop(0, ndim) as turn:
        d = ndim - 1 - turn
        have.set(have.get() * f.load("i64", dims, d))
        before = f.select(d.gt(0), d - 1, 0)
        step = f.load("i64", own, before)
        joins = f.load("i64", dims, before).eq(1) | step.eq(have.get() * base.get())
        with w.when(d.eq(0) | joins.eq(False)):
            k = f.fresh()
            f.label(f"cut{k}")
            at = f.select(to.get().ge(0), to.get(), 0)
            size = f.load("i64", room, at)
            more = to.get().ge(0) & (given.get().lt(have.get()) | size.eq(1))
            f.branch(more, f"next{k}", f"done{k}")
            f.label(f"next{k}")
            f.store(given.get() * base.get(), found, at)
            given.set(given.get() * size)
            to.set(to.get() - 1)
            f.jump(f"cut{k}")
            f.label(f"done{k}")
            viewable.set(viewable.get() & given.get().eq(have.get()))
            base.set(step)
            have.set(1)
            given.set(1)
    return found, viewable.get() & to.get().eq(-1)


def _shaped(made: Module, slots: Slots) -> None:
    """shaped(input, *sizes): the view in another shape; sizes as they come or in one tuple, one of
    them may be -1. Where `copying` and `again` name operations, a view of what is not in order is
    the second's, and where there can be none, there is a copy by the first.
    """
    w = Writer(made, "shaped")
    f = w.f
    w.require(f.argument["n"].ge(2))
    x = f.load("ptr", f.argument["args"])
    a = operand(w, slots, x)
    recording = mode(w)
    room, count = _sizes(w, a)
    steps, op = f.variable("ptr", 0), f.variable("ptr", w.word("op"))
    f.branch((w.field(a, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0), "view", "apart")
    f.label("apart")
    found, viewable = _steps(w, a, room, count)
    steps.set(found)
    with w.when(w.word("again").ne(0)):
        op.set(w.word("again"))
    f.branch(viewable, "view", "copy")
    f.label("view")
    r = w.own("shown", a, room, count.to("ptr"), steps.get(), w.field(a, table.DATA))
    w.unless(r.eq(0))
    shape = w.own("shape", r)
    w.unless(shape.eq(0))
    f.ret(w.own("show", op.get(), x, r, w.tuple(shape), recording.to("i64").to("ptr")))
    f.label("copy")
    w.require(w.word("copying").ne(0))
    _copied_as(w, slots, x, a, room, count, recording)
    w.end()


def _copied_as(
    w: Writer, slots: Slots, x: Value, a: Value, room: Value, count: Value, recording: Value
) -> None:
    """Return a tensor of its own with the elements in order, in the sizes that lie in `room`."""
    f = w.f
    kind = w.field(a, table.DESCR)
    size = count_of(f, a) * w.field(kind, table.ITEM, "i64")
    w.require(size.le(SMALL))  # of larger ones, threads make the copy
    r = new_array(f, kind, count.to("i32"), room, size)
    w.unless(r.eq(0))
    ndim = w.field(a, table.NDIM, "i32").to("i64")
    same = w.own(
        "shown",
        r,
        w.field(a, table.DIMS),
        ndim.to("ptr"),
        f.value("ptr", 0),
        w.field(r, table.DATA),
    )
    w.unless(same.eq(0))
    copied = f.call(w.word("copy_into"), "i32", same, a)
    w.drop(same)
    w.require(copied.eq(0), "lost")
    t = result(w, r)
    f.branch(recording & differentiable(w, r), "recording", "done")
    f.label("recording")
    e = w.own("edge", x)
    w.unless(e.eq(0))
    f.branch(w.is_none(e), "done", "record")
    f.label("record")
    shape = w.own("shape", a)
    w.unless(shape.eq(0))
    node = w.make("op_node")
    nothing, none = w.word("nothing_saved"), w.word("none")
    for name, value in (
        ("op", w.held(w.word("copying"))), ("edges", w.tuple(w.held(e))),
        ("saved", w.held(nothing)), ("stores", w.held(nothing)), ("hooks", w.held(none)),
        ("params", w.held(none)), ("shapes", w.tuple(shape)),
    ):  # fmt: skip
        w.put(node, slots.node[name], value)
    w.require(w.own("finish", node, t, returns="i1"), "lost")
    f.label("done")
    f.ret(t)


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


def _data(made: Module, slots: Slots) -> None:
    """data(input): a tensor without history on the input's memory, with a storage of its own that
    tells the input's of writes.
    """
    w = Writer(made, "data")
    (x,) = begin(w, 1)
    a = operand(w, slots, x)
    s = stored(w, x)
    root = w.f.call(w.word("get_attribute"), "ptr", s, w.word("root"))
    w.unless(root.eq(0))
    w.drop(root)
    w.require(w.is_none(root))
    t = w.own("wrap", w.held(a))
    w.unless(t.eq(0))
    w.unless(w.own("storage", t).eq(0))
    fresh = w.field(t, slots.tensor["_storage"])
    w.drop(w.field(fresh, slots.storage["origin"]))
    w.put(fresh, slots.storage["origin"], w.held(s))
    w.f.ret(t)
    w.fall_back()


def functions(made: Module, slots: Slots) -> None:
    """All of them."""
    _show(made, slots)
    _shown(made)
    _look(made, slots)
    _shaped(made, slots)
    _same_memory(made, slots)
    _data(made, slots)
    _as_view(made)
