"""Normalisation over groups of channels where the channels lie last: (N, L, C), forward, backward.

A unit of sums is a sample's columns, two registers of them; groups are put together from their
channels' sums on (N, C) numbers, and what is made of them is made row by row, in memory's order.
Planes side by side are in ``groups``. Stands on columns and jit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.copies import copy_into
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.columns import PIECE, TOGETHER, Columns
from flambeau.core.kernels.generate.gemm import pointer, share, smaller, words
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module, Value
from flambeau.core.kernels.windows import empty, to_last

__all__ = ["backward", "forward"]

SUMS = ("g", "x", "mean", "first", "second", "batch", "length", "channels")
"""`moments`: of each channel of each sample the `mean`, as it is rounded, and the sums `first` of
what is away from it and `second` of its squares. `products`: the sums `first` of g and `second` of
g (x - mean).
"""
MADE = ("g", "x", "mean", "scale", "slope", "shift", "out", "batch", "length", "channels")
"""`normal`: (x - mean) scale + shift; `grad`: g scale + (x - mean) slope + shift. All but g, x and
`out` are (N, C).
"""


def module(name: str, type: str, lanes: int) -> Module:
    """One of the four functions."""
    made = Module(f"groups-last-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    sums = name in ("moments", "products")
    get = words(f, SUMS if sums else MADE)
    get["rows"] = get["length"]
    blocks = (get["channels"] + (lanes * TOGETHER - 1)) / (lanes * TOGETHER)
    pieces = (get["length"] + (PIECE - 1)) / PIECE
    each = blocks if sums else pieces
    start, stop = share(f, get["batch"] * each)

    def at(key: str, sample: Value, numbers: Value) -> Value:
        return f.at(pointer(f, get[key]), sample * numbers, type)

    with f.loop(start, stop) as unit:
        sample, part = unit / each, unit % each
        plane = get["length"] * get["channels"]
        x, mean_at = at("x", sample, plane), at("mean", sample, get["channels"])
        if sums:
            c = Columns(f, get, type, lanes, part, (f.index(0), get["length"]))
            first, second = (at(key, sample, get["channels"]) for key in ("first", "second"))
            if name == "moments":
                (total,) = c.sums((x,), lambda k, v: [v], 1)
                mean = [(t / c.count).to(c.many) for t in total]
                c.put(mean, mean_at)

                def away(k: int, v: Value, mean: list[Value] = mean) -> list[Value]:
                    return [v - mean[k], (v - mean[k]) * (v - mean[k])]

                up, total = c.sums((x,), away, 2)
            else:
                mean = c.take(mean_at)
                g = at("g", sample, plane)
                up, total = c.sums((g, x), lambda k, a, b: [a, a * (b - mean[k])], 2)
            c.put([t.to(c.many) for t in up], first)
            c.put([t.to(c.many) for t in total], second)
        else:
            last = smaller(f, part * PIECE + PIECE, get["length"])
            with f.loop(0, blocks) as block:
                c = Columns(f, get, type, lanes, block, (part * PIECE, last))
                numbers = ("mean", "scale", "slope", "shift")
                mean, scale, slope, shift = (
                    c.take(at(key, sample, get["channels"]))
                    if key != "slope" or name == "grad"
                    else []
                    for key in numbers
                )
                out = at("out", sample, plane)
                if name == "normal":
                    c.each((x,), out, lambda k, v: f.fma(v - mean[k], scale[k], shift[k]))
                else:
                    c.each(
                        (at("g", sample, plane), x), out,
                        lambda k, u, v: f.fma(v - mean[k], slope[k], f.fma(u, scale[k], shift[k])),
                    )  # fmt: skip
    return made


_kernel = Kernel(module)


def _serves(x: Any, names: tuple[str, ...], *channels: Any) -> bool:
    """Whether there is code for images whose channels lie last, and numbers of channels."""
    dtype = x.dtype
    return (
        dtype in TYPES
        and bool(x.size)
        and to_last(x).flags.c_contiguous
        and all(a is None or a.dtype is dtype for a in channels)
        and all(_kernel.ready(dtype, name) for name in names)
    )


def forward(x: Any, groups: int, weight: Any, bias: Any, eps: float) -> Any:
    """(N, C, *S) normalised: the result, mean and 1 / deviation (N, groups); None where no code
    serves.
    """
    dtype = x.dtype
    if not _serves(x, ("moments", "normal"), weight, bias):
        return None
    batch, channels = x.shape[:2]
    length = x.size // (batch * channels)
    moments = np.empty((3, batch, channels), dtype)
    sizes = batch, length, channels
    _kernel.run(dtype, "moments", x.size, None, x, *moments, *sizes)
    own, rest, squares = moments.reshape(3, batch, groups, -1).astype("f8")
    middle = own[:, :, :1]
    own = own - middle + rest / length
    mean = own.mean(2, keepdims=True)
    away = own - mean
    spread = (squares - rest * rest / length + length * away * away).sum(2)
    mean = (mean + middle)[:, :, 0]
    rstd = 1 / np.sqrt(spread / (own.shape[2] * length) + eps)
    mean, rstd = mean.astype(dtype), rstd.astype(dtype)
    out = empty(x.shape, dtype, True)
    scale = _each(rstd, channels) if weight is None else _each(rstd, channels) * weight
    shift = np.zeros(channels, dtype) if bias is None else bias
    shift = np.ascontiguousarray(np.broadcast_to(shift, (batch, channels)))
    _kernel.run(
        dtype, "normal", x.size, None, x, _each(mean, channels), scale, None, shift, out, *sizes
    )
    return out, mean, rstd


def _each(numbers: Any, channels: int) -> Any:
    """(N, groups) for each channel of a group."""
    return np.repeat(numbers, channels // numbers.shape[1], 1)


def backward(
    g: Any, x: Any, groups: int, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, ...]
) -> Any:
    """The gradients of :func:`forward` for input, weight and bias; None where no code serves."""
    dtype = x.dtype
    if not _serves(x, ("products", "grad"), g, weight, mean, rstd):
        return None
    if not to_last(g).flags.c_contiguous:
        given, g = g, empty(g.shape, dtype, True)
        copy_into(g, given)
    batch, channels = x.shape[:2]
    length = x.size // (batch * channels)
    sizes = batch, length, channels
    means, scale = _each(mean, channels), _each(rstd, channels)
    total, dot = np.empty((2, batch, channels), dtype)
    _kernel.run(dtype, "products", x.size, g, x, means, total, dot, *sizes)
    grad = None
    if needs[0]:
        parts = (total, dot) if weight is None else (total * weight, dot * weight)
        up, along = (p.reshape(batch, groups, -1).sum(2, "f8") for p in parts)
        wide, size = rstd.astype("f8"), length * (channels // groups)
        slope, shift = -along * wide**3 / size, -up * wide / size
        grad = empty(x.shape, dtype, True)
        _kernel.run(
            dtype, "grad", x.size, g, x, means, scale if weight is None else scale * weight,
            _each(slope.astype(dtype), channels), _each(shift.astype(dtype), channels), grad,
            *sizes,
        )  # fmt: skip
    return grad, (dot * scale).sum(0) if needs[1] else None, total.sum(0) if needs[2] else None
