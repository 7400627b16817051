"""Layer and RMS normalisation of rows: forward, backward.

Rows are contiguous; sums of a row are taken while it lies in the nearest cache. Gradients of weight
and bias are sums over rows: fixed blocks of rows, added in their order, whatever the number of
threads. Rows of 16-bit floats have everything else in single precision. Stands on jit and vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import NUMBERS, Kernel, past, rows_and_others
from flambeau.core.kernels.generate.gemm import pointer, prefetch, share, smaller, words
from flambeau.core.kernels.generate.vectors import read, row_sums, working, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["normalized", "normalized_backward"]

FORWARD = ("x", "weight", "bias", "out", "mean", "rstd", "rows", "width", "eps")
BACKWARD = (
    "g", "x", "weight", "mean", "rstd", "grad", "slopes", "shifts", "rows", "width", "block",
)  # fmt: skip
Meanwhile = Callable[[Value, Value | None], None]
"""Work on a register of one row while the next one is read."""
BLOCKS = 32
"""Blocks of rows at most: each has its own sums for weight and bias."""
AHEAD = 256
"""So many numbers before they are read, they are asked for."""
LARGEST = 1e30
"""Mean squares up to here came from no overflow."""


def module(name: str, type: str, width: int) -> Module:
    """`forward` or `backward` of layer normalisation, or without the mean (`rms_...`); the result
    goes past the caches (`..._past`).
    """
    made = Module(f"layer-{name}-{type}")
    write = _forward if "forward" in name else _backward
    write(made, name, type, width, not name.startswith("rms_"), name.endswith("_past"))
    return made


def _forward(made: Module, name: str, type: str, lanes: int, centred: bool, past: bool) -> None:
    """Two passes over a row. The sums of its numbers and of their squares are taken while the row
    before is finished; squares around a mean that lies far off are taken once more.
    """
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, FORWARD)
    many, width = vector(type, lanes), get["width"]
    own = working(type)
    wide = vector(own, lanes)
    start, stop = share(f, get["rows"])
    size = width.to("double")
    weight, bias = pointer(f, get["weight"]), pointer(f, get["bias"])
    spread, middle = f.variable("double"), f.variable("double", 0.0)

    def place(key: str, row: Value) -> Value:
        return f.at(pointer(f, get[key]), row * width, type)

    def look(row: Value, meanwhile: Meanwhile | None = None) -> None:
        x = place("x", row)

        def terms(i: Value, some: Value | None) -> list[Value]:
            value = read(f, many, x, i, some)
            if meanwhile is not None:
                meanwhile(i, some)
                if past:
                    prefetch(f, f.at(x, i + AHEAD, type))
            return [value * value, value][: 1 + centred]

        sums = row_sums(f, type, lanes, width, terms, 1 + centred)
        for kept, total in zip((spread, middle), sums, strict=False):
            kept.set(total / size)

    with f.when(start.lt(stop)):
        look(start)
    with f.loop(start, stop) as row:
        x, out, mean = place("x", row), place("out", row), middle.get()
        centre = f.splat(mean.to(own), lanes)

        def away(i: Value, some: Value | None) -> Value:
            value = read(f, many, x, i, some)
            return value - centre if centred else value

        def square(i: Value, some: Value | None) -> list[Value]:
            value = away(i, some)
            return [value * value]

        if centred:
            f.store(mean.to(own), pointer(f, get["mean"]), row)
            spread.set(spread.get() - mean * mean)
            near = spread.get().ge(mean * mean) & spread.get().le(LARGEST)
            with f.when(~near):
                (total,) = row_sums(f, type, lanes, width, square)
                spread.set(total / size)
        rstd = (1.0 / f.intrinsic("sqrt", spread.get() + get["eps"].bits("double"))).to(own)
        f.store(rstd, pointer(f, get["rstd"]), row)
        scale = f.splat(rstd, lanes)

        def finish(i: Value, some: Value | None) -> None:
            value = away(i, some) * scale * read(f, wide, weight, i, some)
            write(f, value + read(f, wide, bias, i, some), out, i, some, past, type)

        look(smaller(f, row + 1, stop - 1), finish)
    if past:
        f.fence()


class _Row(NamedTuple):
    """Where a row lies, and its mean (if it has one) and 1 / deviation in every lane."""

    g: Value
    x: Value
    grad: Value
    stats: list[Value]


class _Gradient:
    """The gradient of rows on its way back. Rows stream by: the pass that finishes a row takes the
    sums of the one after it.
    """

    def __init__(
        self, f: Function, get: dict[str, Value], type: str, lanes: int, centred: bool, past: bool
    ) -> None:
        self.f, self.get, self.type, self.lanes, self.past = f, get, type, lanes, past
        self.width, self.own = get["width"], working(type)
        self.many, self.wide = vector(type, lanes), vector(self.own, lanes)
        self.weight = pointer(f, get["weight"])
        self.stats = ("mean", "rstd") if centred else ("rstd",)

    def row(self, number: Value) -> _Row:
        """What is known of a row before its sums."""
        f, get = self.f, self.get
        g, x, grad = (
            f.at(pointer(f, get[key]), number * self.width, self.type) for key in ("g", "x", "grad")
        )
        stats = [
            f.splat(f.load(self.own, pointer(f, get[key]), number), self.lanes)
            for key in self.stats
        ]
        return _Row(g, x, grad, stats)

    def normal(self, row: _Row, i: Value, some: Value | None) -> Value:
        """A register of the normalised row."""
        value = read(self.f, self.many, row.x, i, some)
        *middle, scale = row.stats
        return (value - middle[0] if middle else value) * scale

    def means(self, row: _Row, meanwhile: Meanwhile | None = None) -> list[Value]:
        """Of ``g w xhat`` and of ``g w``, in every lane."""
        f = self.f

        def terms(i: Value, some: Value | None) -> list[Value]:
            g = read(f, self.many, row.g, i, some) * read(f, self.wide, self.weight, i, some)
            both = g * self.normal(row, i, some)
            if meanwhile is not None:
                meanwhile(i, some)
                if self.past:
                    for place in (row.g, row.x):
                        prefetch(f, f.at(place, i + AHEAD, self.type))
            return [both, g][: len(self.stats)]

        sums = row_sums(f, self.type, self.lanes, self.width, terms, len(self.stats))
        size = self.width.to("double")
        return [f.splat((s / size).to(self.own), self.lanes) for s in sums]

    def finish(
        self,
        row: _Row,
        means: list[Value],
        sums: Sequence[Value],
        i: Value,
        some: Value | None,
    ) -> None:
        """A register of the row's gradient, and what it adds to the sums for weight and bias."""
        f, wide = self.f, self.wide
        g, xhat = read(f, self.many, row.g, i, some), self.normal(row, i, some)
        for target, factor in zip(sums, (xhat, None), strict=False):
            old = read(f, wide, target, i, some)
            write(f, old + g if factor is None else f.fma(g, factor, old), target, i, some)
        own, *rest = means
        value = g * read(f, wide, self.weight, i, some) - xhat * own
        for less in rest:
            value = value - less
        write(f, value * row.stats[-1], row.grad, i, some, self.past, self.type)

    def rows(self, first: Value, last: Value, sums: Sequence[Value]) -> None:
        """Those of a range that is not empty."""
        f = self.f
        kept = [f.variable(self.wide) for _ in self.stats]
        for place, mean in zip(kept, self.means(self.row(first)), strict=True):
            place.set(mean)
        with f.loop(first, last) as number:
            row, means = self.row(number), [place.get() for place in kept]
            after = self.row(smaller(f, number + 1, last - 1))
            found = self.means(after, lambda i, some: self.finish(row, means, sums, i, some))
            for place, mean in zip(kept, found, strict=True):
                place.set(mean)


def _backward(made: Module, name: str, type: str, lanes: int, centred: bool, past: bool) -> None:
    """A unit of work is a block of rows; `slopes` and `shifts` may be null."""
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, BACKWARD)
    block = get["block"]
    start, stop = share(f, (get["rows"] + (block - 1)) / block)
    gradient = _Gradient(f, get, type, lanes, centred, past)
    with f.loop(start, stop) as unit:
        first = unit * block
        last = smaller(f, first + block, get["rows"])
        sums = [
            f.at(pointer(f, get[key]), unit * get["width"], working(type))
            for key in ("slopes", "shifts")[: 1 + centred]
        ]
        k = f.fresh()
        f.branch(get["slopes"].eq(0), f"alone{k}", f"summed{k}")
        f.label(f"summed{k}")
        gradient.rows(first, last, sums)
        f.jump(f"done{k}")
        f.label(f"alone{k}")
        gradient.rows(first, last, ())
        f.label(f"done{k}")
    if past:
        f.fence()


@lru_cache(32)
def _constant(value: int, count: int, dtype: Any) -> Any:
    """A weight of ones, a bias of zeros: code for both is code for all."""
    return np.full(count, value, dtype)


_kernel = Kernel(module, NUMBERS)


def normalized(
    x: Any, weight: Any, bias: Any, eps: float, centred: bool = True, count: int = 1
) -> Any:
    """The last `count` dimensions normalised: the result, mean and 1 / deviation of every row with
    these dimensions of size 1, the mean None where it is not taken away; None where no code serves.
    These of 16-bit floats are in single precision, the gradients of weight and bias, too.
    """
    others = rows_and_others((x,), (weight, bias)) if x.size else None
    if others is None:
        return None
    (weight, bias), own = others
    shape = x.shape
    width = shape[-1] if count == 1 else prod(shape[-count:])
    weight = _constant(1, width, own) if weight is None else weight
    bias = _constant(0, width, own) if bias is None else bias
    out = memory.empty_like(x)
    name = f"{'' if centred else 'rms_'}forward{'_past' * past(out, width)}"
    if not _kernel.ready(x.dtype, name):
        return None
    stats = shape[:-count] + (1,) * count
    mean = np.empty(stats, own) if centred else None
    rstd = np.empty(stats, own)
    _kernel.run(
        x.dtype, name, x.size, x, weight, bias, out, mean,
        rstd, x.size // width, width, float(eps),
    )  # fmt: skip
    return out, mean, rstd


def normalized_backward(
    g: Any, x: Any, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, ...]
) -> Any:
    """The gradients of :func:`normalized` for input, weight and bias, the latter two flat; None
    where no code serves.
    """
    others = rows_and_others((g, x), (weight, mean, rstd)) if x.size else None
    if others is None:
        return None
    (weight, mean, rstd), own = others
    rows = rstd.size
    width = x.size // rows
    weight = _constant(1, width, own) if weight is None else weight
    block = -(-rows // BLOCKS)
    grad = memory.empty_like(x)
    name = f"{'rms_' * (mean is None)}backward{'_past' * past(grad, width)}"
    if not _kernel.ready(x.dtype, name):
        return None
    summed = needs[1] or needs[2]
    slopes: Any = None
    shifts: Any = None
    if summed:
        slopes, shifts = np.zeros((2, -(-rows // block), width), own)
    _kernel.run(
        x.dtype, name, x.size, g, x, weight, mean, rstd,
        grad, slopes, shifts, rows, width, block,
    )  # fmt: skip
    return (
        grad if needs[0] else None,
        np.add.reduce(slopes, 0) if needs[1] else None,
        np.add.reduce(shifts, 0) if needs[2] and mean is not None else None,
    )
