"""Views as native functions: the result shares the input's storage and remembers its base.

Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, mode, operand, stored
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module
from flambeau.core.kernels.native import table

__all__ = ["functions"]

EQUAL = 2
"""CPython's number of the comparison `==`."""
MOST = 8
"""Arguments of a view at most."""


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
    version = f.call(w.word("get_attribute"), "ptr", s, w.word("version"))
    w.unless(version.eq(0))
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


def functions(made: Module, slots: Slots) -> None:
    """All of them."""
    _show(made, slots)
    _look(made, slots)
    _as_view(made)
