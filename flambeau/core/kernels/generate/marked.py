"""Where an array of truths is true: the row and the column of each. Stands on jit."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.folds import LEAST
from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import pointer, words
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Module

__all__ = ["marked"]

WORDS = ("marks", "rows", "columns", "count", "height", "width")
ALONE = 1 << 14
"""Work that one thread does, the interpreter's lock free."""


def module(name: str, type: str, _: int) -> Module:
    """`marked`: every place is written, and the next one over it where there was no mark: no branch
    depends on a mark.
    """
    made = Module(f"marked-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    marks, rows, columns = (pointer(f, get[k]) for k in ("marks", "rows", "columns"))
    place = f.variable("i64", 0)
    with f.loop(0, get["height"]) as row:
        line = f.at(marks, row * get["width"], type)
        with f.loop(0, get["width"]) as column:
            at = place.get()
            with f.when(at.lt(get["count"])):
                f.store(row, rows, at)
                f.store(column, columns, at)
                place.set(at + f.load(type, line, column).to("i64"))
    return made


_kernel = Kernel(module, {np.dtype(bool): "i8"})


def marked(truths: Any) -> Any:
    """The indices of what is true of an array of bools, (dimensions, number); None where no code
    serves.
    """
    shape = truths.shape
    if truths.size < LEAST or len(shape) < 2 or not truths.flags.c_contiguous:
        return None
    if not _kernel.ready(truths.dtype, "marked"):
        return None
    count = int(np.count_nonzero(truths))
    found = np.empty((len(shape), count), np.int64)
    rows, columns = found[-2:]
    height = truths.size // shape[-1]
    _kernel.run(truths.dtype, "marked", ALONE, truths, rows, columns, count, height, shape[-1])
    if len(shape) > 2:
        found[:-1] = np.unravel_index(rows, shape[:-1])
    return found
