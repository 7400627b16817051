"""Operations of several tensors and plain parameters as native functions; written in place, too.

What the operation saves stands in words: a byte for each tensor, with a bit for each value its
gradient needs, one for parameters and one for shapes. Stands on steps.
"""

from __future__ import annotations

import math

from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.entry.process import OUT, PARAMS, SHAPES, SUMS, TENSORS, Slots
from flambeau.core.entry.steps import choice, computed_from, mode, stored, written
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value, Variable
from flambeau.core.kernels.native import table

__all__ = ["functions"]

MOST = 12
"""Arguments at most."""
LARGEST = 3e38


def _kind(w: Writer, kind: Value) -> Value:
    """Whether the dtype is one of the short way's; where the first word is empty, of these all."""
    found = kind.eq(w.word("fast0"))
    for name in ("fast1", "fast2", "fast3", "fast4"):
        found = found | kind.eq(w.word(name))
    return found


def _operands(
    w: Writer, slots: Slots, given: Value, leading: Variable
) -> list[tuple[Value, Value]]:
    """The arrays into `given` for the tensors among the arguments: for each whether it is one, and
    the argument. Leaves where one does not take the short way.
    """
    f = w.f
    args, n = f.argument["args"], f.argument["n"]
    with f.loop(0, n) as i:
        f.store(f.load("ptr", args, i), given, i)
    chooses = w.word("chooses").to("i64")
    found = []
    numbered = f.variable("i64", 0)  # bits: whether ints, and floats, are among them
    for t in range(TENSORS):
        there, each = f.variable("i1", False), f.variable("ptr", w.word("none"))
        place = (w.word("places").to("i64") >> (8 * t)) & 255
        with w.when(place.ne(255)):
            x = f.load("ptr", args, place)
            each.set(x)
            k = f.fresh()
            f.branch(w.own("is_plain", x, returns="i1"), f"tensor{k}", f"other{k}")
            f.label(f"tensor{k}")
            there.set(True)
            a = w.field(x, slots.tensor["_array"])
            w.require(w.type_of(a).eq(w.word("ndarray")))
            f.store(a, given, place)
            kind = w.field(a, table.DESCR)
            if t == 0:
                f.branch(chooses.ne(0), f"condition{k}", f"typed{k}")
                f.label(f"condition{k}")
                w.require(kind.eq(w.word("i1")))
                f.jump(f"ready{k}")
                f.label(f"typed{k}")
            f.branch(leading.get().eq(0), f"first{k}", f"later{k}")
            f.label(f"first{k}")
            w.require(_kind(w, kind))
            leading.set(kind)
            f.jump(f"ready{k}")
            f.label(f"later{k}")
            w.require(kind.eq(leading.get()) | w.word("mixed").ne(0) & _kind(w, kind))
            f.jump(f"ready{k}")
            f.label(f"other{k}")
            if t == 0:
                f.jump("other")
            else:
                _plain_operand(w, x, t, numbered, f"ready{k}")
            f.label(f"ready{k}")
        found.append((there.get(), each.get()))
    kind = leading.get()
    floating = kind.eq(w.word("float")) | kind.eq(w.word("double"))
    whole = numbered.get().eq(1) & kind.ne(w.word("i1"))
    w.require(floating | numbered.get().eq(0) | whole)
    w.require(kind.ne(0))
    return found


def _plain_operand(w: Writer, x: Value, t: int, numbered: Variable, ready: str) -> None:
    """None where a tensor may be missing, a number of moderate size where it may be one."""
    f = w.f
    k = f.fresh()
    f.branch(w.is_none(x), f"none{k}", f"number{k}")
    f.label(f"none{k}")
    w.require((w.word("optional").to("i64") & (1 << t)).ne(0))
    f.jump(ready)
    f.label(f"number{k}")
    w.require((w.word("numbers").to("i64") & (1 << t)).ne(0))
    type = w.type_of(x)
    f.branch(type.eq(w.word("py_int")), f"int{k}", f"float{k}")
    f.label(f"int{k}")
    numbered.set(numbered.get() | 1)
    f.jump(ready)
    f.label(f"float{k}")
    numbered.set(numbered.get() | 2)
    w.require(type.eq(w.word("py_float")))
    value = w.field(x, table.FLOAT_VALUE, "double")
    size = f.intrinsic("fabs", value)
    w.require(size.lt(LARGEST) | size.eq(math.inf))
    f.jump(ready)


def _record(
    w: Writer, slots: Slots, t: Value, operands: list[tuple[Value, Value]], edges: list[Value],
    given: Value, kept: Variable | None,
) -> Value:  # fmt: skip
    """An `OpNode` behind `t`; `kept` takes the first operand's place where it is written. What was
    needed.
    """
    f = w.f
    none = w.word("none")
    needs = f.variable("i64", 0)
    for j, e in enumerate(edges):
        with w.when(w.is_none(e).eq(False)):
            needs.set(needs.get() | ((w.word("keeps").to("i64") >> (8 * j)) & 255))
    need = needs.get()
    node = w.make("op_node")
    w.put(node, slots.node["op"], w.held(w.word("op")))
    w.put(node, slots.node["hooks"], w.held(none))
    count = w.word("tensors").to("i64")

    def several(size: Value) -> Value:
        made = f.call(w.word("new_tuple"), "ptr", size)
        w.unless(made.eq(0))
        return made

    ways, saved, stores = several(count), several(count + 1), several(count + 1)
    for j, ((there, x), e) in enumerate(zip(operands, edges, strict=True)):
        k = f.fresh()
        f.branch(count.gt(j), f"one{k}", f"enough{k}")
        f.label(f"one{k}")
        f.store(w.held(e), w.items(ways), f.index(j))
        wanted = (need & (1 << j)).ne(0)
        place = (w.word("places").to("i64") >> (8 * j)) & 255
        value = f.load("ptr", given, place)
        if j == 0 and kept is not None:
            _keep_copy(w, slots, kept, value, wanted)
            value = f.select(wanted, w.field(kept.get(), slots.tensor["_array"]), value)
            x = f.select(wanted, kept.get(), x)
        f.store(choice(w, wanted, lambda value=value: value), w.items(saved), f.index(j))  # type: ignore[misc]
        store = choice(w, wanted & there, lambda x=x: stored(w, x))  # type: ignore[misc]
        f.store(store, w.items(stores), f.index(j))
        f.label(f"enough{k}")
    out = (need & OUT).ne(0)
    f.store(choice(w, out, lambda: w.field(t, slots.tensor["_array"])), w.items(saved), count)
    f.store(choice(w, out, lambda: stored(w, t)), w.items(stores), count)
    w.put(node, slots.node["edges"], ways)
    w.put(node, slots.node["saved"], saved)
    w.put(node, slots.node["stores"], stores)
    params = choice(w, (need & PARAMS).ne(0), lambda: _without_tensors(w))
    w.put(node, slots.node["params"], params)
    shapes = choice(w, (need & SHAPES).ne(0), lambda: _shapes(w, operands, given))
    w.put(node, slots.node["shapes"], shapes)
    with w.when((need & PARAMS).ne(0)):
        w.drop(params)
    with w.when((need & SHAPES).ne(0)):
        w.drop(shapes)
    w.require(w.own("finish", node, t, returns="i1"), "lost")
    return need


def _keep_copy(w: Writer, slots: Slots, kept: Variable, value: Value, wanted: Value) -> None:
    """The first operand as it was, in a tensor of its own: the rules see it before the write."""
    del slots
    with w.when(wanted):
        copy = w.f.call(w.word("new_copy"), "ptr", value, w.f.value("i32", 2))
        w.unless(copy.eq(0))
        made = w.own("wrap", copy)
        w.unless(made.eq(0))
        kept.set(made)


def _without_tensors(w: Writer) -> Value:
    """The arguments as a tuple, None for tensors; those of the operation where it has its own."""
    f = w.f
    fixed = f.variable("ptr", w.word("params"))
    k = f.fresh()
    f.branch(fixed.get().eq(0), f"given{k}", f"fixed{k}")
    f.label(f"fixed{k}")
    w.held(fixed.get())
    f.jump(f"both{k}")
    f.label(f"given{k}")
    n = f.argument["n"]
    made = f.call(w.word("new_tuple"), "ptr", n)
    w.unless(made.eq(0))
    with f.loop(0, n) as i:
        item = f.variable("ptr", f.load("ptr", f.argument["args"], i))
        for t in range(TENSORS):
            place = (w.word("places").to("i64") >> (8 * t)) & 255
            with w.when(place.eq(i)):
                item.set(w.word("none"))
        f.store(w.held(item.get()), w.items(made), i)
    fixed.set(made)
    f.label(f"both{k}")
    return fixed.get()


def _shapes(w: Writer, operands: list[tuple[Value, Value]], given: Value) -> Value:
    """The operands' shapes."""
    f = w.f
    count = w.word("tensors").to("i64")
    made = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(made.eq(0))
    for j, (there, _) in enumerate(operands):
        with w.when(count.gt(j)):
            each = f.variable("ptr", w.word("nothing"))
            place = (w.word("places").to("i64") >> (8 * j)) & 255
            k = f.fresh()
            f.branch(there, f"shape{k}", f"none{k}")
            f.label(f"shape{k}")
            shape = w.own("shape", f.load("ptr", given, place))
            w.unless(shape.eq(0))
            each.set(shape)
            f.jump(f"shaped{k}")
            f.label(f"none{k}")
            w.held(w.word("nothing"))
            f.label(f"shaped{k}")
            f.store(each.get(), w.items(made), f.index(j))
    return made


def _edges(
    w: Writer, operands: list[tuple[Value, Value]], recording: Value
) -> tuple[list[Value], Value]:
    """The operands' edges, and whether any is there."""
    f = w.f
    edges, any_edge = [], f.value("i1", 0)
    for there, x in operands:
        each = f.variable("ptr", w.word("none"))
        with w.when(there & recording):
            found = w.own("edge", x)
            w.unless(found.eq(0))
            each.set(found)
        edges.append(each.get())
        any_edge = any_edge | w.is_none(edges[-1]).eq(False)
    return edges, any_edge


def _differentiable(w: Writer, array: Value) -> Value:
    """Whether the array's dtype is floating or complex."""
    f = w.f
    kind = w.field(w.field(array, table.DESCR), table.KIND, "i8")
    found = f.value("i1", 0)
    for letter in sorted(FLOATING_KINDS):
        found = found | kind.eq(ord(letter))
    return found


def _several(made: Module, slots: Slots) -> None:
    """several(*args): the operation's arguments, none left out."""
    w = Writer(made, "several")
    f = w.f
    n = f.argument["n"]
    w.require(n.eq(w.word("arguments").to("i64")))
    given = f.memory("ptr", MOST + 1)
    leading = f.variable("ptr", 0)
    operands = _operands(w, slots, given, leading)
    at = w.word("dtype_at").to("i64")  # counted from 1: the argument that must be None
    with w.when(at.ne(0)):
        w.require(w.is_none(f.load("ptr", f.argument["args"], at - 1)))
    recording = mode(w)
    r = computed_from(w, given, n)
    k = f.fresh()
    kind = leading.get()
    floating = kind.eq(w.word("float")) | kind.eq(w.word("double"))
    wanted = f.select(w.word("same").to("i64").eq(SUMS) & ~floating, w.word("i64"), kind)
    same = w.word("same").eq(0) | w.field(r, table.DESCR).eq(wanted)
    f.branch(same, f"typed{k}", f"cast{k}")
    f.label(f"cast{k}")
    w.drop(r)
    f.jump("other")
    f.label(f"typed{k}")
    t = w.own("wrap", r)
    w.unless(t.eq(0))
    f.branch(recording & w.word("has_rules").ne(0) & _differentiable(w, r), "recording", "done")
    f.label("recording")
    edges, any_edge = _edges(w, operands, recording)
    f.branch(any_edge, "record", "done")
    f.label("record")
    _record(w, slots, t, operands, edges, given, None)
    f.label("done")
    f.ret(t)
    w.end()


def _write_several(made: Module, slots: Slots) -> None:
    """write_several(*args): written into the first, whose history changes where need be."""
    w = Writer(made, "write_several")
    f = w.f
    n = f.argument["n"]
    w.require(n.eq(w.word("arguments").to("i64")))
    given = f.memory("ptr", MOST + 1)
    leading = f.variable("ptr", 0)
    operands = _operands(w, slots, given, leading)
    recording = mode(w)
    x = f.load("ptr", f.argument["args"])
    a = f.load("ptr", given)
    edges, any_edge = _edges(w, operands, recording)
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
    need = _record(w, slots, t, operands, edges, given, kept)  # before the memory changes
    copied = f.call(w.word("copy_into"), "i32", a, r)
    w.drop(r)
    w.require(copied.eq(0), "lost")
    w.require(w.own("touch", stored(w, x), returns="i1"), "lost")
    node = w.held(w.field(t, slots.tensor["_edge"]))
    with w.when((need & OUT).ne(0)):  # what it saved is what was written now
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
    """Where the kernel takes the array to write last, and no history is made: written at once. What
    it refuses goes on.
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
    f.call(w.word("clear"), "void")
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
