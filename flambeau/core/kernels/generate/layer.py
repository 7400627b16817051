"""Layer and RMS normalisation of rows: forward, backward.

Rows are contiguous; sums of a row are taken while it lies in the nearest cache. Gradients of weight
and bias are sums over rows: fixed blocks of rows, added in their order, whatever the number of
threads. Stands on jit and vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import Kernel, dense
from flambeau.core.kernels.generate.gemm import pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import along, read, row_sums, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["normalized", "normalized_backward"]

FORWARD = ("x", "weight", "bias", "out", "mean", "rstd", "rows", "width", "eps")
BACKWARD = (
    "g", "x", "weight", "mean", "rstd", "grad", "slopes", "shifts", "rows", "width", "block",
)  # fmt: skip
BLOCKS = 32
"""Blocks of rows at most: each has its own sums for weight and bias."""
TOGETHER = 4
"""Rows that go through one pass over the sums for weight and bias."""


def module(type: str, width: int) -> Module:
    """`forward` and `backward` for layer normalisation, and without the mean (`rms_...`)."""
    made = Module(f"layer-{type}")
    for centred, prefix in ((True, ""), (False, "rms_")):
        _forward(made, prefix + "forward", type, width, centred)
        _backward(made, prefix + "backward", type, width, centred)
    return made


def _forward(made: Module, name: str, type: str, lanes: int, centred: bool) -> None:
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, FORWARD)
    many, width = vector(type, lanes), get["width"]
    start, stop = share(f, get["rows"])
    size = width.to("double")
    weight, bias = pointer(f, get["weight"]), pointer(f, get["bias"])
    with f.loop(start, stop) as row:
        x = f.at(pointer(f, get["x"]), row * width, type)
        out = f.at(pointer(f, get["out"]), row * width, type)
        middle = None
        if centred:
            (total,) = row_sums(f, type, lanes, width, lambda i, some: [read(f, many, x, i, some)])
            mean = (total / size).to(type)
            f.store(mean, pointer(f, get["mean"]), row)
            middle = f.splat(mean, lanes)

        def away(i: Value, some: Value | None, middle: Value | None = middle) -> Value:
            value = read(f, many, x, i, some)
            return value if middle is None else value - middle

        def square(i: Value, some: Value | None) -> list[Value]:
            value = away(i, some)
            return [value * value]

        (total,) = row_sums(f, type, lanes, width, square)
        rstd = (1.0 / f.intrinsic("sqrt", total / size + get["eps"].bits("double"))).to(type)
        f.store(rstd, pointer(f, get["rstd"]), row)
        scale = f.splat(rstd, lanes)

        def finish(scaled: bool, shifted: bool) -> None:
            def each(i: Value, some: Value | None, _: int) -> None:
                value = away(i, some) * scale
                if scaled:
                    value = value * read(f, many, weight, i, some)
                if shifted:
                    value = value + read(f, many, bias, i, some)
                write(f, value, out, i, some)

            along(f, width, lanes, each, 2)

        _with(f, (get["weight"], get["bias"]), finish)


def _with(f: Function, given: tuple[Value, ...], body: Any) -> None:
    """``body(bool, ...)`` for which of the addresses are given, one after the other."""

    def ask(known: tuple[bool, ...]) -> None:
        if len(known) == len(given):
            body(*known)
            return
        k = f.fresh()
        f.branch(given[len(known)].ne(0), f"given{k}", f"missing{k}")
        f.label(f"given{k}")
        ask((*known, True))
        f.jump(f"both{k}")
        f.label(f"missing{k}")
        ask((*known, False))
        f.label(f"both{k}")

    ask(())


def _backward(made: Module, name: str, type: str, lanes: int, centred: bool) -> None:
    """A unit of work is a block of rows. Two passes over a few rows: their sums, then gradients;
    `grad`, `slopes` and `shifts` may be null, `slopes` comes with `shifts`.
    """
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, BACKWARD)
    many, width, block = vector(type, lanes), get["width"], get["block"]
    blocks = (get["rows"] + (block - 1)) / block
    start, stop = share(f, blocks)
    size = width.to("double")
    weight = pointer(f, get["weight"])

    def rows_of(first: Value, count: int, slopes: Value, shifts: Value) -> None:
        places: list[tuple[Value, ...]] = []
        for r in range(count):
            row = first + r
            g, x, grad = (
                f.at(pointer(f, get[key]), row * width, type) for key in ("g", "x", "grad")
            )
            mean = f.splat(f.load(type, pointer(f, get["mean"]), row), lanes) if centred else None
            scale = f.splat(f.load(type, pointer(f, get["rstd"]), row), lanes)
            places.append((g, x, grad, mean, scale))  # type: ignore[arg-type]

        def normal(place: tuple[Value, ...], i: Value, some: Value | None) -> Value:
            value = read(f, many, place[1], i, some)
            return (value - place[3] if centred else value) * place[4]

        def gradients(scaled: bool, wanted: bool, summed: bool) -> None:
            shares: list[tuple[Value, ...]] = []
            if wanted:
                for place in places:

                    def terms(
                        i: Value, some: Value | None, place: tuple[Value, ...] = place
                    ) -> list[Value]:
                        g = read(f, many, place[0], i, some)
                        if scaled:
                            g = g * read(f, many, weight, i, some)
                        both = g * normal(place, i, some)
                        return [both, g] if centred else [both]

                    sums = row_sums(f, type, lanes, width, terms, 2 if centred else 1)
                    shares.append(tuple(f.splat((s / size).to(type), lanes) for s in sums))

            def each(i: Value, some: Value | None, _: int) -> None:
                w = read(f, many, weight, i, some) if scaled and wanted else None
                slope = read(f, many, slopes, i, some) if summed else None
                shift = read(f, many, shifts, i, some) if summed and centred else None
                for r, place in enumerate(places):
                    g = read(f, many, place[0], i, some)
                    xhat = normal(place, i, some)
                    if slope is not None:
                        slope = f.fma(g, xhat, slope)
                    if shift is not None:
                        shift = shift + g
                    if wanted:
                        value = g if w is None else g * w
                        value = value - xhat * shares[r][0]
                        if centred:
                            value = value - shares[r][1]
                        write(f, value * place[4], place[2], i, some)
                if slope is not None:
                    write(f, slope, slopes, i, some)
                if shift is not None:
                    write(f, shift, shifts, i, some)

            along(f, width, lanes, each)

        _with(f, (get["weight"], get["grad"], get["slopes"]), gradients)

    with f.loop(start, stop) as unit:
        first = unit * block
        last = smaller(f, first + block, get["rows"])
        slopes, shifts = (
            f.at(pointer(f, get[key]), unit * width, type) for key in ("slopes", "shifts")
        )
        whole = first + (last - first) / TOGETHER * TOGETHER
        with f.loop(first, whole, TOGETHER) as row:
            rows_of(row, TOGETHER, slopes, shifts)
        with f.loop(whole, last) as row:
            rows_of(row, 1, slopes, shifts)


_kernel = Kernel(module)


def normalized(x: Any, weight: Any, bias: Any, eps: float, centred: bool = True) -> Any:
    """Rows (M, D) normalised: the result, mean and 1 / deviation of every row as (M, 1), the mean
    None where it is not taken away; None where no code serves.
    """
    if not x.size or not dense(x, weight, bias) or not _kernel.ready(x.dtype):
        return None
    rows, width = x.shape
    out = memory.empty_like(x)
    mean = np.empty((rows, 1), x.dtype) if centred else None
    rstd = np.empty((rows, 1), x.dtype)
    _kernel.run(
        x.dtype, "forward" if centred else "rms_forward", x.size, x, weight, bias, out, mean,
        rstd, rows, width, float(eps),
    )  # fmt: skip
    return out, mean, rstd


def normalized_backward(
    g: Any, x: Any, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, ...]
) -> Any:
    """The gradients of :func:`normalized` for input, weight and bias; None where no code serves."""
    if not x.size or not dense(g, x, weight, mean, rstd) or not _kernel.ready(x.dtype):
        return None
    rows, width = x.shape
    block = -(-max(-(-rows // BLOCKS), TOGETHER) // TOGETHER) * TOGETHER
    grad = memory.empty_like(x) if needs[0] else None
    summed = needs[1] or needs[2]
    slopes: Any = None
    shifts: Any = None
    if summed:
        slopes, shifts = np.zeros((2, -(-rows // block), width), x.dtype)
    _kernel.run(
        x.dtype, "rms_backward" if mean is None else "backward", x.size, g, x, weight, mean, rstd,
        grad, slopes, shifts, rows, width, block,
    )  # fmt: skip
    return (
        grad,
        np.add.reduce(slopes, 0) if needs[1] else None,
        np.add.reduce(shifts, 0) if needs[2] and mean is not None else None,
    )
