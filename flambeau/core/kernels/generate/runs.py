"""The first of each run of equal numbers, packed together. Stands on jit and call."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.generate.call import TYPES as FLOATS
from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.conv_tile import compressed
from flambeau.core.kernels.generate.gemm import pointer, words
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, vector

__all__ = ["distinct"]

WORDS = ("x", "out", "size", "count")
WHOLE = {np.dtype(f"{kind}{size}"): f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)}
TYPES = {**FLOATS, **WHOLE, np.dtype(bool): "i8"}
SMALLEST = 1 << 12
"""Numbers below which NumPy's way is as quick."""
ALONE = 1 << 14
"""Work that one thread does, the interpreter's lock free."""


def module(name: str, type: str, lanes: int) -> Module:
    """`distinct`: what differs from the number before it is moved to the front of its register, and
    the register stored whole: the next one goes over the rest.
    """
    made = Module(f"distinct-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    x, out = pointer(f, get["x"]), pointer(f, get["out"])
    many, marks = vector(type, lanes), f"i{lanes}"
    f.store(f.load(type, x), out)
    place = f.variable("i64", 1)
    whole = (get["size"] - 1) / lanes * lanes + 1
    with f.loop(1, whole, lanes) as i:
        here = f.load(many, x, i)
        differ = here.ne(f.load(many, x, i - 1))
        f.store(compressed(f, here, differ), out, place.get())
        found = f.intrinsic("ctpop", differ.bits(marks))
        if lanes < 64:
            found = f.emit("i64", f"zext {marks} {found.name} to i64")
        place.set(place.get() + found)
    with f.loop(whole, get["size"]) as i:
        here = f.load(type, x, i)
        f.store(here, out, place.get())
        place.set(place.get() + here.ne(f.load(type, x, i - 1)).to("i64"))
    f.store(place.get(), pointer(f, get["count"]))
    return made


_kernel = Kernel(module, TYPES)


def distinct(x: Any) -> Any:
    """The numbers of a vector that are not what stands before them; NaN never is."""
    size = len(x)
    served = size >= SMALLEST and x.dtype in TYPES and x.flags.c_contiguous
    if not (served and _kernel.ready(x.dtype, "distinct")):
        if not size:
            return x.copy()
        differ = np.ones(size, bool)
        np.not_equal(x[1:], x[:-1], differ[1:])
        return x[differ]
    out = memory.empty((size + 64,), x.dtype)
    count = np.empty(1, np.int64)
    _kernel.run(x.dtype, "distinct", min(size, ALONE), x, out, size, count)
    return copies.copy(out[: count[0]])
