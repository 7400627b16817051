"""NumPy's own inner loops, called by generated code: what has no formula costs no more than what
has one, and takes any strides and threads.

A ufunc's loop is a C function of addresses, a count and strides; NumPy finds it, checks floating-
point flags and orders results anew at each call, which is most of a small call's time. Here it is
found once. What the loops do not take NumPy does itself. Stands on broadcast and table.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Module
from flambeau.core.kernels.native import broadcast, table
from flambeau.core.kernels.native.broadcast import FORMS, KINDS, SPEC, TYPE_WORDS
from flambeau.core.kernels.native.geometry import SIGNATURE
from flambeau.core.kernels.native.objects import word

__all__ = ["native"]

NAMES = {
    "f": "float", "d": "double", "l": "i64", "i": "i32", "h": "i16", "b": "i8", "B": "u8",
    "?": "i1", "F": "", "D": "",
}  # fmt: skip
"""By NumPy's letters: what numbers of these dtypes are called in generated code."""
INPUTS, OUTPUTS, LOOPS, DATA, COUNT, TYPES = 16, 20, 32, 40, 48, 64
"""Where a ufunc's fields stand, in bytes."""


def _pointer(place: int) -> int:
    return ctypes.c_size_t.from_address(place).value


@once
def _loops(ufunc: np.ufunc) -> dict[str, tuple[int, int]]:
    """A ufunc's loops of one dtype: where each begins and the data it is called with, by letters
    as "ff?"; empty where this NumPy lays ufuncs out otherwise.
    """
    at = id(ufunc)
    facts = [ctypes.c_int.from_address(at + k).value for k in (INPUTS, OUTPUTS, COUNT)]
    if facts != [ufunc.nin, ufunc.nout, ufunc.ntypes]:
        return {}
    letters = [kind.replace("->", "") for kind in ufunc.types]
    numbers = b"".join(bytes(np.dtype(c).num for c in kind) for kind in letters)
    if ctypes.string_at(_pointer(at + TYPES), len(numbers)) != numbers:
        return {}
    loops, data = _pointer(at + LOOPS), _pointer(at + DATA)
    found: dict[str, tuple[int, int]] = {}
    for k, kind in enumerate(letters):
        if len(set(kind[: ufunc.nin])) == 1 and all(c in NAMES for c in kind):
            given = (_pointer(loops + 8 * k), _pointer(data + 8 * k) if data else 0)
            found.setdefault(kind, given)
    return found


def _spec(ufunc: np.ufunc) -> Any:
    """The ufunc's description for ``broadcast``; None where it has no such loop."""
    loops = _loops(ufunc)
    rows: list[int] = []
    for letters, (loop, data) in loops.items():
        given, result = np.dtype(letters[0]), np.dtype(letters[-1])
        build.keep(given, result)
        name = NAMES[letters[0]]
        kind = KINDS.index(name) if name in KINDS else len(KINDS)
        words = {
            "kind": id(given), "item": given.itemsize, "result": id(result),
            "size": result.itemsize, "number": kind, "data": data,
        }  # fmt: skip
        rows += [words.get(key, 0) for key in TYPE_WORDS]
        rows += [loop if k < 1 << ufunc.nin else 0 for k in range(FORMS)]
    facts = {"arity": ufunc.nin, "condition": -1, "types": len(loops)}
    facts |= {"rounded": 0, "divisor": -1, "absent": 0}
    words64 = [facts[key] for key in SPEC] + rows
    return (ctypes.c_int64 * len(words64))(*words64) if loops else None


def _module() -> Module:
    made = Module("ufunc", calls=True)
    f = made.function("ufunc", SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    found = f.call(word(f, "enter"), "ptr", f.argument["self"], args, n, word(f, "spec"))
    f.branch(found.eq(0), "other", "found")
    f.label("found")
    f.ret(found)
    f.label("other")
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, n, f.value("ptr", 0)))
    return made


def native(ufunc: np.ufunc, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """``call(*arrays)``, the array to write last where there is one; `otherwise` takes what the
    loops do not, and everything where no code can be generated.
    """
    if not build.available() or not table.trusted() or ufunc.nin > 2 or ufunc.nout != 1:
        return otherwise
    try:
        spec = _spec(ufunc)
        if spec is None:
            return otherwise
        build.keep(spec)
        address = build.load(_module())["ufunc"]
        more = {"enter": broadcast.addresses()["enter"], "spec": ctypes.addressof(spec)}
        return table.builtin(ufunc.__name__, address, otherwise, more)
    except build.Unavailable:
        return otherwise
