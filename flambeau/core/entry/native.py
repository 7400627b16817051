"""The short way of an operation as one native function: tensors in, a tensor out.

It does what the forms in `elementwise`, `views` and `inplace` do, step by step: looks at its
operands and the thread's mode, calls the kernel on the arrays, wraps the result, makes the node.
What does not take the short way gets None. Offsets of slots are compiled in, addresses come from
the table behind `self`. Stands on steps.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.entry import (
    native_filled,
    native_joins,
    native_parts,
    native_several,
    native_views,
    native_writes,
    steps,
)
from flambeau.core.entry.kinds import fits, is_fast
from flambeau.core.entry.process import SLOTS, Slots
from flambeau.core.entry.steps import (
    begin,
    combined,
    computed_large,
    mode,
    operand,
    record,
    result,
)
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value, Variable
from flambeau.core.kernels.native import table

__all__ = ["module"]


def _wrapped(
    w: Writer, found: Variable, recording: Value, elided: str, operands: list[Value],
    arrays: list[Any], array: Value | None = None,
) -> tuple[Value, Value]:  # fmt: skip
    """Compute from `arrays` (values, or variables that hold them), the quick way or the combined
    one, and wrap it: the array and the tensor. What follows is written where it may be recorded.

    Args:
        elided: which operands that die may hold the result, by the name of the function that tells.
        array: the array that says what the result is like; the first.
    """
    f = w.f

    def given() -> list[Value]:
        return [a.get() if isinstance(a, Variable) else a for a in arrays]

    f.label("alike")
    found.set(computed_large(w, elided, arrays[0] if array is None else array, operands, given()))
    f.jump("computed")
    f.label("mixed")
    found.set(combined(w, *given()))
    f.label("computed")
    r = found.get()
    t = result(w, r)
    f.branch(recording & w.word("has_rules").ne(0), "recording", "done")
    f.label("recording")
    return r, t


def _needed(w: Writer, x: Value) -> tuple[Value, Value]:
    """The edge of the only tensor and what its gradient keeps; done where it has none."""
    f = w.f
    e = w.own("edge", x)
    w.unless(e.eq(0))
    f.branch(w.is_none(e), "done", "record")
    f.label("record")
    return e, w.word("keeps").to("i64")


def _unary(made: Module, slots: Slots) -> None:
    """unary(input)."""
    w = Writer(made, "unary")
    f = w.f
    (x,) = begin(w, 1)
    a = operand(w, slots, x)
    recording = mode(w)
    found = f.variable("ptr")
    f.branch(is_fast(w, w.field(a, table.DESCR)), "alike", "mixed")
    r, t = _wrapped(w, found, recording, "elided_alone", [x], [a])
    e, keeps = _needed(w, x)
    record(w, slots, t, [e], keeps, [a, r], [x, t], [None, None])
    f.label("done")
    f.ret(t)
    w.end()


def _binary(made: Module, slots: Slots) -> None:
    """binary(input, other): two tensors of one dtype, or a tensor and a number."""
    w = Writer(made, "binary")
    f = w.f
    x, y = begin(w, 2)
    a = operand(w, slots, x)
    kind = w.field(a, table.DESCR)
    short = is_fast(w, kind)
    recording = mode(w)
    b, found = f.variable("ptr", y), f.variable("ptr")
    tensor = w.own("is_plain", y, returns="i1")
    f.branch(tensor, "tensor", "number")
    f.label("tensor")
    other = w.field(y, slots.tensor["_array"])
    w.require(w.type_of(other).eq(w.word("ndarray")))
    b.set(other)
    f.branch(short & w.field(other, table.DESCR).eq(kind), "alike", "mixed")
    f.label("number")
    w.require(w.word("numbers").ne(0) & w.type_of(y).ne(w.word("ndarray")))
    f.branch(short & fits(w, y, kind), "alike", "mixed")
    r, t = _wrapped(w, found, recording, "elided", [x, y], [a, b])
    first = w.own("edge", x)
    w.unless(first.eq(0))
    second = f.variable("ptr", w.word("none"))
    with w.when(tensor):
        other_edge = w.own("edge", y)
        w.unless(other_edge.eq(0))
        second.set(other_edge)
    no_first, no_second = w.is_none(first), w.is_none(second.get())
    f.branch(no_first & no_second, "done", "record")
    f.label("record")
    keeps = w.word("keeps").to("i64")  # three bits for the first's gradient, three for the other's
    keeps = f.select(no_first, 0, keeps & 7) | f.select(no_second, 0, keeps >> 3)
    record(
        w, slots, t, [first, second.get()], keeps, [a, b.get(), r], [x, y, t], [None, tensor, None]
    )
    f.label("done")
    f.ret(t)
    w.end()


def _number_first(made: Module, slots: Slots) -> None:
    """number_first(number, tensor)."""
    w = Writer(made, "number_first")
    f = w.f
    x, y = begin(w, 2)
    a = operand(w, slots, y)
    kind = w.field(a, table.DESCR)
    recording = mode(w)
    w.require(w.word("numbers").ne(0) & w.type_of(x).ne(w.word("ndarray")))
    found = f.variable("ptr")
    f.branch(is_fast(w, kind) & fits(w, x, kind), "alike", "mixed")
    r, t = _wrapped(w, found, recording, "elided", [x, y], [x, a], a)
    e, keeps = _needed(w, y)
    never = f.value("i1", 0)
    record(w, slots, t, [w.word("none"), e], keeps, [x, a, r], [x, y, t], [never, None, None])
    f.label("done")
    f.ret(t)
    w.end()


def module() -> Module:
    """All of them."""
    made, slots = Module("entries", calls=True), SLOTS()
    steps.functions(made, slots)
    _unary(made, slots)
    _binary(made, slots)
    _number_first(made, slots)
    rooms = (
        native_views, native_parts, native_joins, native_writes, native_several, native_filled,
    )  # fmt: skip
    for room in rooms:
        room.functions(made, slots)
    return made
