"""The short way of an operation as one native function: tensors in, a tensor out.

It does what the forms in `elementwise`, `views` and `inplace` do, step by step: looks at its
operands and the thread's mode, calls the kernel on the arrays, wraps the result, makes the node.
What does not take the short way gets None. Offsets of slots are compiled in, addresses come from
the table behind `self`. Stands on kernels.jit, kernels.native.table, tensor, node.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from flambeau.core.entry.process import EXTRA, KNOWN, SLOTS, Slots
from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table

__all__ = ["module"]

SIGNATURE = (("ptr", "self"), ("ptr", "args"), ("i64", "n"))
NAMES = (*table.WORDS, *EXTRA)
FAST = ("fast0", "fast1", "fast2", "fast3", "fast4")


class Writer:
    """A function under construction, with the words of CPython's objects."""

    def __init__(self, made: Module, name: str, *arguments: str, returns: str = "ptr") -> None:
        self.made = made
        named = tuple(("ptr", a) for a in arguments)
        how: dict[str, Any] = {"internal": True, "attributes": "noinline"} if arguments else {}
        given = (("ptr", "self"), *named) if arguments else SIGNATURE
        self.f: Function = made.function(name, given, returns, **how)
        self.arguments = [self.f.argument[a] for a in arguments]

    def word(self, name: str) -> Value:
        """A word of the table."""
        f = self.f
        at = f.at(f.argument["self"], table.BYTES_VALUE + 8 * NAMES.index(name), "i8")
        return f.load("ptr", at)

    def field(self, thing: Value, offset: int, type: str = "ptr") -> Value:
        """What stands in an object."""
        return self.f.load(type, self.f.at(thing, offset, "i8"))

    def put(self, thing: Value, offset: int, value: Value) -> None:
        """Fill a slot of a new object; takes the reference."""
        self.f.store(value, self.f.at(thing, offset, "i8"))

    def type_of(self, thing: Value) -> Value:
        """The type of an object."""
        return self.field(thing, table.TYPE)

    def is_none(self, thing: Value) -> Value:
        """Whether it is None."""
        return thing.eq(self.word("none"))

    def held(self, thing: Value) -> Value:
        """The object, with one reference more."""
        f = self.f
        if sys.version_info < (3, 12):  # later ones have objects that are not counted
            f.store(f.load("i64", thing) + 1, thing)
        else:
            f.call(self.word("incref"), "void", thing)
        return thing

    def drop(self, thing: Value) -> None:
        """One reference less."""
        self.f.call(self.word("decref"), "void", thing)

    def invoke(self, function: Value, *given: Value) -> Value:
        """Call a Python object; NULL for an error."""
        f = self.f
        room = f.memory("ptr", len(given))
        for k, x in enumerate(given):
            f.store(x, room, f.index(k))
        null = f.value("ptr", 0)
        return f.call(self.word("call"), "ptr", function, room, f.index(len(given)), null)

    def own(self, name: str, *given: Value, returns: str = "ptr") -> Value:
        """Call a function of the module."""
        return self.f.call(f"@{name}", returns, self.f.argument["self"], *given)

    def make(self, kind: str) -> Value:
        """A new object of a class that takes no arguments; its slots are empty."""
        f = self.f
        null = f.value("ptr", 0)
        made = f.call(self.word("new_object"), "ptr", self.word(kind), self.word("nothing"), null)
        self.unless(made.eq(0))
        return made

    def tuple(self, *items: Value) -> Value:
        """A new tuple; takes the references."""
        f = self.f
        made = f.call(self.word("new_tuple"), "ptr", f.index(len(items)))
        self.unless(made.eq(0))
        for k, x in enumerate(items):
            f.store(x, self.items(made), f.index(k))
        return made

    def items(self, given: Value) -> Value:
        """Where a tuple's items lie."""
        return self.f.at(given, SLOTS().tuple_items, "i8")

    def unless(self, condition: Value, way: str = "lost") -> None:
        """Leave where it holds."""
        k = self.f.fresh()
        self.f.branch(condition, way, f"on{k}")
        self.f.label(f"on{k}")

    def require(self, condition: Value, way: str = "other") -> None:
        """Leave where it does not hold."""
        k = self.f.fresh()
        self.f.branch(condition, f"on{k}", way)
        self.f.label(f"on{k}")

    @contextmanager
    def when(self, condition: Value) -> Any:
        """``if condition:``."""
        with self.f.when(condition):
            yield

    def fall_back(self) -> None:
        """The ways out: an error; the Python form."""
        f = self.f
        f.label("lost")
        f.ret(f.value(f.returns, 0))
        f.label("other")
        args, n, null = f.argument["args"], f.argument["n"], f.value("ptr", 0)
        f.ret(f.call(self.word("call"), "ptr", self.word("fallback"), args, n, null))

    def end(self, *, other: bool = True) -> None:
        """The ways out: an error; None where the short way does not serve."""
        f = self.f
        f.label("lost")
        f.ret(f.value(f.returns, 0))
        if other:
            f.label("other")
            f.ret(self.held(self.word("none")))


def _is_plain(made: Module) -> None:
    w = Writer(made, "is_plain", "x", returns="i1")
    (x,) = w.arguments
    kind, shared = w.type_of(x), w.word("shared")
    found = kind.eq(w.f.load("ptr", shared))
    for k in range(1, 4):
        found = found | kind.eq(w.f.load("ptr", shared, w.f.index(k)))
    w.f.ret(found)


def _wrap(made: Module, slots: Slots) -> None:
    """wrap(array): a tensor without history; takes the reference."""
    w = Writer(made, "wrap", "array")
    (array,) = w.arguments
    t = w.make("tensor")
    none = w.word("none")
    w.put(t, slots.tensor["_array"], array)
    for name in ("_storage", "_view", "_grad", "_edge"):
        w.put(t, slots.tensor[name], w.held(none))
    w.f.ret(t)
    w.end(other=False)


def _storage(made: Module, slots: Slots) -> None:
    """storage(tensor): made now if it has none yet; held by the tensor."""
    w = Writer(made, "storage", "t")
    f, (t,) = w.f, w.arguments
    have = w.field(t, slots.tensor["_storage"])
    f.branch(w.type_of(have).eq(w.word("storage")), "there", "look")
    f.label("there")
    f.ret(have)
    f.label("look")
    f.branch(w.is_none(have), "new", "exported")
    f.label("new")
    fresh = w.make("storage")
    w.put(t, slots.tensor["_storage"], fresh)
    w.drop(have)
    f.ret(fresh)
    f.label("exported")
    found = w.invoke(w.word("storage_of"), t)
    w.unless(found.eq(0))
    w.drop(found)
    f.ret(found)
    w.end(other=False)


def _edge(made: Module, slots: Slots) -> None:
    """edge(tensor), held by the tensor."""
    w = Writer(made, "edge", "t")
    f, (t,) = w.f, w.arguments
    f.branch(w.is_none(w.field(t, slots.tensor["_view"])), "own", "view")
    f.label("own")
    f.ret(w.field(t, slots.tensor["_edge"]))
    f.label("view")
    found = w.invoke(w.word("edge_of"), t)
    w.unless(found.eq(0))
    w.drop(found)
    f.ret(found)
    w.end(other=False)


def _shape(made: Module) -> None:
    """shape(array) as a tuple."""
    w = Writer(made, "shape", "array")
    f, (array,) = w.f, w.arguments
    count = w.field(array, table.NDIM, "i32").to("i64")
    dims = w.field(array, table.DIMS)
    made_tuple = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(made_tuple.eq(0))
    with f.loop(0, count) as i:
        number = f.call(w.word("from_long"), "ptr", f.load("i64", dims, i))
        w.unless(number.eq(0))
        f.store(number, w.items(made_tuple), i)
    f.ret(made_tuple)
    w.end(other=False)


def _place(made: Module) -> None:
    """place(room, depth): the user's code object and instruction into `room`, new references;
    whether there was no error. `depth` counts Python's frames from the innermost.
    """
    w = Writer(made, "place", "room", "depth", returns="i1")
    f, (room, depth) = w.f, w.arguments
    frame = w.invoke(w.word("getframe"), depth)
    w.unless(frame.eq(0))
    code = f.call(w.word("frame_code"), "ptr", frame)
    known = f.at(w.word("shared"), 8 * KNOWN, "i8")
    slot = (code.to("i64") >> 6) & 255
    f.branch(f.load("ptr", known, slot).eq(code), "users", "search")
    f.label("users")
    _give_place(w, room, frame, code)
    f.label("search")
    w.drop(code)
    outer = w.invoke(w.word("user_frame"), frame)
    w.drop(frame)
    w.unless(outer.eq(0))
    _give_place(w, room, outer, f.call(w.word("frame_code"), "ptr", outer))
    w.end(other=False)


def _give_place(w: Writer, room: Value, frame: Value, code: Value) -> None:
    f = w.f
    offset = f.call(w.word("frame_lasti"), "i32", frame).to("i64")
    f.store(code, room)
    f.store(f.call(w.word("from_long"), "ptr", offset), room, f.index(1))
    w.drop(frame)
    f.ret(True)


def _finish(made: Module, slots: Slots) -> None:
    """finish(node, tensor): what every node ends with, and the tensor its edge; both held."""
    w = Writer(made, "finish", "node", "t", returns="i1")
    f, (node, t) = w.f, w.arguments
    array = w.field(t, slots.tensor["_array"])
    shape = w.own("shape", array)
    w.unless(shape.eq(0))
    w.put(node, slots.node["shape"], shape)
    w.put(node, slots.node["dtype"], w.held(w.field(array, table.DESCR)))
    room = f.memory("ptr", 2)
    w.require(w.own("place", room, w.word("depth"), returns="i1"), "lost")
    w.put(node, slots.node["code"], f.load("ptr", room))
    w.put(node, slots.node["lasti"], f.load("ptr", room, f.index(1)))
    number = f.call(w.word("iter_next"), "ptr", w.word("count"))
    w.unless(number.eq(0))
    w.put(node, slots.node["sequence"], number)
    w.drop(w.field(t, slots.tensor["_edge"]))
    w.put(t, slots.tensor["_edge"], node)
    f.ret(True)
    w.end(other=False)


def _mode(w: Writer) -> Value:
    """Whether operations are recorded; leaves where the mode is neither of the two plain ones."""
    f = w.f
    room = f.variable("ptr", 0)
    null = f.value("ptr", 0)
    got = f.call(w.word("get_variable"), "i32", w.word("mode"), null, room.address)
    w.require(got.eq(0), "lost")
    now = room.get()
    w.drop(now)
    recording = w.is_none(now)
    w.require(recording | now.eq(w.word("no_grad")))
    return recording


def _operand(w: Writer, slots: Slots, x: Value) -> Value:
    """The array of a plain tensor."""
    w.require(w.own("is_plain", x, returns="i1"))
    a = w.field(x, slots.tensor["_array"])
    w.require(w.type_of(a).eq(w.word("ndarray")))
    return a


def _fast(w: Writer, kind: Value) -> None:
    """Leave where the dtype is not one of the operation's short way."""
    found = kind.eq(w.word(FAST[0]))
    for name in FAST[1:]:
        found = found | kind.eq(w.word(name))
    w.require(found)


def _computed(w: Writer, *arrays: Value) -> Value:
    """The kernel's result as an array; an ordinary exception leaves to the long way."""
    f = w.f
    found = f.variable("ptr")
    first = w.invoke(w.word("kernel"), *arrays)
    found.set(first)
    k = f.fresh()
    f.branch(first.eq(0), f"raised{k}", f"computed{k}")
    f.label(f"raised{k}")
    matches = f.call(w.word("matches"), "i32", w.word("exception"))
    w.require(matches.ne(0), "lost")
    f.call(w.word("clear"), "void")
    f.jump("other")
    f.label(f"computed{k}")
    f.branch(w.type_of(first).eq(w.word("ndarray")), f"array{k}", f"settle{k}")
    f.label(f"settle{k}")
    settled = w.invoke(w.word("settle"), first)
    w.drop(first)
    w.unless(settled.eq(0))
    found.set(settled)
    f.label(f"array{k}")
    return found.get()


def _begin(w: Writer, count: int) -> list[Value]:
    f = w.f
    w.require(f.argument["n"].eq(count))
    return [f.load("ptr", f.argument["args"], f.index(k)) for k in range(count)]


def _choice(w: Writer, condition: Value, value: Callable[[], Value]) -> Value:
    """``value() if condition else None``, a new reference."""
    f = w.f
    found = f.variable("ptr")
    k = f.fresh()
    f.branch(condition, f"yes{k}", f"no{k}")
    f.label(f"yes{k}")
    found.set(w.held(value()))
    f.jump(f"chosen{k}")
    f.label(f"no{k}")
    found.set(w.held(w.word("none")))
    f.label(f"chosen{k}")
    return found.get()


def _stored(w: Writer, t: Value) -> Value:
    found = w.own("storage", t)
    w.unless(found.eq(0))
    return found


def _record(
    w: Writer, slots: Slots, t: Value, edges: list[Value], keeps: Value, values: list[Value],
    owners: list[Value | None], tensors: list[Value | None],
) -> None:  # fmt: skip
    """An `ElementNode` behind `t`.

    Args:
        w: where it is written.
        slots: where slots are.
        t: the result.
        edges: of the operands.
        keeps: a bit for each value that is kept.
        values: the operands' arrays or numbers, then the result's array.
        owners: the tensors they belong to.
        tensors: conditions under which an owner is one; None for always.
    """
    f = w.f
    node = w.make("element_node")
    w.put(node, slots.node["op"], w.held(w.word("op")))
    w.put(node, slots.node["edges"], w.tuple(*[w.held(e) for e in edges]))
    k = f.fresh()
    f.branch(keeps.eq(0), f"bare{k}", f"keep{k}")
    f.label(f"bare{k}")
    nothing = w.word("kept_nothing")
    w.put(node, slots.node["saved"], w.held(nothing))
    w.put(node, slots.node["stores"], w.held(nothing))
    f.jump(f"kept{k}")
    f.label(f"keep{k}")
    saved, stores = [], []
    for j, (value, owner, tensor) in enumerate(zip(values, owners, tensors, strict=True)):
        wanted = (keeps & (1 << j)).ne(0)
        saved.append(_choice(w, wanted, lambda value=value: value))  # type: ignore[misc]
        if tensor is not None:
            wanted = wanted & tensor
        stores.append(_choice(w, wanted, lambda owner=owner: _stored(w, owner)))  # type: ignore[misc]
    w.put(node, slots.node["saved"], w.tuple(*saved))
    w.put(node, slots.node["stores"], w.tuple(*stores))
    f.label(f"kept{k}")
    w.require(w.own("finish", node, t, returns="i1"), "lost")


def _unary(made: Module, slots: Slots) -> None:
    """unary(input)."""
    w = Writer(made, "unary")
    f = w.f
    (x,) = _begin(w, 1)
    a = _operand(w, slots, x)
    _fast(w, w.field(a, table.DESCR))
    recording = _mode(w)
    r = _computed(w, a)
    t = w.own("wrap", r)
    w.unless(t.eq(0))
    f.branch(recording & w.word("has_rules").ne(0), "recording", "done")
    f.label("recording")
    e = w.own("edge", x)
    w.unless(e.eq(0))
    f.branch(w.is_none(e), "done", "record")
    f.label("record")
    keeps = w.word("keeps").to("i64")
    _record(w, slots, t, [e], keeps, [a, r], [x, t], [None, None])
    f.label("done")
    f.ret(t)
    w.end()


def _number(w: Writer, x: Value, kind: Value) -> None:
    """Leave where `x` is no Python number of a kind that takes the tensor's dtype."""
    f = w.f
    type = w.type_of(x)
    floating = kind.eq(w.word("float")) | kind.eq(w.word("double"))
    integral = kind.eq(w.word("i64")) | kind.eq(w.word("int32"))
    whole = type.eq(w.word("py_int"))
    fits = floating & (whole | type.eq(w.word("py_float"))) | integral & whole
    w.require(fits & w.word("numbers").ne(0))
    del f


def _binary(made: Module, slots: Slots) -> None:
    """binary(input, other): two tensors of one dtype, or a tensor and a number."""
    w = Writer(made, "binary")
    f = w.f
    x, y = _begin(w, 2)
    a = _operand(w, slots, x)
    kind = w.field(a, table.DESCR)
    _fast(w, kind)
    recording = _mode(w)
    b = f.variable("ptr", y)
    tensor = w.own("is_plain", y, returns="i1")
    f.branch(tensor, "tensor", "number")
    f.label("tensor")
    other = w.field(y, slots.tensor["_array"])
    w.require(w.type_of(other).eq(w.word("ndarray")))
    w.require(w.field(other, table.DESCR).eq(kind))
    b.set(other)
    f.jump("ready")
    f.label("number")
    _number(w, y, kind)
    f.label("ready")
    r = _computed(w, a, b.get())
    t = w.own("wrap", r)
    w.unless(t.eq(0))
    f.branch(recording & w.word("has_rules").ne(0), "recording", "done")
    f.label("recording")
    first = w.own("edge", x)
    w.unless(first.eq(0))
    second = f.variable("ptr", w.word("none"))
    with w.when(tensor):
        found = w.own("edge", y)
        w.unless(found.eq(0))
        second.set(found)
    no_first, no_second = w.is_none(first), w.is_none(second.get())
    f.branch(no_first & no_second, "done", "record")
    f.label("record")
    keeps = w.word("keeps").to("i64")  # three bits for the first's gradient, three for the other's
    keeps = f.select(no_first, 0, keeps & 7) | f.select(no_second, 0, keeps >> 3)
    _record(
        w, slots, t, [first, second.get()], keeps, [a, b.get(), r], [x, y, t], [None, tensor, None]
    )
    f.label("done")
    f.ret(t)
    w.end()


def _show(made: Module, slots: Slots) -> None:
    """show(op, input, array, rest, recording): the tensor of a view, whose node is made on demand;
    takes `array` and `rest`, the arguments after the input.
    """
    w = Writer(made, "show", "op", "x", "array", "rest", "recording")
    f = w.f
    op, x, array, rest, recording = w.arguments
    t = w.own("wrap", array)
    w.unless(t.eq(0))
    s = _stored(w, x)
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
    op, x, array, args = _begin(w, 4)
    recording = _mode(w)
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
    a = _operand(w, slots, x)
    recording = _mode(w)
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


def _written(w: Writer, slots: Slots, x: Value, a: Value, recording: Value) -> None:
    """Leave where `x` may not simply be written."""
    f = w.f
    free = w.is_none(w.field(x, slots.tensor["_edge"]))
    free = free & w.is_none(w.field(x, slots.tensor["_view"]))
    w.require(free | recording.eq(False))
    steps = w.field(a, table.STRIDES)
    with f.loop(0, w.field(a, table.NDIM, "i32").to("i64")) as i:
        w.require(f.load("i64", steps, i).ne(0))
    have = w.field(x, slots.tensor["_storage"])
    with w.when(w.is_none(have).eq(False)):
        inference = f.call(w.word("get_attribute"), "ptr", have, w.word("inference"))
        w.unless(inference.eq(0))
        w.drop(inference)
        w.require(inference.eq(w.word("false")))


def _finish_write(w: Writer, x: Value) -> None:
    w.require(w.own("touch", _stored(w, x), returns="i1"), "lost")
    w.f.ret(w.held(x))


def _write_unary(made: Module, slots: Slots) -> None:
    """write_unary(input): the operation written into its operand."""
    w = Writer(made, "write_unary")
    (x,) = _begin(w, 1)
    a = _operand(w, slots, x)
    _fast(w, w.field(a, table.DESCR))
    _written(w, slots, x, a, _mode(w))
    w.drop(_computed(w, a, a))
    _finish_write(w, x)
    w.end()


def _write_binary(made: Module, slots: Slots) -> None:
    """write_binary(input, other): the operation written into its first operand."""
    w = Writer(made, "write_binary")
    f = w.f
    x, y = _begin(w, 2)
    a = _operand(w, slots, x)
    kind = w.field(a, table.DESCR)
    _fast(w, kind)
    recording = _mode(w)
    _written(w, slots, x, a, recording)
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
    _number(w, y, kind)
    f.label("ready")
    w.drop(_computed(w, a, b.get(), a))
    _finish_write(w, x)
    w.end()


EQUAL = 2
"""CPython's number of the comparison `==`."""
MOST = 8
"""Arguments of a view at most."""


def module() -> Module:
    """All of them."""
    made, slots = Module("entries"), SLOTS()
    _is_plain(made)
    _shape(made)
    _place(made)
    _touch(made)
    for write in (
        _wrap, _storage, _edge, _finish, _unary, _binary, _show, _look, _write_unary, _write_binary,
    ):  # fmt: skip
        write(made, slots)
    _as_view(made)
    return made
