"""Layer and RMS normalisation of rows: forward, backward.

Rows are contiguous; sums of a row are taken while it lies in the nearest cache. Gradients of weight
and bias are sums over rows: fixed blocks of rows, added in their order, whatever the number of
threads. Rows of 16-bit floats have everything else in single precision. Stands on jit and vectors.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import NUMBERS, Kernel, past, rows_and_others
from flambeau.core.kernels.generate.gemm import pointer, prefetch, share, smaller, words
from flambeau.core.kernels.generate.vectors import along, read, row_sums, working, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["normalized", "normalized_backward"]

FORWARD = ("x", "weight", "bias", "out", "mean", "rstd", "rows", "width", "eps")
BACKWARD = (
    "g", "x", "weight", "mean", "rstd", "grad", "slopes", "shifts", "rows", "width", "block",
)  # fmt: skip
BLOCKS = 32
"""Blocks of rows at most: each has its own sums for weight and bias."""
TOGETHER = 2
"""Rows that go through one pass over the sums for weight and bias."""


def module(name: str, type: str, width: int) -> Module:
    """`forward` or `backward` of layer normalisation, or without the mean (`rms_...`); the result
    goes past the caches (`..._past`).
    """
    made = Module(f"layer-{name}-{type}")
    write = _forward if "forward" in name else _backward
    write(made, name, type, width, not name.startswith("rms_"), name.endswith("_past"))
    return made


def _forward(made: Module, name: str, type: str, lanes: int, centred: bool, past: bool) -> None:
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, FORWARD)
    many, width = vector(type, lanes), get["width"]
    own = working(type)
    wide = vector(own, lanes)
    start, stop = share(f, get["rows"])
    size = width.to("double")
    weight, bias = pointer(f, get["weight"]), pointer(f, get["bias"])
    with f.loop(start, stop) as row:
        x = f.at(pointer(f, get["x"]), row * width, type)
        out = f.at(pointer(f, get["out"]), row * width, type)
        middle = None
        if centred:
            (total,) = row_sums(f, type, lanes, width, lambda i, some: [read(f, many, x, i, some)])
            mean = (total / size).to(own)
            f.store(mean, pointer(f, get["mean"]), row)
            middle = f.splat(mean, lanes)

        def away(i: Value, some: Value | None, middle: Value | None = middle) -> Value:
            value = read(f, many, x, i, some)
            return value if middle is None else value - middle

        def square(i: Value, some: Value | None) -> list[Value]:
            if past:  # half of the next row is asked for in this pass, half in the last
                prefetch(f, f.at(x, width + i / 2, type))
            value = away(i, some)
            return [value * value]

        (total,) = row_sums(f, type, lanes, width, square)
        rstd = (1.0 / f.intrinsic("sqrt", total / size + get["eps"].bits("double"))).to(own)
        f.store(rstd, pointer(f, get["rstd"]), row)
        scale = f.splat(rstd, lanes)

        def finish(i: Value, some: Value | None, _: int) -> None:
            if past:
                prefetch(f, f.at(x, (width * 3 + i) / 2, type))
            value = away(i, some) * scale * read(f, wide, weight, i, some)
            write(f, value + read(f, wide, bias, i, some), out, i, some, past, type)

        along(f, width, lanes, finish, 2)
    if past:
        f.fence()


class _Rows:
    """A few rows of a gradient on its way back."""

    def __init__(
        self, f: Function, get: dict[str, Value], type: str, lanes: int, first: Value, count: int,
        centred: bool, past: bool,
    ) -> None:  # fmt: skip
        self.f, self.get, self.type, self.lanes, self.centred = f, get, type, lanes, centred
        self.past = past
        self.many, self.width = vector(type, lanes), get["width"]
        self.own = working(type)
        self.wide = vector(self.own, lanes)
        self.weight = pointer(f, get["weight"])
        numbers = range(count)
        self.g, self.x, self.grad = (
            [f.at(pointer(f, get[key]), (first + r) * self.width, type) for r in numbers]
            for key in ("g", "x", "grad")
        )
        self.mean, self.scale = (
            [f.splat(f.load(self.own, pointer(f, get[key]), first + r), lanes) for r in numbers]
            if key == "rstd" or centred
            else []
            for key in ("mean", "rstd")
        )

    def normal(self, r: int, i: Value, some: Value | None) -> Value:
        """A register of the normalised row."""
        value = read(self.f, self.many, self.x[r], i, some)
        return (value - self.mean[r] if self.centred else value) * self.scale[r]

    def means(self, r: int) -> list[Value]:
        """Of ``g w xhat`` and of ``g w``, in every lane."""
        f = self.f

        def terms(i: Value, some: Value | None) -> list[Value]:
            g = read(f, self.many, self.g[r], i, some) * read(f, self.wide, self.weight, i, some)
            both = g * self.normal(r, i, some)
            if self.past:
                for rows in (self.g, self.x):
                    prefetch(f, f.at(rows[r], self.width + i, self.type))
            return [both, g] if self.centred else [both]

        number = 2 if self.centred else 1
        sums = row_sums(f, self.type, self.lanes, self.width, terms, number)
        size = self.width.to("double")
        return [f.splat((s / size).to(self.own), self.lanes) for s in sums]

    def gradients(self, slopes: Value | None, shifts: Value | None) -> None:
        """The gradient of the rows, and what they add to the sums for weight and bias."""
        f, many, wide = self.f, self.many, self.wide
        means = [self.means(r) for r in range(len(self.g))]

        def each(i: Value, some: Value | None, _: int) -> None:
            w = read(f, wide, self.weight, i, some)
            kept = [x if x is None else read(f, wide, x, i, some) for x in (slopes, shifts)]
            slope, shift = kept
            for r, (own, *rest) in enumerate(means):
                g, xhat = read(f, many, self.g[r], i, some), self.normal(r, i, some)
                if slope is not None:
                    slope = f.fma(g, xhat, slope)
                if shift is not None:
                    shift = shift + g
                value = g * w - xhat * own
                for less in rest:
                    value = value - less
                write(f, value * self.scale[r], self.grad[r], i, some, self.past, self.type)
            for total, target in ((slope, slopes), (shift, shifts)):
                if total is not None and target is not None:
                    write(f, total, target, i, some)

        along(f, self.width, self.lanes, each)


def _backward(made: Module, name: str, type: str, lanes: int, centred: bool, past: bool) -> None:
    """A unit of work is a block of rows. Two passes over a few rows: their sums, then gradients;
    `slopes` and `shifts` may be null.
    """
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, BACKWARD)
    block = get["block"]
    start, stop = share(f, (get["rows"] + (block - 1)) / block)

    def rows_of(first: Value, count: int) -> _Rows:
        return _Rows(f, get, type, lanes, first, count, centred, past)

    with f.loop(start, stop) as unit:
        first = unit * block
        last = smaller(f, first + block, get["rows"])
        slopes, shifts = (
            f.at(pointer(f, get[key]), unit * get["width"], working(type))
            for key in ("slopes", "shifts")
        )
        sums = (slopes, shifts if centred else None)
        k = f.fresh()
        f.branch(get["slopes"].eq(0), f"alone{k}", f"summed{k}")
        f.label(f"summed{k}")
        whole = first + (last - first) / TOGETHER * TOGETHER
        with f.loop(first, whole, TOGETHER) as row:
            rows_of(row, TOGETHER).gradients(*sums)
        with f.loop(whole, last) as row:
            rows_of(row, 1).gradients(*sums)
        f.jump(f"done{k}")
        f.label(f"alone{k}")
        with f.loop(first, last) as row:
            rows_of(row, 1).gradients(None, None)
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
    block = -(-max(-(-rows // BLOCKS), TOGETHER) // TOGETHER) * TOGETHER
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
