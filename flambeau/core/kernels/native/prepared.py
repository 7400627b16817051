"""``launch(words, *arrays)``: run a generated function over the pool, its context made before.

`words` is what does not change from call to call: HEADER, then the context. The addresses of the
arrays (0 for None) go into a copy of the context, so that threads may share the words. A call costs
0.3 us where ctypes takes 5. Stands on table and pool.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from typing import Any

from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import field, word

__all__ = ["HEADER", "launch"]

HEADER = ("function", "shares", "unlocked", "first")
"""The first words: where the function begins, in how many shares it runs, whether the interpreter's
lock is free meanwhile, and from which word of the context on the addresses stand.
"""
MOST = 96
"""Words of a context."""


def _plainly(words: Any, *arrays: Any) -> None:
    function, shares, _, first = (int(x) for x in words[: len(HEADER)])
    context = words[len(HEADER) :].copy()
    for k, array in enumerate(arrays):
        context[first + k] = 0 if array is None else array.ctypes.data
    pool.run(function, context.ctypes.data, shares)


@once
def launch() -> Callable[..., None]:
    """The function; generated itself where that can be done."""
    try:
        address = build.load(_module())["prepared"]
        return table.builtin("prepared", address, _plainly, {"none": id(None)})
    except build.Unavailable:
        return _plainly


def _module() -> Module:
    made = Module("prepared")
    f = made.function("prepared", (("ptr", "self"), ("ptr", "args"), ("i64", "n")), "ptr")
    args, count = f.argument["args"], f.argument["n"]
    none = word(f, "none")

    def demand(condition: Value) -> None:
        k = f.fresh()
        f.branch(condition, f"good{k}", "other")
        f.label(f"good{k}")

    demand(count.ge(1))
    words = f.load("ptr", args)
    demand(field(f, words, table.TYPE, "ptr").eq(word(f, "ndarray")))
    size = f.load("i64", field(f, words, table.DIMS, "ptr"))
    demand(size.le(MOST + len(HEADER)))
    data = field(f, words, table.DATA, "ptr")
    function = f.load("i64", data, 0).to("ptr")
    shares, unlocked, first = (f.load("i64", data, k) for k in (1, 2, 3))
    context = f.memory("i64", MOST)
    with f.loop(len(HEADER), size) as k:
        f.store(f.load("i64", data, k), context, k - len(HEADER))
    with f.loop(1, count) as k:
        array = f.load("ptr", f.at(args, k, "ptr"))
        place = f.variable("i64", 0)
        with f.when(array.ne(none)):
            demand(field(f, array, table.TYPE, "ptr").eq(word(f, "ndarray")))
            place.set(field(f, array, table.DATA, "ptr").to("i64"))
        f.store(place.get(), context, first + k - 1)
    state = f.variable("ptr", f.value("ptr", 0))
    with f.when(unlocked.ne(0)):
        state.set(f.call(word(f, "release"), "ptr"))
    f.call(word(f, "pool_run"), "void", word(f, "pool"), function, context, shares)
    with f.when(unlocked.ne(0)):
        f.call(word(f, "restore"), "void", state.get())
    f.call(word(f, "incref"), "void", none)
    f.ret(none)
    f.label("other")
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, count, f.value("ptr", 0)))
    return made
