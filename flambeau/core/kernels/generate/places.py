"""The largest or smallest numbers along one dimension, and where each lies first.

Dimensions are seen as (outer, rows, width), each with its stride. Where the folded numbers lie side
by side, a row's registers each keep their own best; else columns, or short rows, have a lane each.
The first NaN wins. Stands on jit and the folds' plans.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import copies
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.conv_pack import gather
from flambeau.core.kernels.generate.conv_tile import steps_of
from flambeau.core.kernels.generate.folds import LEAST, SHORT
from flambeau.core.kernels.generate.gemm import mask, pointer, share, words
from flambeau.core.kernels.generate.vectors import SIDE_BY_SIDE, along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, lanes, vector

__all__ = ["places"]

WORDS = ("x", "best", "places", "outer", "rows", "width", "above", "below", "beside")
WHOLE = {np.dtype("i4"): "i32", np.dtype("i8"): "i64"}
TOGETHER = 2
"""Registers of columns in a unit."""

Pair = tuple[Value, Value]


def module(name: str, type: str, width: int) -> Module:
    """`max_rows`, `max_columns`, `max_apart`, or the same of `min`."""
    made = Module(f"places-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    how, _, way = name.partition("_")
    (_rows if way == "rows" else _columns)(f, how, type, width, way == "apart")
    return made


def _number(type: str) -> str:
    """Whole numbers of the same size, that places are counted in."""
    return "i64" if SIZES[type] == 8 else "i32"


def _better(how: str, new: Value, old: Value) -> Value:
    """Whether a number that lies behind another takes its place."""
    better = new.gt(old) if how == "max" else new.lt(old)
    return (better | new.isnan()) & old.eq(old) if new.floating else better


def _first(f: Function, how: str, a: Pair, b: Pair) -> Pair:
    """The better of two numbers whose order is not known, the first of equal ones."""
    (old, at), (new, place) = a, b
    same = new.eq(old) | (new.isnan() & old.isnan()) if new.floating else new.eq(old)
    taken = _better(how, new, old) | (same & place.lt(at))
    return f.select(taken, new, old), f.select(taken, place, at)


def _rows(f: Function, how: str, type: str, width: int, _: bool) -> None:
    get = words(f, WORDS)
    number = _number(type)
    many, numbers = vector(type, width), vector(number, width)
    start, stop = share(f, get["outer"])
    steps = steps_of(f, width).to(numbers)
    with f.loop(start, stop) as unit:
        x = f.at(pointer(f, get["x"]), unit * get["above"], type)
        begin = f.splat(f.load(type, x), width)
        best = [f.variable(many, begin) for _ in range(SIDE_BY_SIDE)]
        found = [f.variable(numbers, 0) for _ in range(SIDE_BY_SIDE)]

        def look(i: Value, some: Value | None, k: int) -> None:
            new, old = read(f, many, x, i, some), best[k].get()
            taken = _better(how, new, old)
            if some is not None:
                taken = taken & some
            here = steps + f.splat(i.to(number), width)
            best[k].set(f.select(taken, new, old))
            found[k].set(f.select(taken, here, found[k].get()))

        along(f, get["rows"], width, look, SIDE_BY_SIDE)
        pairs = [(a.get(), b.get()) for a, b in zip(best, found, strict=True)]
        while len(pairs) > 1:
            pairs = [_first(f, how, a, b) for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
        value, place = _halved(f, how, pairs[0])
        f.store(value, pointer(f, get["best"]), unit)
        f.store(place.to("i64"), pointer(f, get["places"]), unit)


def _halved(f: Function, how: str, pair: Pair) -> Pair:
    """A register's lanes, one half with the other until one is left."""
    while lanes(pair[0].type) > 1:
        low, high = (tuple(_half(f, x, side) for x in pair) for side in (0, 1))
        pair = _first(f, how, low, high)  # type: ignore[arg-type]
    return pair


def _half(f: Function, x: Value, side: int) -> Value:
    half = lanes(x.type) // 2
    one = x.type[1:-1].split(" x ")[1]
    if half == 1:
        return f.emit(one, f"extractelement {x.type} {x.name}, i64 {side}")
    order = ", ".join(f"i32 {k}" for k in range(side * half, (side + 1) * half))
    return f.emit(
        vector(one, half),
        f"shufflevector {x.type} {x.name}, {x.type} poison, <{half} x i32> <{order}>",
    )


def _columns(f: Function, how: str, type: str, count: int, apart: bool) -> None:
    get = words(f, WORDS)
    number = _number(type)
    many, numbers = vector(type, count), vector(number, count)
    width, size = get["width"], count * TOGETHER
    groups = (width + (size - 1)) / size
    start, stop = share(f, get["outer"] * groups)
    beside = get["beside"] if apart else f.index(1)
    lane = steps_of(f, count).to(f"<{count} x i64>") * f.splat(beside, count)
    with f.loop(start, stop) as unit:
        column, outer = unit % groups * size, unit / groups
        x = f.at(pointer(f, get["x"]), outer * get["above"] + column * beside, type)
        masks = [mask(f, width - column - k * count, count) for k in range(TOGETHER)]

        def row(r: Value) -> list[Value]:
            place = f.at(x, r * get["below"], type)
            if not apart:
                return [read(f, many, place, k * count, m) for k, m in enumerate(masks)]
            return [
                gather(f, many, f.at(place, beside * (k * count), type), lane, m)
                for k, m in enumerate(masks)
            ]

        best = [f.variable(many) for _ in range(TOGETHER)]
        found = [f.variable(numbers, 0) for _ in range(TOGETHER)]
        for each, value in zip(best, row(f.index(0)), strict=True):
            each.set(value)
        with f.loop(1, get["rows"]) as r:
            here = f.splat(r.to(number), count)
            for each, where, new in zip(best, found, row(r), strict=True):
                old = each.get()
                taken = _better(how, new, old)
                each.set(f.select(taken, new, old))
                where.set(f.select(taken, here, where.get()))
        to = outer * width + column
        values, positions = (
            f.at(pointer(f, get["best"]), to, type),
            f.at(pointer(f, get["places"]), to, "i64"),
        )
        for k, some in enumerate(masks):
            write(f, best[k].get(), values, k * count, some)
            write(f, found[k].get().to(vector("i64", count)), positions, k * count, some)


_kernel = Kernel(module, {**TYPES, **WHOLE})


@lru_cache(512)
def _plan(shape: tuple[int, ...], strides: tuple[int, ...], axis: int) -> Any:
    """The kernel's way, sizes and strides, counted in numbers; None where dimensions do not fit."""

    def merged(dims: range) -> tuple[int, int] | None:
        n, step = 1, 0
        for k in reversed(dims):
            if shape[k] == 1:
                continue
            if n > 1 and strides[k] != n * step:
                return None
            if n == 1:
                step = strides[k]
            n *= shape[k]
        return n, step

    before, after = merged(range(axis)), merged(range(axis + 1, len(shape)))
    if before is None or after is None:
        return None
    rows, below = shape[axis], strides[axis]
    (outer, above), (width, beside) = before, after
    if width == 1 and outer > 1 and (below != 1 or rows <= SHORT < outer):
        outer, above, width, beside = 1, 0, outer, above
    if width == 1 and below != 1:
        return None
    way = "rows" if width == 1 else "columns" if beside == 1 else "apart"
    return way, (outer, rows, width, above, below, beside)


def places(name: str, x: Any, axis: int, keepdims: bool) -> tuple[Any, Any] | None:
    """The largest (`max`) or smallest (`min`) numbers along an axis and where each lies first;
    None where no code serves.
    """
    if x.size < LEAST or x.dtype not in _kernel.types or x.shape[axis] >> 31:
        return None
    size = x.itemsize
    plan = None
    if all(s >= 0 and not s % size for s in x.strides):
        plan = _plan(x.shape, tuple(s // size for s in x.strides), axis)
    if plan is None:
        return None if x.flags.c_contiguous else places(name, copies.copy(x), axis, keepdims)
    way, sizes = plan
    if not _kernel.ready(x.dtype, f"{name}_{way}"):
        return None
    shape = x.shape[:axis] + (1,) * keepdims + x.shape[axis + 1 :]
    best, found = np.empty(shape, x.dtype), np.empty(shape, np.int64)
    assert prod(shape) == sizes[0] * sizes[2]
    _kernel.run(x.dtype, f"{name}_{way}", x.size, x, best, found, *sizes)
    return best, found
