"""Tiles of a recurrent step's product: rows of the state against a panel of the packed weight, and
what they ask for meanwhile.

What is done with the sums is ``recurrent``'s. Stands on gemm's helpers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flambeau.core.kernels.generate.gemm import hold, larger, pointer, prefetch, smaller
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, element

__all__ = [
    "Following",
    "asks_nothing",
    "each_tile",
    "multiply_panel",
    "powers_to",
    "sizes_to",
    "write_tiles",
]

AHEAD = 24
"""Rows of a panel that are asked for before they are multiplied: a weight that the second cache
does not hold (512 states of a GRU and more) comes in 0.85 of the time; others as before.
"""
LINE = 64
"""Bytes of a line of the cache."""
SOON, SECOND = 2, 2
"""Lines of the next panel that are asked for with a row at most, and the cache where they go: the
tiles of a panel share the next one among them, so that a weight that the second cache does not hold
comes evenly.
"""

Tile = dict[int, Function]
Following = tuple[Value, str, int, Value]
"""The next panel, the type, how many of its numbers there are for each of a tile's depth, and
whether it has to be asked for.
"""
TILE = (
    ("ptr", "context"), ("i64", "row"), ("ptr", "lines"), ("i64", "first"), ("i64", "last"),
    ("i64", "span"), ("ptr", "coming"), ("i64", "pace"), ("ptr", "panel"), ("i64", "column"),
    ("i64", "depth"),
)  # fmt: skip
"""`lines`: what the next step touches, as `_Ahead` has it; of its parts this tile asks for `first`
to `last`, `span` lines each. `coming`: the tile's part of the panel that comes after this one, of
which it asks for `pace` numbers with each row of its own.
"""


def multiply_panel(
    f: Function, sums: list[list[Any]], left: list[Value], many: str, lanes: int, kinds: int
) -> None:
    """The product of rows and a panel, into a tile's sums; `kinds` of lines are asked for."""
    width, one = len(sums[0]), element(many)
    panel, depth = f.argument["panel"], f.argument["depth"]
    coming, pace = f.argument["coming"], f.argument["pace"]
    for line in sums:
        for total in line:
            total.set(0.0)

    def multiply(k: Value, far: bool = False) -> None:
        for z in range(width):
            prefetch(f, f.at(panel, (k + AHEAD) * (width * lanes) + z * lanes, one))
        for z in range(SOON if far else 0):
            prefetch(f, f.at(coming, k * pace + z * (LINE // SIZES[one]), one), SECOND)

        def column(z: int) -> Value:
            return f.load(many, panel, k * (width * lanes) + z * lanes)

        def number(r: int) -> Value:
            return f.splat(f.load(one, left[r], k), lanes)

        # The fewer ones all stay in registers, the others come one at a time.
        if len(left) < width:
            numbers = [number(r) for r in range(len(left))]
            for z in range(width):
                y = column(z)
                for x, line in zip(numbers, sums, strict=True):
                    line[z].set(f.fma(x, y, line[z].get()))
                hold(f, [line[z] for line in sums])
        else:
            columns = [column(z) for z in range(width)]
            for r, line in enumerate(sums):
                x = number(r)
                for y, total in zip(columns, line, strict=True):
                    total.set(f.fma(x, y, total.get()))
                hold(f, line)

    at = f.variable("i64", 0)
    if kinds:
        first, span = f.argument["first"], f.argument["span"]
        last = smaller(f, f.argument["last"], first + depth / span)
        with f.loop(first, last) as number:
            row, entry = number / kinds, number % kinds * 2
            table = f.argument["lines"]
            begin = pointer(f, f.load("i64", table, entry))
            place = f.at(begin, row * f.load("i64", table, entry + 1), one)
            with f.loop(0, span) as each:
                prefetch(f, f.at(place, each * lanes, one))
                multiply(at.get())
                at.set(at.get() + 1)
    with f.when(pace.ne(0)):
        with f.loop(at.get(), depth) as k:
            multiply(k, True)
        at.set(depth)
    with f.loop(at.get(), depth) as k:
        multiply(k)


def write_tiles(
    made: Module, name: str, sizes: Iterable[int], body: Callable[[Function, int], None]
) -> Tile:
    """A function for tiles of each size, the largest first."""
    found: Tile = {}
    for rows in sizes:
        f = made.function(f"{name}{rows}", TILE, internal=True, attributes="noinline")
        body(f, rows)
        found[rows] = f
    return found


def sizes_to(most: int) -> list[int]:
    """Rows of tiles: every number up to six and every second above."""
    return [rows for rows in range(most, 0, -1) if rows <= 6 or rows % 2 == 0]


def powers_to(most: int) -> list[int]:
    """The largest and the powers of two below it: for what is done once a sequence."""
    return [most, *(1 << k for k in range((most - 1).bit_length() - 1, -1, -1))]


def each_tile(
    f: Function, tiles: Tile, start: Any, stop: Value, ahead: Callable[..., tuple[Any, ...]],
    following: Following, panel: Value, column: Value, depth: Value,
) -> None:  # fmt: skip
    """Rows from `start` to `stop` in as few tiles as can be, of nearly equal size: a small one at
    the end would wait for the panel. A size that is not among the tiles is put together; large
    ones are even, and so are the parts.
    """
    soon, type, width, far = following
    first, most = f.index(start), max(tiles)
    even = 1 if most - 1 in tiles else 2
    count = larger(f, stop - first, 0)
    parts = (count + (most - 1)) / most
    with f.loop(0, parts) as part:
        row = f.variable("i64", first + part * (count / even) / parts * even)
        ends = (part + 1).eq(parts)
        end = f.select(ends, stop, first + (part + 1) * (count / even) / parts * even)
        table, *asks, span = ahead(part, parts)
        line = LINE // SIZES[type]
        pace = f.select((parts * line).ge(width), f.index(line), line * SOON) * far
        coming = f.at(soon, part * depth * pace, type)
        for rows, tile in tiles.items():
            at = row.get()
            with f.when((at + rows).le(end)):
                f.call(
                    tile, "void", f.argument["context"], at, table, *asks, span, coming, pace,
                    panel, column, depth,
                )  # fmt: skip
                row.set(at + rows)


def asks_nothing(f: Function) -> Callable[..., tuple[Any, ...]]:
    """For tiles that ask for nothing."""
    return lambda *_: (f.value("ptr", 0), f.index(0), f.index(0), f.index(1))
