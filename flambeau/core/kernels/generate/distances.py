"""Distances of all rows of one matrix to all rows of another, of any order, and their gradients.

Lanes go along the rows of the second matrix, which is turned first, so that short rows fill
registers too; a few rows of the first share what is loaded. Sums over a row are added up in pieces.
Threads share rows. Stands on jit, gemm's helpers, copies and the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import larger, mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, element, lanes, vector
from flambeau.core.kernels.native.formulas import exp, maximum
from flambeau.core.kernels.native.smooth import log

__all__ = ["condensed", "distances", "gradient", "module"]

WORDS = ("x", "y", "out", "batch", "rows", "others", "width", "order", "inverse")
"""`x` (batch, rows, width), `y` turned (batch, width, others), the order p and 1 / p."""
SLOPES = ("x", "y", "out", "batch", "rows", "others", "width", "order", "weight", "far")
"""`x` turned (batch, width, rows), `y` (batch, others, width), weights and distances (batch,
others, rows)."""
ROWS = 4
"""Rows, or places of a row, that go together."""
TOGETHER = 2
"""Registers of neighbours."""
ALONE = 8
"""The same where a row goes by itself."""
PIECE = 256
"""Numbers that are added up before their sum is."""
SMALLEST = 1 << 10
"""Differences below which NumPy's way is as quick."""
COST = {"power": 32}
"""How much a difference costs beside one whose size is added."""

Term = Callable[[Value, Value], Value]
"""A total and a difference give the next total."""


def _raised(f: Function, size: Value, order: Value) -> Value:
    """``size**order`` of sizes, in double precision."""
    wide = vector("double", lanes(size.type))
    exponent = f.splat(order.bits("double"), lanes(size.type))
    return exp(f, exponent * log(f, size.to(wide))).to(size.type)


def _terms(f: Function, how: str, order: Value) -> Term:
    return {
        "count": lambda total, d: total + f.select(d.ne(0), 1.0, f.value(d.type, 0)),
        "one": lambda total, d: total + f.intrinsic("fabs", d),
        "two": lambda total, d: f.fma(d, d, total),
        "top": lambda total, d: maximum(f, total, f.intrinsic("fabs", d)),
        "power": lambda total, d: total + _raised(f, f.intrinsic("fabs", d), order),
    }[how]


def _slope(f: Function, how: str, order: Value, d: Value, weight: Value, far: Value) -> Value:
    """What a difference adds to the gradient."""
    zero = f.value(d.type, 0)
    size = f.intrinsic("fabs", d)
    if how == "top":
        weight = f.select(size.eq(far), weight, zero)
    elif how == "power":
        weight = weight * _raised(f, size, order)
    return f.select(d.gt(0), weight, f.select(d.lt(0), -weight, zero))


def module(name: str, type: str, width: int) -> Module:
    """`one_far`, `one_pairs` (each pair of one matrix's rows once) or `one_slopes`, and the same of
    `two`, `top`, `power` and `count`.
    """
    made = Module(f"distances-{name}-{type}")
    how, _, way = name.partition("_")
    f = made.function(name, pool.ARGUMENTS)
    if way == "slopes":
        _slopes(f, how, type, width)
    elif way == "pairs":
        _pairs(f, how, type, width)
    else:
        _far(f, how, type, width)
    return made


def _far(f: Function, how: str, type: str, width: int) -> None:
    get = words(f, WORDS)
    rows, others = get["rows"], get["others"]
    blocks = (rows + (ROWS - 1)) / ROWS
    start, stop = share(f, get["batch"] * blocks)
    with f.loop(start, stop) as unit:
        batch, first = unit / blocks, unit % blocks * ROWS
        y = f.at(pointer(f, get["y"]), batch * get["width"] * others, type)
        numbers = [batch * rows + smaller(f, first + r, rows - 1) for r in range(ROWS)]
        x = [f.at(pointer(f, get["x"]), n * get["width"], type) for n in numbers]
        out = [f.at(pointer(f, get["out"]), n * others, type) for n in numbers]
        with f.loop(0, others, width * TOGETHER) as column:
            _tile(f, how, type, width, get, x, y, out, column, TOGETHER)


def _pairs(f: Function, how: str, type: str, width: int) -> None:
    """Row i to the rows after it, contiguous one row after the other. A unit is a row and the one
    as far from the end: units cost the same.
    """
    get = words(f, WORDS)
    n = get["rows"]
    start, stop = share(f, n / 2)
    with f.loop(start, stop) as unit, f.loop(0, 2) as side:
        i = f.select(side.eq(0), unit, n - 2 - unit)
        x = f.at(pointer(f, get["x"]), i * get["width"], type)
        out = f.at(pointer(f, get["out"]), i * (n + n - 3 - i) / 2 - 1, type)
        with f.loop(i + 1, n, width * ALONE) as column:
            _tile(f, how, type, width, get, [x], pointer(f, get["y"]), [out], column, ALONE)


def _tile(
    f: Function, how: str, type: str, width: int, get: dict[str, Value],
    x: list[Value], y: Value, out: list[Value], column: Value, together: int,
) -> None:  # fmt: skip
    """The distances of some rows to as many others as fill `together` registers."""
    many, others = vector(type, width), get["others"]
    term = _terms(f, how, get["order"])
    masks = [mask(f, larger(f, others - column - t * width, 0), width) for t in range(together)]
    totals = [[f.variable(many, 0.0) for _ in masks] for _ in x]
    parts = totals if how == "top" else [[f.variable(many) for _ in masks] for _ in x]
    with f.loop(0, get["width"], PIECE) as piece:
        if parts is not totals:
            _each(parts, lambda part: part.set(0.0))
        with f.loop(piece, smaller(f, piece + PIECE, get["width"])) as k:
            place = f.at(y, k * others + column, type)
            theirs = [read(f, many, place, t * width, some) for t, some in enumerate(masks)]
            for row, line in zip(x, parts, strict=True):
                mine = f.splat(f.load(type, row, k), width)
                for part, other in zip(line, theirs, strict=True):
                    part.set(term(part.get(), mine - other))
        if parts is not totals:
            _added(totals, parts)
    for row, line in zip(out, totals, strict=True):
        for t, (total, some) in enumerate(zip(line, masks, strict=True)):
            found = total.get()
            if how == "two":
                found = f.intrinsic("sqrt", found)
            elif how == "power":
                found = _raised(f, found, get["inverse"])
            write(f, found, f.at(row, column, type), t * width, some)


def _each(registers: list[list[Variable]], do: Callable[[Variable], None]) -> None:
    for line in registers:
        for one in line:
            do(one)


def _added(totals: list[list[Variable]], parts: list[list[Variable]]) -> None:
    for line, others in zip(totals, parts, strict=True):
        for total, part in zip(line, others, strict=True):
            total.set(total.get() + part.get())


def _slopes(f: Function, how: str, type: str, lanes: int) -> None:
    """Lanes are rows of `x`; a few places of a row go together and share the weights."""
    get = words(f, SLOPES)
    many, rows, others, width = vector(type, lanes), get["rows"], get["others"], get["width"]
    size = lanes * TOGETHER
    tiles, blocks = (rows + (size - 1)) / size, (width + (ROWS - 1)) / ROWS
    start, stop = share(f, get["batch"] * tiles * blocks)
    totals, parts = ([[f.variable(many) for _ in range(TOGETHER)] for _ in range(ROWS)]
                     for _ in range(2))  # fmt: skip
    with f.loop(start, stop) as unit:
        first, rest = unit % blocks * ROWS, unit / blocks
        column, batch = rest % tiles * size, rest / tiles
        masks = [mask(f, larger(f, rows - column - t * lanes, 0), lanes) for t in range(TOGETHER)]
        places = [smaller(f, first + r, width - 1) for r in range(ROWS)]
        lines = [(batch * width + place) * rows + column for place in places]
        mine = [
            [read(f, many, f.at(pointer(f, get["x"]), line, type), t * lanes, some)
             for t, some in enumerate(masks)]
            for line in lines
        ]  # fmt: skip
        y = f.at(pointer(f, get["y"]), batch * others * width, type)
        above = batch * others * rows + column
        weight, far = (f.at(pointer(f, get[name]), above, type) for name in ("weight", "far"))
        _each(totals, lambda total: total.set(0.0))
        with f.loop(0, others, PIECE) as piece:
            _each(parts, lambda part: part.set(0.0))
            with f.loop(piece, smaller(f, piece + PIECE, others)) as j:
                for t, some in enumerate(masks):
                    worth = read(f, many, f.at(weight, j * rows, type), t * lanes, some)
                    away = worth
                    if how == "top":
                        away = read(f, many, f.at(far, j * rows, type), t * lanes, some)
                    for r, place in enumerate(places):
                        d = mine[r][t] - f.splat(f.load(type, y, j * width + place), lanes)
                        part = parts[r][t]
                        slope = _slope(f, how, get["order"], d, worth, away)
                        part.set(part.get() + slope)
            _added(totals, parts)
        for line, registers in zip(lines, totals, strict=True):
            for t, (total, some) in enumerate(zip(registers, masks, strict=True)):
                value = total.get()
                place = f.at(pointer(f, get["out"]), line, element(value.type))
                write(f, value, place, t * lanes, some)


_kernel = Kernel(module)


def _how(p: float) -> str:
    return {0: "count", 1: "one", 2: "two", math.inf: "top"}.get(p, "power")


def _serves(name: str, work: int, *arrays: Any) -> bool:
    dtype = arrays[0].dtype
    return (
        dtype in TYPES
        and work >= SMALLEST
        and all(x.dtype is dtype for x in arrays)
        and _kernel.ready(dtype, name)
    )


def _stacked(x: Any, batch: tuple[int, ...], turned: bool = False) -> Any:
    """(*, n, d) as contiguous (B, n, d), or (B, d, n)."""
    x = np.broadcast_to(x, batch + x.shape[-2:])
    if turned:
        x = x.swapaxes(-1, -2)
    if not x.flags.c_contiguous:
        x = copies.copy(x)
    return x.reshape(math.prod(batch), *x.shape[-2:])


def distances(x: Any, y: Any, p: float) -> Any:
    """The distances (*, n, m) of order `p` of rows (*, n, d) to rows (*, m, d), whose leading
    dimensions broadcast; None where no code serves.
    """
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    (n, d), m = x.shape[-2:], y.shape[-2]
    how = _how(p)
    work = math.prod(batch) * n * m * d
    if not _serves(f"{how}_far", work, x, y):
        return None
    out = memory.empty((*batch, n, m), x.dtype)
    x, y = _stacked(x, batch), _stacked(y, batch, True)
    _kernel.run(
        x.dtype, f"{how}_far", work * COST.get(how, 1) // 4, x, y, out, len(x), n, m, d,
        float(p), 1 / p if p else 0.0,
    )  # fmt: skip
    return out


def condensed(x: Any, p: float) -> Any:
    """The distances of each two rows of (n, d), once: (n (n - 1) / 2); None without code."""
    n, d = x.shape
    how = _how(p)
    work = n * (n - 1) // 2 * d
    if not _serves(f"{how}_pairs", work, x):
        return None
    out = memory.empty((n * (n - 1) // 2,), x.dtype)
    x, y = _stacked(x, ()), _stacked(x, (), True)
    _kernel.run(
        x.dtype, f"{how}_pairs", work * COST.get(how, 1) // 4, x, y, out, 1, n, n, d,
        float(p), 1 / p if p else 0.0,
    )  # fmt: skip
    return out


def gradient(weight: Any, out: Any, x: Any, y: Any, p: float) -> Any:
    """The sums (*, n, d) over the other rows of ``weight * sign(d) * |d|**(p - 1)`` for differences
    d of rows, or, of order infinity, of ``weight * sign(d)`` where ``|d|`` is the distance; None
    where no code serves.

    Args:
        weight: (*, n, m), as `out`, the distances.
        p: neither 0 nor 2.
    """
    batch = weight.shape[:-2]
    (n, d), m = x.shape[-2:], y.shape[-2]
    how = _how(p)
    work = weight.size * d
    if not _serves(f"{how}_slopes", work, weight, out, x, y):
        return None
    weight = _stacked(weight, batch, True)
    far = _stacked(out, batch, True) if how == "top" else None
    x, y = _stacked(x, batch, True), _stacked(y, batch)
    found = memory.empty_like(x)
    _kernel.run(
        x.dtype, f"{how}_slopes", work * COST.get(how, 1) // 4, x, y, found, len(x), n, m, d,
        float(p - 1), weight, far,
    )  # fmt: skip
    return copies.copy(found.swapaxes(1, 2)).reshape(*batch, n, d)
