"""Matrices with rows and columns exchanged, many at a time: of numbers, squares of registers by
shuffles; of runs of numbers, run by run.

NumPy's copies of such views move number by number. Stands on jit and gemm's helpers.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.generate.gemm import (
    masked_load,
    masked_store,
    pointer,
    share,
    smaller,
    transposed,
)
from flambeau.core.kernels.generate.gemm import words as read_words
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector
from flambeau.core.kernels.native.prepared import launch

__all__ = ["RUNS", "WORDS", "module", "turn", "turn_runs", "turned"]

WORDS = (
    "source", "target", "source_batch", "source_row", "target_batch", "target_row",
    "batch", "rows", "columns",
)  # fmt: skip
RUNS = ("source", "target", "batch", "rows", "columns", "run")
TOGETHER = 8
"""Runs of a row that are moved before the next row: they share lines of the cache."""
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ALONE = 1 << 16
"""Numbers that one more thread is worth."""
UNLOCKED = 1 << 13
"""From so many numbers on the interpreter's lock is free."""


def module(type: str, lanes: int) -> Module:
    """The functions for one number type; the numbers of a row lie side by side."""
    made = Module(f"turn-{type}")
    _numbers(made, type, lanes)
    _runs(made, type, lanes)
    return made


def _numbers(made: Module, type: str, lanes: int) -> None:
    f = made.function("turn", pool.ARGUMENTS)
    get = read_words(f, WORDS)
    many = vector(type, lanes)
    across = (get["columns"] + (lanes - 1)) / lanes
    start, stop = share(f, get["batch"] * across)
    with f.loop(start, stop) as unit:
        column, number = unit % across * lanes, unit / across
        left = smaller(f, get["columns"] - column, lanes)
        some = first_lanes(f, left, lanes)
        source = f.at(pointer(f, get["source"]), number * get["source_batch"] + column, type)
        target = f.at(
            pointer(f, get["target"]),
            number * get["target_batch"] + column * get["target_row"],
            type,
        )
        with f.loop(0, get["rows"], lanes) as row:
            below = smaller(f, get["rows"] - row, lanes)
            last = below - 1
            rows = [
                masked_load(
                    f, many,
                    f.at(source, (row + smaller(f, last, r)) * get["source_row"], type), some,
                )
                for r in range(lanes)
            ]  # fmt: skip
            for c, value in enumerate(transposed(f, rows)):
                kept = f.select(left.gt(c), below, 0)
                place = f.at(target, get["target_row"] * c + row, type)
                masked_store(f, value, place, first_lanes(f, kept, lanes))


def _runs(made: Module, type: str, lanes: int) -> None:
    f = made.function("turn_runs", pool.ARGUMENTS)
    get = read_words(f, RUNS)
    many = vector(type, lanes)
    run, rows = get["run"], get["rows"]
    across = (get["columns"] + (TOGETHER - 1)) / TOGETHER
    start, stop = share(f, get["batch"] * across)
    with f.loop(start, stop) as unit:
        column, number = unit % across * TOGETHER, unit / across
        place = number * rows * get["columns"]
        source = f.at(pointer(f, get["source"]), (place + column) * run, type)
        target = f.at(pointer(f, get["target"]), (place + column * rows) * run, type)
        count = smaller(f, get["columns"] - column, TOGETHER)
        with (
            f.loop(0, rows) as row,
            f.loop(0, count) as c,
            f.loop(0, run, lanes) as i,
        ):
            some = first_lanes(f, smaller(f, run - i, lanes), lanes)
            from_ = f.at(source, (row * get["columns"] + c) * run + i, type)
            to = f.at(target, (c * rows + row) * run + i, type)
            masked_store(f, masked_load(f, many, from_, some), to, some)


@once
def _functions(type: str) -> dict[str, int] | None:
    if not build.available():
        return None
    target = build.host()
    try:
        return build.load(module(type, target.lanes(4 if type == "float" else 8)))
    except build.Unavailable:
        return None


@lru_cache(maxsize=1024)
def _words(name: str, dtype: Any, work: int, limit: int, *context: int) -> Any:
    """What `launch` is given; None where no code can be generated."""
    functions = _functions(TYPES[dtype])
    if functions is None:
        return None
    shares = min(limit, 1 + work // ALONE)
    return np.array([functions[name], shares, work >= UNLOCKED, 0, 0, 0, *context], np.int64)


def turned(dtype: Any, source: Any, target: Any, *steps: int) -> bool:
    """Write (B, R, C) as (B, C, R), whose last axes are contiguous; whether code serves.

    Args:
        dtype: as what numbers are moved.
        source: where the source begins.
        target: where the target begins.
        steps: strides of B and R in the source, of B and C in the target; B, R, C.
    """
    words = _words("turn", dtype, prod(steps[4:]), threads.count(), *steps)
    if words is None:
        return False
    launch()(words, source, target)
    return True


def turn(source: Any, target: Any) -> None:
    """``target[...] = source.swapaxes(1, 2)`` of (B, R, C) and (B, C, R), whose last axes are
    contiguous.
    """
    size = source.itemsize
    strides = (*source.strides[:2], *target.strides[:2])
    if not turned(source.dtype, source, target, *(s // size for s in strides), *source.shape):
        np.copyto(target, source.swapaxes(1, 2))


def turn_runs(source: Any) -> Any:
    """``source.swapaxes(1, 2)`` of a contiguous (B, R, C, run), made contiguous."""
    batch, rows, columns, run = source.shape
    target = memory.empty((batch, columns, rows, run), source.dtype)
    if run == 1:
        turn(source[..., 0], target[..., 0])
        return target
    words = _words("turn_runs", source.dtype, source.size, threads.count(), *source.shape)
    if words is None:
        np.copyto(target, source.swapaxes(1, 2))
    else:
        launch()(words, source, target)
    return target
