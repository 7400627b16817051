"""Sums, sums of squares, products, largest and smallest numbers over dimensions of contiguous
arrays, at the speed of memory.

Dimensions are seen as (outer, folded, inner). What is folded is cut into fixed blocks, whose
results are folded in their order: digits do not depend on the number of threads. Sums are kept in
double precision from piece to piece; NaN is larger and smaller than everything. Stands on jit and
vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from flambeau.core.folds import LEAST, fold_add, fold_max, fold_min, fold_multiply
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import (
    SIDE_BY_SIDE,
    along,
    folded,
    read,
    row_sums,
    write,
)
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector
from flambeau.core.kernels.native.formulas import maximum, minimum

__all__ = ["column_sums", "fold"]

BLOCK = 1 << 16
"""Numbers of a row in one block."""
ROWS = 512
"""Rows of columns in one block."""
PIECE = 64
"""Rows that are added up in single precision."""
TOGETHER = 4
"""Registers of columns in a unit."""
FOLD = ("x", "out", "outer", "rows", "width", "block", "wide")
"""`wide` is 1 where sums are stored in double precision: there are several blocks."""

Combine = Callable[[Function, Value, Value], Value]
Row = Callable[[Value], list[Value]]
TERMS: dict[str, Callable[[Value], Value]] = {"sum": lambda x: x, "squares": lambda x: x * x}
"""What is summed."""
COMBINE: dict[str, Combine] = {"max": maximum, "min": minimum, "prod": lambda f, a, b: a * b}
"""What is folded with itself."""
FINAL = {
    "sum": fold_add, "squares": fold_add, "max": fold_max, "min": fold_min, "prod": fold_multiply,
}  # fmt: skip


def module(name: str, type: str, width: int) -> Module:
    """`sum_rows`, `sum_columns`, or the same of `squares`, `prod`, `max` or `min`."""
    made = Module(f"{name}-{type}")
    how, _, way = name.partition("_")
    (_rows if way == "rows" else _columns)(made, how, type, width)
    return made


def _rows(made: Module, name: str, type: str, lanes: int) -> None:
    """Blocks of rows that lie side by side: (outer, rows) with `width` 1."""
    f = made.function(f"{name}_rows", pool.ARGUMENTS)
    get = words(f, FOLD)
    blocks = (get["rows"] + (get["block"] - 1)) / get["block"]
    start, stop = share(f, get["outer"] * blocks)
    with f.loop(start, stop) as unit:
        first = unit % blocks * get["block"]
        x = f.at(pointer(f, get["x"]), unit / blocks * get["rows"] + first, type)
        count = smaller(f, get["rows"] - first, get["block"])
        if name in TERMS:
            many, term = vector(type, lanes), TERMS[name]
            (total,) = row_sums(
                f, type, lanes, count, lambda i, some: [term(read(f, many, x, i, some))]
            )
            _either(f, get, lambda wide: _one(f, total if wide else total.to(type), get, unit))
        else:
            _one(f, _combined_row(f, name, type, lanes, x, count), get, unit)


def _one(f: Function, value: Value, get: dict[str, Value], unit: Value) -> None:
    f.store(value, pointer(f, get["out"]), unit)


def _either(f: Function, get: dict[str, Value], store: Callable[[bool], None]) -> None:
    """Sums are stored in double precision where there are several blocks."""
    k = f.fresh()
    f.branch(get["wide"].ne(0), f"wide{k}", f"single{k}")
    f.label(f"wide{k}")
    store(True)
    f.jump(f"stored{k}")
    f.label(f"single{k}")
    store(False)
    f.label(f"stored{k}")


def _combined_row(f: Function, name: str, type: str, lanes: int, x: Value, count: Value) -> Value:
    many, combine = vector(type, lanes), COMBINE[name]
    start = 1.0 if name == "prod" else f.splat(f.load(type, x), lanes)
    tops = [f.variable(many, start) for _ in range(SIDE_BY_SIDE)]

    def look(i: Value, some: Value | None, k: int) -> None:
        top = tops[k].get()
        found = combine(f, top, read(f, many, x, i, some))
        tops[k].set(found if some is None else f.select(some, found, top))

    along(f, count, lanes, look, SIDE_BY_SIDE)
    return folded(f, [top.get() for top in tops], lambda a, b: combine(f, a, b))


def _columns(made: Module, name: str, type: str, lanes: int) -> None:
    """Blocks of rows one below the other: (outer, rows, width)."""
    f = made.function(f"{name}_columns", pool.ARGUMENTS)
    get = words(f, FOLD)
    many = vector(type, lanes)
    width, block = get["width"], get["block"]
    blocks = (get["rows"] + (block - 1)) / block
    size = lanes * TOGETHER
    groups = (width + (size - 1)) / size
    start, stop = share(f, get["outer"] * blocks * groups)
    with f.loop(start, stop) as unit:
        column, rest = unit % groups * size, unit / groups
        first = rest % blocks * block
        last = smaller(f, first + block, get["rows"])
        x = f.at(pointer(f, get["x"]), rest / blocks * get["rows"] * width + column, type)
        masks = [mask(f, width - column - k * lanes, lanes) for k in range(TOGETHER)]

        def row(r: Value) -> list[Value]:
            place = f.at(x, r * width, type)
            return [read(f, many, place, k * lanes, some) for k, some in enumerate(masks)]

        def put(values: list[Value], type: str) -> None:
            place = f.at(pointer(f, get["out"]), rest * width + column, type)
            for k, (value, some) in enumerate(zip(values, masks, strict=True)):
                write(f, value, place, k * lanes, some)

        if name in TERMS:
            term = TERMS[name]
            sums = _column_sums(f, type, lanes, first, last, lambda r: list(map(term, row(r))))
            narrow = [s.to(many) for s in sums]
            _either(f, get, lambda wide: put(sums, "double") if wide else put(narrow, type))
        else:
            put(_columns_combined(f, type, lanes, first, last, row, COMBINE[name]), type)


def _column_sums(
    f: Function, type: str, lanes: int, first: Value, last: Value, row: Row
) -> list[Value]:
    wide = vector("double", lanes)
    parts = [f.variable(vector(type, lanes)) for _ in range(TOGETHER)]
    totals = [f.variable(wide, 0.0) for _ in range(TOGETHER)]
    with f.loop(first, last, PIECE) as piece:
        for part in parts:
            part.set(0.0)
        with f.loop(piece, smaller(f, piece + PIECE, last)) as r:
            for part, value in zip(parts, row(r), strict=True):
                part.set(part.get() + value)
        for total, part in zip(totals, parts, strict=True):
            total.set(total.get() + part.get().to(wide))
    return [total.get() for total in totals]


def _columns_combined(
    f: Function, type: str, lanes: int, first: Value, last: Value, row: Row, combine: Combine
) -> list[Value]:
    parts = [f.variable(vector(type, lanes)) for _ in range(TOGETHER)]
    for part, value in zip(parts, row(first), strict=True):
        part.set(value)
    with f.loop(first + 1, last) as r:
        for part, value in zip(parts, row(r), strict=True):
            part.set(combine(f, part.get(), value))
    return [part.get() for part in parts]


_kernel = Kernel(module)


def fold(name: str, x: Any, axes: tuple[int, ...] | None, keepdims: bool) -> Any:
    """`sum`, `squares` (their sum), `prod`, `max` or `min` of an array over axes; None where no
    code serves.

    Args:
        name: what is computed.
        x: contiguous; over all axes its dimensions may lie in any order.
        axes: neighbours of one another, counted from the front; None for all.
        keepdims: whether they stay, of size 1.
    """
    if x.size < LEAST or x.dtype not in TYPES:
        return None
    shape = x.shape
    if axes is None or len(axes) == x.ndim:
        axes = tuple(range(x.ndim))
        outer, rows, width = 1, x.size, 1
        if not x.flags.c_contiguous:
            x = np.transpose(x, sorted(axes, key=lambda k: -x.strides[k]))
    else:
        first, after = min(axes), max(axes) + 1
        if after - first != len(axes):
            return None
        outer, rows, width = prod(shape[:first]), prod(shape[first:after]), prod(shape[after:])
    way = f"{name}_{'rows' if width == 1 else 'columns'}"
    if not x.flags.c_contiguous or not _kernel.ready(x.dtype, way):
        return None
    block = BLOCK if width == 1 else ROWS
    blocks = -(-rows // block)
    wide = name in TERMS and blocks > 1
    out = np.empty((outer, blocks, width), np.float64 if wide else x.dtype)
    _kernel.run(x.dtype, way, x.size, x, out, outer, rows, width, block, int(wide))
    if blocks > 1:
        out = FINAL[name](out, axis=1)
        if wide:
            out = out.astype(x.dtype)
    return out.reshape(
        [1 if k in axes else n for k, n in enumerate(shape) if keepdims or k not in axes]
    )


def column_sums(x: Any) -> Any:
    """The sums over all dimensions but the last: what a bias's gradient is. Any floats, any
    strides."""
    axes = tuple(range(x.ndim - 1))
    found = fold("sum", x, axes, False)
    return np.add.reduce(x, axes) if found is None else found
