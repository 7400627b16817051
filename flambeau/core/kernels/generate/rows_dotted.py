"""Dot products of a sparse matrix: its compressed rows with a vector, and the rows of two dense
matrices with one another at chosen places (``a @ b.T`` where a mask wants it).

Threads share the rows, or the places; each result is summed by one. Stands on jit and gemm's
helpers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.conv_pack import gather
from flambeau.core.kernels.generate.gemm import mask, masked_load, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import across, along, read
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, vector

__all__ = ["dot_places", "dot_rows", "module"]


def module(name: str, type: str, lanes: int) -> Module:
    """`rows` or `places`, for numbers of one type and int64 indices."""
    made = Module(f"{name}-dotted-{type}")
    (_rows if name == "rows" else _places)(made, type, lanes)
    return made


def _rows(made: Module, type: str, lanes: int) -> None:
    f = made.function("rows", pool.ARGUMENTS)
    get = words(f, ("out", "pointers", "columns", "values", "x", "count"))
    out, pointers, columns, values, x = (pointer(f, get[name]) for name in list(get)[:-1])
    many = vector(type, lanes)
    total = f.variable(many)
    start, stop = share(f, get["count"])
    with f.loop(start, stop) as i:
        total.set(0.0)
        first, last = (f.load("i64", pointers, i + k) for k in (0, 1))
        with f.loop(first, last, lanes) as p:
            some = mask(f, smaller(f, last - p, lanes), lanes)
            at = masked_load(f, vector("i64", lanes), f.at(columns, p, "i64"), some)
            term = masked_load(f, many, f.at(values, p, type), some)
            total.set(f.fma(term, gather(f, many, x, at, some), total.get()))
        f.store(across(f, [total.get()]), out, i)


def _places(made: Module, type: str, lanes: int) -> None:
    f = made.function("places", pool.ARGUMENTS)
    get = words(f, ("out", "rows", "columns", "a", "b", "count", "width"))
    out, rows, columns, a, b = (pointer(f, get[name]) for name in list(get)[:-2])
    many, width = vector(type, lanes), get["width"]
    total = f.variable(many)
    start, stop = share(f, get["count"])
    with f.loop(start, stop) as p:
        total.set(0.0)
        one, other = (
            f.at(side, f.load("i64", index, p) * width, type)
            for side, index in ((a, rows), (b, columns))
        )
        along(
            f,
            width,
            lanes,
            lambda i, some, _: total.set(
                f.fma(read(f, many, one, i, some), read(f, many, other, i, some), total.get())
            ),
        )
        f.store(across(f, [total.get()]), out, p)


_kernel = Kernel(module)


def _whole(dtype: np.dtype[Any], indices: Any, numbers: Any) -> bool:
    return (
        dtype in TYPES
        and all(i.dtype == np.int64 and i.flags.c_contiguous for i in indices)
        and all(x.dtype is dtype and x.flags.c_contiguous for x in numbers)
    )


def dot_rows(out: Any, pointers: Any, columns: Any, values: Any, x: Any) -> bool:
    """``out[i] = sum(values[p] * x[columns[p]])`` over the places p of row i, where that can be
    generated: contiguous float32 or float64 numbers, int64 places in range. Whether it was done.
    """
    dtype = out.dtype
    if not _whole(dtype, (pointers, columns), (out, values, x)):
        return False
    if not _kernel.ready(dtype, "rows"):
        return False
    _kernel.run(dtype, "rows", len(values), out, pointers, columns, values, x, len(out))
    return True


def dot_places(out: Any, rows: Any, columns: Any, a: Any, b: Any) -> bool:
    """``out[p] = a[rows[p]] . b[columns[p]]``, where that can be generated: contiguous float32 or
    float64 numbers, int64 places in range. Whether it was done.
    """
    dtype = out.dtype
    if not _whole(dtype, (rows, columns), (out, a, b)) or not _kernel.ready(dtype, "places"):
        return False
    _kernel.run(
        dtype, "places", a.shape[1] * len(out), out, rows, columns, a, b, len(out), a.shape[1]
    )
    return True
