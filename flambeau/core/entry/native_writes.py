"""Writes as native functions: an operation's result in its first operand, where there is no
history to change. Stands on steps.
"""

from __future__ import annotations

from flambeau.core.entry.process import Slots
from flambeau.core.entry.steps import begin, computed, fast, mode, number, operand, stored, written
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table

__all__ = ["functions"]


def _touch(made: Module) -> None:
    """touch(storage): a write is noted; whether there was no error."""
    w = Writer(made, "touch", "s", returns="i1")
    f, (s,) = w.f, w.arguments

    def note(name: str, value: Value) -> None:
        done = f.call(w.word("set_attribute"), "i32", s, w.word(name), value)
        w.require(done.eq(0), "lost")

    version = f.call(w.word("get_attribute"), "ptr", s, w.word("version"))
    w.unless(version.eq(0))
    later = f.call(w.word("plus"), "ptr", version, w.word("one"))
    w.drop(version)
    w.unless(later.eq(0))
    note("version", later)
    w.drop(later)
    number = f.call(w.word("iter_next"), "ptr", w.word("count"))
    w.unless(number.eq(0))
    note("written", number)
    note("changed", number)
    w.drop(number)
    note("writing", w.word("title"))
    room = f.memory("ptr", 2)
    w.require(w.own("place", room, w.word("depth"), returns="i1"), "lost")
    spot = w.tuple(f.load("ptr", room), f.load("ptr", room, f.index(1)))
    note("writer", spot)
    w.drop(spot)
    origin = f.call(w.word("get_attribute"), "ptr", s, w.word("origin"))
    w.unless(origin.eq(0))
    w.drop(origin)
    with w.when(w.is_none(origin).eq(False)):
        told = w.invoke(w.word("silent"), s)
        w.unless(told.eq(0))
        w.drop(told)
    f.ret(True)
    w.end(other=False)


def _free(w: Writer, slots: Slots, x: Value, a: Value, recording: Value) -> None:
    """Leave where `x` may not simply be written."""
    free = w.is_none(w.field(x, slots.tensor["_edge"]))
    free = free & w.is_none(w.field(x, slots.tensor["_view"]))
    w.require(free | recording.eq(False))
    written(w, slots, x, a)


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
    w.require(w.field(other, table.DESCR).eq(kind))
    free = w.is_none(w.field(y, slots.tensor["_edge"]))
    free = free & w.is_none(w.field(y, slots.tensor["_view"]))
    w.require(free | recording.eq(False))
    b.set(other)
    f.jump("ready")
    f.label("number")
    number(w, y, kind)
    f.label("ready")
    w.drop(computed(w, a, b.get(), a))
    _finish_write(w, x)
    w.end()


def functions(made: Module, slots: Slots) -> None:
    """All of them."""
    _touch(made)
    _write_unary(made, slots)
    _write_binary(made, slots)
