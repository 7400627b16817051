"""What kernels of rows are made of: loops over registers with a masked end, sums, maxima.

A sum is kept in registers for `PIECE` numbers and in double precision from piece to piece, so that
long rows lose nothing. 16-bit floats are widened where they are read and rounded once where they
are written: `working` tells what they are computed in. Stands on jit, narrow and gemm's helpers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flambeau.core.kernels.generate.gemm import halved, mask, masked_load, masked_store, smaller
from flambeau.core.kernels.jit.ir import SIZES, Function, Value, element, lanes, vector
from flambeau.core.kernels.native.narrow import CARRIERS, HALVES, WORKING, stored, widened

__all__ = [
    "across", "along", "folded", "number", "put", "read", "row_largest", "row_sums", "working",
    "write",
]  # fmt: skip

PIECE = 4096
SIDE_BY_SIDE = 4
"""Registers that a sum is spread over, so that additions do not wait for one another."""

Body = Callable[[Value, "Value | None", int], None]


def along(f: Function, count: Value, width: int, body: Body, unroll: int = 1) -> None:
    """``body(i, some, k)`` for each register of range(count).

    Args:
        count: how many numbers.
        width: numbers in a register.
        body: `some` is None where the register is whole, else the mask of its lanes; `k` tells the
            unrolled turns apart.
        unroll: registers in one turn.
    """
    whole = count / width * width
    start: Any = 0
    if unroll > 1:
        wide = count / (width * unroll) * (width * unroll)
        with f.loop(0, wide, width * unroll) as i:
            for k in range(unroll):
                body(i + k * width, None, k)
        start = wide
    with f.loop(start, whole, width) as i:
        body(i, None, 0)
    with f.when(whole.lt(count)):
        body(whole, mask(f, count - whole, width), 0)


def working(type: str) -> str:
    """What numbers of a type are computed in: 16-bit floats in single precision."""
    return WORKING[type] if type in HALVES else type


def read(f: Function, type: str, place: Value, i: Any, some: Value | None) -> Value:
    """A register from `place`, counted in single numbers; zeros outside the mask. 16-bit floats
    come as what they are computed in.
    """
    one = element(type)
    held = vector(CARRIERS[one], lanes(type)) if one in CARRIERS else type
    if some is None:
        found = f.load(held, place, i)
    else:
        found = masked_load(f, held, f.at(place, i, one), some)
    return widened(f, found, one) if one in HALVES else found


def write(
    f: Function, value: Value, place: Value, i: Any, some: Value | None, past: bool = False,
    type: str = "",
) -> None:  # fmt: skip
    """Store a register (one that is aligned also past the caches), or the lanes of a mask, as
    numbers of a type, by default their own.
    """
    if type in HALVES:
        value = stored(f, value, type)
    if some is None:
        size = lanes(value.type) * SIZES[element(value.type)]
        f.store(value, place, i, size if past else 0, past)
    else:
        masked_store(f, value, f.at(place, i, element(value.type)), some)


def number(f: Function, type: str, place: Value, i: Any = 0) -> Value:
    """A single number, as what it is computed in."""
    found = f.load(CARRIERS.get(type, type), place, i)
    return widened(f, found, type) if type in HALVES else found


def put(f: Function, value: Value, place: Value, i: Any = 0, type: str = "") -> None:
    """Store a single number as one of a type."""
    f.store(stored(f, value, type) if type in HALVES else value, place, i)


def row_sums(
    f: Function,
    type: str,
    width: int,
    count: Value,
    terms: Callable[[Value, Value | None], Sequence[Value]],
    number: int = 1,
) -> list[Value]:
    """The sums over a row of `number` terms, in double precision; ``terms(i, some)`` gives a
    register of each.
    """
    many = vector(working(type), width)
    unroll = max(1, SIDE_BY_SIDE // number)
    totals = [f.variable("double", 0.0) for _ in range(number)]
    parts = [[f.variable(many) for _ in range(unroll)] for _ in range(number)]
    with f.loop(0, count, PIECE) as first:
        for line in parts:
            for part in line:
                part.set(0.0)

        def add(i: Value, some: Value | None, k: int) -> None:
            for line, term in zip(parts, terms(i + first, some), strict=True):
                if some is not None:
                    term = f.select(some, term, 0.0)
                line[k].set(line[k].get() + term)

        along(f, smaller(f, count - first, PIECE), width, add, unroll)
        for total, line in zip(totals, parts, strict=True):
            total.set(total.get() + across(f, [part.get() for part in line]).to("double"))
    return [total.get() for total in totals]


def across(f: Function, registers: Sequence[Value]) -> Value:
    """The sum of all lanes."""
    return folded(f, registers, lambda a, b: a + b)


def folded(
    f: Function, registers: Sequence[Value], combine: Callable[[Value, Value], Value]
) -> Value:
    """Registers with one another, then the halves of the last one."""
    found = list(registers)
    while len(found) > 1:
        pairs = [combine(a, b) for a, b in zip(found[::2], found[1::2], strict=False)]
        found = pairs + ([found[-1]] if len(found) % 2 else [])
    return halved(f, found[0], combine)


def row_largest(f: Function, type: str, width: int, place: Value, count: Value) -> Value:
    """The largest number of a row in which there is no NaN; of one with NaN, any."""
    many = vector(type, width)
    start = f.splat(number(f, type, place), width)
    tops = [f.variable(start.type, start) for _ in range(SIDE_BY_SIDE)]

    def larger(a: Value, b: Value) -> Value:
        return f.select(a.gt(b), a, b)

    def look(i: Value, some: Value | None, k: int) -> None:
        top = tops[k].get()
        better = larger(top, read(f, many, place, i, some))
        tops[k].set(better if some is None else f.select(some, better, top))

    along(f, count, width, look, SIDE_BY_SIDE)
    return folded(f, [top.get() for top in tops], larger)
