"""Evenly spaced numbers: what arange and linspace are made of. Stands on jit and call."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import larger, pointer, share, smaller, words
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value

__all__ = ["LANES", "line", "stepped"]

WORDS = ("out", "count", "half", "start", "step", "end")
LANES = {4: 8, 8: 4}
"""How many floats of so many bytes PyTorch's `arange` computes from one."""


def module(name: str, type: str, _: int) -> Module:
    """`line` or `range`, floats in double precision."""
    made = Module(f"{name}-{type}", vectorize=True)
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    wide = "i64" if type == "i64" else "double"
    first, step, last = (get[key].bits(wide) for key in ("start", "step", "end"))
    begin, stop = share(f, get["count"])
    out, half = pointer(f, get["out"]), get["half"]
    if name == "range" and type != "i64":
        _stepped(f, type, out, half, first, step, begin, stop)
        return made

    def at(start: Value, k: Value) -> Value:
        """``start + step * k``, rounded once."""
        found = start + step * k if type == "i64" else f.fma(step, k.to(wide), start)
        return found.to(type)

    with f.loop(begin, smaller(f, stop, half), independent=True) as k:
        f.store(at(first, k), out, k)
    with f.loop(larger(f, begin, half), stop, independent=True) as k:
        f.store(at(last, k - (get["count"] - 1)), out, k)
    return made


def _stepped(
    f: Function, type: str, out: Value, whole: Value, first: Value, step: Value, begin: Value,
    stop: Value,
) -> None:  # fmt: skip
    """Up to `whole` the first of each register's numbers, and the others from it."""
    with f.loop(begin, stop, independent=True) as k:
        lane = f.select(k.lt(whole), k & (LANES[SIZES[type]] - 1), 0)
        base = f.fma(step, (k - lane).to("double"), first).to(type)
        f.store(f.fma(step, lane.to("double"), base.to("double")).to(type), out, k)


_kernel = Kernel(module, {**TYPES, np.dtype("i8"): "i64"})


def _run(name: str, dtype: Any, count: int, half: int, *ends: Any) -> Any:
    if dtype not in _kernel.types or not _kernel.ready(dtype, name):
        return None
    out = memory.empty((count,), dtype)
    of = int if dtype.kind == "i" else float
    _kernel.run(dtype, name, count // 4, out, count, half, *map(of, ends))
    return out


def line(dtype: Any, count: int, start: Any, step: Any, end: Any) -> Any:
    """`count` numbers from `start` by `step`, the second half of them counted back from `end`; None
    where no code serves.
    """
    return _run("line", dtype, count, count // 2, start, step, end)


def stepped(dtype: Any, count: int, start: Any, step: Any) -> Any:
    """``start + step * k`` for `count` numbers k, rounded where PyTorch rounds: it computes
    registers, two at a time, and what is left number by number.
    """
    lanes = LANES.get(dtype.itemsize, 1)
    together = count // (2 * lanes) * (2 * lanes)
    whole = count if dtype.kind == "i" else together
    found = _run("range", dtype, count, whole, start, step, 0)
    if found is not None:
        return found
    with np.errstate(all="ignore"):
        return _by_numpy(dtype, count, start, step, lanes, together)


def _by_numpy(
    dtype: Any, count: int, start: Any, step: Any, lanes: int, together: int
) -> np.ndarray[Any, Any]:
    k = np.arange(count)
    if dtype.kind in "iu":
        return (k * int(step) + int(start)).astype(dtype)
    if dtype.kind == "c":
        return k.astype(dtype) * step + start
    wide = np.longdouble if dtype == np.float64 else np.float64
    if dtype not in TYPES or not together:
        return (k * wide(step) + wide(start)).astype(dtype)
    lane = np.where(k < together, k % lanes, 0)
    base = ((k - lane) * wide(step) + wide(start)).astype(dtype)
    return (lane * wide(step) + base).astype(dtype)
