"""Large products with an operand packed where it is used: into the cache of the thread that
multiplies it.

`by_panels` packs one panel of B at a time, `by_rows` a piece of B's rows and one block after the
other of A's, where they are columns in memory, and `turned` computes ``C^T = B^T A^T``: where A is
small and B's columns are contiguous, nothing of B is copied. A sum runs over K in the same order on
every way, so that all give the same bits. Stands on gemm.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    DEPTH,
    Shape,
    bias_of,
    mask,
    masked_store,
    nothing_ahead,
    pieces,
    pointer,
    share,
    smaller,
    taken,
    transposed,
    words,
)
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["BATCHES", "BLOCK", "STRIP", "WORDS", "add", "piece_of", "room"]

WORDS = (
    "a", "a_row", "a_column", "b", "b_row", "b_column", "c", "c_row", "bias", "m", "n", "k",
    "rows", "packed", "scratch",
)  # fmt: skip
"""The context: strides in elements, `rows` how many rows of the left factor are taken together,
`packed` the left factor in panels, for `turned` and for `by_panels` of columns. One thread does
all; several take parts (`gemm_parts`).
"""
BATCHES = (
    "a", "b", "c", "scratch", "a_outer", "a_inner", "a_row", "a_column", "b_outer", "b_inner",
    "b_row", "b_column", "outer", "inner", "m", "n", "k", "scratch_each", "next",
)  # fmt: skip
"""The context of `in_batches`: ``c[i, j] = a[i, j] b[i, j]`` of `outer` by `inner` matrices, the
results one behind the other.
"""
PIECE = 256
"""Rows of B in a piece of a panel of `by_panels`: the next one is asked for meanwhile. Where rows
are a multiple of 4096 bytes long, not many more of them have room in the second cache.
"""
NEAR = 176
"""Rows of B of which a panel lies in the first cache."""
SHORT = 32
"""Rows of B in a piece that is read where it lies: all of their columns, so that memory is gone
through in its order."""
WIDE = 1024
"""Columns of B up to which a piece of its rows stays in the second cache, packed."""
FEW = 384
"""Rows of A up to which reading B takes a part of the time that is worth that."""
BLOCK = 96
"""Rows of A that are packed together at most: with all of `DEPTH` a fifth of the second cache."""
STRIP = 48
"""Rows of C^T that are computed before they are turned: a strip of them lies in the first cache."""


def add(made: Module, shape: Shape) -> None:
    """The functions of all ways, into a module that has gemm's."""
    parts = {f.name: f for f in made.functions}
    _by_panels(made, shape, parts)
    _by_rows(made, shape, parts)
    _turned(made, shape, parts)
    _in_place(made, shape, parts)
    _in_batches(made, shape, parts)


def room(shape: Shape) -> int:
    """Numbers of scratch of a share of `in_batches`."""
    return DEPTH * (BLOCK + shape.lanes + shape.panel)


def _begin(made: Module, shape: Shape, name: str) -> tuple[Function, dict[str, Value], Value]:
    f = made.function(name, ARGUMENTS)
    get = words(f, WORDS)
    return f, get, pointer(f, get["scratch"])


def _by_panels(made: Module, shape: Shape, parts: dict[str, Function]) -> None:
    f, get, own = _begin(made, shape, "by_panels")
    type, panel = shape.type, shape.panel
    near = get["b_column"].eq(1) & get["m"].le(FEW)
    piece = f.select(near, f.index(PIECE), DEPTH)
    in_place = get["packed"].eq(0)
    left = pointer(f, f.select(in_place, get["a"], get["packed"]))
    a_row, across = f.select(in_place, get["a_row"], 1), f.select(in_place, get["a_row"], get["k"])
    with f.loop(0, get["n"], panel) as column:
        columns = smaller(f, get["n"] - column, panel)
        b = f.at(pointer(f, get["b"]), column * get["b_column"], type)
        c = f.at(pointer(f, get["c"]), column, type)
        bias = bias_of(f, get["bias"], column, type)
        wide = _whole(columns, shape)
        there = (column + panel).lt(get["n"])
        with pieces(f, get["k"], f.index(0), piece) as (k0, depth, more, ends):
            here = f.at(b, k0 * get["b_row"], type)
            f.call(parts["panel"], "void", here, get["b_row"], get["b_column"], own, columns, depth)
            beyond, lines = _next(
                f, here, f.at(b, panel, type), get["b_row"], get["k"], k0, depth, ends, there,
                piece, type,
            )  # fmt: skip
            with f.loop(0, get["m"], get["rows"]) as first:
                rows = smaller(f, get["m"] - first, get["rows"])
                step = f.select(in_place, get["a_column"], _whole(rows, shape))
                a = f.at(left, first * across + k0 * step, type)
                f.call(
                    parts["against"], "void", a, a_row, step, own, wide,
                    f.at(c, first * get["c_row"], type), get["c_row"], bias, more, depth, ends,
                    columns, f.index(0), rows, beyond, get["b_row"],
                    f.select(near & first.eq(0), lines, 0),
                )  # fmt: skip


def _by_rows(made: Module, shape: Shape, parts: dict[str, Function]) -> None:
    f, get, own = _begin(made, shape, "by_rows")
    type, panel = shape.type, shape.panel
    near = get["a_row"].eq(1)
    piece = piece_of(f, get["n"])
    left = f.at(own, piece * _whole(get["n"], shape), type)
    with pieces(f, get["k"], f.index(0), piece) as (k0, depth, more, ends):
        b = f.at(pointer(f, get["b"]), k0 * get["b_row"], type)
        with f.loop(0, get["n"], panel) as column:
            f.call(
                parts["panel"], "void",
                f.at(b, column * get["b_column"], type), get["b_row"], get["b_column"],
                f.at(own, column * depth, type), smaller(f, get["n"] - column, panel), depth,
            )  # fmt: skip
        with f.loop(0, get["m"], get["rows"]) as first:
            rows = smaller(f, get["m"] - first, get["rows"])
            a = f.at(pointer(f, get["a"]), first * get["a_row"], type)
            c = f.at(pointer(f, get["c"]), first * get["c_row"], type)
            here = f.at(a, k0 * get["a_column"], type)
            f.call(parts["panel"], "void", here, get["a_row"], get["a_column"], left, depth, rows)
            following = f.at(here, get["rows"] * get["a_row"], type)
            there = (first + get["rows"]).lt(get["m"])
            later = smaller(f, get["k"] - k0 - depth, piece)
            with f.loop(0, get["n"], panel) as column:
                columns = smaller(f, get["n"] - column, panel)
                # What is packed next: the rows below, and the next piece of B.
                asks = near & there & column.lt(rows)
                beyond = f.at(b, depth * get["b_row"] + column, type)
                more_b = get["b_column"].eq(1) & first.eq(0)
                f.call(
                    parts["against"], "void",
                    left, _whole(depth, shape), f.index(1), f.at(own, column * depth, type),
                    _whole(columns, shape), f.at(c, column, type), get["c_row"],
                    bias_of(f, get["bias"], column, type), more, depth, ends, columns, f.index(0),
                    rows,
                    f.select(asks, f.at(following, column, type), beyond),
                    f.select(asks, get["a_column"], get["b_row"]),
                    f.select(asks, depth, f.select(more_b, later, 0)),
                )  # fmt: skip


def piece_of(f: Function, n: Value) -> Value:
    """Rows of B that `by_rows` packs together: fewer where B is narrow and packing costs little, so
    that a panel of them stays in the first cache (0.9 of the time of 512 rows).
    """
    return f.select(n.gt(PIECE), f.index(PIECE), NEAR)


def _next(
    f: Function, here: Value, other: Value, step: Value, k: Value, k0: Value, depth: Value,
    ends: Value, there: Value, piece: Value, type: str,
) -> tuple[Value, Value]:  # fmt: skip
    """What will be packed next, and how many rows: the following piece of K here, after the last
    one the first piece `other`, if that is `there`.
    """
    last = ends.ne(0)
    beyond = f.select(last, other, f.at(here, depth * step, type))
    lines = smaller(f, f.select(last, k, k - k0 - depth), piece)
    return beyond, f.select(there | ~last, lines, 0)


def _turned(made: Module, shape: Shape, parts: dict[str, Function]) -> None:
    f, get, own = _begin(made, shape, "turned")
    type, panel, lanes = shape.type, shape.panel, shape.lanes
    with f.loop(0, get["n"], get["rows"]) as first:
        rows = smaller(f, get["n"] - first, get["rows"])
        b = f.at(pointer(f, get["b"]), first * get["b_column"], type)
        bias = bias_of(f, get["bias"], first, type)
        with f.loop(0, get["m"], panel) as column:
            columns = smaller(f, get["m"] - column, panel)
            wide = _whole(columns, shape)
            with f.when(get["bias"].ne(0)), f.loop(0, rows) as r:
                start = f.splat(f.load(type, bias, r), lanes)
                with f.loop(0, panel, lanes) as j:
                    f.store(start, f.at(own, r * panel + j, type))
            with pieces(f, get["k"], get["bias"]) as (k0, depth, more, ends):
                f.call(
                    parts["against"], "void",
                    f.at(b, k0 * get["b_row"], type), get["b_column"], get["b_row"],
                    f.at(pointer(f, get["packed"]), column * get["k"] + k0 * wide, type), wide,
                    own, f.index(panel), f.value("ptr", 0), more, depth, ends, columns,
                    f.index(0), rows, *nothing_ahead(f),
                )  # fmt: skip
            c = f.at(pointer(f, get["c"]), column * get["c_row"] + first, type)
            _turn_out(f, shape, own, rows, columns, c, get["c_row"])


def _turn_out(
    f: Function, shape: Shape, strip: Value, rows: Value, columns: Value, c: Value, c_row: Value
) -> None:
    """The strip's columns are rows of C."""
    type, panel, lanes = shape.type, shape.panel, shape.lanes
    many = vector(type, lanes)
    with f.loop(0, rows, lanes) as r, f.loop(0, columns, lanes) as j:
        some = mask(f, rows - r, lanes)
        square = [f.load(many, f.at(strip, (r + z) * panel + j, type)) for z in range(lanes)]
        for z, row in enumerate(transposed(f, square)):
            with f.when((j + z).lt(columns)):
                masked_store(f, row, f.at(c, (j + z) * c_row + r, type), some)


def _whole(columns: Value, shape: Shape) -> Value:
    """Columns in whole registers."""
    return (columns + (shape.lanes - 1)) / shape.lanes * shape.lanes


def _in_place(made: Module, shape: Shape, parts: dict[str, Function]) -> None:
    f, get, _ = _begin(made, shape, "in_place")
    type, panel = shape.type, shape.panel
    start, stop = share(f, (get["n"] + (panel - 1)) / panel)
    with (
        pieces(f, get["k"], f.index(0), SHORT) as (k0, depth, more, ends),
        f.loop(start, stop) as p,
    ):
        column = p * panel
        f.call(
            parts["against"], "void",
            f.at(pointer(f, get["a"]), k0 * get["a_column"], type), get["a_row"], get["a_column"],
            f.at(pointer(f, get["b"]), k0 * get["b_row"] + column, type), get["b_row"],
            f.at(pointer(f, get["c"]), column, type), get["c_row"],
            bias_of(f, get["bias"], column, type), more, depth, ends,
            smaller(f, get["n"] - column, panel), f.index(0), get["m"], *nothing_ahead(f),
        )  # fmt: skip


def _in_batches(made: Module, shape: Shape, parts: dict[str, Function]) -> None:
    f = made.function("in_batches", ARGUMENTS)
    get = words(f, BATCHES)
    type, panel = shape.type, shape.panel
    own = f.at(pointer(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    block = f.at(own, DEPTH * panel, type)
    panels = (get["n"] + (panel - 1)) / panel
    lie_as_rows = get["a_column"].eq(1) | get["m"].lt(STRIP)
    following = f.at(f.argument["context"], BATCHES.index("next"), "i64")
    with taken(f, following, get["outer"] * get["inner"] * panels) as unit:
        number, p = unit / panels, unit % panels
        i, j = number / get["inner"], number % get["inner"]
        columns = smaller(f, get["n"] - p * panel, panel)
        wide = _whole(columns, shape)
        a = f.at(pointer(f, get["a"]), i * get["a_outer"] + j * get["a_inner"], type)
        b = f.at(pointer(f, get["b"]), i * get["b_outer"] + j * get["b_inner"], type)
        b = f.at(b, p * panel * get["b_column"], type)
        c = f.at(pointer(f, get["c"]), number * get["m"] * get["n"] + p * panel, type)
        with pieces(f, get["k"], f.index(0)) as (k0, depth, more, ends):
            f.call(
                parts["panel"], "void", f.at(b, k0 * get["b_row"], type), get["b_row"],
                get["b_column"], own, columns, depth,
            )  # fmt: skip
            each = f.select(lie_as_rows, get["m"], BLOCK)
            with f.loop(0, get["m"], each) as first:
                rows = smaller(f, get["m"] - first, each)
                left = f.variable("ptr", f.at(a, first * get["a_row"] + k0 * get["a_column"], type))
                with f.when(~lie_as_rows):
                    f.call(
                        parts["panel"], "void", left.get(), get["a_row"], get["a_column"], block,
                        depth, rows,
                    )  # fmt: skip
                    left.set(block)
                f.call(
                    parts["against"], "void",
                    left.get(), f.select(lie_as_rows, get["a_row"], _whole(depth, shape)),
                    f.select(lie_as_rows, get["a_column"], 1), own, wide,
                    f.at(c, first * get["n"], type), get["n"], f.value("ptr", 0), more, depth,
                    ends, columns, f.index(0), rows, *nothing_ahead(f),
                )  # fmt: skip
