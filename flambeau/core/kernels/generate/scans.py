"""Running sums, products, logarithms of sums of exponentials and extremes along one dimension.

The array is made contiguous, (outer, size, inner). Eight lanes go along the dimension side by side:
neighbours in the last dimension, or rows; what is left of the rows goes alone. Sums and products of
floats are kept in double precision. Stands on jit, gemm's helpers and the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels import copies, memory
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
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, element, lanes, vector
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.smooth import log1p

__all__ = ["extreme", "running"]

WORDS = ("x", "out", "places", "outer", "size", "inner", "reverse")
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double", np.dtype("i8"): "i64"}
SIDE = 8
"""Lanes of a group."""
GROUPS = 4
"""Groups of neighbours that are taken together, so that whole lines of the cache are read."""

Next = Callable[[Function, Value, Value], Value]


def _log_add(f: Function, total: Value, x: Value) -> Value:
    """``log(e**total + e**x)``."""
    more = total.gt(x)
    high, low = f.select(more, total, x), f.select(more, x, total)
    less = f.select(high.eq(low), 0.0, low - high)
    found = high + log1p(f, exp(f, less))
    return f.select(total.isnan() | x.isnan(), total + x, found)


TOTALS: dict[str, tuple[float, Next]] = {
    "cumsum": (0, lambda f, total, x: total + x),
    "cumprod": (1, lambda f, total, x: total * x),
    "logcumsumexp": (-math.inf, _log_add),
}
"""Where a total begins, and how it goes on."""
EXTREMES = ("cummax", "cummin")


class _Lanes:
    """Lanes that go along the dimension together: how an element of each is read and written."""

    def __init__(self, f: Function, count: int, starts: list[Value], some: Value | None) -> None:
        self.f, self.count, self.starts, self.some = f, count, starts, some

    def read(self, name: Value, type: str, offset: Value) -> Value:
        """The elements at an offset from where each lane begins."""
        f, many = self.f, vector(type, self.count)
        if self.some is not None:
            return masked_load(f, many, f.at(name, self.starts[0] + offset, type), self.some)
        if len(self.starts) == 1:
            return f.load(many, name, self.starts[0] + offset)
        found = Value(many, "poison", f)
        for k, start in enumerate(self.starts):
            x = f.load(type, name, start + offset)
            found = f.emit(many, f"insertelement {many} {found.name}, {type} {x.name}, i64 {k}")
        return found

    def write(self, value: Value, name: Value, offset: Value) -> None:
        """The same to write."""
        f, type = self.f, element(value.type)
        if self.some is not None:
            masked_store(f, value, f.at(name, self.starts[0] + offset, type), self.some)
        elif len(self.starts) == 1:
            f.store(value, name, self.starts[0] + offset)
        else:
            for k, start in enumerate(self.starts):
                x = f.emit(type, f"extractelement {value.type} {value.name}, i64 {k}")
                f.store(x, name, start + offset)


def module(name: str, type: str, width: int) -> Module:
    """One function of TOTALS or EXTREMES for one number type."""
    made = Module(f"{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    scan = _extreme if name in EXTREMES else _total
    size, inner = get["size"], get["inner"]

    def along(groups: list[_Lanes]) -> None:
        steps = [scan(f, name, type, get, group) for group in groups]
        with f.loop(0, size) as j:
            at = f.select(get["reverse"].ne(0), size - 1 - j, j) * inner
            for step in steps:
                step(j, at)

    f.branch(inner.eq(1), "rows", "columns")
    f.label("rows")
    # Units of work are groups of rows, and one more of the rows that are left.
    whole = get["outer"] / SIDE
    start, stop = share(f, whole + 1)
    with f.loop(start, smaller(f, stop, whole)) as unit:
        along([_Lanes(f, SIDE, [(unit * SIDE + k) * size for k in range(SIDE)], None)])
    with f.when(stop.gt(whole)), f.loop(whole * SIDE, get["outer"]) as row:
        along([_Lanes(f, 1, [row * size], None)])
    f.ret()
    f.label("columns")
    wide = SIDE * GROUPS
    blocks = (inner + (wide - 1)) / wide
    start, stop = share(f, get["outer"] * blocks)
    with f.loop(start, stop) as unit:
        first = unit % blocks * wide
        base = unit / blocks * size * inner + first
        k = f.fresh()
        f.branch((first + wide).le(inner), f"whole{k}", f"part{k}")
        f.label(f"whole{k}")
        along([_Lanes(f, SIDE, [base + g * SIDE], None) for g in range(GROUPS)])
        f.jump(f"done{k}")
        f.label(f"part{k}")
        with f.loop(first, inner, SIDE) as column:
            some = mask(f, larger(f, inner - column, 0), SIDE)
            along([_Lanes(f, SIDE, [base - first + column], some)])
        f.label(f"done{k}")
    return made


Step = Callable[[Value, Value], None]


def _total(f: Function, name: str, type: str, get: dict[str, Value], group: _Lanes) -> Step:
    start, following = TOTALS[name]
    wide = vector("i64" if type == "i64" else "double", group.count)
    many = vector(type, group.count)
    total = f.variable(wide)
    total.set(f.value(wide, start))
    x, out = pointer(f, get["x"]), pointer(f, get["out"])

    def step(j: Value, at: Value) -> None:
        total.set(following(f, total.get(), group.read(x, type, at).to(wide)))
        group.write(total.get().to(many), out, at)

    return step


def _extreme(f: Function, name: str, type: str, get: dict[str, Value], group: _Lanes) -> Step:
    """The latest of equal ones, and the latest NaN."""
    many, numbers = vector(type, group.count), vector("i64", group.count)
    best, place = f.variable(many), f.variable(numbers)
    least, most = (-(1 << 63), (1 << 63) - 1) if type == "i64" else (-math.inf, math.inf)
    best.set(f.value(many, least if name == "cummax" else most))
    place.set(f.value(numbers, 0))
    x, out, places = (pointer(f, get[key]) for key in ("x", "out", "places"))

    def step(j: Value, at: Value) -> None:
        new, old = group.read(x, type, at), best.get()
        better = new.ge(old) if name == "cummax" else new.le(old)
        if new.floating:
            better = better | new.isnan()
        best.set(f.select(better, new, old))
        place.set(f.select(better, f.splat(j, lanes(numbers)), place.get()))
        group.write(best.get(), out, at)
        group.write(place.get(), places, at)

    return step


_kernel = Kernel(module, TYPES)


def _scan(name: str, x: Any, axis: int, reverse: bool) -> Any:
    if x.dtype not in TYPES or not x.size or not _kernel.ready(x.dtype, name):
        return None
    if not x.flags.c_contiguous:
        x = copies.copy(x)
    out = memory.empty_like(x)
    places = memory.empty(x.shape, np.dtype("i8")) if name in EXTREMES else None
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    work = x.size * (16 if name == "logcumsumexp" else 2)
    _kernel.run(
        x.dtype, name, work, x, out, places, outer, x.shape[axis], inner, int(reverse)
    )  # fmt: skip
    return out, places


def running(name: str, x: Any, axis: int, reverse: bool = False) -> Any:
    """The totals of TOTALS along an axis, from its far end where `reverse`; None where no code
    serves.
    """
    found = _scan(name, x, axis, reverse)
    return None if found is None else found[0]


def extreme(name: str, x: Any, axis: int) -> Any:
    """The running maximum or minimum and where it was met last; None where no code serves."""
    return _scan(name, x, axis, False)
