"""Threads for generated code: `run` splits one call of a function into shares that run side by
side.

The function is ``void (ptr context, i64 thread, i64 threads)``; there may be more shares than
threads, which take one after the other. Workers are threads of the system
that never see Python; they spin for some 0.2 ms (the time between two regions of an eager program
is less), then sleep on a futex, and wake on another processor than their waker's. A region cost the
prototype 0.5 us where the workers are awake. One region runs at a time: a second caller, or a call
from inside a share, does all its shares itself, so nobody waits for anybody. After a fork the child
starts its own workers. On other systems than Linux on x86-64 the caller does all shares. Stands on
ir, build and threads.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from functools import cache as once
from typing import Any

from flambeau.core import threads
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Module, Value

__all__ = ["ARGUMENTS", "EACH", "address", "limit", "memory", "module", "run", "shares",
           "shares_of"]  # fmt: skip

ARGUMENTS = (("ptr", "context"), ("i64", "thread"), ("i64", "threads"))
"""Of a function that is run in shares."""

MOST = 256
"""Workers at most."""
EACH = 4
"""Shares for each thread of a large region: whoever is early takes what others have not begun."""

# Where words stand in the pool's memory, in bytes; words that several threads write, apart.
LOCK, LIMIT, STARTED, CREATE = 0, 8, 16, 24
ACTIVE, WAITING = 64, 68
CALLER = 72
"""The processor of the thread that last made or woke a worker."""
FUNCTION, CONTEXT, THREADS = 128, 136, 144
NEXT = 192
SLOTS, SLOT = 256, 64
EPOCH, SLEEPING, POOL, HANDLE = 0, 4, 16, 24

CLOSED = 1 << 30
"""How many are taken while no region is open: more than any region has. NEXT counts the shares
taken from the front, and in its upper half those from the back.
"""
WORKER_SPINS, CALLER_SPINS = 12000, 20000
FUTEX, YIELD, PROCESSOR = 202, 24, 309
SET_AFFINITY, GET_AFFINITY = 203, 204
MASK = 128
"""Bytes of a set of processors."""
WAIT, WAKE = 128, 129  # private to the process


def threaded() -> bool:
    """Whether shares can run side by side on this system."""
    return (
        sys.platform == "linux" and build.available() and build.host().triple.startswith("x86_64")
    )


def _system(f: Function, number: int, *arguments: Value) -> Value:
    """A call of the Linux kernel; gives what it returns."""
    given = [f.index(number), *arguments, *[f.index(0)] * (6 - len(arguments))]
    registers = "{rax},{rax},{rdi},{rsi},{rdx},{r10},{r8},{r9}"
    return f.emit(
        "i64",
        f'call i64 asm sideeffect "syscall", "={registers},~{{rcx}},~{{r11}},~{{memory}}"('
        + ", ".join(f"{a.type} {a.name}" for a in given)
        + ")",
    )


def _place(f: Function, base: Value, offset: Any) -> Value:
    return f.at(base, offset, "i8")


def _look(f: Function, place: Value, order: str = "seq_cst") -> Value:
    return f.emit("i32", f"load atomic i32, ptr {place.name} {order}, align 4")


def _put(f: Function, place: Value, x: Any) -> None:
    f.line(f"store atomic i32 {f.value('i32', x).name}, ptr {place.name} seq_cst, align 4")


def _put_pair(f: Function, place: Value, x: int) -> None:
    f.line(f"store atomic i64 {x}, ptr {place.name} seq_cst, align 8")


def _change(f: Function, place: Value, how: str, by: int) -> Value:
    """Atomically; gives what was there before."""
    return f.emit("i32", f"atomicrmw {how} ptr {place.name}, i32 {by} seq_cst")


def _spin(f: Function, count: Value) -> None:
    """A breath; every 512th lets another thread have the processor, without which a sleeper that
    was woken may wait behind the one that waits for it (550 us instead of 49). Oftener, and any
    busy process on the machine takes the worker's turn between two regions.
    """
    f.line('call void asm sideeffect "pause", ""()')
    with f.when((count & 511).eq(511)):
        _system(f, YIELD)


def module() -> Module:
    """`pool_run(pool, function, context, threads)` and the workers' loop."""
    made = Module("pool")
    wide = threaded()
    worker = _worker(made) if wide else None
    f = made.function(
        "pool_run", (("ptr", "pool"), ("ptr", "function"), ("ptr", "context"), ("i64", "threads"))
    )
    pool, threads = f.argument["pool"], f.argument["threads"]
    function, context = f.argument["function"], f.argument["context"]

    def shares(start: Any) -> None:
        with f.loop(start, threads) as t:
            f.call(function, "void", context, t, threads)

    if worker is None:
        shares(0)
        return made
    f.branch(threads.gt(1), "many", "alone")
    f.label("alone")
    shares(0)
    f.ret()
    f.label("many")
    pair = f.emit("{i32, i1}", f"cmpxchg ptr {pool.name}, i32 0, i32 1 acquire monotonic")
    f.branch(f.emit("i1", f"extractvalue {{i32, i1}} {pair.name}, 1"), "mine", "alone")
    f.label("mine")
    limit = f.load("i64", _place(f, pool, LIMIT))
    wanted = f.intrinsic("smin", threads, limit) - 1
    count = _place(f, pool, STARTED)
    slots = _place(f, pool, SLOTS)
    f.label("start")
    started = f.load("i64", count)
    f.branch(started.lt(wanted), "create", "ready")
    f.label("create")
    slot = _place(f, slots, started * SLOT)
    f.store(pool, _place(f, slot, POOL))
    _system(f, PROCESSOR, _place(f, pool, CALLER), f.index(0), f.index(0))
    create = f.load("ptr", _place(f, pool, CREATE))
    body = Value("ptr", f"@{worker.name}", f)
    failed = f.call(create, "i32", _place(f, slot, HANDLE), f.value("ptr", 0), body, slot)
    f.branch(failed.eq(0), "created", "ready")
    f.label("created")
    f.store(started + 1, count)
    f.jump("start")
    f.label("ready")
    have = f.intrinsic("smin", f.load("i64", count), wanted)
    f.store(function, _place(f, pool, FUNCTION))
    f.store(context, _place(f, pool, CONTEXT))
    f.store(threads, _place(f, pool, THREADS))
    active, waiting = _place(f, pool, ACTIVE), _place(f, pool, WAITING)
    # Opens the region: whoever takes a share from here on finds all of it written.
    _put_pair(f, _place(f, pool, NEXT), 0)
    with f.loop(0, have) as t:
        slot = _place(f, slots, t * SLOT)
        _change(f, slot, "add", 1)
        with f.when(_look(f, _place(f, slot, SLEEPING)).ne(0)):
            _system(f, PROCESSOR, _place(f, pool, CALLER), f.index(0), f.index(0))
            _system(f, FUTEX, slot, f.index(WAKE), f.index(1))
    _take_shares(f, pool, f.value("i1", False))
    _put_pair(f, _place(f, pool, NEXT), CLOSED)
    turns = f.variable("i64", 0)
    f.label("wait")
    left = _look(f, active)
    f.branch(left.eq(0), "done", "spin")
    f.label("spin")
    turn = turns.get()
    _spin(f, turn)
    turns.set(turn + 1)
    f.branch(turn.lt(CALLER_SPINS), "wait", "sleep")
    f.label("sleep")
    _put(f, waiting, 1)
    left = _look(f, active)
    with f.when(left.ne(0)):
        _system(f, FUTEX, active, f.index(WAIT), left.to("i64"))
    _put(f, waiting, 0)
    turns.set(0)
    f.jump("wait")
    f.label("done")
    f.line(f"store atomic i32 0, ptr {pool.name} release, align 4")
    f.ret()
    return made


def _take_shares(f: Function, pool: Value, last: Value) -> None:
    """Take shares of the open region and do them, as long as there are any: the first of those that
    are left, or the last. So each of two threads comes back to what lies in its own cache: a chain
    of elementwise operations on a million bytes takes 1.77 ms instead of 2.48.
    """
    following = _place(f, pool, NEXT)
    k = f.fresh()
    step = f.select(last, f.index(1 << 32), 1)
    f.label(f"take{k}")
    taken = f.emit("i64", f"atomicrmw add ptr {following.name}, i64 {step.name} seq_cst")
    first, final = taken & 0xFFFFFFFF, taken >> 32
    threads = f.load("i64", _place(f, pool, THREADS))
    f.branch((first + final).lt(threads), f"share{k}", f"none{k}")
    f.label(f"share{k}")
    share = f.select(last, threads - 1 - final, first)
    function = f.load("ptr", _place(f, pool, FUNCTION))
    context = f.load("ptr", _place(f, pool, CONTEXT))
    f.call(function, "void", context, share, threads)
    f.jump(f"take{k}")
    f.label(f"none{k}")


def _worker(made: Module) -> Function:
    """The life of a worker: it waits for its epoch to move, takes shares, says that it is through.

    It says that it is there before it takes a share, so that the caller waits for it; one that
    comes late finds the region closed, or serves the next one.
    """
    f = made.function("pool_worker", (("ptr", "slot"),), "ptr")
    slot = f.argument["slot"]
    pool = f.load("ptr", _place(f, slot, POOL))
    odd = (slot.to("i64") - pool.to("i64") - SLOTS) / SLOT & 1
    sleeping, active = _place(f, slot, SLEEPING), _place(f, pool, ACTIVE)
    last = f.variable("i32", 0)
    turns = f.variable("i64", 0)
    _step_aside(f, pool)
    f.label("outer")
    turns.set(0)
    f.label("look")
    epoch = _look(f, slot, "acquire")
    f.branch(epoch.eq(last.get()), "spin", "work")
    f.label("spin")
    turn = turns.get()
    _spin(f, turn)
    turns.set(turn + 1)
    f.branch(turn.lt(WORKER_SPINS), "look", "sleep")
    f.label("sleep")
    _put(f, sleeping, 1)
    _system(f, FUTEX, slot, f.index(WAIT), last.get().to("i64"))
    _put(f, sleeping, 0)
    _step_aside(f, pool)
    f.jump("outer")
    f.label("work")
    last.set(epoch)
    _change(f, active, "add", 1)
    _take_shares(f, pool, odd.eq(0))
    left = _change(f, active, "sub", 1)
    waiting = _look(f, _place(f, pool, WAITING))
    with f.when(left.eq(1) & waiting.ne(0)):
        _system(f, FUTEX, active, f.index(WAKE), f.index(1))
    f.jump("outer")
    return f


def _step_aside(f: Function, pool: Value) -> None:
    """Leave the processor of the thread that made or woke this one, if there is another to be on:
    that is where the system lets it run, and it takes up to 100 ms to see that both have work.
    """
    here, mask = f.memory("i32", 1), f.memory("i64", MASK // 8)
    _system(f, PROCESSOR, here, f.index(0), f.index(0))
    processor = f.load("i32", here)
    with f.when(processor.eq(_look(f, _place(f, pool, CALLER)))):
        size = _system(f, GET_AFFINITY, f.index(0), f.index(MASK), mask)
        word = f.at(mask, processor.to("i64") / 64, "i64")
        bit = f.index(1) << (processor.to("i64") % 64)
        with f.when(size.gt(0) & processor.lt(8 * MASK)):
            f.store(f.load("i64", word) ^ bit, word)
            # Refused where no other processor is left: then nothing has changed.
            _system(f, SET_AFFINITY, f.index(0), size, mask)
            f.store(f.load("i64", word) ^ bit, word)
            _system(f, SET_AFFINITY, f.index(0), size, mask)


@once
def memory() -> int:
    """The address of the pool's memory, made once and never given back: workers look at it to the
    end of the process.
    """
    size = SLOTS + SLOT * MOST
    if hasattr(mmap, "MAP_PRIVATE"):  # shared memory would be the child's too after a fork
        block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    else:
        block = mmap.mmap(-1, size)
    hold = ctypes.c_char.from_buffer(block)
    build.keep(block, hold)
    place = ctypes.addressof(hold)
    threads.follow(lambda count: _limit(place, count))
    if threaded():
        create = ctypes.CDLL(None).pthread_create
        _word(place + CREATE).value = ctypes.cast(create, ctypes.c_void_p).value or 0
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forked)
    return place


def _word(place: int) -> Any:
    return ctypes.c_int64.from_address(place)


def _forked() -> None:
    """The child has no workers, and whoever held the lock is not here."""
    place = memory()
    limit = _word(place + LIMIT).value
    create = _word(place + CREATE).value
    ctypes.memset(place, 0, SLOTS + SLOT * MOST)
    _word(place + LIMIT).value = limit
    _word(place + CREATE).value = create


@once
def address() -> int:
    """Where ``pool_run(pool, function, context, threads)`` begins, for generated code to call.

    Raises:
        Unavailable: no code can be generated here.
    """
    return build.load(module())["pool_run"]


def _limit(place: int, count: int) -> None:
    _word(place + LIMIT).value = max(1, min(count, MOST))


def limit() -> int:
    """How many threads a region may have: `threads.count()`."""
    return int(_word(memory() + LIMIT).value)


@once
def _call() -> Any:
    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    return ctypes.CFUNCTYPE(None, *types)(address())


def shares(f: Function, memory: Value, work: Value, grain: int) -> Value:
    """How many shares work is cut into, in generated code: one for every `grain`, and where that is
    more than there are threads the same number for each.
    """
    limit = f.load("i64", _place(f, memory, LIMIT))
    count = work / grain
    even = count + limit - (count + limit) % limit
    even = f.intrinsic("smin", even, limit * EACH)
    return f.select(limit.eq(1), f.index(1), f.select(count.lt(limit), count + 1, even))


def shares_of(work: int, grain: int) -> int:
    """The same in Python."""
    count, most = work // grain, limit()
    even = min(count + most - (count + most) % most, most * EACH)
    return 1 if most == 1 else count + 1 if count < most else even


def run(function: int, context: int, shares: int | None = None) -> None:
    """Run the function at an address in shares; the interpreter's lock is free meanwhile.

    Args:
        function: ``void (ptr context, i64 thread, i64 threads)``.
        context: handed to it; whoever calls keeps alive what it points to.
        shares: how many; `limit()` by default.
    """
    _call()(memory(), function, context, limit() if shares is None else shares)
