"""One product in parts, each done by one thread on its own: rows or columns of C, packed into
scratch of the thread's own.

What a thread packs stays in its caches; a copy that two threads make together travels between them
and costs more than both packing the smaller factor. A part goes one of gemm's and gemm_ways' ways,
the same for all parts. Stands on gemm_ways.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from flambeau.core.kernels.generate import gemm_tiles, gemm_ways
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    DEPTH,
    DOTS,
    PACK,
    PRODUCT,
    Shape,
    larger,
    smaller,
    words,
)
from flambeau.core.kernels.jit.ir import SIZES, Module, Value

__all__ = ["ON_STACK", "PARTS", "Way", "add", "room"]

PARTS = (
    "a", "a_row", "a_column", "b", "b_row", "b_column", "c", "c_row", "bias", "m", "n", "k",
    "rows", "columns", "way", "scratch", "scratch_each", "deep", "failed",
)  # fmt: skip
"""The context: `rows` and `columns` of a part, the last ones may have fewer; `scratch` in bytes, 0
where packed panels have room on the stack. `failed` becomes 1 where tiles do not serve a part: then
the whole product is to be computed by panels, for which there is room.
"""
ON_STACK = 16384
"""Bytes of packed panels that are kept on the stack."""


class Way(IntEnum):
    """How a part is computed."""

    DOT = 0
    DOTS = 1
    IN_PLACE = 2
    DIRECT = 3
    TURNED = 4
    BY_PANELS = 5
    BY_PANELS_OF_COLUMNS = 6
    BY_ROWS = 7
    PACKED = 8
    TILES = 9


def room(shape: Shape, way: Value, m: Value, n: Value, k: Value, deep: Value) -> Value:
    """Numbers of scratch of a part of m rows and n columns; `deep` as gemm_tiles has it."""
    f, lanes, panel = way.function, shape.lanes, shape.panel
    left, right = ((count + (lanes - 1)) / lanes * lanes * k for count in (m, n))
    piece = gemm_ways.piece_of(f, n)
    found = f.index(0)
    for each, count in (
        (Way.TURNED, left + gemm_ways.STRIP * panel),
        (Way.BY_PANELS, f.index(DEPTH * panel)),
        (Way.BY_PANELS_OF_COLUMNS, left + DEPTH * panel),
        (Way.BY_ROWS, piece * (right / k + gemm_ways.BLOCK)),
        (Way.PACKED, right),
        (Way.TILES, larger(f, gemm_tiles.room(m, n, deep), DEPTH * panel)),
    ):
        found = f.select(way.eq(int(each)), count, found)
    return (found + (panel - 1)) / panel * panel


def add(made: Module, shape: Shape) -> None:
    """`part`, into a module that has gemm's functions and gemm_ways'."""
    parts = {f.name: f for f in made.functions}
    f = made.function("part", ARGUMENTS)
    get = words(f, PARTS)
    type, size, lanes, panel = shape.type, SIZES[shape.type], shape.lanes, shape.panel
    zero, one = f.index(0), f.index(1)
    across = (get["n"] + (get["columns"] - 1)) / get["columns"]
    row = f.argument["thread"] / across * get["rows"]
    column = f.argument["thread"] % across * get["columns"]
    m = smaller(f, get["m"] - row, get["rows"])
    n = smaller(f, get["n"] - column, get["columns"])
    k, a_row, a_column = get["k"], get["a_row"], get["a_column"]
    b_row, b_column, c_row = get["b_row"], get["b_column"], get["c_row"]
    a = get["a"] + row * a_row * size
    b = get["b"] + column * b_column * size
    c = get["c"] + (row * c_row + column) * size
    bias = f.select(get["bias"].eq(0), zero, get["bias"] + column * size)
    stack = f.memory(type, ON_STACK // size + 16)
    scratch = f.select(
        get["scratch"].eq(0),
        (stack.to("i64") + 63) / 64 * 64,
        get["scratch"] + f.argument["thread"] * get["scratch_each"] * size,
    )

    def call(name: str, names: tuple[str, ...], values: list[Any]) -> Value:
        context = f.memory("i64", len(names))
        for at, value in enumerate(values):
            f.store(f.index(value), context, at)
        f.call(parts[name], "void", context, zero, one)
        return context

    def dots(name: str) -> None:
        call(name, DOTS, [
            a, a_row, zero, b, b_column, zero, c, c_row, zero, bias, zero, m, n, k, one,
        ])  # fmt: skip

    def product(place: Value, step: Value, last: Value, apart: Value) -> None:
        call("product", PRODUCT, [
            a, a_row, a_column, zero, place, step, last, apart, zero, c, c_row, zero, bias, zero,
            m, n, k, one, m,
        ])  # fmt: skip

    def pack(*values: Value) -> None:
        place, row, column, count = values
        call("pack", PACK, [place, row, column, zero, scratch, zero, count, k, one])

    def way(name: str, rows: Value, packed: Value, own: Value) -> None:
        call(name, gemm_ways.WORDS, [
            a, a_row, a_column, b, b_row, b_column, c, c_row, bias, m, n, k, rows, packed, own,
        ])  # fmt: skip

    beyond = scratch + (m + (lanes - 1)) / lanes * lanes * k * size
    for each in Way:
        with f.when(get["way"].eq(int(each))):
            if each in (Way.DOT, Way.DOTS):
                dots("dots_of_one" if each is Way.DOT else "dots")
            elif each is Way.IN_PLACE:
                way("in_place", m, zero, zero)
            elif each is Way.DIRECT:
                product(b, b_row, b_row, f.index(panel))
            elif each is Way.TURNED:
                pack(a, a_column, a_row, m)
                way("turned", f.index(gemm_ways.STRIP), scratch, beyond)
            elif each is Way.BY_PANELS:
                way("by_panels", m, zero, scratch)
            elif each is Way.TILES:
                if "tiles" not in parts:
                    continue
                failed = call("tiles", gemm_tiles.WORDS, [
                    a, a_row, a_column, b, b_row, b_column, c, c_row, bias, m, n, k, get["deep"],
                    scratch, zero,
                ])  # fmt: skip
                with f.when(f.load("i64", failed, gemm_tiles.WORDS.index("failed")).ne(0)):
                    f.store(one, f.argument["context"], PARTS.index("failed"))
            elif each is Way.BY_PANELS_OF_COLUMNS:
                pack(a, a_column, a_row, m)
                way("by_panels", f.index(panel), scratch, beyond)
            elif each is Way.BY_ROWS:
                way("by_rows", f.index(gemm_ways.BLOCK), zero, scratch)
            else:
                pack(b, b_row, b_column, n)
                last = (n % panel + (lanes - 1)) / lanes * lanes
                product(scratch, f.index(panel), last, k * panel)
            f.ret()
