"""Sampling planes at places of their own, as ``kernels.grid`` asks for it, by generated code: sums
of weighted reads, their gradient for the planes, and what the places' gradient is made of.

Planes are (N, C, S), places and weights (taps, N, O). A thread owns planes, or places, so sums do
not depend on the number of threads. Stands on jit, call and vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import pointer, share, words
from flambeau.core.kernels.generate.resampled import gathered
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["mixed", "pulled", "spread"]

WORDS = ("planes", "index", "weights", "flow", "out", "batch", "channels", "size", "taps", "count")
SMALLEST = 1 << 10
"""Results from which on a kernel is quicker than NumPy."""


def module(name: str, type: str, width: int) -> Module:
    """`mixed`, `spread` or `pulled` for one number type."""
    made = Module(f"sampled-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    {"mixed": _mixed, "spread": _spread, "pulled": _pulled}[name](f, type, width, get)
    return made


def _mixed(f: Function, type: str, width: int, get: dict[str, Value]) -> None:
    """``out[n, c, o] = sum_t planes[n, c, index[t, n, o]] * weights[t, n, o]``."""
    count, many = get["count"], vector(type, width)
    index, weights = pointer(f, get["index"]), pointer(f, get["weights"])
    start, stop = share(f, get["batch"] * get["channels"])
    with f.loop(start, stop) as unit:
        plane = f.at(pointer(f, get["planes"]), unit * get["size"], type)
        out = f.at(pointer(f, get["out"]), unit * count, type)
        batch = unit / get["channels"]

        def one(o: Value, some: Value | None, _: int) -> None:
            total = f.variable(many, 0.0)
            with f.loop(0, get["taps"]) as t:
                at = (t * get["batch"] + batch) * count + o
                places = read(f, vector("i64", width), index, at, some)
                term = gathered(f, many, plane, places) * read(f, many, weights, at, some)
                total.set(total.get() + term)
            write(f, total.get(), out, o, some)

        along(f, count, width, one)


def _spread(f: Function, type: str, width: int, get: dict[str, Value]) -> None:
    """``out[n, c, index[t, n, o]] += flow[n, c, o] * weights[t, n, o]`` in double precision."""
    count = get["count"]
    index, weights = pointer(f, get["index"]), pointer(f, get["weights"])
    start, stop = share(f, get["batch"] * get["channels"])
    with f.loop(start, stop) as unit:
        flow = f.at(pointer(f, get["flow"]), unit * count, type)
        out = f.at(pointer(f, get["out"]), unit * get["size"], "double")
        with f.loop(0, get["taps"]) as t:
            first = (t * get["batch"] + unit / get["channels"]) * count
            with f.loop(0, count) as o:
                place = f.load("i64", index, first + o)
                term = f.load(type, flow, o) * f.load(type, weights, first + o)
                f.store(f.load("double", out, place) + term.to("double"), out, place)


def _pulled(f: Function, type: str, width: int, get: dict[str, Value]) -> None:
    """``out[t, n, o] = sum_c flow[n, c, o] * planes[n, c, index[t, n, o]]``."""
    count, many = get["count"], vector(type, width)
    planes, flows = pointer(f, get["planes"]), pointer(f, get["flow"])
    start, stop = share(f, get["taps"] * get["batch"])
    with f.loop(start, stop) as unit:
        first = unit % get["batch"] * get["channels"]
        index = f.at(pointer(f, get["index"]), unit * count, "i64")
        out = f.at(pointer(f, get["out"]), unit * count, type)

        def one(o: Value, some: Value | None, _: int) -> None:
            places = read(f, vector("i64", width), index, o, some)
            total = f.variable(many, 0.0)
            with f.loop(first, first + get["channels"]) as c:
                seen = gathered(f, many, f.at(planes, c * get["size"], type), places)
                total.set(total.get() + read(f, many, flows, c * count + o, some) * seen)
            write(f, total.get(), out, o, some)

        along(f, count, width, one)


_kernel = Kernel(module)


def _run(name: str, planes: Any, index: Any, weights: Any, flow: Any, out: Any, size: int) -> bool:
    like = planes if flow is None else flow
    taps, batch, count = index.shape
    channels = like.shape[1]
    if like.dtype not in TYPES or channels * batch * count < SMALLEST or not size:
        return False
    if any(not (a is None or a.flags.c_contiguous) for a in (planes, index, weights, flow)):
        return False
    if index.dtype != np.int64 or not _kernel.ready(like.dtype, name):
        return False
    work = taps * batch * channels * count * 2
    _kernel.run(
        like.dtype, name, work, planes, index, weights, flow, out, batch, channels, size, taps,
        count,
    )  # fmt: skip
    return True


def mixed(planes: Any, index: Any, weights: Any) -> Any:
    """The weighted sums of reads (N, C, O); None where no code serves."""
    out = memory.empty((*planes.shape[:2], index.shape[2]), planes.dtype)
    return out if _run("mixed", planes, index, weights, None, out, planes.shape[2]) else None


def spread(flow: Any, index: Any, weights: Any, out: Any, size: int) -> bool:
    """Add a gradient (N, C, O) to `out` (N * C * size), float64, where it was read. Whether it was
    done.
    """
    return _run("spread", None, index, weights, flow, out, size)


def pulled(planes: Any, index: Any, flow: Any) -> Any:
    """The gradient of each read's weight (taps, N, O); None where no code serves."""
    out = memory.empty(index.shape, flow.dtype)
    return out if _run("pulled", planes, index, None, flow, out, planes.shape[2]) else None
