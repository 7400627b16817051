"""Arrays one after another along a dimension that is not the first: row by row, so that the result
is written once from its beginning to its end. Stands on jit and call.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.carried import CARRIERS, GRAIN, TYPES
from flambeau.core.kernels.generate.gemm import pointer, share, words
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, Value, vector

__all__ = ["joined"]

WORDS = ("out", "parts", "count", "rows", "width")
"""`parts`: of each array where it begins and how many numbers of a row are its own."""
SMALLEST = 1 << 12
"""Numbers of a result below which NumPy's way is as quick."""


def module(name: str, type: str, lanes: int) -> Module:
    """`joined` for numbers of one size."""
    made = Module(f"joined-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    many, parts = vector(type, lanes), pointer(f, get["parts"])
    target = f.variable("ptr")
    start, stop = share(f, get["rows"])
    target.set(f.at(pointer(f, get["out"]), start * get["width"], type))
    with f.loop(start, stop) as row, f.loop(0, get["count"]) as part:
        own = f.load("i64", parts, part * 2 + 1)
        source = f.at(pointer(f, f.load("i64", parts, part * 2)), row * own, type)
        out = target.get()

        def one(i: Value, some: Value | None, _: int, source: Value = source,
                out: Value = out) -> None:  # fmt: skip
            write(f, read(f, many, source, i, some), out, i, some)

        k = f.fresh()
        f.branch(own.eq(1), f"number{k}", f"numbers{k}")
        f.label(f"number{k}")
        f.store(f.load(type, source), out)
        f.jump(f"done{k}")
        f.label(f"numbers{k}")
        along(f, own, lanes, one, 4)
        f.label(f"done{k}")
        target.set(f.at(out, own, type))
    return made


_kernel = Kernel(module, TYPES)


def joined(arrays: Any, dim: int, out: Any) -> bool:
    """Write contiguous arrays of one dtype into a contiguous one. Whether code serves."""
    dtype = CARRIERS.get(out.itemsize)
    rows = prod(out.shape[:dim])
    if rows < 2 or out.size < SMALLEST or dtype is None or out.dtype.kind == "O":
        return False
    if not all(a.dtype == out.dtype and a.flags.c_contiguous for a in arrays):
        return False
    if not _kernel.ready(dtype, "joined"):
        return False
    parts = np.array([(a.ctypes.data, a.size // rows) for a in arrays], np.int64)
    _kernel.run(
        dtype, "joined", out.size // GRAIN, out, parts, len(parts), rows, out.size // rows
    )  # fmt: skip
    return True
