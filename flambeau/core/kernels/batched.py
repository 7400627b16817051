"""Products of batches of matrices: every panel of every right factor is a unit of work, which
threads share.

NumPy's form calls its BLAS for one matrix after the other. Up to two leading dimensions of any
strides, broadcast ones too. Stands on generate.gemm_ways.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import gemm, gemm_ways
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.matmul import ALONE, NAMES, code
from flambeau.core.kernels.native.prepared import launch

__all__ = ["matmul"]

LEAST = 1 << 14
"""Multiplications below which NumPy's call is as quick."""


@lru_cache(maxsize=1024)
def _words(
    dtype: Any, lead: tuple[int, int], m: int, n: int, k: int, steps: tuple[int, ...], limit: int
) -> tuple[Any, int] | None:
    """What `launch` is given, and numbers of scratch; None where no code is made."""
    addresses = code(dtype)
    if addresses is None:
        return None
    target = build.host()
    room = gemm_ways.room(gemm.shape_of(NAMES[dtype], target.bits, target.masked))
    shares = min(limit, prod(lead) * m * n * k // ALONE + 1)
    context = [0, 0, 0, 0, *steps, *lead, m, n, k, room, 0]
    words = np.array([addresses["in_batches"], shares, 1, 0, *context], np.int64)
    return words, room * shares


def matmul(a: Any, b: Any) -> Any:
    """``np.matmul`` of arrays of at least two dimensions, at least one of them of more."""
    if a.shape[:-2] == b.shape[:-2]:
        lead = a.shape[:-2]
    else:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    (m, k), (other, n) = a.shape[-2:], b.shape[-2:]
    work = prod(lead) * m * n * k
    if len(lead) > 2 or work < LEAST or k != other or a.dtype is not b.dtype:
        return np.matmul(a, b)
    size = a.itemsize
    steps = (*_steps(a, len(lead), size), *_steps(b, len(lead), size))
    found = _words(a.dtype, (1,) * (2 - len(lead)) + lead, m, n, k, steps, threads.count())
    if found is None or not (a.flags.aligned and b.flags.aligned):
        return np.matmul(a, b)
    out = memory.empty((*lead, m, n), a.dtype)
    launch()(found[0], a, b, out, memory.empty(found[1], a.dtype))
    return out


def _steps(array: Any, lead: int, size: int) -> list[int]:
    """The strides in elements, with two leading dimensions; 0 along what is repeated."""
    found = [0] * (2 - lead)
    missing = lead + 2 - array.ndim
    found += [0] * missing
    shape, strides = array.shape, array.strides
    last = array.ndim - 2
    for axis, step in enumerate(strides):
        found.append(0 if axis < last and shape[axis] == 1 else step // size)
    return found
