"""Copies, fills and zeros of large arrays: all threads at it, in memory that is kept.

Views that exchange dimensions are copied in squares of registers, other ones row by row. Small
arrays and other dtypes go NumPy's way. Stands on memory, native, generate.turn, carried and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.gemm import share
from flambeau.core.kernels.generate.turn import turned
from flambeau.core.kernels.generate.vectors import along, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector
from flambeau.core.kernels.late import placed
from flambeau.core.kernels.native import choose
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.launch import launcher
from flambeau.core.kernels.order import merged

__all__ = ["copy", "copy_into", "fill", "zeros"]

LARGE = memory.LARGE
carried = placed("generate.carried", "carried")
LINE = 512
"""Words in a unit of work."""
EXCHANGED = 1 << 10
"""Numbers from which on exchanged dimensions are copied in squares."""
CARRIED = {4: np.dtype("f4"), 8: np.dtype("f8")}
"""What numbers of so many bytes are moved as."""


def _copied(source: Any, target: Any) -> None:
    np.copyto(target, source)


@once
def _native() -> Callable[[Any, Any], Any]:
    formula = Formula(lambda f, x: x, 1, ("float", "double", "i64"), forms=("v",))
    return choose.native("copied", _copied, formula) or _copied


@lru_cache(512)
def _exchange(
    shape: tuple[int, ...], source: tuple[int, ...], target: tuple[int, ...], size: int
) -> tuple[int, ...] | None:
    """What `turned` is told, where of two or three dimensions each array has another one that is
    contiguous; strides are in bytes.
    """
    if any(s % size for s in (*source, *target)):
        return None
    dims = merged(shape, source, target, size)
    if not 2 <= len(dims) <= 3 or any(s < 1 or t < 1 for _, s, t in dims):
        return None
    columns = [d for d in dims if d[1] == 1]
    rows = [d for d in dims if d[2] == 1]
    if len(columns) != 1 or len(rows) != 1 or columns == rows:
        return None
    (c, _, c_target), (r, r_source, _) = columns[0], rows[0]
    b, b_source, b_target = next((d for d in dims if 1 not in d[1:]), (1, 0, 0))
    return b_source, r_source, b_target, c_target, b, r, c


def _exchanged(source: Any, target: Any) -> bool:
    """Copy an array whose fastest dimension is not the target's; whether that is such a one."""
    number = CARRIED.get(source.itemsize)
    if number is None:
        return False
    found = _exchange(source.shape, source.strides, target.strides, source.itemsize)
    return found is not None and turned(number, source, target, *found)


def _moved(source: Any, target: Any) -> bool:
    """Copy between arrays apart from one another by code for their layouts; whether there is."""
    return _exchanged(source, target) or carried(source, target)


def copy_into(target: Any, source: Any) -> None:
    """Write an array's elements into another of its shape and dtype; they may overlap."""
    if target.size >= EXCHANGED and not (source.flags.c_contiguous and target.flags.c_contiguous):
        if not np.may_share_memory(source, target) and _moved(source, target):
            return
    if target.nbytes < LARGE:
        np.copyto(target, source)
    else:
        _native()(source, target)


def copy(array: Any) -> Any:
    """A contiguous copy."""
    contiguous = array.flags.c_contiguous
    if array.nbytes < LARGE if contiguous else array.size < EXCHANGED:
        return array.copy()
    found = memory.empty_like(array)
    if not contiguous and _moved(array, found):
        return found
    if array.nbytes < LARGE:
        np.copyto(found, array)
    else:
        _native()(array, found)
    return found


def module() -> Module:
    """``fill``: words (place, count, pattern)."""
    made = Module("fill")
    f = made.function("fill", pool.ARGUMENTS)
    context = f.argument["context"]
    place, count = f.load("ptr", context), f.load("i64", context, 1)
    pattern = f.load("i64", context, 2)
    width = build.host().lanes(8)
    many = vector("i64", width)
    start, stop = share(f, (count + (LINE - 1)) / LINE)
    values = f.splat(pattern, width)
    first = start * LINE
    some = f.intrinsic("smin", stop * LINE, count) - first
    begin = f.at(place, first, "i64")
    assert values.type == many
    along(f, some, width, lambda i, some, _: write(f, values, begin, i, some), 4)
    return made


@once
def _filler() -> int | None:
    try:
        return build.load(module())["fill"]
    except build.Unavailable:
        return None


def fill(array: Any, value: Any) -> None:
    """Set every element to a number that fits the dtype."""
    item = array.itemsize
    if array.nbytes < LARGE or 8 % item or array.nbytes % 8 or not array.flags.c_contiguous:
        array.fill(value)
        return
    function = _filler()
    if function is None or not array.flags.writeable:
        array.fill(value)
        return
    pattern = np.empty(8 // item, array.dtype)
    pattern.fill(value)
    launcher()(function, array.nbytes // 4, array, array.nbytes // 8, int(pattern.view("i8")[0]))


def zeros(shape: Any, dtype: Any) -> Any:
    """A contiguous array of zeros."""
    if dtype.itemsize * (prod(shape) if type(shape) is not int else shape) < LARGE:
        return np.zeros(shape, dtype)
    found = memory.empty(shape, dtype)
    fill(found, 0)
    return found
