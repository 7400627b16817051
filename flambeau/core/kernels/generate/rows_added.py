"""``rows[places] += values`` row by row, repeated places in their order: what `index_add` and an
embedding's gradient are made of.

Threads share the columns, not the rows, so that sums do not depend on their number. Stands on jit
and gemm's helpers.
"""

from __future__ import annotations

import ctypes
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.generate.gemm import masked_load, masked_store, pointer, share, smaller
from flambeau.core.kernels.generate.gemm import words as read_words
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector

__all__ = ["WORDS", "add_rows", "module"]

WORDS = ("rows", "places", "values", "count", "width")
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ALONE = 1 << 17
"""Numbers that one more thread is worth."""
SMALLEST = 1 << 12
"""Below, NumPy's way is as quick as the call."""


def module(type: str, lanes: int) -> Module:
    """The function for rows of one number type, each contiguous and side by side."""
    made = Module(f"rows-added-{type}")
    f = made.function("add_rows", pool.ARGUMENTS)
    get = read_words(f, WORDS)
    many = vector(type, lanes)
    width = get["width"]
    blocks = (width + (lanes - 1)) / lanes
    start, stop = share(f, blocks)
    rows, values = pointer(f, get["rows"]), pointer(f, get["values"])
    places = pointer(f, get["places"])
    with f.loop(0, get["count"]) as i:
        target = f.at(rows, f.load("i64", places, i) * width, type)
        source = f.at(values, i * width, type)
        with f.loop(start, stop) as block:
            column = block * lanes
            some = first_lanes(f, smaller(f, width - column, lanes), lanes)
            here = f.at(target, column, type)
            added = masked_load(f, many, f.at(source, column, type), some)
            masked_store(f, masked_load(f, many, here, some) + added, here, some)
    return made


@once
def _function(type: str) -> int | None:
    if not build.available():
        return None
    target = build.host()
    try:
        return build.load(module(type, target.lanes(4 if type == "float" else 8)))["add_rows"]
    except build.Unavailable:
        return None


def add_rows(rows: Any, places: Any, values: Any) -> bool:
    """Add in place where that can be generated: contiguous float32 or float64 rows and values,
    int64 places in range. Whether it was done.
    """
    type = TYPES.get(rows.dtype)
    if (
        type is None
        or values.size < SMALLEST
        or values.dtype is not rows.dtype
        or places.dtype != np.int64
        or not (rows.flags.c_contiguous and values.flags.c_contiguous)
        or not (places.flags.c_contiguous and rows.flags.writeable)
        or np.may_share_memory(rows, values)
    ):
        return False
    function = _function(type)
    if function is None:
        return False
    context = (ctypes.c_int64 * len(WORDS))(
        rows.ctypes.data, places.ctypes.data, values.ctypes.data, len(places), rows.shape[1]
    )
    shares = min(pool.limit(), 1 + values.size // ALONE)
    pool.run(function, ctypes.addressof(context), shares)
    return True
