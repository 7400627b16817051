"""The sum of every channel's planes over all images: what a bias gets back.

Threads share the channels, never a sum. Stands on jit and gemm's helpers.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.generate.gemm import masked_load, pointer, share, smaller, total_of
from flambeau.core.kernels.generate.gemm import words as read_words
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector
from flambeau.core.kernels.native.prepared import launch

__all__ = ["WORDS", "module", "plane_sums"]

WORDS = ("planes", "out", "batch", "channels", "size")
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ALONE = 1 << 17
"""Numbers that one more thread is worth."""
UNLOCKED = 1 << 13
"""From so many numbers on the interpreter's lock is free."""
ABREAST = 4
"""Registers of partial sums."""


def module(type: str, lanes: int) -> Module:
    """The function for one number type; planes lie side by side."""
    made = Module(f"plane-sums-{type}")
    f = made.function("plane_sums", pool.ARGUMENTS)
    get = read_words(f, WORDS)
    many = vector(type, lanes)
    size = get["size"]
    start, stop = share(f, get["channels"])
    sums = [f.variable(many) for _ in range(ABREAST)]
    step = ABREAST * lanes
    whole = size / step * step
    with f.loop(start, stop) as channel:
        for total in sums:
            total.set(0.0)
        with f.loop(0, get["batch"]) as image:
            place = (image * get["channels"] + channel) * size
            plane = f.at(pointer(f, get["planes"]), place, type)
            with f.loop(0, whole, step) as i:
                for k, total in enumerate(sums):
                    total.set(total.get() + f.load(many, plane, i + k * lanes))
            with f.loop(whole, size, lanes) as i:
                some = first_lanes(f, smaller(f, size - i, lanes), lanes)
                sums[0].set(sums[0].get() + masked_load(f, many, f.at(plane, i, type), some))
        pairs = [a.get() + b.get() for a, b in zip(sums[::2], sums[1::2], strict=True)]
        f.store(total_of(f, pairs[0] + pairs[1]), pointer(f, get["out"]), channel)
    return made


@once
def _function(type: str) -> int | None:
    if not build.available():
        return None
    target = build.host()
    try:
        return build.load(module(type, target.lanes(4 if type == "float" else 8)))["plane_sums"]
    except build.Unavailable:
        return None


@lru_cache(maxsize=256)
def _words(dtype: Any, limit: int, batch: int, channels: int, size: int) -> Any:
    """What `launch` is given; None where no code can be generated."""
    function = _function(TYPES[dtype]) if dtype in TYPES else None
    if function is None:
        return None
    work = batch * channels * size
    shares = min(limit, 1 + work // ALONE, channels)
    header = (function, shares, work >= UNLOCKED, 0)
    return np.array([*header, 0, 0, batch, channels, size], np.int64)


def plane_sums(array: Any) -> Any:
    """The sums of a contiguous (N, C, S), float32 or float64; None where that is not done here."""
    if not array.flags.c_contiguous:
        return None
    words = _words(array.dtype, threads.count(), *array.shape)
    if words is None:
        return None
    out = np.empty(array.shape[1], array.dtype)
    launch()(words, array, out)
    return out
