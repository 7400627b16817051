"""``launch(function, work, *words)``: runs generated code in shares from Python in half a
microsecond.

A word of the context is an array's address, an int, a float's bits, or 0 for None. The caller sees
to it that the function may do with the arrays what it does. Stands on table, elementwise and jit.
"""

from __future__ import annotations

import ctypes
import operator
import struct
from collections.abc import Callable
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import field, word

__all__ = ["launcher"]

MOST = 48
"""Words of a context at most."""
GRAIN = 1 << 15
"""Numbers that one more thread is worth, where each costs a few instructions."""
UNLOCKED = 1 << 13
"""From so many on the interpreter's lock is free."""


def module() -> Module:
    """The function as Python's own."""
    made = Module("launch")
    f = made.function("launch", (("ptr", "self"), ("ptr", "args"), ("i64", "n")), "ptr")
    args, n = f.argument["args"], f.argument["n"]
    context = f.memory("i64", MOST)
    integer = f.memory("i64", 2)  # the function and the work
    f.branch(n.ge(2) & n.le(MOST + 2), "fits", "other")
    f.label("fits")
    with f.loop(0, n) as i:
        x = f.load("ptr", f.at(args, i, "ptr"))
        place = f.select(i.lt(2), f.at(integer, i, "i64"), f.at(context, i - 2, "i64"))
        kind = field(f, x, table.TYPE, "ptr")
        k = f.fresh()
        f.branch(kind.eq(word(f, "ndarray")), f"array{k}", f"number{k}")
        f.label(f"array{k}")
        f.store(field(f, x, table.DATA, "i64"), place)
        f.jump(f"next{k}")
        f.label(f"number{k}")
        f.branch(kind.eq(word(f, "py_int")), f"int{k}", f"float{k}")
        f.label(f"int{k}")
        f.store(f.call(word(f, "as_long"), "i64", x), place)
        f.jump(f"next{k}")
        f.label(f"float{k}")
        f.branch(kind.eq(word(f, "py_float")), f"bits{k}", f"none{k}")
        f.label(f"bits{k}")
        f.store(field(f, x, table.FLOAT_VALUE, "i64"), place)
        f.jump(f"next{k}")
        f.label(f"none{k}")
        f.store(f.index(0), place)
        f.branch(x.eq(word(f, "none")), f"next{k}", "other")
        f.label(f"next{k}")
    work = f.load("i64", integer, 1)
    memory = word(f, "pool")
    threads = pool.shares(f, memory, work, GRAIN)
    state = f.variable("ptr", f.value("ptr", 0))
    with f.when(work.ge(UNLOCKED)):
        state.set(f.call(word(f, "release"), "ptr"))
    function = f.load("ptr", integer)
    f.call(word(f, "pool_run"), "void", memory, function, context, threads)
    with f.when(state.get().ne(f.value("ptr", 0))):
        f.call(word(f, "restore"), "void", state.get())
    none: Value = word(f, "none")
    f.call(word(f, "incref"), "void", none)
    f.ret(none)
    f.label("other")
    null = f.value("ptr", 0)
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, n, null))
    return made


def _word(x: Any) -> int:
    if x is None:
        return 0
    if isinstance(x, np.ndarray):
        return int(x.ctypes.data)
    if isinstance(x, float):
        return int(struct.unpack("<q", struct.pack("<d", x))[0])
    return operator.index(x)


def by_ctypes(function: int, work: int, *words: Any) -> None:
    """The same where Python's objects are laid out otherwise, and for words of other types."""
    context = (ctypes.c_int64 * len(words))(*map(_word, words))
    pool.run(function, ctypes.addressof(context), pool.shares_of(work, GRAIN))


@once
def launcher() -> Callable[..., None]:
    """The function, made at the first call."""
    if not table.trusted():
        return by_ctypes
    address = build.load(module())["launch"]
    return table.builtin("launch", address, by_ctypes, {"none": id(None)})
