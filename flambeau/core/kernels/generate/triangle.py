"""Triangles of matrices: what lies on one side of a diagonal is copied, the rest is 0.

Contiguous matrices of any numbers of 1, 2, 4 or 8 bytes, in batches; threads share the rows. Stands
on jit, call and gemm's helpers.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import larger, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, Value, vector

__all__ = ["triangle"]

WORDS = ("x", "out", "batch", "rows", "columns", "diagonal")
TYPES = {np.dtype(f"i{size}"): f"i{8 * size}" for size in (1, 2, 4, 8)}
CARRIERS = {dtype.itemsize: dtype for dtype in TYPES}
SMALLEST = 1 << 12
"""Numbers below which NumPy's way is as quick."""


def module(name: str, type: str, lanes: int) -> Module:
    """`tril` or `triu` for numbers of one size."""
    made = Module(f"{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    many, columns = vector(type, lanes), get["columns"]
    start, stop = share(f, get["batch"] * get["rows"])
    with f.loop(start, stop) as row:
        x, out = (f.at(pointer(f, get[key]), row * columns, type) for key in ("x", "out"))
        end = row % get["rows"] + get["diagonal"] + (1 if name == "tril" else 0)
        cut = smaller(f, larger(f, end, 0), columns)
        none = f.splat(f.value(type, 0), lanes)

        def part(first: Value | int, count: Value, kept: bool, x: Value = x, out: Value = out,
                 none: Value = none) -> None:  # fmt: skip
            source, target = f.at(x, first, type), f.at(out, first, type)

            def one(i: Value, some: Value | None, _: int) -> None:
                write(f, read(f, many, source, i, some) if kept else none, target, i, some)

            along(f, count, lanes, one)

        part(0, cut, name == "tril")
        part(cut, columns - cut, name == "triu")
    return made


_kernel = Kernel(module, TYPES)


def triangle(name: str, x: Any, diagonal: int) -> Any:
    """`tril` or `triu` of the last two dimensions; None where no code serves."""
    dtype = CARRIERS.get(x.itemsize)
    if dtype is None or x.size < SMALLEST or not x.flags.c_contiguous or x.dtype.kind == "O":
        return None
    if not _kernel.ready(dtype, name):
        return None
    out = memory.empty_like(x)
    *batch, rows, columns = x.shape
    diagonal = min(max(diagonal, -rows), columns)
    _kernel.run(dtype, name, x.size, x, out, prod(batch), rows, columns, diagonal)
    return out
