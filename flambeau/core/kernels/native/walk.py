"""A thread's part of an elementwise function, the same for all of them.

A loop of the function's own takes contiguous operands and single numbers. What lies otherwise is
gathered, a piece that stays in the first cache at a time; results too large for any cache go past
them. What the operands are is found out in ``broadcast``. Stands on objects and jit.
"""

from __future__ import annotations

from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native.objects import word

__all__ = ["ARRAY", "DENSE", "DIMS", "GRAIN", "LOOP", "MOST", "NUMBER", "STRIDED", "WORK",
           "in_shares", "operand", "share", "work"]  # fmt: skip

GRAIN = 1 << 15
"""Elements that one more thread is worth."""
MOST = 4
"""Operands at most."""
DIMS = 16
"""Dimensions at most; more go to the NumPy form."""
PIECE = 1024
"""Elements gathered at a time."""
LONG = 128
"""Rows from this length on are taken one by one, so that contiguous ones need no copy."""
PAST = 32 << 20
"""Bytes of a result from which on it is written past the caches (1.5 times as fast, below slower).
"""
LOOP = (("ptr", "places"), ("ptr", "out"), ("i64", "count"))
"""Of a formula's loop: where its operands begin, contiguous or one number as the form says."""

WORK = ("loop", "arity", "out", "size", "total", "piece", "rows", "ndim", "dims", "past")
"""The context of `share`; then four words for each operand: ARRAY. `piece` elements at a time;
`rows` is 1 where pieces end with rows, `past` where the result goes past the caches.
"""
ARRAY = ("data", "item", "kind", "strides")
NUMBER, DENSE, STRIDED = range(3)


def operand(number: Value, name: str) -> Value:
    """Where a word of an operand stands in the context."""
    return number * len(ARRAY) + len(WORK) + ARRAY.index(name)


def _copies(made: Module) -> dict[int, Function]:
    """Rows copied, by the size of an element: `step` bytes from one to the next."""
    found = {}
    for size, carrier in ((1, "i8"), (4, "i32"), (8, "i64")):
        arguments = (("ptr", "source"), ("i64", "step"), ("ptr", "target"), ("i64", "count"))
        f = made.function(f"copy{size}", arguments, internal=True, attributes="noinline")
        source, step, target = (f.argument[key] for key in ("source", "step", "target"))
        count = f.argument["count"]
        f.branch(step.eq(size), "dense", "spread")
        f.label("dense")
        with f.loop(0, count, independent=True) as i:
            f.store(f.load(carrier, source, i), target, i)
        f.ret()
        f.label("spread")
        f.branch(step.eq(0), "one", "steps")
        f.label("one")
        value = f.load(carrier, source)
        with f.loop(0, count, independent=True) as i:
            f.store(value, target, i)
        f.ret()
        f.label("steps")
        with f.loop(0, count) as i:
            f.store(f.load(carrier, f.at(source, i * step, "i8")), target, i)
        found[size] = f
    return found


def _gather(made: Module) -> Function:
    """Where elements `at` to `at + count` of an operand lie side by side: in the array itself, or
    in `room`, into which they are copied.
    """
    copies = _copies(made)
    f = made.function(
        "gather",
        (("ptr", "work"), ("ptr", "array"), ("i64", "at"), ("i64", "count"), ("ptr", "room")),
        "ptr", internal=True, attributes="noinline",
    )  # fmt: skip
    work, array = f.argument["work"], f.argument["array"]
    ndim = f.load("i64", work, WORK.index("ndim"))
    dims = f.load("ptr", work, WORK.index("dims"))
    item = f.load("i64", array, ARRAY.index("item"))
    strides = f.load("ptr", array, ARRAY.index("strides"))
    index = f.memory("i64", DIMS)
    rest = f.variable("i64", f.argument["at"])
    place = f.variable("ptr", f.load("ptr", array, ARRAY.index("data")))
    with f.loop(0, ndim) as back:
        j = ndim - 1 - back
        size = f.load("i64", dims, j)
        here = rest.get() % size
        rest.set(rest.get() / size)
        f.store(here, index, j)
        place.set(f.at(place.get(), here * f.load("i64", strides, j), "i8"))
    last = ndim - 1
    width, step = f.load("i64", dims, last), f.load("i64", strides, last)
    count = f.argument["count"]
    inside = f.load("i64", index, last) + count
    f.branch(step.eq(item) & inside.le(width), "lies", "copy")
    f.label("lies")
    f.ret(place.get())
    f.label("copy")
    done = f.variable("i64", 0)
    f.label("row")
    first = f.load("i64", index, last)
    turn = f.intrinsic("smin", width - first, count - done.get())
    target = f.at(f.argument["room"], done.get() * item, "i8")
    for bytes, copy in copies.items():
        with f.when(item.eq(bytes)):
            f.call(copy, "void", place.get(), step, target, turn)
    done.set(done.get() + turn)
    f.branch(done.get().lt(count), "next", "done")
    f.label("next")
    # To the next row: the last index back to 0, one more of the dimension before it, and so on.
    f.store(f.index(0), index, last)
    place.set(f.at(place.get(), -(first * step), "i8"))
    dim = f.variable("i64", last - 1)
    f.label("carry")
    here = f.load("i64", index, dim.get()) + 1
    stride, size = f.load("i64", strides, dim.get()), f.load("i64", dims, dim.get())
    place.set(f.at(place.get(), stride, "i8"))
    f.store(here, index, dim.get())
    f.branch(here.lt(size) | dim.get().eq(0), "row", "over")
    f.label("over")
    f.store(f.index(0), index, dim.get())
    place.set(f.at(place.get(), -(here * stride), "i8"))
    dim.set(dim.get() - 1)
    f.jump("carry")
    f.label("done")
    f.ret(f.argument["room"])
    return f


def share(made: Module) -> Function:
    """The function that is run in shares."""
    gather = _gather(made)
    f = made.function("share", pool.ARGUMENTS)
    work, thread = f.argument["context"], f.argument["thread"]
    get = {name: f.load("i64", work, k) for k, name in enumerate(WORK)}
    # In whole cache lines, so that no two threads write to one.
    each = (get["total"] / f.argument["threads"] / 64 + 1) * 64
    start = f.intrinsic("smin", thread * each, get["total"])
    stop = f.intrinsic("smin", start + each, get["total"])
    places = f.memory("ptr", MOST)
    rooms = [f.memory("i64", PIECE + 8) for _ in range(MOST + 1)]
    room_of = f.memory("ptr", MOST)
    for k in range(MOST):
        f.store(rooms[k], room_of, k)
    passing = ((rooms[MOST].to("i64") + 63) / 64 * 64).to("ptr")
    width = f.load("i64", get["dims"].to("ptr"), get["ndim"] - 1)
    at = f.variable("i64", start)
    f.label("piece")
    here = at.get()
    f.branch(here.lt(stop), "some", "done")
    f.label("some")
    count = f.variable("i64", f.intrinsic("smin", get["piece"], stop - here))
    with f.when(get["rows"].ne(0)):
        count.set(f.intrinsic("smin", count.get(), width - here % width))
    with f.loop(0, get["arity"]) as number:
        array = f.at(work, operand(number, "data"), "i64")
        kind = f.load("i64", array, ARRAY.index("kind"))
        data = f.load("ptr", array)
        j = f.fresh()
        place = f.variable("ptr", data)
        f.branch(kind.eq(STRIDED), f"strided{j}", f"plain{j}")
        f.label(f"strided{j}")
        room = f.load("ptr", room_of, number)
        place.set(f.call(gather, "ptr", work, array, here, count.get(), room))
        f.jump(f"placed{j}")
        f.label(f"plain{j}")
        item = f.load("i64", array, ARRAY.index("item"))
        place.set(f.at(data, f.select(kind.eq(DENSE), here * item, 0), "i8"))
        f.label(f"placed{j}")
        f.store(place.get(), places, number)
    target = f.at(get["out"].to("ptr"), here * get["size"], "i8")
    loop = get["loop"].to("ptr")
    f.branch(get["past"].ne(0), "past", "through")
    f.label("through")
    f.call(loop, "void", places, target, count.get())
    f.jump("next")
    f.label("past")
    f.call(loop, "void", places, passing, count.get())
    _pass(f, passing, target, count.get() * get["size"])
    f.label("next")
    at.set(here + count.get())
    f.jump("piece")
    f.label("done")
    with f.when(get["past"].ne(0)):
        f.line("fence seq_cst")
    f.ret()
    return f


def _pass(f: Function, source: Value, target: Value, size: Value) -> None:
    """Copy bytes past the caches where whole lines are written, else through them."""
    lines = f.select((target.to("i64") & 63).eq(0), size / 64, 0)
    mark = f.base + len(f.metadata)
    f.metadata.append(f"!{mark} = !{{i32 1}}")
    with f.loop(0, lines) as i:
        value = f.load("<8 x i64>", source, i * 8, align=64)
        place = f.at(target, i * 8, "i64")
        f.line(f"store <8 x i64> {value.name}, ptr {place.name}, align 64, !nontemporal !{mark}")
    with f.loop(lines * 64, size) as i:
        f.store(f.load("i8", source, i), target, i)


def work(
    f: Function, room: Value, given: dict[str, Value], strided: Value, ndim: Value, dims: Value
) -> None:
    """Fill in the context's first words.

    Args:
        room: the context.
        given: `loop`, `arity`, `out`, `size` and `total`.
        strided: whether an operand is.
        ndim, dims: the common shape.
    """
    past = (given["total"] * given["size"]).ge(PAST)
    whole = ~(strided | past)
    rows = f.load("i64", dims, ndim - 1).ge(LONG) & strided
    words = given | {
        "piece": f.select(whole, given["total"], PIECE), "rows": rows.to("i64"), "ndim": ndim,
        "dims": dims, "past": past.to("i64"),
    }  # fmt: skip
    for name, value in words.items():
        f.store(value, room, WORK.index(name))


def in_shares(f: Function, share: Value, work: Value, total: Value) -> None:
    """Run `share` on as many threads as its size pays for, the interpreter's lock free if more
    than one is wanted.
    """
    memory = word(f, "pool")
    limit = f.load("i64", f.at(memory, pool.LIMIT, "i8"))
    most = f.select(limit.gt(1), limit * pool.EACH, 1)
    threads = f.intrinsic("smin", most, total / GRAIN + 1)
    null = f.value("ptr", 0)
    state = f.variable("ptr", null)
    with f.when(total.ge(GRAIN)):
        state.set(f.call(word(f, "release"), "ptr"))
    f.call(word(f, "pool_run"), "void", memory, share, work, threads)
    with f.when(state.get().ne(null)):
        f.call(word(f, "restore"), "void", state.get())
