"""Copies, fills and zeros of large arrays: all threads at it, in memory that is kept.

Small arrays and other dtypes go NumPy's way. Stands on memory, native and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.gemm import share
from flambeau.core.kernels.generate.vectors import along, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module, vector
from flambeau.core.kernels.native import choose
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.launch import launcher

__all__ = ["copy", "copy_into", "fill", "zeros"]

LARGE = memory.LARGE
LINE = 512
"""Words in a unit of work."""


def _copied(source: Any, target: Any) -> None:
    np.copyto(target, source)


@once
def _native() -> Callable[[Any, Any], Any]:
    formula = Formula(lambda f, x: x, 1, ("float", "double", "i64"), forms=("v",))
    return choose.native("copied", _copied, formula) or _copied


def copy_into(target: Any, source: Any) -> None:
    """Write an array's elements into another of its shape and dtype; they may overlap."""
    if target.nbytes < LARGE:
        np.copyto(target, source)
    else:
        _native()(source, target)


def copy(array: Any) -> Any:
    """A contiguous copy."""
    if array.nbytes < LARGE:
        return array.copy()
    found = memory.empty_like(array)
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
