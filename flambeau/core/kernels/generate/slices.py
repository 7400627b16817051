"""Slices of one dimension, chosen by a vector of places: added to, written, or filled with one
number, repeated places in their order.

Arrays are contiguous: (outer, n, inner) is written, (outer, m, inner) is the source, (m) the
places, which come checked. Threads share `outer`, or the columns where it is 1, so that sums do not
depend on their number. What index_add, index_copy, index_fill and an embedding's gradient are made
of. Stands on jit, call and gemm's helpers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import NUMBERS, Kernel
from flambeau.core.kernels.generate.gemm import mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import number, put, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, Value, vector

__all__ = ["add_rows", "add_slices", "fill_slices", "put_slices"]

WORDS = ("target", "places", "source", "outer", "n", "m", "inner")
WHOLE = {np.dtype(f"{kind}{size}"): f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)}
TYPES = {**NUMBERS, **WHOLE}
"""16-bit floats are added in single precision and rounded each time."""
CARRIERS = {size: np.dtype(f"i{size}") for size in (1, 2, 4, 8)}
"""What moves numbers of so many bytes."""
SMALLEST = 1 << 12
"""Below, NumPy's way is as quick as the call."""


def module(name: str, type: str, lanes: int) -> Module:
    """`add`, `put` or `fill` for one number type."""
    made = Module(f"slices-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    target, places, source = (pointer(f, get[key]) for key in WORDS[:3])
    m, inner, many = get["m"], get["inner"], vector(type, lanes)
    blocks = (inner + (lanes - 1)) / lanes
    one = get["outer"].eq(1)
    start, stop = share(f, f.select(one, blocks, get["outer"]))
    first, last = f.select(one, start, f.index(0)), f.select(one, stop, blocks)
    filled = number(f, type, source)

    def into(row: Value, value: Value, at: Value, some: Value | None) -> None:
        """One register, or one number where a slice is one."""
        if name == "add":
            old = number(f, type, row) if some is None else read(f, many, row, at, some)
            value = old + value
        if some is None:
            put(f, value, row, type=type)
        else:
            write(f, value, row, at, some, type=type)

    def each(o: Value) -> None:
        rows = f.at(target, o * get["n"] * inner, type)
        given = f.at(source, o * m * inner, type)
        k = f.fresh()
        f.branch(inner.eq(1), f"numbers{k}", f"rows{k}")
        f.label(f"numbers{k}")
        with f.loop(0, m) as j:
            value = filled if name == "fill" else number(f, type, given, j)
            into(f.at(rows, f.load("i64", places, j), type), value, j, None)
        f.jump(f"done{k}")
        f.label(f"rows{k}")
        with f.loop(0, m) as j:
            row = f.at(rows, f.load("i64", places, j) * inner, type)
            line = f.at(given, j * inner, type)
            with f.loop(first, last) as block:
                at = block * lanes
                some = mask(f, smaller(f, inner - at, lanes), lanes)
                value = f.splat(filled, lanes) if name == "fill" else read(f, many, line, at, some)
                into(row, value, at, some)
        f.label(f"done{k}")

    with f.loop(f.select(one, f.index(0), start), f.select(one, f.index(1), stop)) as o:
        each(o)
    return made


_kernel = Kernel(module, TYPES)


def _run(name: str, dtype: Any, target: Any, dim: int, places: Any, source: Any) -> bool:
    """Whether it was done."""
    outer, inner = math.prod(target.shape[:dim]), math.prod(target.shape[dim + 1 :])
    work = outer * places.size * inner
    if (
        dtype not in TYPES
        or work < SMALLEST
        or places.dtype != np.int64
        or not (target.flags.c_contiguous and source.flags.c_contiguous)
        or not (places.flags.c_contiguous and target.flags.writeable)
        or np.may_share_memory(target, source)
        or not _kernel.ready(dtype, name)
    ):
        return False
    _kernel.run(
        dtype, name, work // 4, target, places, source, outer, target.shape[dim], places.size, inner
    )
    return True


def _carrier(array: Any) -> Any:
    return None if array.dtype.kind == "O" else CARRIERS.get(array.itemsize)


def add_slices(target: Any, dim: int, places: Any, source: Any) -> bool:
    """``target[places] += source`` along a dimension, whole numbers around their ends. Whether it
    was done.
    """
    if source.dtype != target.dtype:
        return False
    return _run("add", target.dtype, target, dim, places, source)


def put_slices(target: Any, dim: int, places: Any, source: Any) -> bool:
    """``target[places] = source`` along a dimension, of any dtype. Whether it was done."""
    if source.dtype != target.dtype:
        return False
    return _run("put", _carrier(target), target, dim, places, source)


def fill_slices(target: Any, dim: int, places: Any, number: Any) -> bool:
    """``target[places] = number`` along a dimension, an array of one number of any dtype. Whether
    it was done.
    """
    return _run("fill", _carrier(target), target, dim, places, number)


def add_rows(rows: Any, places: Any, values: Any) -> bool:
    """``rows[places] += values`` of matrices. Whether it was done."""
    return add_slices(rows, 0, places, values)
