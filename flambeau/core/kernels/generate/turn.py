"""Matrices with rows and columns exchanged, many at a time: squares of registers, by shuffles.

NumPy's copies of such views move number by number. Stands on jit and gemm's helpers.
"""

from __future__ import annotations

import ctypes
from functools import cache as once
from typing import Any

import numpy as np

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

__all__ = ["WORDS", "module", "turn"]

WORDS = (
    "source", "source_batch", "source_row", "target", "target_batch", "target_row",
    "batch", "rows", "columns",
)  # fmt: skip
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ALONE = 1 << 16
"""Numbers that one more thread is worth."""


def module(type: str, lanes: int) -> Module:
    """The function for one number type; the numbers of a row lie side by side."""
    made = Module(f"turn-{type}")
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
    return made


@once
def _function(type: str) -> int | None:
    if not build.available():
        return None
    target = build.host()
    try:
        return build.load(module(type, target.lanes(4 if type == "float" else 8)))["turn"]
    except build.Unavailable:
        return None


def turn(source: Any, target: Any) -> None:
    """``target[...] = source.swapaxes(1, 2)`` of (B, R, C) and (B, C, R), whose last axes are
    contiguous.
    """
    function = _function(TYPES[source.dtype])
    size = source.itemsize
    if function is None:
        np.copyto(target, source.swapaxes(1, 2))
        return
    batch, rows, columns = source.shape
    context = (ctypes.c_int64 * len(WORDS))(
        source.ctypes.data, source.strides[0] // size, source.strides[1] // size,
        target.ctypes.data, target.strides[0] // size, target.strides[1] // size,
        batch, rows, columns,
    )  # fmt: skip
    shares = min(pool.limit(), 1 + source.size // ALONE)
    pool.run(function, ctypes.addressof(context), shares)
