"""Softmax, its logarithm and their gradients along a dimension that others follow: (outer, width,
inner), each column of `inner` by itself.

A unit of work is as many columns as fill two registers, whose sums stay in registers while the rows
are gone through. What is computed is told in ``softmax``. Stands on jit, vectors and the formulas
of exp and log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flambeau.core.kernels.generate.gemm import mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import read, working
from flambeau.core.kernels.generate.vectors import write as store
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, vector
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.narrow import rounded
from flambeau.core.kernels.native.smooth import log

__all__ = ["finite", "power", "write"]

FORWARD = ("x", "out", "outer", "width", "inner")
BACKWARD = ("g", "y", "out", "outer", "width", "inner")
TOGETHER = 2
"""Registers of columns in a unit."""
PIECE = 64
"""Rows that are added up in single precision."""


class _Columns:
    """Some columns of one unit: values are lists of registers."""

    def __init__(
        self, f: Function, type: str, lanes: int, width: Value, inner: Value, column: Value
    ) -> None:
        self.f, self.type, self.lanes = f, type, lanes
        self.many, self.wide = vector(working(type), lanes), vector("double", lanes)
        self.held = vector(type, lanes)
        self.width, self.inner = width, inner
        self.masks = [mask(f, inner - column - k * lanes, lanes) for k in range(TOGETHER)]

    def row(self, array: Value, r: Value) -> list[Value]:
        """The columns' numbers of a row."""
        place = self.f.at(array, r * self.inner, self.type)
        return [
            read(self.f, self.held, place, k * self.lanes, some)
            for k, some in enumerate(self.masks)
        ]

    def put(self, values: Sequence[Value], array: Value, r: Value) -> None:
        """Write them."""
        place = self.f.at(array, r * self.inner, self.type)
        for k, (value, some) in enumerate(zip(values, self.masks, strict=True)):
            store(self.f, value, place, k * self.lanes, some, type=self.type)

    def largest(self, x: Value) -> list[Value]:
        """Of every column, where there is no NaN."""
        f = self.f
        tops = [f.variable(self.many, value) for value in self.row(x, f.index(0))]
        with f.loop(1, self.width) as r:
            for top, value in zip(tops, self.row(x, r), strict=True):
                top.set(f.select(value.gt(top.get()), value, top.get()))
        return [top.get() for top in tops]

    def sums(self, term: Callable[[Value], Sequence[Value]]) -> list[Value]:
        """The sums over rows of ``term(row)``, in double precision."""
        f = self.f
        parts: list[Variable] = [f.variable(self.many) for _ in self.masks]
        totals: list[Variable] = [f.variable(self.wide, 0.0) for _ in self.masks]
        with f.loop(0, self.width, PIECE) as start:
            for part in parts:
                part.set(0.0)
            with f.loop(start, smaller(f, start + PIECE, self.width)) as r:
                for part, value in zip(parts, term(r), strict=True):
                    part.set(part.get() + value)
            for total, part in zip(totals, parts, strict=True):
                total.set(total.get() + part.get().to(self.wide))
        return [total.get() for total in totals]


def write(made: Module, name: str, type: str, lanes: int) -> None:
    """`softmax_across`, `log_softmax_across`, `..._backward_across`, or `log_sums_across`."""
    back = "_backward" in name
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, BACKWARD if back else FORWARD)
    inner, width = get["inner"], get["width"]
    size = lanes * TOGETHER
    groups = (inner + (size - 1)) / size
    start, stop = share(f, get["outer"] * groups)
    with f.loop(start, stop) as unit:
        column = unit % groups * size
        first = unit / groups * width * inner + column
        columns = _Columns(f, type, lanes, width, inner, column)
        places: dict[str, Value] = {
            key: f.at(pointer(f, get[key]), first, type)
            for key in ("g", "x", "y", "out")
            if key in get
        }
        if name.startswith("log_sums"):
            places["out"] = f.at(pointer(f, get["out"]), unit / groups * inner + column, type)
            _log_sums(f, columns, places)
        else:
            (_backward if back else _forward)(f, columns, places, name.startswith("log_"))


def finite(f: Function, x: Value) -> Value:
    """What is infinite or NaN as 0: as the number that powers are taken from."""
    size = f.intrinsic("fabs", x)
    return f.select(size.lt(float("inf")), x, 0.0)


def power(f: Function, x: Value, type: str) -> Value:
    """``exp(x)``, both with the digits of the type."""
    return rounded(f, exp(f, rounded(f, x, type)), type)


def _log_sums(f: Function, c: _Columns, at: dict[str, Value]) -> None:
    tops = [finite(f, top) for top in c.largest(at["x"])]
    totals = c.sums(
        lambda r: [
            power(f, x - top, c.type) for x, top in zip(c.row(at["x"], r), tops, strict=True)
        ]
    )
    found = [
        rounded(f, log(f, rounded(f, total.to(c.many), c.type)), c.type) + top
        for total, top in zip(totals, tops, strict=True)
    ]
    c.put(found, at["out"], f.index(0))


def _forward(f: Function, c: _Columns, at: dict[str, Value], log_of: bool) -> None:
    x, out = at["x"], at["out"]
    tops = c.largest(x)
    kept = not log_of and c.many == c.held  # 16-bit floats would be rounded in `out`

    def power(r: Value) -> list[Value]:
        return [exp(f, value - top) for value, top in zip(c.row(x, r), tops, strict=True)]

    def powers(r: Value) -> list[Value]:
        found = power(r)
        if kept:
            c.put(found, out, r)
        return found

    totals = c.sums(powers)
    if log_of:
        less = [log(f, total.to(c.many)) for total in totals]
        with f.loop(0, c.width) as r:
            each = zip(c.row(x, r), tops, less, strict=True)
            c.put([value - top - some for value, top, some in each], out, r)
        return
    scales = [(1.0 / total).to(c.many) for total in totals]
    with f.loop(0, c.width) as r:
        found = c.row(out, r) if kept else power(r)
        c.put([y * scale for y, scale in zip(found, scales, strict=True)], out, r)


def _backward(f: Function, c: _Columns, at: dict[str, Value], log_of: bool) -> None:
    g, y, out = at["g"], at["y"], at["out"]

    def terms(r: Value) -> list[Value]:
        up = c.row(g, r)
        return up if log_of else [a * b for a, b in zip(up, c.row(y, r), strict=True)]

    sums = [total.to(c.many) for total in c.sums(terms)]
    with f.loop(0, c.width) as r:
        rows = zip(c.row(g, r), c.row(y, r), sums, strict=True)
        if log_of:
            c.put([a - exp(f, b) * s for a, b, s in rows], out, r)
        else:
            c.put([(a - s) * b for a, b, s in rows], out, r)
