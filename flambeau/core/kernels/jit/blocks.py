"""Code that hands out memory and keeps what is given back: the four functions NumPy asks of whoever
makes its arrays' memory.

A block is a mapping of its own, a header of 64 bytes before the numbers; sizes come in eight steps
to an octave. What is given back waits in a list of its size. Waiting and living blocks together
never exceed what has lived at one time by more than the word SLACK says. Callers hold the
interpreter's lock, so nothing here is locked. Stands on ir.
"""

from __future__ import annotations

from flambeau.core.kernels.jit.ir import Function, Module, Value

__all__ = ["HEADS", "LEAST", "STEPS", "WORDS", "module", "size_of"]

WORDS = (
    "mmap", "munmap", "madvise", "slack", "most", "live", "peak", "waiting", "hits", "misses",
    "allocated", "freed", "returned", "blocks",
)  # fmt: skip
"""At the start of the state: functions, limits in bytes, counters. `live`, `peak` and `waiting` are
bytes, `blocks` how many live, the others count events.
"""
HEADER = 64
LEAST, OCTAVES, STEPS = 16, 32, 8
HEADS = OCTAVES * STEPS
NEAR = 3
"""How many sizes above its own a block may come from: at most 1.4 times as large."""
HUGE = 1 << 21
"""Blocks from twice this size on are aligned to it and asked to be of huge pages."""
ADVICE, PROTECTION, FLAGS = 14, 3, 0x22  # MADV_HUGEPAGE, READ | WRITE, PRIVATE | ANONYMOUS

STATE = ("ptr", "state")


def size_of(number: int) -> int:
    """How many bytes a block of the list with a number has."""
    return (number % STEPS + STEPS) << (LEAST + number // STEPS - 3)


def _word(f: Function, name: str) -> Value:
    return f.at(f.argument["state"], WORDS.index(name), "i64")


def _get(f: Function, name: str) -> Value:
    return f.load("i64", _word(f, name))


def _add(f: Function, name: str, amount: Value | int) -> Value:
    found = _get(f, name) + amount
    f.store(found, _word(f, name))
    return found


def _head(f: Function, number: Value) -> Value:
    return f.at(f.argument["state"], number + len(WORDS), "i64")


def _size(f: Function, number: Value) -> Value:
    return (number % STEPS + STEPS) << (number / STEPS + (LEAST - 3))


def module() -> Module:
    """`allocate`, `clear`, `change`, `give_back` and `trim`."""
    made = Module("blocks")
    trim = _trim(made)
    allocate = _allocate(made, trim)
    give_back = _give_back(made, trim)
    _clear(made, allocate)
    _change(made, allocate, give_back)
    return made


def _trim(made: Module) -> Function:
    """Return waiting blocks to the system, the largest first, until few enough bytes wait."""
    f = made.function("trim", (STATE, ("i64", "allowed")))
    number = f.variable("i64", HEADS - 1)
    f.label("look")
    done = _get(f, "waiting").le(f.argument["allowed"]) | number.get().lt(0)
    f.branch(done, "done", "list")
    f.label("list")
    head = _head(f, number.get())
    block = f.load("ptr", head)
    f.branch(block.eq(0), "lower", "return")
    f.label("lower")
    number.set(number.get() - 1)
    f.jump("look")
    f.label("return")
    f.store(f.load("ptr", block, 1), head)
    size = _size(f, number.get())
    f.call(f.load("ptr", _word(f, "munmap")), "i32", block, size)
    _add(f, "waiting", -size)
    _add(f, "returned", 1)
    f.jump("look")
    f.label("done")
    f.ret()
    return f


def _allocate(made: Module, trim: Function) -> Function:
    """At least so many bytes, 64-byte aligned; null where the system has none."""
    f = made.function("allocate", (STATE, ("i64", "count")), "ptr")
    state = f.argument["state"]
    wanted = f.intrinsic("smax", f.argument["count"] + HEADER, f.index(1 << LEAST))
    zeros = f.emit("i64", f"call i64 @llvm.ctlz.i64(i64 {(wanted - 1).name}, i1 true)")
    f.declared.add("declare i64 @llvm.ctlz.i64(i64, i1)")
    octave = f.intrinsic("smax", f.index(63) - zeros, f.index(LEAST))
    step = octave - 3
    number = (octave - LEAST) * STEPS + ((wanted - 1 >> step) - STEPS + 1)
    number = f.intrinsic("smax", number, f.index(0))
    f.branch(number.lt(HEADS - NEAR), "fits", "none")
    f.label("fits")
    for near in range(NEAR + 1):
        head = _head(f, number + near)
        block = f.load("ptr", head)
        f.branch(block.eq(0), f"next{near}", f"hit{near}")
        f.label(f"hit{near}")
        f.store(f.load("ptr", block, 1), head)
        size = _size(f, number + near)
        _add(f, "waiting", -size)
        _add(f, "hits", 1)
        _count(f, size)
        f.ret(f.at(block, HEADER, "i8"))
        f.label(f"next{near}")
    size = _size(f, number)
    would = _get(f, "live") + size
    peak = f.intrinsic("smax", _get(f, "peak"), would)
    f.call(trim, "void", state, peak + _get(f, "slack") - would)
    place = f.variable("ptr")
    tries = f.variable("i64", 0)
    f.label("map")
    more = f.select(size.ge(2 * HUGE), f.index(HUGE), 0)
    raw = f.call(
        f.load("ptr", _word(f, "mmap")), "i64", f.index(0), size + more,
        f.value("i32", PROTECTION), f.value("i32", FLAGS), f.value("i32", -1), f.index(0),
    )  # fmt: skip
    f.branch(raw.eq(-1), "failed", "mapped")
    f.label("failed")
    f.branch(tries.get().eq(0), "again", "none")
    f.label("again")
    tries.set(1)
    f.call(trim, "void", state, f.index(0))
    f.jump("map")
    f.label("mapped")
    place.set(raw.to("ptr"))
    with f.when(more.gt(0)):
        start = (raw + (HUGE - 1)) / HUGE * HUGE
        unmap = f.load("ptr", _word(f, "munmap"))
        with f.when(start.gt(raw)):
            f.call(unmap, "i32", raw.to("ptr"), start - raw)
        with f.when((start - raw).lt(HUGE)):
            f.call(unmap, "i32", (start + size).to("ptr"), raw + HUGE - start)
        advise = f.load("ptr", _word(f, "madvise"))
        f.call(advise, "i32", start.to("ptr"), size, f.value("i32", ADVICE))
        place.set(start.to("ptr"))
    f.store(number, place.get())
    _add(f, "misses", 1)
    _count(f, size)
    f.ret(f.at(place.get(), HEADER, "i8"))
    f.label("none")
    f.ret(f.value("ptr", 0))
    return f


def _count(f: Function, size: Value) -> None:
    live = _add(f, "live", size)
    f.store(f.intrinsic("smax", _get(f, "peak"), live), _word(f, "peak"))
    _add(f, "allocated", 1)
    _add(f, "blocks", 1)


def _give_back(made: Module, trim: Function) -> Function:
    f = made.function("give_back", (STATE, ("ptr", "place"), ("i64", "count")))
    place = f.argument["place"]
    with f.when(place.ne(0)):
        block = f.at(place, -HEADER, "i8")
        number = f.load("i64", block)
        head = _head(f, number)
        f.store(f.load("ptr", head), block, 1)
        f.store(block, head)
        size = _size(f, number)
        _add(f, "live", -size)
        _add(f, "freed", 1)
        _add(f, "blocks", -1)
        waiting = _add(f, "waiting", size)
        with f.when(waiting.gt(_get(f, "most"))):
            f.call(trim, "void", f.argument["state"], _get(f, "most"))
    return f


def _clear(made: Module, allocate: Function) -> None:
    """Zeros."""
    f = made.function("clear", (STATE, ("i64", "count"), ("i64", "size")), "ptr")
    bytes = f.argument["count"] * f.argument["size"]
    place = f.call(allocate, "ptr", f.argument["state"], bytes)
    with f.when(place.ne(0)):
        with f.loop(0, (bytes + 7) / 8) as i:  # blocks are whole pages
            f.store(f.index(0), place, i)
    f.ret(place)


def _change(made: Module, allocate: Function, give_back: Function) -> None:
    """Another size for a block: always another block."""
    f = made.function("change", (STATE, ("ptr", "place"), ("i64", "count")), "ptr")
    state, old, count = (f.argument[key] for key in ("state", "place", "count"))
    new = f.call(allocate, "ptr", state, count)
    with f.when(new.ne(0) & old.ne(0)):
        had = _size(f, f.load("i64", f.at(old, -HEADER, "i8"))) - HEADER
        with f.loop(0, (f.intrinsic("smin", had, count) + 7) / 8) as i:
            f.store(f.load("i64", old, i), new, i)
        f.call(give_back, "void", state, old, f.index(0))
    f.ret(new)
