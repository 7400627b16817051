"""Numbers carried from one array to another of the same shape whose rows lie otherwise: short,
backwards, repeated, in steps.

Dimensions that go on from one another in both arrays are one; three may be left. Numbers of one
size are bits; threads share the rows. Exchanged dimensions are turn's. Stands on jit and call.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import (
    larger,
    mask,
    masked_load,
    masked_store,
    pointer,
    share,
    smaller,
    words,
)
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector
from flambeau.core.kernels.order import merged

__all__ = ["carried"]

WORDS = ("source", "target", "n0", "n1", "n2", "s0", "s1", "s2", "t0", "t1", "t2")
"""Sizes, and the steps of both arrays in numbers; 2 is the innermost dimension."""
TYPES = {np.dtype(f"i{size}"): f"i{8 * size}" for size in (1, 2, 4, 8)}
CARRIERS = {dtype.itemsize: dtype for dtype in TYPES}
WAYS = {(1, 1): "rows", (-1, 1): "backwards", (0, 1): "repeated"}
"""By the innermost steps."""
GRAIN = 4
"""Numbers that cost as much as one computed."""


def module(name: str, type: str, lanes: int) -> Module:
    """`rows`, `backwards`, `repeated` or `steps`."""
    made = Module(f"carried-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    n1 = get["n1"]
    start, stop = share(f, get["n0"] * n1)
    with f.loop(start / n1, (stop + (n1 - 1)) / n1) as i:
        first, last = larger(f, start - i * n1, 0), smaller(f, stop - i * n1, n1)
        source = f.at(pointer(f, get["source"]), i * get["s0"], type)
        target = f.at(pointer(f, get["target"]), i * get["t0"], type)
        with f.loop(first, last) as j:
            _row(
                f, name, type, lanes, get,
                f.at(source, j * get["s1"], type), f.at(target, j * get["t1"], type),
            )  # fmt: skip
    return made


def _row(
    f: Function, name: str, type: str, lanes: int, get: dict[str, Value], x: Value, out: Value
) -> None:
    many, count = vector(type, lanes), get["n2"]
    if name == "steps":
        with f.loop(0, count) as k:
            f.store(f.load(type, x, k * get["s2"]), out, k * get["t2"])
        return
    if name == "backwards":
        order = ", ".join(f"i32 {lanes - 1 - k}" for k in range(lanes))
        whole = count / lanes * lanes

        def turned(value: Value) -> Value:
            kind = value.type
            return f.emit(
                kind,
                f"shufflevector {kind} {value.name}, {kind} poison, <{lanes} x i32> <{order}>",
            )

        with f.loop(0, whole, lanes) as k:
            f.store(turned(f.load(many, x, 1 - lanes - k)), out, k)
        with f.when(whole.lt(count)):  # the last lanes of a register
            some = mask(f, count - whole, lanes)
            here = masked_load(f, many, f.at(x, 1 - count, type), some)
            masked_store(f, turned(here), f.at(out, count - lanes, type), turned(some))
        return
    number = f.splat(f.load(type, x), lanes) if name == "repeated" else None

    def one(i: Value, some: Value | None, _: int) -> None:
        write(f, read(f, many, x, i, some) if number is None else number, out, i, some)

    mark = f.fresh()
    f.branch(count.le(lanes), f"short{mark}", f"long{mark}")
    f.label(f"short{mark}")
    one(f.index(0), mask(f, count, lanes), 0)
    f.jump(f"done{mark}")
    f.label(f"long{mark}")
    along(f, count, lanes, one, 4)
    f.label(f"done{mark}")


_kernel = Kernel(module, TYPES)


@lru_cache(1024)
def _plan(
    shape: tuple[int, ...], source: tuple[int, ...], target: tuple[int, ...], size: int
) -> tuple[str, tuple[int, ...]] | None:
    """The way of the innermost dimension and the words from `n0` on; strides in bytes."""
    if any(s % size for s in (*source, *target)):
        return None
    dims = merged(shape, source, target, size)
    if not 0 < len(dims) <= 3:
        return None
    dims = [(1, 0, 0)] * (3 - len(dims)) + dims
    way = WAYS.get(dims[2][1:], "steps")
    return way, tuple(d[k] for k in range(3) for d in dims)


def carried(source: Any, target: Any) -> bool:
    """Write the numbers of an array into another one of its shape and size of numbers that does not
    meet it. Whether code serves.
    """
    dtype = CARRIERS.get(source.itemsize)
    if dtype is None or source.dtype.kind == "O" or not source.size:
        return False
    plan = _plan(source.shape, source.strides, target.strides, source.itemsize)
    if plan is None or not _kernel.ready(dtype, plan[0]):
        return False
    _kernel.run(dtype, plan[0], source.size // GRAIN, source, target, *plan[1])
    return True
