"""Weighted sums of a few elements along one axis, as ``kernels.interpolate``'s tables tell, by
generated code.

The array is contiguous, (outer, size, inner). Along the last axis a register of results gathers its
elements, else neighbours are read together. Terms are multiplied and added as NumPy does, to the
digit. Stands on jit, call and vectors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import pointer, share, suffix, words
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, vector

__all__ = ["gathered", "weighted"]

WORDS = (
    "x", "out", "positions", "weights", "valid", "outer", "size", "count", "inner", "taps",
)  # fmt: skip
"""The context. `positions` (taps, count) int32, `weights` and `valid` (bytes) of the same shape, or
null for ones and for all.
"""
SMALLEST = 1 << 10
"""Below, NumPy's way is as quick as the tables are made."""


def module(name: str, type: str, width: int) -> Module:
    """`weighted` for one number type."""
    made = Module(f"resampled-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    many, inner, count = vector(type, width), get["inner"], get["count"]
    x, out, positions = (pointer(f, get[key]) for key in ("x", "out", "positions"))
    weights, valid = pointer(f, get["weights"]), pointer(f, get["valid"])
    weighted, guarded = get["weights"].ne(0), get["valid"].ne(0)
    zero = f.value(many, 0.0)

    def total(term: Any) -> Value:
        """The sum over the taps of ``term(t)``, the first one as it is."""
        found = f.variable(many)
        found.set(term(f.index(0)))
        with f.loop(1, get["taps"]) as t:
            found.set(found.get() + term(t))
        return found.get()

    f.branch(inner.eq(1), "last", "within")
    f.label("last")
    start, stop = share(f, get["outer"])
    with f.loop(start, stop) as row:
        source, target = f.at(x, row * get["size"], type), f.at(out, row * count, type)

        def results(i: Value, some: Value | None, _: int) -> None:
            def term(t: Value) -> Value:
                at = t * count + i
                places = read(f, vector("i32", width), positions, at, some)
                held = f.variable(many, gathered(f, many, source, places))
                with f.when(weighted):
                    held.set(held.get() * read(f, many, weights, at, some))
                with f.when(guarded):
                    inside = read(f, vector("i8", width), valid, at, some).ne(0)
                    held.set(f.select(inside, held.get(), zero))
                return held.get()

            write(f, total(term), target, i, some)

        along(f, count, width, results)
    f.ret()
    f.label("within")
    start, stop = share(f, get["outer"] * count)
    with f.loop(start, stop) as unit:
        row, place = unit / count, unit % count
        source, target = f.at(x, row * get["size"] * inner, type), f.at(out, unit * inner, type)

        def neighbours(i: Value, some: Value | None, _: int) -> None:
            def term(t: Value) -> Value:
                at = t * count + place
                start = f.load("i32", positions, at).to("i64") * inner
                held = f.variable(many, read(f, many, source, start + i, some))
                with f.when(weighted):
                    held.set(held.get() * f.splat(f.load(type, weights, at), width))
                with f.when(guarded):
                    inside = f.splat(f.load("i8", valid, at).ne(0), width)
                    held.set(f.select(inside, held.get(), zero))
                return held.get()

            write(f, total(term), target, i, some)

        along(f, inner, width, neighbours)
    return made


def gathered(f: Function, many: str, place: Value, numbers: Value) -> Value:
    """The elements of these numbers."""
    one, count = many[1:-1].split(" x ")[1], int(many[1:-1].split(" x ")[0])
    places = f.emit(
        f"<{count} x ptr>",
        f"getelementptr {one}, ptr {place.name}, {numbers.type} {numbers.name}",
    )
    name = f"llvm.masked.gather.{suffix(many)}.v{count}p0"
    f.declared.add(f"declare {many} @{name}(<{count} x ptr>, i32, <{count} x i1>, {many})")
    return f.emit(
        many,
        f"call {many} @{name}(<{count} x ptr> {places.name}, i32 {SIZES[one]}, "
        f"<{count} x i1> splat (i1 true), {many} poison)",
    )


_kernel = Kernel(module)


def weighted(x: Any, axis: int, positions: Any, weights: Any, valid: Any, count: int) -> Any:
    """The sums over the taps of ``x[positions] * weights`` along an axis, or None: no code serves.

    Args:
        positions: a row of positions or a slice for each tap.
        weights, valid: (taps, count) or None; terms that are not valid are 0.
        count: results along the axis.
    """
    if (
        x.dtype not in TYPES or x.size < SMALLEST or not count or not x.flags.c_contiguous
        or not _kernel.ready(x.dtype, "weighted")
    ):  # fmt: skip
        return None
    size, inner = x.shape[axis], math.prod(x.shape[axis + 1 :])
    places = np.empty((len(positions), count), np.int32)
    for row, each in zip(places, positions, strict=True):
        row[:] = np.arange(each.start, each.stop, each.step) if isinstance(each, slice) else each
    if weights is not None:
        weights = np.ascontiguousarray(weights, x.dtype)
    if valid is not None:
        valid = np.ascontiguousarray(valid)
    out = memory.empty((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)
    work = out.size * len(places) * 2
    _kernel.run(
        x.dtype, "weighted", work, x, out, places, weights, valid, math.prod(x.shape[:axis]), size,
        count, inner, len(places),
    )  # fmt: skip
    return out
