"""A thread's part of an elementwise function, the same for all of them.

A loop of the function's own takes contiguous operands and single numbers. What lies otherwise is
gathered, a piece that stays in the first cache at a time; results too large for any cache go past
them. What the operands are is found out in ``broadcast``. Stands on objects and jit.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, vector
from flambeau.core.kernels.native.objects import word

__all__ = ["ARRAY", "DENSE", "DIMS", "GRAIN", "LOOP", "MOST", "NUMBER", "OWN", "STRIDED", "WORK",
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

WORK = ("loop", "arity", "out", "size", "total", "piece", "rows", "ndim", "dims", "past",
        "steps", "data")  # fmt: skip
"""The context of `share`; then four words for each operand: ARRAY. `piece` elements at a time;
`rows` is 1 where pieces end with rows, `past` where the result goes past the caches; `steps` has
the strides of a result with gaps, or is 0; `data` is OWN, or what a loop of NumPy's is called with.
"""
OWN = -1
ARRAY = ("data", "item", "kind", "strides")
NUMBER, DENSE, STRIDED = range(3)
CARRIERS = {1: "i8", 2: "i16", 4: "i32", 8: "i64", 16: "i128"}
"""Sizes of elements, and what they are moved as."""


def operand(number: Value, name: str) -> Value:
    """Where a word of an operand stands in the context."""
    return number * len(ARRAY) + len(WORK) + ARRAY.index(name)


def _gather(made: Module, size: int) -> Function:
    """Where elements `at` to `at + count` of an operand lie side by side: in the array itself, or
    in `room`, into which they are copied. For elements of a size.
    """
    f = made.function(
        f"gather{size}",
        (("ptr", "work"), ("ptr", "array"), ("i64", "at"), ("i64", "count"), ("ptr", "room")),
        "ptr", internal=True, attributes="noinline",
    )  # fmt: skip
    work, array = f.argument["work"], f.argument["array"]
    ndim = f.load("i64", work, WORK.index("ndim"))
    dims = f.load("ptr", work, WORK.index("dims"))
    strides = f.load("ptr", array, ARRAY.index("strides"))
    index = f.memory("i64", DIMS)
    place = f.variable("ptr", f.load("ptr", array, ARRAY.index("data")))
    _seek(f, place, index, ndim, dims, strides)
    last = ndim - 1
    width, step = f.load("i64", dims, last), f.load("i64", strides, last)
    count, start = f.argument["count"], f.load("i64", index, last)
    f.branch(step.eq(size) & (start + count).le(width), "lies", "copy")
    f.label("lies")
    f.ret(place.get())
    f.label("copy")
    above = f.intrinsic("smax", last - 1, f.index(0))
    # Of one dimension there is one row, in which all of it lies.
    rows, down = f.load("i64", dims, above), f.load("i64", strides, above)
    row = f.variable("i64", f.load("i64", index, above))
    target = f.variable("ptr", f.argument["room"])
    end = f.at(target.get(), count * size, "i8").to("i64")
    first = f.variable("i64", start)
    f.label("row")
    left = (end - target.get().to("i64")) / size
    turn = f.intrinsic("smin", width - first.get(), left)
    _copy(f, size, place.get(), step, target.get(), turn)
    target.set(f.at(target.get(), turn * size, "i8"))
    f.branch(turn.lt(left), "next", "done")
    f.label("next")
    place.set(f.at(place.get(), down - first.get() * step, "i8"))
    first.set(0)
    row.set(row.get() + 1)
    f.branch(row.get().lt(rows), "row", "plane")
    f.label("plane")
    row.set(0)
    place.set(f.at(place.get(), -(rows * down), "i8"))
    _carry(f, place, index, above - 1, dims, strides)
    f.label("done")
    f.ret(f.argument["room"])
    return f


def _scatter(made: Module, size: int) -> Function:
    """Write elements that lie side by side in `room` to their places `at` to `at + count` of a
    result with gaps. For elements of a size.
    """
    f = made.function(
        f"scatter{size}",
        (("ptr", "work"), ("i64", "at"), ("i64", "count"), ("ptr", "room")),
        internal=True, attributes="noinline",
    )  # fmt: skip
    work, carrier = f.argument["work"], CARRIERS[size]
    ndim = f.load("i64", work, WORK.index("ndim"))
    dims, steps, place = (f.load("ptr", work, WORK.index(k)) for k in ("dims", "steps", "out"))
    index = f.memory("i64", DIMS)
    target = f.variable("ptr", place)
    _seek(f, target, index, ndim, dims, steps)
    last = ndim - 1
    width, step = f.load("i64", dims, last), f.load("i64", steps, last)
    done, count = f.variable("i64", 0), f.argument["count"]
    f.label("row")
    start = f.load("i64", index, last)
    turn = f.intrinsic("smin", width - start, count - done.get())
    source = f.at(f.argument["room"], done.get(), carrier)
    _spread(f, size, source, target.get(), step, turn)
    done.set(done.get() + turn)
    f.branch(done.get().lt(count), "next", "done")
    f.label("next")
    target.set(f.at(target.get(), -(start * step), "i8"))
    f.store(f.index(0), index, last)
    _carry(f, target, index, last - 1, dims, steps)
    f.label("done")
    return f


def _seek(
    f: Function, place: Variable, index: Value, ndim: Value, dims: Value, strides: Value
) -> None:
    """From the first element to number `at`: its place, and its index in each dimension."""
    rest = f.variable("i64", f.argument["at"])
    with f.loop(0, ndim) as back:
        j = ndim - 1 - back
        extent = f.load("i64", dims, j)
        here = rest.get() % extent
        rest.set(rest.get() / extent)
        f.store(here, index, j)
        place.set(f.at(place.get(), here * f.load("i64", strides, j), "i8"))


def _carry(
    f: Function, place: Variable, index: Value, first: Value, dims: Value, strides: Value
) -> None:
    """One step in dimension `first`; at its end to its begin, and one in the dimension before. Goes
    on at the label "row".
    """
    dim = f.variable("i64", first)
    f.label("carry")
    here = f.load("i64", index, dim.get()) + 1
    stride, extent = f.load("i64", strides, dim.get()), f.load("i64", dims, dim.get())
    place.set(f.at(place.get(), stride, "i8"))
    f.store(here, index, dim.get())
    f.branch(here.lt(extent) | dim.get().eq(0), "row", "over")
    f.label("over")
    f.store(f.index(0), index, dim.get())
    place.set(f.at(place.get(), -(here * stride), "i8"))
    dim.set(dim.get() - 1)
    f.jump("carry")


def _spread(
    f: Function, size: int, source: Value, target: Value, step: Value, count: Value
) -> None:
    """Elements that lie side by side to places `step` bytes apart."""
    carrier, k = CARRIERS[size], f.fresh()
    width = build.host().lanes(size)
    many = vector(carrier, width)
    f.branch(step.eq(size), f"dense{k}", f"apart{k}")
    f.label(f"dense{k}")

    def move(i: Value, some: Value | None, _: int) -> None:
        write(f, read(f, many, source, i, some), target, i, some)

    along(f, count, width, move)
    f.jump(f"spread{k}")
    f.label(f"apart{k}")
    with f.loop(0, count) as i:
        f.store(f.load(carrier, source, i), f.at(target, i * step, "i8"))
    f.label(f"spread{k}")


def _copy(f: Function, size: int, source: Value, step: Value, target: Value, count: Value) -> None:
    """Elements `step` bytes apart, side by side into `target`."""
    carrier = CARRIERS[size]
    width = build.host().lanes(size)
    many = vector(carrier, width)
    f.branch(step.eq(size), "dense", "apart")
    f.label("dense")

    def move(i: Value, some: Value | None, _: int) -> None:
        write(f, read(f, many, source, i, some), target, i, some)

    along(f, count, width, move)
    f.jump("copied")
    f.label("apart")
    f.branch(step.eq(0), "one", "each")
    f.label("one")
    value = f.splat(f.load(carrier, source), width)
    along(f, count, width, lambda i, some, _: write(f, value, target, i, some))
    f.jump("copied")
    f.label("each")
    with f.loop(0, count) as i:
        f.store(f.load(carrier, f.at(source, i * step, "i8")), target, i)
    f.label("copied")


def share(made: Module) -> Function:
    """The function that is run in shares."""
    gathers = {size: _gather(made, size) for size in CARRIERS}
    scatters = {size: _scatter(made, size) for size in CARRIERS}
    f = made.function("share", pool.ARGUMENTS)
    work, thread = f.argument["context"], f.argument["thread"]
    get = {name: f.load("i64", work, k) for k, name in enumerate(WORK)}
    # In whole cache lines, so that no two threads write to one.
    each = (get["total"] / f.argument["threads"] / 64 + 1) * 64
    start = f.intrinsic("smin", thread * each, get["total"])
    stop = f.intrinsic("smin", start + each, get["total"])
    places = f.memory("ptr", MOST)
    rooms = [f.memory("i64", 2 * PIECE + 8) for _ in range(MOST + 1)]
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
        item = f.load("i64", array, ARRAY.index("item"))
        for size, gather in gathers.items():
            with f.when(item.eq(size)):
                place.set(f.call(gather, "ptr", work, array, here, count.get(), room))
        f.jump(f"placed{j}")
        f.label(f"plain{j}")
        item = f.load("i64", array, ARRAY.index("item"))
        place.set(f.at(data, f.select(kind.eq(DENSE), here * item, 0), "i8"))
        f.label(f"placed{j}")
        f.store(place.get(), places, number)
    target = f.at(get["out"].to("ptr"), here * get["size"], "i8")
    f.branch((get["past"] | get["steps"]).ne(0), "past", "through")
    f.label("through")
    _compute(f, work, get, places, target, count.get())
    f.jump("next")
    f.label("past")
    _compute(f, work, get, places, passing, count.get())
    f.branch(get["steps"].ne(0), "spread", "whole")
    f.label("spread")
    for size, scatter in scatters.items():
        with f.when(get["size"].eq(size)):
            f.call(scatter, "void", work, here, count.get(), passing)
    f.jump("next")
    f.label("whole")
    _pass(f, passing, target, count.get() * get["size"])
    f.label("next")
    at.set(here + count.get())
    f.jump("piece")
    f.label("done")
    with f.when(get["past"].ne(0)):
        f.fence()
    f.ret()
    return f


def _compute(
    f: Function, work: Value, get: dict[str, Value], places: Value, target: Value, count: Value
) -> None:  # fmt: skip
    """Call the loop: the formula's own, or one of NumPy's."""
    k, loop = f.fresh(), get["loop"].to("ptr")
    f.branch(get["data"].eq(OWN), f"own{k}", f"numpy{k}")
    f.label(f"own{k}")
    f.call(loop, "void", places, target, count)
    f.jump(f"computed{k}")
    f.label(f"numpy{k}")
    arrays, steps, room = f.memory("ptr", MOST + 1), f.memory("i64", MOST + 1), f.memory("i64", 1)
    with f.loop(0, get["arity"]) as number:
        array = f.at(work, operand(number, "data"), "i64")
        item, kind = (f.load("i64", array, ARRAY.index(key)) for key in ("item", "kind"))
        f.store(f.load("ptr", places, number), arrays, number)
        f.store(f.select(kind.eq(NUMBER), f.index(0), item), steps, number)
    f.store(target, arrays, get["arity"])
    f.store(get["size"], steps, get["arity"])
    f.store(count, room)
    f.call(loop, "void", arrays, room, steps, get["data"].to("ptr"))
    f.label(f"computed{k}")


def _pass(f: Function, source: Value, target: Value, size: Value) -> None:
    """Copy bytes past the caches where whole lines are written, else through them."""
    lines = f.select((target.to("i64") & 63).eq(0), size / 64, 0)
    with f.loop(0, lines) as i:
        f.store(f.load("<8 x i64>", source, i * 8, align=64), target, i * 8, 64, past=True)
    with f.loop(lines * 64, size) as i:
        f.store(f.load("i8", source, i), target, i)


def work(
    f: Function, room: Value, given: dict[str, Value], strided: Value, ndim: Value, dims: Value
) -> None:
    """Fill in the context's first words.

    Args:
        room: the context.
        given: `loop`, `arity`, `out`, `size`, `total` and `steps`.
        strided: whether an operand is.
        ndim, dims: the common shape.
    """
    past = (given["total"] * given["size"]).ge(PAST)
    whole = ~(strided | past | given["steps"].ne(0))
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
    threads = pool.shares(f, memory, total, GRAIN)
    null = f.value("ptr", 0)
    state = f.variable("ptr", null)
    with f.when(total.ge(GRAIN)):
        state.set(f.call(word(f, "release"), "ptr"))
    f.call(word(f, "pool_run"), "void", memory, share, work, threads)
    with f.when(state.get().ne(null)):
        f.call(word(f, "restore"), "void", state.get())
