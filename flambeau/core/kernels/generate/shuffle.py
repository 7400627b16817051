"""A shuffle's exchanges, one after another. Stands on jit."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import pointer, words
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module

__all__ = ["exchanged"]

WORDS = ("order", "words", "count")
ALONE = 1 << 14
"""Work that one thread does, the interpreter's lock free."""


def module(name: str, type: str, _: int) -> Module:
    """`exchange`: element i with the one ``words[i] % (count - i)`` behind it, for each i but the
    last.
    """
    made = Module(f"exchange-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    order, drawn = pointer(f, get["order"]), pointer(f, get["words"])
    with f.loop(0, get["count"] - 1) as i:
        word = f.load("i32", drawn, i).to("i64") & 0xFFFFFFFF
        j = i + word % (get["count"] - i)
        here, there = f.load(type, order, i), f.load(type, order, j)
        f.store(there, order, i)
        f.store(here, order, j)
    return made


_kernel = Kernel(module, {np.dtype("i8"): "i64"})


def exchanged(count: int, drawn: Any) -> Any:
    """0 ... count - 1 after the exchange of each element i with the one ``drawn[i] % (count - i)``
    behind it, int64.
    """
    order = np.arange(count)
    if _kernel.ready(order.dtype, "exchange"):
        _kernel.run(order.dtype, "exchange", min(count, ALONE), order, drawn, count)
        return order
    places = drawn % np.arange(count, 1, -1, dtype=np.uint32) + np.arange(count - 1)
    moved = order.tolist()  # scalar indexing of an ndarray costs four times as much
    for i, j in enumerate(places.tolist()):
        here = moved[i]
        moved[i] = moved[j]
        moved[j] = here
    return np.array(moved, order.dtype)
