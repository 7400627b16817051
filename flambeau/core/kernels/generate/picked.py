"""Elements and rows picked along one dimension, and put or added back, on threads.

Arrays are contiguous: (outer, n, inner) is picked from, the index is (outer, m, inner) or, of whole
rows, (m). A thread that writes owns its outer elements and columns, so repeated places keep their
order whatever the number of threads. Small work and other layouts are native.picks' and NumPy's.
Indices come checked. Stands on jit, call and gemm's helpers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import larger, pointer, share, smaller, words
from flambeau.core.kernels.generate.slices import CARRIERS, TYPES
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["add_elements", "elements", "put_elements", "rows"]

WORDS = ("x", "index", "other", "outer", "n", "m", "inner")
"""The context. `other`: what is picked, or what is put."""
SMALLEST = 1 << 12
"""Below, other ways are as quick."""
COLUMNS = 64
"""Columns of a unit of work."""


def module(name: str, type: str, width: int) -> Module:
    """`rows`, `elements`, `put` or `add` for one number type."""
    made = Module(f"picked-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    (_rows if name == "rows" else _elements)(f, name, type, width, get)
    return made


def _rows(f: Function, name: str, type: str, width: int, get: dict[str, Value]) -> None:
    """``other[o, j] = x[o, index[j]]``."""
    x, index, other = (pointer(f, get[key]) for key in ("x", "index", "other"))
    m, inner, many = get["m"], get["inner"], vector(type, width)
    start, stop = share(f, get["outer"] * m)
    with f.loop(start / m, (stop + (m - 1)) / m) as o:
        first, last = larger(f, start - o * m, 0), smaller(f, stop - o * m, m)
        rows = f.at(x, o * get["n"] * inner, type)
        picks = f.at(other, o * m * inner, type)
        k = f.fresh()
        f.branch(inner.eq(1), f"numbers{k}", f"rows{k}")
        f.label(f"numbers{k}")
        with f.loop(first, last) as j:
            f.store(f.load(type, rows, f.load("i64", index, j)), picks, j)
        f.jump(f"done{k}")
        f.label(f"rows{k}")
        with f.loop(first, last) as j:
            source = f.at(rows, f.load("i64", index, j) * inner, type)
            target = f.at(picks, j * inner, type)
            along(
                f, inner, width,
                lambda i, some, _, source=source, target=target: write(
                    f, read(f, many, source, i, some), target, i, some
                ), 4,
            )  # fmt: skip
        f.label(f"done{k}")


def _elements(f: Function, name: str, type: str, width: int, get: dict[str, Value]) -> None:
    """``other[o, j, i]`` and ``x[o, index[o, j, i], i]``, in the order of j."""
    x, index, other = (pointer(f, get[key]) for key in ("x", "index", "other"))
    m, inner = get["m"], get["inner"]
    blocks = (inner + (COLUMNS - 1)) / COLUMNS
    start, stop = share(f, get["outer"] * blocks)

    def one(o: Value, j: Value, i: Value) -> None:
        here = (o * m + j) * inner + i
        there = (o * get["n"] + f.load("i64", index, here)) * inner + i
        if name == "elements":
            f.store(f.load(type, x, there), other, here)
        elif name == "put":
            f.store(f.load(type, other, here), x, there)
        else:
            f.store(f.load(type, x, there) + f.load(type, other, here), x, there)

    with f.loop(start, stop) as unit:
        o, first = unit / blocks, unit % blocks * COLUMNS
        last = smaller(f, first + COLUMNS, inner)
        k = f.fresh()
        f.branch(inner.eq(1), f"single{k}", f"several{k}")
        f.label(f"single{k}")
        with f.loop(0, m) as j:
            one(o, j, f.index(0))
        f.jump(f"done{k}")
        f.label(f"several{k}")
        with f.loop(0, m) as j, f.loop(first, last) as i:
            one(o, j, i)
        f.label(f"done{k}")


_kernel = Kernel(module, TYPES)


def _run(name: str, dtype: Any, x: Any, dim: int, index: Any, other: Any, m: int) -> None:
    outer, inner = math.prod(x.shape[:dim]), math.prod(x.shape[dim + 1 :])
    n = x.shape[dim]
    if name == "rows":
        inner = inner * x.itemsize // dtype.itemsize
    work = other.size * 2
    _kernel.run(dtype, name, work, x, index, other, outer, n, m, inner)


def _plain(index: Any) -> bool:
    return index.dtype == np.int64 and bool(index.flags.c_contiguous)


def rows(x: Any, dim: int, index: Any, checked: bool = True) -> Any:
    """``x.take(index, dim)``; None where no code serves, and of indices not `checked` yet where
    one is negative or out of range.
    """
    shape = (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :])
    inner = math.prod(x.shape[dim + 1 :]) * x.itemsize
    dtype = CARRIERS[4 if inner % 4 == 0 else 2 if inner % 2 == 0 else 1]
    if (
        math.prod(shape) < SMALLEST or x.dtype.kind == "O" or not _plain(index)
        or not x.flags.c_contiguous or not _kernel.ready(dtype, "rows")
    ):  # fmt: skip
        return None
    if not checked and int(np.maximum.reduce(index.view(np.uint64), None)) >= x.shape[dim]:
        return None  # negative ones are the largest
    out = memory.empty(shape, x.dtype)
    _run("rows", dtype, x, dim, index, out, index.size)
    return out


def _fits(name: str, dtype: Any, x: Any, dim: int, index: Any) -> bool:
    """Whether code serves an index as large as the array apart from the dimension."""
    return (
        index.size >= SMALLEST and dtype is not None and _plain(index)
        and x.ndim == index.ndim and x.flags.c_contiguous
        and x.shape[:dim] == index.shape[:dim] and x.shape[dim + 1 :] == index.shape[dim + 1 :]
        and _kernel.ready(dtype, name)
    )  # fmt: skip


def elements(x: Any, dim: int, index: Any) -> Any:
    """``gather`` of checked indices; None where no code serves."""
    dtype = CARRIERS.get(x.itemsize)
    if not _fits("elements", dtype, x, dim, index):
        return None
    out = memory.empty(index.shape, x.dtype)
    _run("elements", dtype, x, dim, index, out, index.shape[dim])
    return out


def put_elements(x: Any, dim: int, index: Any, source: Any) -> bool:
    """``scatter_`` of a source with as many numbers as the index. Whether it was done."""
    return _write("put", CARRIERS.get(x.itemsize), x, dim, index, source)


def add_elements(x: Any, dim: int, index: Any, source: Any) -> bool:
    """``scatter_add_`` likewise."""
    return _write("add", x.dtype if x.dtype in TYPES else None, x, dim, index, source)


def _write(name: str, dtype: Any, x: Any, dim: int, index: Any, source: Any) -> bool:
    if not _fits(name, dtype, x, dim, index) or source.dtype != x.dtype:
        return False
    if not (source.flags.c_contiguous and x.flags.writeable) or np.may_share_memory(x, source):
        return False
    _run(name, dtype, x, dim, index, source, index.shape[dim])
    return True
