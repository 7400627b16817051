"""Normalisation by channel where the channels lie last: (M, C) with one mean for each column.

A unit of sums is as many columns as fill two registers; rows are gone through one after the other,
sums in double precision from piece to piece. What is made of them is made in a function of its own,
whose units are rows: so memory is gone through in its order. What is computed is told in
``channels``. Stands on jit and vectors.
"""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.kernels.generate.gemm import mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import read, working, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, element, lanes, vector

__all__ = ["PIECE", "TOGETHER", "Columns", "columns", "moved"]

TOGETHER = 2
"""Registers of columns in a unit."""
PIECE = 64
"""Rows that are added up in single precision, and that are made together."""


class Columns:
    """The columns of one unit: every value here is a list of registers."""

    def __init__(
        self, f: Function, get: dict[str, Value], type: str, lanes: int, unit: Value,
        rows: tuple[Value, Value],
    ) -> None:  # fmt: skip
        self.f, self.type, self.lanes = f, type, lanes
        self.first_row, self.last_row = rows
        self.own = working(type)
        self.many, self.wide = vector(self.own, lanes), vector("double", lanes)
        self.rows, self.width = get["rows"], get["channels"]
        self.first = unit * (lanes * TOGETHER)
        left = self.width - self.first
        self.masks = [mask(f, left - k * lanes, lanes) for k in range(TOGETHER)]
        self.count = f.splat(self.rows.to("double"), lanes)

    def take(self, array: Value, start: Value | int = 0, type: str = "") -> list[Value]:
        """The numbers of the columns, `start` from the array's begin."""
        type = type or self.own
        place = self.f.at(array, self.first + start, type)
        return [
            read(self.f, vector(type, self.lanes), place, k * self.lanes, some)
            for k, some in enumerate(self.masks)
        ]

    def put(
        self, values: list[Value], array: Value, start: Value | int = 0, type: str = ""
    ) -> None:
        """Write them."""
        type = type or self.own
        place = self.f.at(array, self.first + start, type)
        for k, (value, some) in enumerate(zip(values, self.masks, strict=True)):
            write(self.f, value, place, k * self.lanes, some, type=type)

    def sums(
        self, arrays: tuple[Value, ...], terms: Callable[..., list[Value]], number: int
    ) -> list[list[Value]]:
        """The sums over rows of ``terms(k, a register of each array)``, in double precision."""
        f = self.f
        totals = [[f.variable(self.wide, 0.0) for _ in self.masks] for _ in range(number)]
        parts = [[f.variable(self.many) for _ in self.masks] for _ in range(number)]
        with f.loop(0, self.rows, PIECE) as start:
            for line in parts:
                for part in line:
                    part.set(0.0)
            with f.loop(start, smaller(f, start + PIECE, self.rows)) as row:
                given = [self.take(array, row * self.width, self.type) for array in arrays]
                for k in range(TOGETHER):
                    found = terms(k, *(values[k] for values in given))
                    for line, term in zip(parts, found, strict=True):
                        line[k].set(line[k].get() + term)
            for total, line in zip(totals, parts, strict=True):
                for k in range(TOGETHER):
                    total[k].set(total[k].get() + line[k].get().to(self.wide))
        return [[each.get() for each in total] for total in totals]

    def each(self, arrays: tuple[Value, ...], out: Value, change: Callable[..., Value]) -> None:
        """``change(k, a register of each array)`` into `out`."""
        with self.f.loop(self.first_row, self.last_row) as row:
            start = row * self.width
            given = [self.take(array, start, self.type) for array in arrays]
            values = [change(k, *(x[k] for x in given)) for k in range(TOGETHER)]
            self.put(values, out, start, self.type)

    def optional(self, array: Value, otherwise: float) -> list[Value]:
        """The columns' numbers of an array that may be missing."""
        f = self.f
        found = [f.variable(self.many, otherwise) for _ in self.masks]
        with f.when(array.ne(0)):
            for variable, value in zip(found, self.take(pointer(f, array)), strict=True):
                variable.set(value)
        return [variable.get() for variable in found]


def columns(made: Module, name: str, type: str, lanes: int, context: tuple[str, ...]) -> None:
    """One of the functions, with the context of ``channels``: `last_forward` and `last_backward`
    take sums, `last_normal` and `last_grad` make the numbers.
    """
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, context)
    get["rows"] = get["batch"]
    size = lanes * TOGETHER
    units, rows = (get["channels"] + (size - 1)) / size, get["batch"]
    if name in ("last_forward", "last_backward"):
        body = _forward if name == "last_forward" else _backward
        start, stop = share(f, units)
        with f.loop(start, stop) as unit:
            body(f, get, Columns(f, get, type, lanes, unit, (f.index(0), rows)))
        return
    body = _normal if name == "last_normal" else _grad
    start, stop = share(f, (rows + (PIECE - 1)) / PIECE)
    with f.loop(start, stop) as piece, f.loop(0, units) as unit:
        first = piece * PIECE
        last = smaller(f, first + PIECE, rows)
        body(f, get, Columns(f, get, type, lanes, unit, (first, last)))


def moved(f: Function, get: dict[str, Value], old: Value, new: Value) -> Value:
    """Running statistics moved towards new ones."""
    keep, gain = (
        f.splat(get[key].bits("double").to(element(old.type)), lanes(old.type))
        for key in ("keep", "gain")
    )
    return old * keep + new * gain


def _forward(f: Function, get: dict[str, Value], c: Columns) -> None:
    x, mean_at, variance_at, invstd_at = (
        pointer(f, get[key]) for key in ("x", "mean", "variance", "invstd")
    )
    with f.when(get["train"].eq(1)):
        (total,) = c.sums((x,), lambda k, v: [v], 1)
        mean = [(t / c.count).to(c.many) for t in total]
        c.put(mean, mean_at)

        def square(k: int, v: Value) -> list[Value]:
            return [(v - mean[k]) * (v - mean[k])]

        (total,) = c.sums((x,), square, 1)
        variance = [(t / c.count).to(c.many) for t in total]
        c.put(variance, variance_at)
        unbiased = f.splat(get["unbiased"].bits("double").to(c.own), c.lanes)
        for key, new in (("running_mean", mean), ("running_var", [v * unbiased for v in variance])):
            with f.when(get[key].ne(0)):
                place = pointer(f, get[key])
                old = c.take(place)
                c.put([moved(f, get, a, b) for a, b in zip(old, new, strict=True)], place)
    with f.when(get["train"].ne(2)):  # else it is given
        eps = f.splat(get["eps"].bits("double"), c.lanes)
        invstd = [
            (1.0 / f.intrinsic("sqrt", v.to(c.wide) + eps)).to(c.many) for v in c.take(variance_at)
        ]
        c.put(invstd, invstd_at)


def _normal(f: Function, get: dict[str, Value], c: Columns) -> None:
    mean, invstd = (c.take(pointer(f, get[key])) for key in ("mean", "invstd"))
    scale = [a * b for a, b in zip(invstd, c.optional(get["weight"], 1.0), strict=True)]
    shift = c.optional(get["bias"], 0.0)
    c.each(
        (pointer(f, get["x"]),), pointer(f, get["out"]),
        lambda k, v: f.fma(v - mean[k], scale[k], shift[k]),
    )  # fmt: skip


def _backward(f: Function, get: dict[str, Value], c: Columns) -> None:
    g, x, mean_at = (pointer(f, get[key]) for key in ("g", "x", "mean"))
    mean = c.take(mean_at)
    total, dot = c.sums((g, x), lambda k, a, b: [a, a * (b - mean[k])], 2)
    c.put([t.to(c.many) for t in total], pointer(f, get["total"]))
    c.put([t.to(c.many) for t in dot], pointer(f, get["dot"]))


def _grad(f: Function, get: dict[str, Value], c: Columns) -> None:
    g, x, grad, mean_at, invstd_at = (
        pointer(f, get[key]) for key in ("g", "x", "grad", "mean", "invstd")
    )
    mean, invstd = c.take(mean_at), c.take(invstd_at)
    scale = [a * b for a, b in zip(invstd, c.optional(get["weight"], 1.0), strict=True)]
    wide = [(s.to(c.wide), i.to(c.wide)) for s, i in zip(scale, invstd, strict=True)]
    dots, totals = c.optional(get["dot"], 0.0), c.optional(get["total"], 0.0)
    slope = [
        (-(s * d.to(c.wide) * i * i) / c.count).to(c.many)
        for (s, i), d in zip(wide, dots, strict=True)
    ]
    shift = [
        (-(s * t.to(c.wide)) / c.count).to(c.many) for (s, _), t in zip(wide, totals, strict=True)
    ]
    k = f.fresh()
    f.branch(get["train"].ne(0), f"train{k}", f"eval{k}")
    f.label(f"train{k}")
    c.each(
        (g, x), grad,
        lambda k, u, v: f.fma(v - mean[k], slope[k], f.fma(u, scale[k], shift[k])),
    )  # fmt: skip
    f.jump(f"done{k}")
    f.label(f"eval{k}")
    c.each((g,), grad, lambda k, u: u * scale[k])
    f.label(f"done{k}")
