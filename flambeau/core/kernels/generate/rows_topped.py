"""``out[i] = max(rows[columns[p]])`` over the places p of row i, column by column, and which row it
was: the first of equal ones. What an embedding bag's maximum is made of.

Threads share the rows of the result. A number is taken where it is larger than what is there, so
that NaN stays where it comes first. Stands on jit, call and gemm's helpers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import pointer, share, words
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, Value, vector

__all__ = ["top_rows"]

WORDS = ("out", "top", "pointers", "columns", "rows", "count", "width")
SMALLEST = 1 << 10
"""Numbers below which NumPy's way is as quick."""


def module(name: str, type: str, lanes: int) -> Module:
    """The function for rows of one number type. An empty row is 0, from row -1."""
    made = Module(f"rows-topped-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    many, whole = vector(type, lanes), vector("i64", lanes)
    width, rows = get["width"], pointer(f, get["rows"])
    pointers, columns = pointer(f, get["pointers"]), pointer(f, get["columns"])
    start, stop = share(f, get["count"])
    best, place = f.variable(many), f.variable(whole)
    with f.loop(start, stop) as i:
        first, last = f.load("i64", pointers, i), f.load("i64", pointers, i + 1)
        out = f.at(pointer(f, get["out"]), i * width, type)
        top = f.at(pointer(f, get["top"]), i * width, "i64")

        def piece(
            column: Value, some: Value | None, _: int, first: Value = first, last: Value = last,
            out: Value = out, top: Value = top,
        ) -> None:  # fmt: skip
            best.set(0.0)
            place.set(-1)
            with f.loop(first, last) as p:
                row = f.load("i64", columns, p)
                value = read(f, many, f.at(rows, row * width, type), column, some)
                larger = value.gt(best.get()) | f.splat(p.eq(first), lanes)
                best.set(f.select(larger, value, best.get()))
                place.set(f.select(larger, f.splat(row, lanes), place.get()))
            write(f, best.get(), out, column, some)
            write(f, place.get(), top, column, some)

        along(f, width, lanes, piece)
    return made


_kernel = Kernel(module)


def top_rows(out: Any, top: Any, pointers: Any, columns: Any, rows: Any) -> bool:
    """Fill `out` and `top` where that can be generated: contiguous float32 or float64 rows, int64
    places in range. Whether it was done.
    """
    work = len(columns) * out.shape[1]
    given = (out, top, pointers, columns, rows)
    if (
        out.dtype not in TYPES
        or work < SMALLEST
        or rows.dtype is not out.dtype
        or not (top.dtype == pointers.dtype == columns.dtype == np.int64)
        or not all(array.flags.c_contiguous for array in given)
        or not _kernel.ready(out.dtype, "top")
    ):
        return False
    _kernel.run(out.dtype, "top", work, *given, *out.shape)
    return True
