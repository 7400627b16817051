"""Writes as native functions: an operation's result in its first operand, where there is no
history to change. Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.kinds import fast, number
from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, computed, computed_from, mode, operand, stored, written
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table

__all__ = ["functions"]


def _touch(made: Module, slots: Slots) -> None:
    """touch(storage): a write is noted; whether there was no error."""
    w = Writer(made, "touch", "s", returns="i1")
    f, (s,) = w.f, w.arguments

    def note(name: str, value: Value) -> None:
        old = w.field(s, slots.storage[name])
        w.put(s, slots.storage[name], value)
        w.drop(old)

    later = f.call(w.word("plus"), "ptr", w.field(s, slots.storage["version"]), w.word("one"))
    w.unless(later.eq(0))
    note("version", later)
    number = f.call(w.word("iter_next"), "ptr", w.word("count"))
    w.unless(number.eq(0))
    note("written", number)
    with w.when(w.type_of(s).eq(w.word("storage"))):  # an exported one says that it always changes
        note("changed", w.held(number))
    note("writing", w.held(w.word("title")))
    room = f.memory("ptr", 2)
    w.require(w.own("place", room, w.word("depth"), returns="i1"), "lost")
    note("writer", w.tuple(f.load("ptr", room), f.load("ptr", room, f.index(1))))
    with w.when(w.is_none(w.field(s, slots.storage["origin"])).eq(False)):
        told = w.invoke(w.word("silent"), s)
        w.unless(told.eq(0))
        w.drop(told)
    f.ret(True)
    w.end(other=False)


def _free(w: Writer, slots: Slots, x: Value, a: Value, recording: Value) -> None:
    """Leave where `x` may not simply be written."""
    _without_history(w, slots, x, recording)
    written(w, slots, x, a)


def _without_history(w: Writer, slots: Slots, x: Value, recording: Value) -> None:
    """Leave where operations are recorded, and the tensor or what it is a view of has a history."""
    f = w.f
    w.require(w.is_none(w.field(x, slots.tensor["_edge"])) | recording.eq(False))
    view = w.field(x, slots.tensor["_view"])
    with w.when(recording & w.is_none(view).eq(False)):
        base = f.load("ptr", w.items(view))
        w.require(w.is_none(w.field(base, slots.tensor["_edge"])))


def _finish_write(w: Writer, x: Value) -> None:
    w.require(w.own("touch", stored(w, x), returns="i1"), "lost")
    w.f.ret(w.held(x))


def _write_unary(made: Module, slots: Slots) -> None:
    """write_unary(input): the operation written into its operand."""
    w = Writer(made, "write_unary")
    (x,) = begin(w, 1)
    a = operand(w, slots, x)
    fast(w, w.field(a, table.DESCR))
    _free(w, slots, x, a, mode(w))
    w.drop(computed(w, a, a))
    _finish_write(w, x)
    w.end()


def _write_binary(made: Module, slots: Slots) -> None:
    """write_binary(input, other): the operation written into its first operand."""
    w = Writer(made, "write_binary")
    f = w.f
    x, y = begin(w, 2)
    a = operand(w, slots, x)
    kind = w.field(a, table.DESCR)
    fast(w, kind)
    recording = mode(w)
    _free(w, slots, x, a, recording)
    b = f.variable("ptr", y)
    f.branch(w.own("is_plain", y, returns="i1"), "tensor", "number")
    f.label("tensor")
    other = w.field(y, slots.tensor["_array"])
    w.require(w.type_of(other).eq(w.word("ndarray")))
    _without_history(w, slots, y, recording)
    b.set(other)
    f.branch(w.field(other, table.DESCR).eq(kind), "ready", "mixed")
    f.label("mixed")
    _converted(w, a, other)
    _finish_write(w, x)
    f.label("number")
    number(w, y, kind)
    f.label("ready")
    w.drop(computed(w, a, b.get(), a))
    _finish_write(w, x)
    w.end()


OPERANDS = 4


def _write_out(made: Module, slots: Slots) -> None:
    """write_out(out, *operands): the operation written into a tensor that is given. Its kernel
    refuses what it cannot write there.
    """
    w = Writer(made, "write_out")
    f = w.f
    args, n = f.argument["args"], f.argument["n"]
    w.require(n.ge(2) & n.le(OPERANDS + 1))
    out = f.load("ptr", args)
    target = operand(w, slots, out)
    recording = mode(w)
    _free(w, slots, out, target, recording)
    given, leading = f.memory("ptr", OPERANDS + 1), f.variable("ptr", f.value("ptr", 0))
    with f.loop(1, n) as i:
        x = f.load("ptr", args, i)
        read = f.variable("ptr", x)
        f.branch(w.own("is_plain", x, returns="i1"), "tensor", "number")
        f.label("tensor")
        a = w.field(x, slots.tensor["_array"])
        w.require(w.type_of(a).eq(w.word("ndarray")))
        _without_history(w, slots, x, recording)
        read.set(a)
        kind = w.field(a, table.DESCR)
        f.branch(w.word("chooses").ne(0) & i.eq(1), "condition", "typed")
        f.label("condition")
        w.require(kind.eq(w.word("i1")))
        f.jump("ready")
        f.label("typed")
        with w.when(leading.get().eq(0)):
            fast(w, kind)
            leading.set(kind)
        w.require(kind.eq(leading.get()))
        f.jump("ready")
        f.label("number")
        w.require(leading.get().ne(0))
        number(w, x, leading.get())
        f.label("ready")
        f.store(read.get(), given, i - 1)
    w.require(leading.get().ne(0))
    f.store(target, given, n - 1)
    w.drop(computed_from(w, given, n))
    _finish_write(w, out)
    w.end()


def _converted(w: Writer, a: Value, other: Value) -> None:
    """Write with an operand that is cast to the target's dtype; leave where it may not be."""
    f = w.f
    kind = w.field(a, table.DESCR)
    row = w.own("meeting", a, f.select(w.word("converts").ne(0), a, other))
    w.unless(row.eq(0), "other")
    w.require(f.load("ptr", row).eq(kind))
    complex = w.field(w.field(other, table.DESCR), table.KIND, "i8").eq(ord("c"))
    w.require(complex.eq(False))
    cast = w.own("in_type", other, row)
    w.unless(cast.eq(0))
    room = f.memory("ptr", 3)
    for k, each in enumerate((a, cast, a)):
        f.store(each, room, f.index(k))
    w.drop(computed_from(w, room, f.index(3), [cast]))


def functions(made: Module, slots: Slots) -> None:
    """All of them."""
    _touch(made, slots)
    _write_unary(made, slots)
    _write_binary(made, slots)
    _write_out(made, slots)
