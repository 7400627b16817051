"""Products of bfloat16 matrices on processors with a matrix unit, where the system lets us use it.

Elsewhere nothing is served here: ``kernels.product`` computes in single precision. Stands on
generate.tiles.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import tiles
from flambeau.core.kernels.jit import build, matrix_unit
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.native.prepared import launch

__all__ = ["product"]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
SINGLE, CELLS = np.dtype("f4"), np.dtype("u1")
ALONE = 1 << 21
"""Multiplications that one more thread is worth."""
UNLOCKED = 1 << 18
"""From so many on the interpreter's lock is free."""
LEAST = 1 << 16
_SPARE: list[Any] = []
"""Scratch that no call uses at present: to get and return it each time costs up to 10 us."""


@once
def _address(single: bool) -> int | None:
    try:
        return build.load(tiles.module(single))["product"]
    except build.Unavailable:
        return None


@lru_cache(maxsize=1024)
def _plan(
    left: tuple[int, ...], left_strides: tuple[int, ...], right: tuple[int, ...],
    right_strides: tuple[int, ...], single: bool, limit: int,
) -> tuple[Any, int, tuple[int, ...]] | None:  # fmt: skip
    """What `launch` is given for arrays of these shapes and strides, bytes of scratch, the result's
    shape; None where that is not served.
    """
    lead = left[:-2]
    if lead != right[:-2]:
        lead = np.broadcast_shapes(lead, right[:-2])
    (m, k), (other, n) = left[-2:], right[-2:]
    address = _address(single)
    if address is None or len(lead) > 2 or k != other or not prod(left) * prod(right):
        return None
    count = prod(lead)
    work = count * m * n * k
    shares = max(1, min(limit, work // ALONE + 1, count * -(-max(m, n) // tiles.BLOCK)))
    parts = -(-shares // count)
    rows, columns = (_part(m, parts), n) if m > n else (m, _part(n, parts))
    room = tiles.room(k, columns)
    sizes = (*(1,) * (2 - len(lead)), *lead, m, n, k, rows, columns, room, 0, 0)
    steps = (*_steps(left, left_strides, len(lead)), *_steps(right, right_strides, len(lead)))
    header = (address, shares, int(work >= UNLOCKED), 0)
    words = np.array([*header, 0, 0, 0, 0, 0, *steps, *sizes], np.int64)
    return words, room * shares, (*lead, m, n)


def _part(count: int, parts: int) -> int:
    """How many rows or columns a part has, in whole blocks."""
    return -(-count // (parts * tiles.BLOCK)) * tiles.BLOCK


def _steps(shape: tuple[int, ...], strides: tuple[int, ...], lead: int) -> list[int]:
    """The strides in elements, with two leading dimensions; 0 along what is repeated, 1 along what
    has one number.
    """
    found = [0] * (4 - len(shape))
    last = len(shape) - 2
    for axis, step in enumerate(strides):
        found.append(step // 2 if shape[axis] != 1 else int(axis >= last))
    return found


def product(a: Any, b: Any, bias: Any = None, dtype: Any = BFLOAT16) -> Any:
    """``a @ b + bias`` of bfloat16 arrays of at least two dimensions, rounded once to the dtype,
    bfloat16 or float32; None where that is not served.
    """
    if a.dtype is not BFLOAT16 or b.dtype is not BFLOAT16 or not matrix_unit.allowed():
        return None
    a, b = _reachable(a), _reachable(b)
    plan = _plan(a.shape, a.strides, b.shape, b.strides, dtype is SINGLE, threads.count())
    if plan is None:
        return None
    words, room, shape = plan
    if bias is not None:
        bias = np.ascontiguousarray(np.broadcast_to(recast(bias, SINGLE), shape[-1:]))
    return _run(words, room, a, b, memory.empty(shape, dtype), bias)


def _run(words: Any, room: int, a: Any, b: Any, out: Any, bias: Any) -> Any:
    try:
        scratch = _SPARE.pop()
    except IndexError:
        scratch = None
    if scratch is None or len(scratch) < room:
        scratch = memory.empty(max(room, LEAST), CELLS)
    launch()(words, a, b, out, bias, scratch)
    if not _SPARE:
        _SPARE.append(scratch)
    return out


def listed(a: Any, b: Any, table: Any, columns: bool, n: int, k: int, bias: Any, dtype: Any) -> Any:
    """``a @ B + bias[:, None]`` for each of the contiguous arrays ``b[i]``, in which B's rows or
    columns begin where the table says; None where that is not served.

    Args:
        a: (m, k) or (len(b), m, k), contiguous.
        b: (count, ...), contiguous bfloat16.
        table: int64, in whole blocks.
        columns: whether columns are listed, whose numbers lie side by side; else rows.
        n: columns of B.
        k: rows of B.
        bias: (m) or None.
        dtype: of the result (count, m, n), bfloat16 or float32.
    """
    address = _address(dtype is SINGLE) if matrix_unit.allowed() else None
    if address is None:
        return None
    m, count = a.shape[-2], len(b)
    a_step = m * k if a.ndim > 2 else 0
    each = b.size // count
    shares = max(1, min(threads.count(), count * m * n * k // ALONE + 1))
    parts = -(-shares // count)
    tall, wide = (_part(m, parts), n) if m > n else (m, _part(n, parts))
    room = tiles.room(k, wide)
    if bias is not None:
        bias = np.ascontiguousarray(recast(bias, SINGLE))
    steps = (1, 0) if columns else (0, 1)
    words = np.array([
        address, shares, 1, 0, 0, 0, 0, 0, 0, a_step, 0, k, 1, each, 0, *steps, count, 1, m, n, k,
        tall, wide, room, table.ctypes.data, 0 if bias is None else bias.ctypes.data,
    ], np.int64)  # fmt: skip
    return _run(words, room * shares, a, b, memory.empty((count, m, n), dtype), None)


def _reachable(x: Any) -> Any:
    """The matrices with numbers side by side along a dimension."""
    (m, n), (row, column) = x.shape[-2:], x.strides[-2:]
    if (row == 2 or column == 2 or m == 1 or n == 1) and x.flags.aligned:
        return x
    return np.ascontiguousarray(x)
