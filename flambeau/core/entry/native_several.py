"""Operations of several tensors and plain parameters as native functions; written in place, too.

Stands on steps and native_operands.
"""

from __future__ import annotations

from flambeau.core.entry.kinds import is_complex, is_floating
from flambeau.core.entry.native_operands import MOST, differentiable, edges_of, operands, record
from flambeau.core.entry.process import OUT, SUMS, Slots
from flambeau.core.entry.steps import (
    called,
    computed_from,
    kept_store,
    mode,
    result,
    stored,
    written,
)
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table

__all__ = ["functions"]


def _several(made: Module, slots: Slots) -> None:
    """several(*args): the operation's arguments, none left out; a tuple of tensors where it has
    several `outputs`.
    """
    w = Writer(made, "several")
    f = w.f
    n = f.argument["n"]
    w.require(n.eq(w.word("arguments").to("i64")))
    given = f.memory("ptr", MOST + 1)
    leading = f.variable("ptr", 0)
    tensors = operands(w, slots, given, leading)
    at = w.word("dtype_at").to("i64")  # counted from 1: the argument that must be None
    with w.when(at.ne(0)):
        w.require(w.is_none(f.load("ptr", f.argument["args"], at - 1)))
    recording = mode(w)
    alone, results = f.variable("ptr", 0), f.variable("ptr", 0)
    f.branch(w.word("outputs").eq(0), "one", "many")
    f.label("one")
    r = computed_from(w, given, n)
    kind = leading.get()
    carries = is_floating(w, kind) | is_complex(w, kind)
    sums = w.word("same").to("i64").eq(SUMS) & ~carries
    wanted = f.select(sums, w.word("i64"), kind)
    f.branch(w.word("same").eq(0) | w.field(r, table.DESCR).eq(wanted), "alike", "cast")
    f.label("cast")
    w.drop(r)
    f.jump("other")
    f.label("alike")
    t = result(w, r)
    alone.set(t)
    results.set(alone.address)
    f.branch(recording & w.word("has_rules").ne(0) & differentiable(w, r), "recording", "done")
    f.label("many")
    wrapped = _several_results(w, called(w, given, n))
    alone.set(wrapped)
    results.set(w.items(wrapped))
    f.branch(recording & w.word("has_rules").ne(0), "recording", "done")
    f.label("recording")
    edges, any_edge = edges_of(w, tensors, recording)
    f.branch(any_edge, "record", "done")
    f.label("record")
    alone_is_all = w.word("outputs").eq(0)
    node = w.make(f.select(alone_is_all, w.word("op_node"), w.word("many_node")))
    count = f.select(alone_is_all, f.index(1), w.word("outputs").to("i64"))
    record(w, slots, results.get(), count, node, tensors, edges, given)
    f.branch(alone_is_all, "finish", "finish_many")
    f.label("finish")
    w.require(w.own("finish", node, alone.get(), returns="i1"), "lost")
    f.jump("done")
    f.label("finish_many")
    _finish_many(w, slots, node, results.get(), count)
    f.label("done")
    f.ret(alone.get())
    w.end()


def _several_results(w: Writer, found: Value) -> Value:
    """A kernel's tuple of results as a tuple of tensors; leaves where it is another."""
    f = w.f
    count = w.word("outputs").to("i64")
    f.branch(w.type_of(found).eq(w.word("py_tuple")), "tuple", "odd")
    f.label("tuple")
    f.branch(w.field(found, table.TUPLE_SIZE, "i64").eq(count), "results", "odd")
    f.label("odd")
    w.drop(found)
    f.jump("other")
    f.label("results")
    wrapped = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(wrapped.eq(0))
    with f.loop(0, count) as j:
        each = f.variable("ptr", f.load("ptr", w.items(found), j))
        f.branch(w.type_of(each.get()).eq(w.word("ndarray")), "array", "scalar")
        f.label("scalar")
        settled = w.invoke(w.word("settle"), each.get())
        w.unless(settled.eq(0))
        each.set(settled)
        f.jump("wrap")
        f.label("array")
        w.held(each.get())
        f.label("wrap")
        t = result(w, each.get())
        f.store(t, w.items(wrapped), j)
    w.drop(found)
    return wrapped


def _finish_many(w: Writer, slots: Slots, node: Value, results: Value, count: Value) -> None:
    """What a node of several outputs ends with, and a port of it for each that is
    differentiable."""
    f = w.f
    shapes, dtypes = (f.call(w.word("new_tuple"), "ptr", count) for _ in range(2))
    number = f.call(w.word("from_long"), "ptr", count)
    for made in (shapes, dtypes, number):
        w.unless(made.eq(0))
    for name, made in (("shape", shapes), ("dtype", dtypes), ("outputs", number)):
        w.put(node, slots.node[name], made)
    with f.loop(0, count) as j:
        t = f.load("ptr", results, j)
        array = w.field(t, slots.tensor["_array"])
        shape = w.own("shape", array)
        w.unless(shape.eq(0))
        f.store(shape, w.items(shapes), j)
        f.store(w.held(w.field(array, table.DESCR)), w.items(dtypes), j)
        named = ((w.word("differentiable").to("i64") >> j) & 1).ne(0)
        with w.when(named & differentiable(w, array)):
            port = w.make("port")
            place = f.call(w.word("from_long"), "ptr", j)
            w.unless(place.eq(0))
            w.put(port, slots.port["node"], w.held(node))
            w.put(port, slots.port["number"], place)
            w.drop(w.field(t, slots.tensor["_edge"]))
            w.put(t, slots.tensor["_edge"], port)
    w.require(w.own("locate", node, returns="i1"), "lost")
    w.drop(node)


def _write_several(made: Module, slots: Slots) -> None:
    """write_several(*args): written into the first, whose history changes where need be."""
    w = Writer(made, "write_several")
    f = w.f
    n = f.argument["n"]
    w.require(n.eq(w.word("arguments").to("i64")))
    given = f.memory("ptr", MOST + 1)
    leading = f.variable("ptr", 0)
    tensors = operands(w, slots, given, leading)
    recording = mode(w)
    x = f.load("ptr", f.argument["args"])
    a = f.load("ptr", given)
    edges, any_edge = edges_of(w, tensors, recording)
    history = recording & any_edge
    _may_write(w, slots, x, a, history, recording)
    _straight(w, x, a, given, history)
    r = computed_from(w, given, n)
    k = f.fresh()
    fits = w.field(r, table.DESCR).eq(w.field(a, table.DESCR))
    fits = fits & f.call("@same_shape", "i1", r, a)
    f.branch(fits, f"fits{k}", f"grows{k}")
    f.label(f"grows{k}")
    w.drop(r)
    f.jump("other")
    f.label(f"fits{k}")
    f.branch(history, "record", "plain")
    f.label("record")
    # The node is made on a tensor of its own, as of the operation out of place; its history then
    # becomes that of the tensor written, whose memory holds the result.
    t = w.own("wrap", w.held(a))
    w.unless(t.eq(0))
    w.drop(w.field(t, slots.tensor["_storage"]))
    w.put(t, slots.tensor["_storage"], w.held(stored(w, x)))
    kept = f.variable("ptr", x)
    node, result = w.make("op_node"), f.variable("ptr", t)
    # before the memory changes
    need = record(w, slots, result.address, f.index(1), node, tensors, edges, given, kept)
    w.require(w.own("finish", node, t, returns="i1"), "lost")
    copied = f.call(w.word("copy_into"), "i32", a, r)
    w.drop(r)
    w.require(copied.eq(0), "lost")
    w.require(w.own("touch", stored(w, x), returns="i1"), "lost")
    w.held(node)
    with w.when((need & OUT).ne(0)):  # what it saved is what was written now
        kept_store(w, x)
        number = f.call(w.word("iter_next"), "ptr", w.word("count"))
        w.unless(number.eq(0))
        w.drop(w.field(node, slots.node["sequence"]))
        w.put(node, slots.node["sequence"], number)
    w.drop(w.field(x, slots.tensor["_edge"]))
    w.put(x, slots.tensor["_edge"], node)
    w.drop(t)
    with w.when(kept.get().ne(x)):
        w.drop(kept.get())
    f.ret(w.held(x))
    f.label("plain")
    copied = f.call(w.word("copy_into"), "i32", a, r)
    w.drop(r)
    w.require(copied.eq(0), "lost")
    w.require(w.own("touch", stored(w, x), returns="i1"), "lost")
    f.ret(w.held(x))
    w.end()


def _straight(w: Writer, x: Value, a: Value, given: Value, history: Value) -> None:
    """Where the kernel takes the array to write last, and no history is made: written at once. If
    it takes none, it goes on; what may not be written (a ValueError) leaves.
    """
    f = w.f
    n = f.argument["n"]
    k = f.fresh()
    f.branch(history | w.word("into").eq(0), f"apart{k}", f"into{k}")
    f.label(f"into{k}")
    f.store(a, given, n)
    done = f.call(w.word("call"), "ptr", w.word("kernel"), given, n + 1, f.value("ptr", 0))
    f.branch(done.eq(0), f"refused{k}", f"written{k}")
    f.label(f"written{k}")
    w.drop(done)
    w.require(w.own("touch", stored(w, x), returns="i1"), "lost")
    f.ret(w.held(x))
    f.label(f"refused{k}")
    matches = f.call(w.word("matches"), "i32", w.word("exception"))
    w.require(matches.ne(0), "lost")
    refused = f.call(w.word("matches"), "i32", w.word("value_error"))
    f.call(w.word("clear"), "void")
    w.require(refused.eq(0))
    f.label(f"apart{k}")


def _may_write(
    w: Writer, slots: Slots, x: Value, a: Value, history: Value, recording: Value
) -> None:
    """Leave where writing changes more than the tensor's own edge: leaves, views, hooked nodes."""
    f = w.f
    written(w, slots, x, a)
    view, edge = w.field(x, slots.tensor["_view"]), w.field(x, slots.tensor["_edge"])
    k = f.fresh()
    f.branch(w.is_none(view), f"based{k}", f"view{k}")
    f.label(f"view{k}")
    base = f.load("ptr", w.items(view))
    free = w.is_none(w.field(base, slots.tensor["_edge"])) & history.eq(False) & w.is_none(edge)
    w.require(free | recording.eq(False))
    f.label(f"based{k}")
    with w.when(recording & w.is_none(edge).eq(False)):
        type = w.type_of(edge)
        w.require(type.eq(w.word("element_node")) | type.eq(w.word("op_node")))
        hooks = f.call(w.word("get_attribute"), "ptr", edge, w.word("hooks"))
        w.unless(hooks.eq(0))
        w.drop(hooks)
        w.require(w.is_none(hooks))
    with w.when(history):
        w.require(w.word("has_rules").ne(0))


def functions(made: Module, slots: Slots) -> None:
    """Both."""
    _several(made, slots)
    _write_several(made, slots)
