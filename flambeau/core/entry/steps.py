"""What the native entries share: functions of their module, and steps written into each.

Stands on writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from flambeau.core.entry.dying import LARGE
from flambeau.core.entry.mixed import ALIKE, NUMBER, RANKED, ROW, TYPES, UNSERVED
from flambeau.core.entry.process import CODES, KNOWN, Slots
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import same_shape

__all__ = [
    "begin",
    "called",
    "choice",
    "computed",
    "functions",
    "mode",
    "kept_store",
    "operand",
    "own_slots",
    "computed_from",
    "computed_large",
    "record",
    "result",
    "stored",
    "written",
]


def is_plain(made: Module) -> None:
    w = Writer(made, "is_plain", "x", returns="i1")
    (x,) = w.arguments
    kind, shared = w.type_of(x), w.word("shared")
    found = kind.eq(w.f.load("ptr", shared))
    for k in range(1, 4):
        found = found | kind.eq(w.f.load("ptr", shared, w.f.index(k)))
    w.f.ret(found)


def wrap(made: Module, slots: Slots) -> None:
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


def infer(made: Module, slots: Slots) -> None:
    """infer(tensor): it was made under inference mode, and so was its memory; whether there was no
    error.
    """
    w = Writer(made, "infer", "t", returns="i1")
    (t,) = w.arguments
    fresh = w.make("inferred")
    for field, value in (
        ("version", "zero"), ("written", "endless"), ("changed", "endless"), ("writer", "none"),
        ("origin", "none"), ("writing", "no_text"), ("inference", "true"),
    ):  # fmt: skip
        w.put(fresh, slots.storage[field], w.held(w.word(value)))
    w.drop(w.field(t, slots.tensor["_storage"]))
    w.put(t, slots.tensor["_storage"], fresh)
    w.f.ret(True)
    w.end(other=False)


def result(w: Writer, array: Value) -> Value:
    """A tensor of its own around what was computed; takes the reference."""
    t = w.own("wrap", array)
    w.unless(t.eq(0))
    assert w.inferring is not None
    with w.when(w.inferring):
        w.require(w.own("infer", t, returns="i1"), "lost")
    return t


def storage(made: Module, slots: Slots) -> None:
    """storage(tensor): made now if it has none yet; held by the tensor. kept_storage(tensor): the
    same for who saves it.
    """
    for name, long in (("storage", "storage_of"), ("kept_storage", "saved_storage")):
        _storage(made, slots, name, long)


def _storage(made: Module, slots: Slots, name: str, long: str) -> None:
    w = Writer(made, name, "t")
    f, (t,) = w.f, w.arguments
    have = w.field(t, slots.tensor["_storage"])
    f.branch(w.type_of(have).eq(w.word("storage")), "there", "look")
    f.label("there")
    f.ret(have)
    f.label("look")
    f.branch(w.is_none(have), "new", "exported")
    f.label("new")
    fresh = w.make("storage")
    for field, value in (
        ("version", "zero"), ("written", "zero"), ("changed", "zero"), ("writer", "none"),
        ("origin", "none"), ("writing", "no_text"), ("inference", "false"),
    ):  # fmt: skip
        w.put(fresh, slots.storage[field], w.held(w.word(value)))
    w.put(t, slots.tensor["_storage"], fresh)
    w.drop(have)
    f.ret(fresh)
    f.label("exported")
    if long == "storage_of":
        f.branch(w.type_of(have).eq(w.word("inferred")), "there", "told")
        f.label("told")
    found = w.invoke(w.word(long), t)
    w.unless(found.eq(0))
    w.drop(found)
    f.ret(found)
    w.end(other=False)


def edge(made: Module, slots: Slots) -> None:
    """edge(tensor), held by the tensor."""
    w = Writer(made, "edge", "t")
    f, (t,) = w.f, w.arguments
    f.branch(w.is_none(w.field(t, slots.tensor["_view"])), "own", "view")
    f.label("own")
    f.ret(w.field(t, slots.tensor["_edge"]))
    f.label("view")
    # Written since: the history is another. A view whose node nobody asked for: it is made now.
    have, shown = w.field(t, slots.tensor["_storage"]), w.items(w.field(t, slots.tensor["_view"]))
    f.branch(w.type_of(have).eq(w.word("storage")), "stored", "long")
    f.label("stored")
    version = w.field(have, slots.storage["version"])
    f.branch(version.eq(f.load("ptr", shown, f.index(1))), "fresh", "written")
    f.label("written")
    base = f.load("ptr", shown)
    nothing = w.is_none(w.field(base, slots.tensor["_edge"]))
    nothing = nothing & w.is_none(w.field(t, slots.tensor["_edge"]))
    f.branch(nothing, "own", "long")
    f.label("fresh")
    edge = w.field(t, slots.tensor["_edge"])
    f.branch(w.type_of(edge).eq(w.word("py_tuple")), "made", "ready")
    f.label("ready")
    f.ret(edge)
    f.label("made")
    f.ret(_view_node(w, slots, t, edge))
    f.label("long")
    found = w.invoke(w.word("edge_of"), t)
    w.unless(found.eq(0))
    w.drop(found)
    f.ret(found)
    w.end(other=False)


def _view_node(w: Writer, slots: Slots, t: Value, left: Value) -> Value:
    """The node of a view, from the tuple that `show` left in its place; held by the tensor."""
    f = w.f
    op, source, args, shape, code, lasti, number = (
        f.load("ptr", w.items(left), f.index(k)) for k in range(7)
    )
    way = f.variable("ptr", source)
    with w.when(w.own("is_plain", source, returns="i1")):
        found = w.own("edge", source)
        w.unless(found.eq(0))
        way.set(found)
    node = w.make("op_node")
    count = w.field(args, table.TUPLE_SIZE, "i64")
    params = f.call(w.word("new_tuple"), "ptr", count + 1)
    w.unless(params.eq(0))
    f.store(w.held(w.word("none")), w.items(params))
    with f.loop(0, count) as i:
        f.store(w.held(f.load("ptr", w.items(args), i)), w.items(params), i + 1)
    array = w.field(t, slots.tensor["_array"])
    own = w.own("shape", array)
    w.unless(own.eq(0))
    nothing = w.word("nothing_saved")
    for name, value in (
        ("op", w.held(op)), ("edges", w.tuple(w.held(way.get()))), ("saved", w.held(nothing)),
        ("stores", w.held(nothing)), ("hooks", w.held(w.word("none"))), ("params", params),
        ("shapes", w.tuple(w.held(shape))), ("shape", own),
        ("dtype", w.held(w.field(array, table.DESCR))), ("code", w.held(code)),
        ("lasti", w.held(lasti)), ("sequence", w.held(number)),
    ):  # fmt: skip
        w.put(node, slots.node[name], value)
    w.put(t, slots.tensor["_edge"], node)
    w.drop(left)
    return node


def shape(made: Module) -> None:
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


def place(made: Module) -> None:
    """place(room, depth): the user's code object and instruction into `room`, new references;
    whether there was no error. `depth` counts Python's frames from the innermost.
    """
    w = Writer(made, "place", "room", "depth", returns="i1")
    f, (room, depth) = w.f, w.arguments
    start = w.invoke(w.word("getframe"), depth)
    walk = f.variable("ptr", start)
    with w.when(start.eq(0)):  # called by the interpreter itself: at its end, from a thread's start
        f.call(w.word("clear"), "void")
        outermost = w.invoke(w.word("getframe"))
        w.unless(outermost.eq(0))
        walk.set(outermost)
    known = f.at(w.word("shared"), 8 * KNOWN, "i8")
    f.label("look")
    frame = walk.get()
    code = f.call(w.word("frame_code"), "ptr", frame)
    slot = (code.to("i64") >> 6) & (CODES - 1)
    f.branch(f.load("ptr", known, slot).eq(code), "users", "inner")
    f.label("users")
    _give_place(w, room, frame, code)
    f.label("inner")
    w.drop(code)
    f.branch(f.load("ptr", known, slot + CODES).eq(code), "outward", "search")
    f.label("outward")
    back = f.call(w.word("frame_back"), "ptr", frame)
    f.branch(back.eq(0), "search", "further")
    f.label("further")
    w.drop(frame)
    walk.set(back)
    f.jump("look")
    f.label("search")
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


def locate(made: Module, slots: Slots) -> None:
    """locate(node): the user's place and the node's in the order of things."""
    w = Writer(made, "locate", "node", returns="i1")
    f, (node,) = w.f, w.arguments
    room = f.memory("ptr", 2)
    w.require(w.own("place", room, w.word("depth"), returns="i1"), "lost")
    w.put(node, slots.node["code"], f.load("ptr", room))
    w.put(node, slots.node["lasti"], f.load("ptr", room, f.index(1)))
    number = f.call(w.word("iter_next"), "ptr", w.word("count"))
    w.unless(number.eq(0))
    w.put(node, slots.node["sequence"], number)
    f.ret(True)
    w.end(other=False)


def finish(made: Module, slots: Slots) -> None:
    """finish(node, tensor): what every node ends with, and the tensor its edge; both held."""
    w = Writer(made, "finish", "node", "t", returns="i1")
    f, (node, t) = w.f, w.arguments
    array = w.field(t, slots.tensor["_array"])
    shape = w.own("shape", array)
    w.unless(shape.eq(0))
    w.put(node, slots.node["shape"], shape)
    w.put(node, slots.node["dtype"], w.held(w.field(array, table.DESCR)))
    w.require(w.own("locate", node, returns="i1"), "lost")
    w.drop(w.field(t, slots.tensor["_edge"]))
    w.put(t, slots.tensor["_edge"], node)
    f.ret(True)
    w.end(other=False)


def mode(w: Writer) -> Value:
    """Whether operations are recorded; leaves where the mode is none of the plain ones."""
    f = w.f
    room = f.variable("ptr", 0)
    null = f.value("ptr", 0)
    got = f.call(w.word("get_variable"), "i32", w.word("mode"), null, room.address)
    w.require(got.eq(0), "lost")
    now = room.get()
    w.drop(now)
    recording, w.inferring = w.is_none(now), now.eq(w.word("inference_mode"))
    w.require(recording | now.eq(w.word("no_grad")) | w.inferring)
    return recording


def code(made: Module) -> None:
    """code(operand): four times its dtype's number, and its rank: 2 with dimensions, 1 without, 0
    for a Python number; -1 for what may not meet others.
    """
    w = Writer(made, "code", "x", returns="i64")
    f, (x,) = w.f, w.arguments
    type = w.type_of(x)
    f.branch(type.eq(w.word("ndarray")), "array", "number")
    f.label("array")
    kind = w.field(x, table.DESCR)
    own = w.field(kind, table.TYPE_NUMBER, "i32").to("i64")
    number = f.select(own.lt(TYPES - 2), own, TYPES)
    for k, name in enumerate(("half", "bf16")):
        number = f.select(kind.eq(w.word(name)), TYPES - 2 + k, number)
    rank = f.select(w.field(x, table.NDIM, "i32").eq(0), f.index(1), 2)
    f.ret(f.select(number.lt(TYPES), number * 4 + rank, -1))
    f.label("number")
    real, whole = (np.dtype(t).num * 4 for t in ("f8", "i8"))
    found = f.select(type.eq(w.word("py_float")), f.index(real), -1)
    f.ret(f.select(type.eq(w.word("py_int")), whole, found))


def meeting(made: Module) -> None:
    """meeting(a, b): the row of two operands' dtypes; null where there is none."""
    w = Writer(made, "meeting", "a", "b")
    f, (a, b) = w.f, w.arguments
    w.require(w.word("types").ne(0), "lost")
    one, two = (w.own("code", x, returns="i64") for x in (a, b))
    w.require(one.ge(0) & two.ge(0), "lost")
    first, second = one & 3, two & 3
    swapped = second.gt(first)
    high, low = f.select(swapped, two, one), f.select(swapped, one, two)
    how = f.select((low & 3).eq(0), f.index(NUMBER), RANKED)
    how = f.select(first.eq(second), ALIKE, how)
    index = (how * TYPES + (high >> 2)) * TYPES + (low >> 2)
    row = f.at(w.word("types"), index * len(ROW), "i64")
    with w.when(f.load("i64", row).eq(0)):
        number = f.call(w.word("from_long"), "ptr", index)
        w.unless(number.eq(0), "gone")
        done = w.invoke(w.word("fill"), number)
        w.drop(number)
        w.unless(done.eq(0), "gone")
        w.drop(done)
    f.ret(f.select(f.load("i64", row).gt(UNSERVED), row, f.value("ptr", 0)))
    f.label("gone")
    f.call(w.word("clear"), "void")
    f.jump("lost")
    w.end(other=False)


def in_type(made: Module) -> None:
    """in_type(operand, row): an array in the dtype that a row says; anything else as it is."""
    w = Writer(made, "in_type", "x", "row")
    f, (x, row) = w.f, w.arguments
    f.branch(w.type_of(x).eq(w.word("ndarray")), "array", "same")
    f.label("array")
    wanted = f.load("ptr", row, ROW.index("computed"))
    f.branch(w.field(x, table.DESCR).eq(wanted), "same", "other")
    f.label("other")
    f.ret(w.invoke(f.load("ptr", row, ROW.index("cast")), x))
    f.label("same")
    f.ret(w.held(x))


def combined(w: Writer, *operands: Value) -> Value:
    """The kernel's result on operands of different dtypes, cast to the one computed in."""
    f = w.f
    row = w.own("meeting", operands[0], operands[-1])
    w.unless(row.eq(0), "other")
    room = f.memory("ptr", len(operands))
    cast: list[Value] = []
    for k, x in enumerate(operands):
        found = w.own("in_type", x, row)
        f.store(found, room, f.index(k))
        w.unless(found.eq(0))
        cast.append(found)
    r = computed_from(w, room, f.index(len(operands)), cast)
    k = f.fresh()
    fits = w.field(r, table.DESCR).eq(f.load("ptr", row, ROW.index("result")))
    f.branch(fits, f"fits{k}", f"differs{k}")
    f.label(f"differs{k}")
    w.drop(r)
    f.jump("other")
    f.label(f"fits{k}")
    return r


def operand(w: Writer, slots: Slots, x: Value) -> Value:
    """The array of a plain tensor."""
    w.require(w.own("is_plain", x, returns="i1"))
    a = w.field(x, slots.tensor["_array"])
    w.require(w.type_of(a).eq(w.word("ndarray")))
    return a


def computed(w: Writer, *arrays: Value) -> Value:
    """The kernel's result as an array; an ordinary exception leaves to the long way."""
    room = w.f.memory("ptr", len(arrays))
    for k, x in enumerate(arrays):
        w.f.store(x, room, w.f.index(k))
    return computed_from(w, room, w.f.index(len(arrays)))


def computed_large(
    w: Writer, name: str, large: Value, operands: list[Value], arrays: list[Value]
) -> Value:
    """The same of operands of which one that dies holds the result if they are large.

    Args:
        w: where it is written.
        name: the function that is asked.
        large: the array of a tensor among them.
        operands: tensors or numbers.
        arrays: their arrays, or the numbers.
    """
    f = w.f
    found = f.variable("ptr")
    size = f.variable("i64", w.word("elides").to("i64"))
    dims = w.field(large, table.DIMS)
    with f.loop(0, w.field(large, table.NDIM, "i32").to("i64")) as i:
        size.set(size.get() * f.load("i64", dims, i))
    k = f.fresh()
    f.branch(size.get().ge(LARGE), f"ask{k}", f"fresh{k}")
    f.label(f"ask{k}")
    got = w.invoke(w.word(name), w.word("kernel"), *operands, *arrays)
    w.unless(got.eq(0))
    found.set(got)
    f.branch(w.type_of(got).eq(w.word("ndarray")), f"have{k}", f"none{k}")
    f.label(f"none{k}")
    w.drop(got)
    f.jump(f"fresh{k}")
    f.label(f"fresh{k}")
    found.set(computed(w, *arrays))
    f.label(f"have{k}")
    return found.get()


def computed_from(w: Writer, given: Value, count: Value, used: Sequence[Value] = ()) -> Value:
    """The same of `count` arguments in a row; those of `used` are given up then."""
    f = w.f
    null = f.value("ptr", 0)
    first = called(w, given, count, used)
    found = f.variable("ptr", first)
    k = f.fresh()
    f.branch(w.type_of(first).eq(w.word("ndarray")), f"array{k}", f"settle{k}")
    f.label(f"settle{k}")
    f.branch(w.type_of(first).eq(w.word("py_tuple")), f"tuple{k}", f"number{k}")
    f.label(f"tuple{k}")
    w.drop(first)
    f.jump("other")
    f.label(f"number{k}")
    is_scalar = f.call(w.word("is_subtype"), "i32", w.type_of(first), w.word("generic")).ne(0)
    made = f.variable("ptr")
    f.branch(is_scalar, f"scalar{k}", f"thing{k}")
    f.label(f"scalar{k}")  # what NumPy gives for arrays without dimensions
    made.set(f.call(w.word("from_scalar"), "ptr", first, null))
    f.jump(f"made{k}")
    f.label(f"thing{k}")
    made.set(w.invoke(w.word("settle"), first))
    f.label(f"made{k}")
    settled = made.get()
    w.drop(first)
    w.unless(settled.eq(0))
    found.set(settled)
    f.branch(w.type_of(settled).eq(w.word("ndarray")), f"array{k}", f"odd{k}")
    f.label(f"odd{k}")
    w.drop(settled)
    f.jump("other")
    f.label(f"array{k}")
    return found.get()


def called(w: Writer, given: Value, count: Value, used: Sequence[Value] = ()) -> Value:
    """What the kernel gives; an ordinary exception leaves to the long way."""
    f = w.f
    found = f.call(w.word("call"), "ptr", w.word("kernel"), given, count, f.value("ptr", 0))
    for x in used:
        w.drop(x)
    k = f.fresh()
    f.branch(found.eq(0), f"raised{k}", f"returned{k}")
    f.label(f"raised{k}")
    matches = f.call(w.word("matches"), "i32", w.word("exception"))
    w.require(matches.ne(0), "lost")
    f.call(w.word("clear"), "void")
    f.jump("other")
    f.label(f"returned{k}")
    return found


def begin(w: Writer, count: int) -> list[Value]:
    f = w.f
    w.require(f.argument["n"].eq(count))
    return [f.load("ptr", f.argument["args"], f.index(k)) for k in range(count)]


def own_slots(w: Writer, node: Value, values: Iterable[Value]) -> None:
    """Fill the slots that a class of nodes has for itself; takes the references."""
    f = w.f
    for at, value in enumerate(values):
        place = (w.word("own_slots").to("i64") >> (8 * at)) & 255
        f.store(value, f.at(node, place, "i8"))


def choice(w: Writer, condition: Value, value: Callable[[], Value]) -> Value:
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


def stored(w: Writer, t: Value, name: str = "storage") -> Value:
    found = w.own(name, t)
    w.unless(found.eq(0))
    return found


def kept_store(w: Writer, t: Value) -> Value:
    """The storage of a tensor that is saved."""
    return stored(w, t, "kept_storage")


def record(
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
        saved.append(choice(w, wanted, lambda value=value: value))  # type: ignore[misc]
        if tensor is not None:
            wanted = wanted & tensor
        stores.append(choice(w, wanted, lambda owner=owner: kept_store(w, owner)))  # type: ignore[misc]
    w.put(node, slots.node["saved"], w.tuple(*saved))
    w.put(node, slots.node["stores"], w.tuple(*stores))
    f.label(f"kept{k}")
    w.require(w.own("finish", node, t, returns="i1"), "lost")


def written(w: Writer, slots: Slots, x: Value, a: Value) -> None:
    """Leave where the memory of `x` may not be written: repeated elements, inference tensors."""
    f = w.f
    steps = w.field(a, table.STRIDES)
    with f.loop(0, w.field(a, table.NDIM, "i32").to("i64")) as i:
        w.require(f.load("i64", steps, i).ne(0))
    have = w.field(x, slots.tensor["_storage"])
    with w.when(w.is_none(have).eq(False)):
        w.require(w.field(have, slots.storage["inference"]).eq(w.word("false")))


def functions(made: Module, slots: Slots) -> None:
    """What the entries call."""
    same_shape(made)
    is_plain(made)
    shape(made)
    place(made)
    code(made)
    meeting(made)
    in_type(made)
    for write in (wrap, infer, storage, edge, locate, finish):
        write(made, slots)
