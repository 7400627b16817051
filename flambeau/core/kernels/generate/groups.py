"""Normalisation over groups of channels of (N, C, L): forward, backward.

A unit of work is one group of one sample, whose numbers lie side by side: its sums, then its
numbers, from the nearest cache that holds them. Stands on jit and vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import NUMBERS, Kernel, past, rows_and_others
from flambeau.core.kernels.generate.channels import optional
from flambeau.core.kernels.generate.gemm import pointer, share, words
from flambeau.core.kernels.generate.vectors import along, read, row_sums, working, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["backward", "forward"]

FORWARD = ("x", "weight", "bias", "out", "mean", "rstd", "batch", "groups", "each", "length", "eps")
BACKWARD = ("g", "x", "weight", "mean", "rstd", "total", "dot", "grad", "batch", "groups", "each",
            "length")  # fmt: skip
"""`each` is how many channels a group has. `total` and `dot` (N, C) are sums of g and of
g (x - mean); `grad` may be null.
"""


def module(name: str, type: str, width: int) -> Module:
    """`forward` or `backward`; the result goes past the caches (`..._past`)."""
    made = Module(f"groups-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    way, _, far = name.partition("_")
    get = words(f, FORWARD if way == "forward" else BACKWARD)
    start, stop = share(f, get["batch"] * get["groups"])
    with f.loop(start, stop) as unit:
        (_forward if way == "forward" else _backward)(f, get, type, width, unit, bool(far))
    if far:
        f.fence()
    return made


def _forward(
    f: Function, get: dict[str, Value], type: str, lanes: int, unit: Value, past: bool
) -> None:
    many, length, each = vector(type, lanes), get["length"], get["each"]
    own = working(type)
    width = each * length
    x, out = (f.at(pointer(f, get[key]), unit * width, type) for key in ("x", "out"))
    size = width.to("double")
    (total,) = row_sums(f, type, lanes, width, lambda i, some: [read(f, many, x, i, some)])
    mean = (total / size).to(own)
    middle = f.splat(mean, lanes)

    def square(i: Value, some: Value | None) -> list[Value]:
        away = read(f, many, x, i, some) - middle
        return [away * away]

    (total,) = row_sums(f, type, lanes, width, square)
    rstd = (1.0 / f.intrinsic("sqrt", total / size + get["eps"].bits("double"))).to(own)
    f.store(mean, pointer(f, get["mean"]), unit)
    f.store(rstd, pointer(f, get["rstd"]), unit)
    first = unit % get["groups"] * each
    with f.loop(0, each) as k:
        scale = f.splat(rstd * optional(f, own, get["weight"], first + k, 1.0), lanes)
        shift = f.splat(optional(f, own, get["bias"], first + k, 0.0), lanes)
        source, target = (f.at(place, k * length, type) for place in (x, out))

        def finish(i: Value, some: Value | None, _: int) -> None:
            away = read(f, many, source, i, some) - middle
            write(f, f.fma(away, scale, shift), target, i, some, past, type)

        along(f, length, lanes, finish, 2)


def _backward(
    f: Function, get: dict[str, Value], type: str, lanes: int, unit: Value, past: bool
) -> None:
    many, length, each = vector(type, lanes), get["length"], get["each"]
    own = working(type)
    g, x, grad = (
        f.at(pointer(f, get[key]), unit * each * length, type) for key in ("g", "x", "grad")
    )
    mean = f.load(own, pointer(f, get["mean"]), unit)
    rstd = f.load(own, pointer(f, get["rstd"]), unit)
    middle = f.splat(mean, lanes)
    first = unit % get["groups"] * each
    sums = [f.variable("double", 0.0) for _ in range(2)]
    with f.loop(0, each) as k:
        up, source = (f.at(place, k * length, type) for place in (g, x))

        def terms(i: Value, some: Value | None) -> list[Value]:
            value = read(f, many, up, i, some)
            return [value, value * (read(f, many, source, i, some) - middle)]

        found = row_sums(f, type, lanes, length, terms, 2)
        w = optional(f, own, get["weight"], first + k, 1.0).to("double")
        for key, value, summed in zip(("total", "dot"), found, sums, strict=True):
            f.store(value.to(own), pointer(f, get[key]), unit * each + k)
            summed.set(summed.get() + value * w)
    with f.when(get["grad"].ne(0)):
        size, wide = (each * length).to("double"), rstd.to("double")
        total, dot = (s.get() for s in sums)
        slope = f.splat((-(dot * wide * wide * wide) / size).to(own), lanes)
        shift = f.splat((-(total * wide) / size).to(own), lanes)
        with f.loop(0, each) as k:
            scale = f.splat(rstd * optional(f, own, get["weight"], first + k, 1.0), lanes)
            up, source, target = (f.at(place, k * length, type) for place in (g, x, grad))

            def finish(i: Value, some: Value | None, _: int) -> None:
                value = f.fma(read(f, many, up, i, some), scale, shift)
                away = read(f, many, source, i, some) - middle
                write(f, f.fma(away, slope, value), target, i, some, past, type)

            along(f, length, lanes, finish, 2)


_kernel = Kernel(module, NUMBERS)


def forward(x: Any, groups: int, weight: Any, bias: Any, eps: float) -> Any:
    """(N, C, L) normalised: the result, mean and 1 / deviation (N, groups); None where no code
    serves. Mean and deviation of 16-bit floats are in single precision.
    """
    others = rows_and_others((x,), (weight, bias)) if x.size else None
    if others is None:
        return None
    (weight, bias), own = others
    batch, channels, length = x.shape
    out = memory.empty_like(x)
    name = "forward" + "_past" * past(out, length)
    if not _kernel.ready(x.dtype, name):
        return None
    mean, rstd = (np.empty((batch, groups), own) for _ in range(2))
    _kernel.run(
        x.dtype, name, x.size, x, weight, bias, out, mean, rstd, batch, groups,
        channels // groups, length, float(eps),
    )  # fmt: skip
    return out, mean, rstd


def backward(
    g: Any, x: Any, groups: int, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, ...]
) -> Any:
    """The gradients of :func:`forward` for input, weight and bias; None where no code serves."""
    others = rows_and_others((g, x), (weight, mean, rstd)) if x.size else None
    if others is None:
        return None
    (weight, mean, rstd), own = others
    batch, channels, length = x.shape
    each = channels // groups
    grad = memory.empty_like(x) if needs[0] else None
    name = "backward" + "_past" * (grad is not None and past(grad, length))
    if not _kernel.ready(x.dtype, name):
        return None
    total, dot = np.empty((2, batch, channels), own)
    _kernel.run(
        x.dtype, name, x.size, g, x, weight, mean, rstd, total, dot, grad, batch, groups,
        each, length,
    )  # fmt: skip
    slope = (dot.reshape(batch, groups, each) * rstd[:, :, None]).reshape(batch, channels).sum(0)
    return grad, slope if needs[1] else None, total.sum(0) if needs[2] else None
