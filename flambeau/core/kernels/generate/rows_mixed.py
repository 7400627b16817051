"""``out[i] = sum(values[p] * rows[columns[p]])`` over the places p of row i: a matrix of compressed
rows times a dense one.

Threads share the rows of the result; each is summed in registers, in the order of its places.
Stands on jit and gemm's helpers.
"""

from __future__ import annotations

import ctypes
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.generate.gemm import masked_load, masked_store, pointer, share, smaller
from flambeau.core.kernels.generate.gemm import words as read_words
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector

__all__ = ["WORDS", "mix_rows", "module"]

WORDS = ("out", "pointers", "columns", "values", "rows", "count", "width")
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
WIDE = (1, 2, 4)
"""Registers that a row's piece takes: one function for each."""
ALONE = 1 << 18
"""Products that one more thread is worth."""
SMALLEST = 1 << 12
"""Below, SciPy's loop is as quick as the call."""


def module(type: str, lanes: int) -> Module:
    """`mix1`, `mix2` and `mix4` for rows of one number type, side by side."""
    made = Module(f"rows-mixed-{type}")
    for registers in WIDE:
        _mix(made, type, lanes, registers)
    return made


def _mix(made: Module, type: str, lanes: int, registers: int) -> None:
    f = made.function(f"mix{registers}", pool.ARGUMENTS)
    get = read_words(f, WORDS)
    many, width = vector(type, lanes), get["width"]
    out, rows, values = (pointer(f, get[name]) for name in ("out", "rows", "values"))
    pointers, columns = pointer(f, get["pointers"]), pointer(f, get["columns"])
    start, stop = share(f, get["count"])
    sums = [f.variable(many) for _ in range(registers)]
    with f.loop(start, stop) as i:
        first, last = f.load("i64", pointers, i), f.load("i64", pointers, i + 1)
        with f.loop(0, width, registers * lanes) as piece:
            at = [piece + k * lanes for k in range(registers)]
            some = [first_lanes(f, smaller(f, width - column, lanes), lanes) for column in at]
            for total in sums:
                total.set(0.0)
            with f.loop(first, last) as p:
                row = f.at(rows, f.load("i64", columns, p) * width, type)
                factor = f.splat(f.load(type, values, p), lanes)
                for total, column, lane in zip(sums, at, some, strict=True):
                    term = masked_load(f, many, f.at(row, column, type), lane)
                    total.set(f.fma(factor, term, total.get()))
            for total, column, lane in zip(sums, at, some, strict=True):
                masked_store(f, total.get(), f.at(out, i * width + column, type), lane)


@once
def _functions(type: str) -> tuple[int, dict[int, int]] | None:
    if not build.available():
        return None
    lanes = build.host().lanes(4 if type == "float" else 8)
    try:
        found = build.load(module(type, lanes))
    except build.Unavailable:
        return None
    return lanes, {registers: found[f"mix{registers}"] for registers in WIDE}


def mix_rows(out: Any, pointers: Any, columns: Any, values: Any, rows: Any) -> bool:
    """Fill `out` where that can be generated: contiguous float32 or float64 numbers, int64 places
    in range. Whether it was done.
    """
    type = TYPES.get(out.dtype)
    arrays = (out, pointers, columns, values, rows)
    if (
        type is None
        or len(values) * out.shape[1] < SMALLEST
        or not (values.dtype is rows.dtype is out.dtype)
        or not (pointers.dtype == columns.dtype == np.int64)
        or not all(array.flags.c_contiguous for array in arrays)
    ):
        return False
    found = _functions(type)
    if found is None:
        return False
    lanes, functions = found
    width = out.shape[1]
    registers = next((n for n in WIDE if n * lanes >= width), WIDE[-1])
    context = (ctypes.c_int64 * len(WORDS))(
        *(array.ctypes.data for array in arrays), len(out), width
    )
    shares = min(pool.limit(), 1 + len(values) * width // ALONE)
    pool.run(functions[registers], ctypes.addressof(context), shares)
    return True
