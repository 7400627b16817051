"""Slices by number as native functions: ``take(array, dim, index)``, ``indexed(array, index, dim)``
and ``rows(table, index)``; ``pair(array, index, index, dim)``, which names two dimensions;
``flat(array, index)``, which takes elements of the flattened array.

The array is contiguous, the index contiguous int64 without negative numbers, the result small.
What does not fit, and indices out of range, go to the NumPy form; larger results to
``generate.picked``. Stands on geometry and jit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import same_shape
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    contiguous,
    count_of,
    end,
    is_dtype,
    item,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, word

__all__ = ["OPERATIONS", "native"]

LARGEST = 1 << 15
"""Bytes of a result at most: of more, processors copy side by side."""
OPERATIONS = {
    "index_select": "take", "_index_one": "indexed", "_index_pair": "pair", "_embedding": "rows",
    "take": "flat",
}  # fmt: skip
"""By the operation's name, whose kernel takes more arguments or fewer."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The operation's kernel, with `numpy_form` for what it does not take; that form itself where
    there is none.
    """
    if name not in OPERATIONS:
        return numpy_form
    return table.native(OPERATIONS[name], numpy_form, _module)


def _module() -> Module:
    made = Module("row_picks")
    _picks(made, "take", 3, index_at=2, dim_at=1)
    _picks(made, "indexed", 3, index_at=1, dim_at=2)
    _picks(made, "pair", 4, index_at=1, dim_at=3, second_at=2)
    _picks(made, "rows", 2, index_at=1)
    _flat(made)
    return made


def _flat(made: Module) -> None:
    f = made.function("flat", SIGNATURE, "ptr")
    args = f.argument["args"]
    require(f, f.argument["n"].eq(2))
    x, index = f.load("ptr", args), f.load("ptr", args, 1)
    kind = _checked(f, x, index)
    size, count, limit = item(f, x), count_of(f, index), count_of(f, x)
    require(f, count.gt(0) & (count * size).le(LARGEST))
    numbers = field(f, index, table.DATA, "ptr")
    with f.loop(0, count) as k:
        number = f.load("i64", numbers, k)
        require(f, number.ge(-limit) & number.lt(limit))
    ndim, dims = field(f, index, table.NDIM, "i32"), field(f, index, table.DIMS, "ptr")
    out = made_array(f, kind, ndim, dims, count * size)
    source, target = (field(f, a, table.DATA, "ptr") for a in (x, out))
    with f.loop(0, count) as k:
        number = f.load("i64", numbers, k)
        number = f.select(number.lt(0), number + limit, number)
        _copy(f, f.at(source, number * size, "i8"), f.at(target, k * size, "i8"), size)
    f.ret(out)
    end(f)


def _checked(f: Function, x: Value, index: Value) -> Value:
    """The array's dtype, where both are arrays as they are served."""
    for array in (x, index):
        contiguous(f, array)
    require(f, field(f, index, table.DESCR, "ptr").eq(word(f, "i64")))
    kind = field(f, x, table.DESCR, "ptr")
    require(f, is_dtype(f, kind) & field(f, kind, table.KIND, "i8").ne(ord("O")))
    return kind


def _picks(
    made: Module, name: str, least: int, index_at: int, dim_at: int = 0, second_at: int = 0
) -> None:
    """A function of at least so many arguments, the array first; of a table where no dimension is
    given. A second index names the dimension behind.
    """
    f = made.function(name, SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    require(f, n.ge(least))
    indices = [f.load("ptr", args, at) for at in (index_at, second_at) if at]
    x, index, named = f.load("ptr", args), indices[0], len(indices)
    for each in indices:
        kind = _checked(f, x, each)
    ndim, own = (field(f, a, table.NDIM, "i32").to("i64") for a in (x, index))
    require(f, ndim.ge(named) & (ndim + own).lt(MOST))
    if dim_at:
        dim = wrapped(f, whole(f, f.load("ptr", args, dim_at)), ndim)
        require(f, own.eq(1) if name == "take" else own.gt(0))
    else:
        dim = f.index(0)
        require(f, ndim.eq(2))
    if second_at:
        require(f, (dim + 1).lt(ndim) & f.call(same_shape(made), "i1", *indices))
    dims, extents = field(f, x, table.DIMS, "ptr"), field(f, index, table.DIMS, "ptr")
    room, outer, inner = f.memory("i64", MOST), f.variable("i64", 1), f.variable("i64", item(f, x))
    with f.loop(0, dim) as j:
        size = f.load("i64", dims, j)
        f.store(size, room, j)
        outer.set(outer.get() * size)
    with f.loop(0, own) as j:
        f.store(f.load("i64", extents, j), room, dim + j)
    with f.loop(dim + named, ndim) as j:
        size = f.load("i64", dims, j)
        f.store(size, room, own + j - named)
        inner.set(inner.get() * size)
    many, bytes = count_of(f, index), inner.get()
    numbers = [field(f, each, table.DATA, "ptr") for each in indices]
    sizes = [f.load("i64", dims, dim + j) for j in range(named)]
    total = outer.get() * many * bytes
    require(f, total.gt(0) & total.le(LARGEST))
    with f.loop(0, many) as k:
        for places, size in zip(numbers, sizes, strict=True):
            number = f.load("i64", places, k)
            require(f, number.ge(0) & number.lt(size))
    out = made_array(f, kind, ndim + own - named, room, total)
    source, target = (f.variable("ptr", field(f, a, table.DATA, "ptr")) for a in (x, out))
    with f.loop(0, outer.get()):
        with f.loop(0, many) as k:
            place = f.load("i64", numbers[0], k)
            if second_at:
                place = place * sizes[1] + f.load("i64", numbers[1], k)
            _copy(f, f.at(source.get(), place * bytes, "i8"), target.get(), bytes)
            target.set(f.at(target.get(), bytes, "i8"))
        source.set(f.at(source.get(), math.prod(sizes[1:], start=sizes[0]) * bytes, "i8"))
    f.ret(out)
    end(f)


def _copy(f: Function, source: Value, target: Value, count: Value) -> None:
    """So many bytes, by words."""
    words = count / 8
    with f.loop(0, words, independent=True) as i:
        f.store(f.load("i64", source, i, 1), target, i, 1)
    with f.loop(words * 8, count) as i:
        f.store(f.load("i8", source, i), target, i)
