"""Sums, sums of squares, products, largest and smallest numbers over dimensions of arrays, at the
speed of memory.

Dimensions are seen as (outer, folded, inner), each with its stride. What is folded is cut into
fixed blocks, whose results are folded in their order: digits do not depend on the number of
threads. Sums are kept in double precision from piece to piece; NaN is larger and smaller than
everything. 16-bit floats are folded in single precision. Stands on jit and vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.folds import LEAST, fold_add, fold_max, fold_min, fold_multiply
from flambeau.core.kernels import copies
from flambeau.core.kernels.generate.call import HALF_TYPES, NUMBERS, Kernel
from flambeau.core.kernels.generate.conv_pack import gather
from flambeau.core.kernels.generate.conv_tile import steps_of
from flambeau.core.kernels.generate.gemm import mask, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import (
    SIDE_BY_SIDE,
    along,
    folded,
    number,
    read,
    row_sums,
    working,
    write,
)
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector
from flambeau.core.kernels.native.casts import recast
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
SINGLE = np.dtype("f4")
PLAIN_TERMS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x, "squares": lambda x: x * x, "numbers": lambda x: np.where(x == x, x, 0),
}  # fmt: skip
"""The same of arrays."""
ACROSS = 64
"""Numbers of narrow rows that are taken together."""
NARROW = 32
"""Columns up to which several rows of a contiguous array are taken as one."""
SHORT = 32
"""Numbers of a row up to which many rows are folded side by side, a lane each."""
FOLD = ("x", "out", "outer", "rows", "width", "block", "wide", "above", "below", "beside",
        "middle")  # fmt: skip
"""`wide` is 1 where sums are stored in double precision: there are several parts. The strides of
`outer`, `rows` and `width` are `above`, `below` and `beside`, in numbers. `middle` has a number for
each result of `deviations`.
"""
WHOLE = {np.dtype(bool): "i8", np.dtype("i1"): "i8", np.dtype("i4"): "i32", np.dtype("i8"): "i64"}
"""Whole numbers, which are folded as they are."""
OWN = (*NUMBERS, np.dtype("i8"))
"""Numbers whose sums and products are of their own dtype."""
ORDER = ("max", "min")

Combine = Callable[[Function, Value, Value], Value]
Row = Callable[[Value], list[Value]]
TERMS: dict[str, Callable[[Value, Any], Value]] = {
    "sum": lambda x, _: x,
    "squares": lambda x, _: x * x,
    "numbers": lambda x, _: x.function.select(x.eq(x), x, 0.0),
    "deviations": lambda x, middle: (x - middle) * (x - middle),
}
"""What is summed; `numbers` are what is not NaN, `deviations` squares of differences."""
COMBINE: dict[str, Combine] = {
    "max": maximum, "min": minimum, "prod": lambda f, a, b: a * b, "sum": lambda f, a, b: a + b,
}  # fmt: skip
"""What is folded with itself."""
FINAL = {
    "sum": fold_add, "squares": fold_add, "numbers": fold_add, "deviations": fold_add,
    "max": fold_max, "min": fold_min, "prod": fold_multiply,
}  # fmt: skip


def module(name: str, type: str, width: int) -> Module:
    """`sum_rows`, `sum_columns`, `sum_apart` (columns that do not lie side by side), or the same of
    `squares`, `numbers`, `prod`, `max` or `min`.
    """
    made = Module(f"{name}-{type}")
    how, _, way = name.partition("_")
    if way == "rows":
        _rows(made, how, type, width)
    else:
        _columns(made, how, type, width, way == "apart")
    return made


def _summed(name: str, type: str) -> bool:
    """Whether the kernel keeps a sum in double precision."""
    return name in TERMS and type in NUMBERS.values()


def _rows(made: Module, name: str, type: str, lanes: int) -> None:
    """Blocks of rows that lie side by side: (outer, rows) with `width` 1."""
    f = made.function(f"{name}_rows", pool.ARGUMENTS)
    get = words(f, FOLD)
    blocks = (get["rows"] + (get["block"] - 1)) / get["block"]
    start, stop = share(f, get["outer"] * blocks)
    with f.loop(start, stop) as unit:
        first = unit % blocks * get["block"]
        x = f.at(pointer(f, get["x"]), unit / blocks * get["above"] + first, type)
        count = smaller(f, get["rows"] - first, get["block"])
        if _summed(name, type):
            many, term = vector(type, lanes), TERMS[name]
            middle = None
            if name == "deviations":
                middle = f.load(working(type), pointer(f, get["middle"]), unit / blocks)
                middle = f.splat(middle, lanes)
            (total,) = row_sums(
                f, type, lanes, count, lambda i, some: [term(read(f, many, x, i, some), middle)]
            )
            _either(
                f, get, lambda wide: _one(f, total if wide else total.to(working(type)), get, unit)
            )
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
    start: Any = {"prod": 1, "sum": 0}.get(name)
    if start is None:
        start = f.splat(number(f, type, x), lanes)
    tops = [f.variable(vector(working(type), lanes), start) for _ in range(SIDE_BY_SIDE)]

    def look(i: Value, some: Value | None, k: int) -> None:
        top = tops[k].get()
        found = combine(f, top, read(f, many, x, i, some))
        tops[k].set(found if some is None else f.select(some, found, top))

    along(f, count, lanes, look, SIDE_BY_SIDE)
    return folded(f, [top.get() for top in tops], lambda a, b: combine(f, a, b))


def _columns(made: Module, name: str, type: str, lanes: int, apart: bool) -> None:
    """Blocks of rows one below the other: (outer, rows, width)."""
    f = made.function(f"{name}_{'apart' if apart else 'columns'}", pool.ARGUMENTS)
    get = words(f, FOLD)
    many, own = vector(type, lanes), vector(working(type), lanes)
    width, block = get["width"], get["block"]
    blocks = (get["rows"] + (block - 1)) / block
    size = lanes * TOGETHER
    groups = (width + (size - 1)) / size
    start, stop = share(f, get["outer"] * blocks * groups)
    with f.loop(start, stop) as unit:
        column, rest = unit % groups * size, unit / groups
        first = rest % blocks * block
        last = smaller(f, first + block, get["rows"])
        beside = get["beside"] if apart else f.index(1)
        x = f.at(pointer(f, get["x"]), rest / blocks * get["above"] + column * beside, type)
        masks = [mask(f, width - column - k * lanes, lanes) for k in range(TOGETHER)]
        lane = steps_of(f, lanes).to(f"<{lanes} x i64>") * f.splat(beside, lanes)

        def row(r: Value) -> list[Value]:
            place = f.at(x, r * get["below"], type)
            if not apart:
                return [read(f, many, place, k * lanes, some) for k, some in enumerate(masks)]
            return [
                gather(f, many, f.at(place, beside * (k * lanes), type), lane, some)
                for k, some in enumerate(masks)
            ]

        def put(values: list[Value], type: str) -> None:
            place = f.at(pointer(f, get["out"]), rest * width + column, type)
            for k, (value, some) in enumerate(zip(values, masks, strict=True)):
                write(f, value, place, k * lanes, some)

        if _summed(name, type):
            term = TERMS[name]
            middle: list[Any] = [None] * TOGETHER
            if name == "deviations":
                place = f.at(
                    pointer(f, get["middle"]), rest / blocks * width + column, working(type)
                )
                middle = [read(f, own, place, k * lanes, some) for k, some in enumerate(masks)]
            sums = _column_sums(
                f, type, lanes, first, last, lambda r: list(map(term, row(r), middle))
            )
            single = [s.to(own) for s in sums]
            _either(
                f, get, lambda wide: put(sums, "double") if wide else put(single, working(type))
            )
        else:
            found = _columns_combined(f, type, lanes, first, last, row, COMBINE[name])
            put(found, working(type))


def _column_sums(
    f: Function, type: str, lanes: int, first: Value, last: Value, row: Row
) -> list[Value]:
    wide = vector("double", lanes)
    parts = [f.variable(vector(working(type), lanes)) for _ in range(TOGETHER)]
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
    parts = [f.variable(vector(working(type), lanes)) for _ in range(TOGETHER)]
    for part, value in zip(parts, row(first), strict=True):
        part.set(value)
    with f.loop(first + 1, last) as r:
        for part, value in zip(parts, row(r), strict=True):
            part.set(combine(f, part.get(), value))
    return [part.get() for part in parts]


_kernel = Kernel(module, {**NUMBERS, **WHOLE})


class Plan(NamedTuple):
    """How an array is folded: the kernel's way and sizes, and how its parts become the result."""

    way: str
    sizes: tuple[int, ...]
    """`outer`, `rows`, `width` and `block`."""
    strides: tuple[int, ...]
    parts: tuple[int, ...]
    """The shape of what the kernel gives."""
    folded: tuple[int, ...]
    """Its dimensions that are folded afterwards."""
    order: tuple[int, ...] | None
    """The dimensions that stay, as they lie in memory, where that is not their order."""
    shape: tuple[int, ...]


@lru_cache(512)
def _plan(
    shape: tuple[int, ...], strides: tuple[int, ...], axes: tuple[int, ...] | None, keepdims: bool,
    size: int,
) -> Plan | None:  # fmt: skip
    """The plan for an array of numbers of `size` bytes; None where its strides fit no kernel."""
    axes = tuple(range(len(shape))) if axes is None else axes
    final = tuple(1 if k in axes else n for k, n in enumerate(shape) if keepdims or k not in axes)
    dims = [k for k, n in enumerate(shape) if n != 1]
    if any(strides[k] % size or strides[k] < 0 for k in dims):
        return None
    dims.sort(key=lambda k: -strides[k])
    groups: list[tuple[int, int, bool]] = []  # (numbers, stride, whether folded)
    for k in dims:
        n, step, away = shape[k], strides[k] // size, k in axes
        if groups and groups[-1][2] == away and groups[-1][1] == n * step:
            n *= groups.pop()[0]
        groups.append((n, step, away))
    kept = [k for k in dims if k not in axes]
    order = tuple(sorted(range(len(kept)), key=kept.__getitem__))
    last = max((j for j, group in enumerate(groups) if group[2]), default=-1)
    if last < 0 or len(groups) - last > 2:
        return None
    (rows, below, _), before, after = groups[last], groups[:last], groups[last + 1 :]
    width, beside, _ = after[0] if after else (1, 1, False)
    lead = [n for n, _, _ in before]
    gone = [j for j, group in enumerate(before) if group[2]]
    if not after and len(before) == 1 and not gone and (below != 1 or rows <= SHORT < lead[0]):
        width, beside, _ = before.pop()  # many short rows, a lane each
        lead = []
    outer = prod(lead)
    above = before[-1][1] if before else 0
    for (_, step, _), (n, inner, _) in zip(before, before[1:], strict=False):
        if step != n * inner:
            return None
    if width == 1 and below != 1:
        return None
    way = "rows" if width == 1 else "columns" if beside == 1 else "apart"
    block = BLOCK if width == 1 else ROWS
    blocks = -(-rows // block)
    return Plan(
        way, (outer, rows, width, block), (above, below, beside), (*lead, blocks, width),
        tuple(gone) + (len(lead),) * (blocks > 1),
        None if order == tuple(range(len(kept))) else tuple(shape[k] for k in kept) + order,
        final,
    )  # fmt: skip


def fold(
    name: str, x: Any, axes: tuple[int, ...] | None, keepdims: bool, middle: Any = None
) -> Any:
    """`sum`, `squares`, `numbers` or `deviations` (their sums), `prod`, `max` or `min` of an array
    over axes; None where no code serves. Sums and products of 16-bit floats are in single
    precision.

    Args:
        name: what is computed.
        x: floats; for `sum` int64 too, for `prod`, `max` and `min` whole numbers with a sign.
        axes: counted from the front; None for all.
        keepdims: whether they stay, of size 1.
        middle: what `deviations` are from, contiguous, of the result's size and dtype.
    """
    dtype = x.dtype
    if x.size < LEAST or dtype not in (_kernel.types if name in ORDER else OWN):
        return None
    width = x.shape[-1]
    if 1 < width <= NARROW and middle is None and dtype not in HALF_TYPES:
        along = axes == tuple(range(x.ndim - 1)) and x.size >= LEAST * NARROW
        if along and x.flags.c_contiguous:
            return _narrow(name, x.reshape(-1, width), x.shape, keepdims)
    plan = _plan(x.shape, x.strides, axes, keepdims, dtype.itemsize)
    if plan is not None and middle is not None:
        first = min(plan.folded, default=len(plan.parts))
        if plan.order is not None or first < len(plan.parts) - 2:
            plan = None  # a result's numbers lie apart from one another
    if plan is None:
        if x.flags.c_contiguous:
            return None
        return fold(name, copies.copy(x), axes, keepdims, middle)
    half = dtype in HALF_TYPES
    if half and plan.way == "apart":  # which cannot be gathered in registers
        return fold(name, copies.copy(x), axes, keepdims, middle)
    way = f"{name}_{plan.way}"
    if not _kernel.ready(dtype, way):
        return None
    single = SINGLE if half else dtype
    wide = bool(plan.folded) and name in TERMS and dtype in NUMBERS
    out = np.empty(plan.parts, np.float64 if wide else single)
    _kernel.run(dtype, way, x.size, x, out, *plan.sizes, int(wide), *plan.strides, middle)
    if plan.folded:
        out = FINAL[name](out, axis=plan.folded)
        if wide:
            out = out.astype(single)
    if half and name in ORDER:
        out = recast(out, dtype)
    if plan.order is not None:
        count = len(plan.order) // 2
        out = out.reshape(plan.order[:count]).transpose(plan.order[count:]).copy()
    return out.reshape(plan.shape)


def _narrow(name: str, x: Any, shape: tuple[int, ...], keepdims: bool) -> Any:
    """The folds of few columns: several rows are taken as one that fills registers."""
    rows, width = x.shape
    together = ACROSS // width
    whole = rows // together * together
    found = fold(name, x[:whole].reshape(-1, together * width), (0,), False)
    if found is None:
        return None
    final, term = FINAL[name], PLAIN_TERMS.get(name)
    wide = np.dtype("f8") if term is not None and x.dtype in NUMBERS else x.dtype
    rest = x[whole:].astype(wide)
    parts = np.concatenate([found.reshape(together, width), rest if term is None else term(rest)])
    out = final(parts, axis=0).astype(x.dtype, copy=False)
    return out.reshape((1,) * (len(shape) - 1) + (width,)) if keepdims else out


def column_sums(x: Any) -> Any:
    """The sums over all dimensions but the last: what a bias's gradient is. Any floats, any
    strides; those of 16 bits in single precision."""
    axes = tuple(range(x.ndim - 1))
    found = fold("sum", x, axes, False)
    if found is None:
        found = np.add.reduce(recast(x, SINGLE) if x.dtype in HALF_TYPES else x, axes)
    return found
