"""Recurrent layers over whole sequences in one call, forward and backward: LSTM, GRU, tanh, relu.

A share owns sequences and walks through all steps, or it owns columns of the state and every step
is one region of the pool; it multiplies by the recurrent weight and goes through the gates while
the sums are in registers. The weight is packed once a call, the gates of a column side by side.
What comes before and after, products over all steps, is ``kernels.rnn``'s. Stands on jit, gemm's
helpers, call and recurrent_gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import gemm
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import (
    hold,
    larger,
    mask,
    pointer,
    prefetch,
    share,
    smaller,
)
from flambeau.core.kernels.generate.recurrent_gates import GATES, STEPS, Cell
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, element, vector

__all__ = ["backward", "forward", "serves"]

WORDS = (
    "weight", "packed", "order", "steps", "hidden", "pool", "pool_run", "shares", "walks",
    "sequences",
    "gates", "states", "out", "h", "c", "first", "second", "bias", "slope", "inner_slope",
    "ends",
    "offset", "rows", "past_offset", "past_rows", "next_offset", "next_rows",
)  # fmt: skip
"""The context. `walks`: shares of the sequences, 1 where the columns are shared. `order`: (offset,
rows) of every step as they are taken. `first` and `second` are
what the way back needs beside gates and states: an LSTM's previous cells and the tanh of its new
ones, a GRU's product for the new state. On the way back `out` holds the outputs' gradient, `h` and
`c` the states', `slope` is the gates', `inner_slope` the one that the recurrent weight sees, `ends`
whether the first states' gradient is wanted. The last words, `STEP` of them, are the current step,
the one taken before it, and the next, which has no rows after the last.
"""
STEP = 6
BY_STATE = frozenset({"h", "c"})
"""Arrays with a row for each sequence; the others have one for each number of the sequence."""
GATED = frozenset({"gates", "slope", "inner_slope"})
"""Arrays whose rows hold all gates."""
TOUCHED = {
    "lstm": ("gates", "out", "first", "second"),
    "gru": ("gates", "out", "first"),
    "rnn_tanh": ("gates", "out"),
    "rnn_relu": ("gates", "out"),
}
"""The arrays that a step of each kind reads or writes and that lie far away."""
WIDE = 2
"""Registers of a panel on the way back."""
ALONE = 1 << 19
"""Multiplications of a step that one more thread is worth."""
AHEAD = 24
"""Rows of a panel that are asked for before they are multiplied: a weight that the second cache
does not hold (512 states of a GRU and more) comes in 0.85 of the time; others as before.
"""
SOON, SECOND = 2, 2
"""Lines of the next panel that are asked for with a row at most, and the cache where they go: the
tiles of a panel share the next one among them, so that a weight that the second cache does not hold
comes evenly.
"""
EARLY = 1 << 13
"""Lines that are asked for a step ahead at most: more would leave the second cache before they are
used, and take the weight with them.
"""
NEAR = 1 << 20
"""Bytes of a weight that the second cache holds: each share can read all of it in every step."""
LEAST = 8
"""Sequences that a share walks with at least."""
DRIVER = 1 << 14
"""The work of a driver as `launch` takes it: one share, the interpreter's lock free."""

Tile = dict[int, Function]
_Following = tuple[Value, str, int, Value]
Get = Callable[[str], Value]


def _reader(f: Function, context: Value) -> Get:
    """The context's words by name, each read where it is asked for."""
    return lambda name: f.load("i64", context, WORDS.index(name))


def module(mode: str, name: str, type: str, lanes: int) -> Module:
    """`forward` or `backward` of one kind of layer."""
    made = Module(f"{mode}-{name}-{type}")
    host = build.host()
    rows = gemm.shape_of(type, host.bits, host.masked).rows
    if name == "forward":
        step = _forward_step(made, mode, type, lanes, rows[GATES[mode] - 1])
        _driver(made, name, type, lanes, _pack_gates(made, mode, type, lanes), step, None)
    else:
        step, last = _backward_steps(made, mode, type, lanes, rows[WIDE - 1])
        _driver(made, name, type, lanes, _pack_columns(made, mode, type, lanes), step, last)
    return made


def _driver(
    made: Module, name: str, type: str, lanes: int, pack: Function, step: Function,
    last: Function | None,
) -> None:  # fmt: skip
    """Packs, then walks: shares of the sequences side by side, or all of them in one walk."""
    walk = _walk(made, type, lanes, step, last)
    f = made.function(name, pool.ARGUMENTS)
    context = f.argument["context"]
    get = _reader(f, context)
    for function, shares in ((pack, "shares"), (walk, "walks")):
        _region(f, get, function, context, get(shares))


def _region(f: Function, get: Get, function: Function, context: Value, shares: Any) -> None:
    address, run = Value("ptr", f"@{function.name}", f), pointer(f, get("pool_run"))
    f.call(run, "void", pointer(f, get("pool")), address, context, f.index(shares))


def _walk(
    made: Module, type: str, lanes: int, step: Function, last: Function | None
) -> Function:  # fmt: skip
    """All steps of a share of the sequences, one region of columns each where there is one share;
    `last` is one more at the end. On the way forward the states of sequences that begin are put
    before a step; the step before left the others there.
    """
    f = made.function("walk", pool.ARGUMENTS, internal=True)
    given = _reader(f, f.argument["context"])
    context = f.memory("i64", len(WORDS))
    number, walks, hidden = f.argument["thread"], f.argument["threads"], given("hidden")
    begin, end = (given("sequences") * k / walks for k in (number, number + 1))
    for k, word in enumerate(WORDS[:-STEP]):
        value = given(word)
        if word in BY_STATE:  # rows are counted from the first of the share
            value = f.at(pointer(f, value), begin * hidden, type).to("i64")
        f.store(value, context, k)
    for word in WORDS[-STEP:]:
        f.store(f.index(0), context, WORDS.index(word))
    get = _reader(f, context)
    shares = f.select(walks.eq(1), given("shares"), f.index(1))

    def own(rows: Value) -> Value:
        return larger(f, smaller(f, rows, end) - begin, 0)

    steps, order = given("steps"), pointer(f, given("order"))
    with f.loop(0, steps) as t:
        offset, rows = (f.load("i64", order, t * 2 + k) for k in range(2))
        offset, rows = offset + begin, own(rows)
        following = smaller(f, t + 1, steps - 1)
        more = (t + 1).lt(steps).to("i64")
        f.store(offset, context, WORDS.index("offset"))
        f.store(rows, context, WORDS.index("rows"))
        f.store(f.load("i64", order, following * 2) + begin, context, WORDS.index("next_offset"))
        f.store(
            own(f.load("i64", order, following * 2 + 1)) * more, context, WORDS.index("next_rows")
        )
        if last is None:
            past = f.load("i64", context, WORDS.index("past_rows"))
            source = f.at(pointer(f, get("h")), past * hidden, type)
            target = f.at(pointer(f, get("states")), (offset + past) * hidden, type)
            many = vector(type, lanes)
            along(
                f, larger(f, rows - past, 0) * hidden, lanes,
                lambda i, some, _: write(f, read(f, many, source, i, some), target, i, some),
            )  # fmt: skip
        _region(f, get, step, context, shares)
        f.store(offset, context, WORDS.index("past_offset"))
        f.store(rows, context, WORDS.index("past_rows"))
    if last is not None:
        with f.when(given("ends").ne(0)):
            _region(f, get, last, context, shares)
    return f


def _panels(f: Function, get: Get, width: int) -> tuple[Value, Value]:
    """This share's panels of so many columns."""
    return share(f, (get("hidden") + (width - 1)) / width)


def _panel(
    f: Function, get: Get, number: Value, start: Value, stop: Value, depth: Value, type: str,
    width: int, gates: int,
) -> tuple[Value, _Following]:  # fmt: skip
    """Where a panel of the packed weight begins, and what comes after it, as `_each_tile` has it:
    the one behind it, or the first one, for the next step.
    """
    first = pointer(f, get("packed"))
    following = f.select((number + 1).lt(stop), number + 1, start)
    panel, soon = (f.at(first, p * depth * width, type) for p in (number, following))
    numbers = get("hidden") * get("hidden") * gates
    far = numbers.gt(NEAR // SIZES[type]).to("i64")
    return panel, (soon, type, width, far)


def _pack_gates(made: Module, mode: str, type: str, lanes: int) -> Function:
    """The weight (gates * H, H) turned, into panels [k][gate][column]. Beyond the last column the
    last one is taken again.
    """
    f = made.function("pack_gates", pool.ARGUMENTS, internal=True)
    get = _reader(f, f.argument["context"])
    many, gates, hidden = vector(type, lanes), GATES[mode], get("hidden")
    weight, packed = pointer(f, get("weight")), pointer(f, get("packed"))
    start, stop = _panels(f, get, lanes)
    whole = hidden / lanes * lanes
    with f.loop(start, stop) as panel, f.loop(0, gates) as gate:
        target = f.at(packed, (panel * hidden * gates + gate) * lanes, type)
        rows = [
            f.at(weight, (gate * hidden + smaller(f, panel * lanes + r, hidden - 1)) * hidden, type)
            for r in range(lanes)
        ]
        with f.loop(0, whole, lanes) as k:
            square = gemm.transposed(f, [f.load(many, row, k) for row in rows])
            for number, row in enumerate(square):
                f.store(row, target, (k + number) * (gates * lanes))
        with f.loop(whole, hidden) as k:
            for number, row in enumerate(rows):
                f.store(f.load(type, row, k), target, k * (gates * lanes) + number)
    return f


def _pack_columns(made: Module, mode: str, type: str, lanes: int) -> Function:
    """The weight (gates * H, H) into panels [row][column]; zeros beyond the last column."""
    f = made.function("pack_columns", pool.ARGUMENTS, internal=True)
    get = _reader(f, f.argument["context"])
    many, width, hidden = vector(type, lanes), WIDE * lanes, get("hidden")
    depth = hidden * GATES[mode]
    start, stop = _panels(f, get, width)
    with f.loop(start, stop) as panel:
        source = f.at(pointer(f, get("weight")), panel * width, type)
        target = f.at(pointer(f, get("packed")), panel * depth * width, type)
        masks = _masks(f, hidden - panel * width, lanes, WIDE)
        with f.loop(0, depth) as k:
            for z, some in enumerate(masks):
                row = read(f, many, source, k * hidden + z * lanes, some)
                f.store(row, target, k * width + z * lanes)
    return f


def _masks(f: Function, columns: Value, lanes: int, count: int) -> list[Value]:
    """For each register, which of its lanes are columns."""
    return [mask(f, larger(f, columns - z * lanes, 0), lanes) for z in range(count)]


TILE = (
    ("ptr", "context"), ("i64", "row"), ("ptr", "lines"), ("i64", "first"), ("i64", "last"),
    ("i64", "span"), ("ptr", "coming"), ("i64", "pace"), ("ptr", "panel"), ("i64", "column"),
    ("i64", "depth"),
)  # fmt: skip
"""`lines`: what the next step touches, as `_Ahead` has it; of its parts this tile asks for `first`
to `last`, `span` lines each. `coming`: the tile's part of the panel that comes after this one, of
which it asks for `pace` numbers with each row of its own.
"""


class _Register:
    """One register of columns of the state, in the rows of a tile: loads and stores by name."""

    def __init__(self, f: Function, get: Get, type: str, lanes: int, gates: int) -> None:
        self.f, self.get, self.lanes, self.gates = f, get, lanes, gates
        self.type, self.many = type, vector(type, lanes)

    def place(
        self, name: str, row: Value, column: Value, gate: int = 0, step: str = "offset"
    ) -> Value:
        """Where a row of a step begins, `offset` of this one or `next_offset`, at a column."""
        f, hidden = self.f, self.get("hidden")
        line = row if name in BY_STATE else row + self.get(step)
        line = line * self.gates + gate if name in GATED else line
        return f.at(pointer(f, self.get(name)), line * hidden + column, self.type)

    def cell(self, row: Value, column: Value, some: Value) -> Cell:
        """The register at a column, in one row of the step."""

        def load(name: str, gate: int = 0) -> Value:
            return read(self.f, self.many, self.place(name, row, column, gate), 0, some)

        def store(name: str, value: Value, gate: int = 0) -> None:
            write(self.f, value, self.place(name, row, column, gate), 0, some)

        return Cell(self.f, load, store)


def _kinds(names: Iterable[str], gates: int) -> int:
    """How many lines of a panel's width a row of these arrays has."""
    return sum(gates if name in GATED else 1 for name in names)


class _Ahead:
    """What the next step reads and writes in a share's columns, asked for meanwhile: row after row,
    each line of the cache once, so that the machine sees that it follows an order. A step without
    product takes a fifth of its time where it finds these lines in the second cache.
    """

    def __init__(
        self, register: _Register, names: Sequence[str], start: Value, stop: Value, width: int
    ) -> None:
        f, get, gates = register.f, register.get, register.gates
        kinds = [(name, gate) for name in names for gate in range(gates if name in GATED else 1)]
        self.table = f.memory("i64", 2 * len(kinds))
        for number, (name, gate) in enumerate(kinds):
            place = register.place(name, f.index(0), start * width, gate, "next_offset")
            way = get("hidden") * (gates if name in GATED else 1)
            f.store(place.to("i64"), self.table, 2 * number)
            f.store(way, self.table, 2 * number + 1)
        self.start, self.panels = start, stop - start
        self.span = self.panels * (width // register.lanes)
        count = get("next_rows") * len(kinds)
        self.count = f.select((count * self.span).le(EARLY), count, 0)

    def part(self, panel: Value, part: Value, parts: Value) -> tuple[Value, ...]:
        """What one tile asks for, as its arguments."""
        unit, units = (panel - self.start) * parts + part, self.panels * parts
        return (
            self.table, unit * self.count / units, (unit + 1) * self.count / units, self.span,
        )  # fmt: skip


def _multiply(
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
            prefetch(f, f.at(coming, k * pace + z * lanes, one), SECOND)

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


def _tiles(
    made: Module, name: str, sizes: Iterable[int], body: Callable[[Function, int], None]
) -> Tile:
    """A function for tiles of each size, the largest first."""
    found: Tile = {}
    for rows in sizes:
        f = made.function(f"{name}{rows}", TILE, internal=True, attributes="noinline")
        body(f, rows)
        found[rows] = f
    return found


def _sizes(most: int) -> list[int]:
    """Rows of tiles: every number up to six and every second above."""
    return [rows for rows in range(most, 0, -1) if rows <= 6 or rows % 2 == 0]


def _powers(most: int) -> list[int]:
    """The largest and the powers of two below it: for what is done once a sequence."""
    return [most, *(1 << k for k in range((most - 1).bit_length() - 1, -1, -1))]


def _each_tile(
    f: Function, tiles: Tile, start: Any, stop: Value, ahead: Callable[..., tuple[Any, ...]],
    following: _Following, panel: Value, column: Value, depth: Value,
) -> None:  # fmt: skip
    """Rows from `start` to `stop` in as few tiles as can be, of nearly equal size: a small one at
    the end would wait for the panel. A size that is not among the tiles is put together; large
    ones are even, and so are the parts. `following`: the next panel, the type, how many of its
    numbers there are for each of `depth`, and whether it has to be asked for.
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
        line = 64 // SIZES[type]
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


def _nothing(f: Function) -> Callable[..., tuple[Any, ...]]:
    """For tiles that ask for nothing."""
    return lambda *_: (f.value("ptr", 0), f.index(0), f.index(0), f.index(1))


def _forward_step(made: Module, mode: str, type: str, lanes: int, most: int) -> Function:
    """One step of the columns of a share."""
    gates, many, step = GATES[mode], vector(type, lanes), STEPS[mode]

    def tile(f: Function, rows: int) -> None:
        get = _reader(f, f.argument["context"])
        row, column, hidden = f.argument["row"], f.argument["column"], get("hidden")
        (some,) = _masks(f, hidden - column, lanes, 1)
        register = _Register(f, get, type, lanes, gates)
        cells = [register.cell(row + r, column, some) for r in range(rows)]
        sums = [[f.variable(many) for _ in range(gates)] for _ in range(rows)]
        bias = pointer(f, get("bias"))
        base = f.at(pointer(f, get("states")), (get("offset") + row) * hidden, type)
        left = [f.at(base, hidden * r, type) for r in range(rows)]
        _multiply(f, sums, left, many, lanes, _kinds(TOUCHED[mode], gates))
        for line, cell in zip(sums, cells, strict=True):
            for gate, total in enumerate(line):
                if gate < step.from_input:
                    total.set(total.get() + cell.get("gates", gate))
                else:
                    more = read(f, many, bias, hidden * gate + column, some)
                    total.set(total.get() + more)
        for r, (line, cell) in enumerate(zip(sums, cells, strict=True)):
            new = step.forward(cell, [total.get() for total in line])
            cell.put("out", new)
            cell.put("h", new)
            with f.when((row + r).lt(get("next_rows"))):
                write(f, new, register.place("states", row + r, column, 0, "next_offset"), 0, some)

    tiles = _tiles(made, "forward_tile", _sizes(most), tile)
    f = made.function("forward_step", pool.ARGUMENTS, internal=True)
    get = _reader(f, f.argument["context"])
    hidden = get("hidden")
    start, stop = _panels(f, get, lanes)
    ahead = _Ahead(_Register(f, get, type, lanes, gates), TOUCHED[mode], start, stop, lanes)
    with f.loop(start, stop) as p:
        panel, following = _panel(f, get, p, start, stop, hidden, type, gates * lanes, gates)
        part = partial(ahead.part, p)
        _each_tile(f, tiles, 0, get("rows"), part, following, panel, p * lanes, hidden)
    return f


def _backward_steps(
    made: Module, mode: str, type: str, lanes: int, most: int
) -> tuple[Function, Function]:
    """One step of the columns of a share, and what is left to do after the last one. The product of
    a step's slopes is made at the start of the next, where it is needed.
    """
    gates, many, width = GATES[mode], vector(type, lanes), WIDE * lanes
    touched = (*TOUCHED[mode], "slope")
    touched += ("states", "inner_slope") if mode == "gru" else ()

    def tile(f: Function, rows: int, ends: bool) -> None:
        get = _reader(f, f.argument["context"])
        row, column, hidden = f.argument["row"], f.argument["column"], get("hidden")
        masks = _masks(f, hidden - column, lanes, WIDE)
        register = _Register(f, get, type, lanes, gates)
        sums = [[f.variable(many) for _ in range(WIDE)] for _ in range(rows)]
        cells = [
            [register.cell(row + r, column + z * lanes, masks[z]) for z in range(WIDE)]
            for r in range(rows)
        ]
        start = (get("past_offset") + row) * hidden * gates
        base = f.at(pointer(f, get("inner_slope")), start, type)
        left = [f.at(base, hidden * (gates * r), type) for r in range(rows)]
        _multiply(f, sums, left, many, lanes, 0 if ends else _kinds(touched, gates))
        for line, own in zip(sums, cells, strict=True):
            for total, cell in zip(line, own, strict=True):
                slope = total.get() + cell.get("h")
                if ends:
                    cell.put("h", slope)
                    continue
                kept = STEPS[mode].backward(cell, slope + cell.get("out"))
                cell.put("h", f.value(many, 0.0) if kept is None else kept)

    inner = _tiles(made, "backward_tile", _sizes(most), lambda f, rows: tile(f, rows, False))
    ends = _tiles(made, "ending_tile", _powers(most), lambda f, rows: tile(f, rows, True))
    found = []
    for name in ("backward_step", "backward_end"):
        f = made.function(name, pool.ARGUMENTS, internal=True)
        get = _reader(f, f.argument["context"])
        depth, past = get("hidden") * gates, get("past_rows")
        start, stop = _panels(f, get, width)
        ahead = _Ahead(_Register(f, get, type, lanes, gates), touched, start, stop, width)
        with f.loop(start, stop) as p:
            panel, following = _panel(f, get, p, start, stop, depth, type, width, gates)
            more = following, panel, p * width
            nothing = _nothing(f)
            if name == "backward_end":
                _each_tile(f, ends, 0, past, nothing, *more, depth)
            else:  # rows that end here, rows of both steps, rows that begin
                rows = get("rows")
                both = smaller(f, rows, past)
                _each_tile(f, ends, rows, past, nothing, *more, depth)
                _each_tile(f, inner, 0, both, partial(ahead.part, p), *more, depth)
                _each_tile(f, inner, both, rows, nothing, *more, f.index(0))
        found.append(f)
    return found[0], found[1]


def _kernel(mode: str) -> Kernel:
    return Kernel(lambda name, type, lanes: module(mode, name, type, lanes))


_kernels = {mode: _kernel(mode) for mode in GATES}


def serves(mode: str, dtype: Any, name: str) -> bool:
    """Whether there is code for one way of a layer of numbers of a dtype."""
    return dtype in TYPES and _kernels[mode].ready(dtype, name)


def _run(name: str, mode: str, w_hh: Any, order: Any, **arrays: Any) -> None:
    gates, hidden = GATES[mode], w_hh.shape[1]
    rows = max(n for _, n in order)
    shares = min(pool.limit(), 1 + rows * hidden * hidden * gates // ALONE)
    even = min(n for _, n in order) == rows and w_hh.nbytes <= NEAR
    walks = shares if even and rows >= shares * LEAST else 1
    packed = memory.empty(gates * hidden * (hidden + WIDE * 64), w_hh.dtype)
    words = arrays | {
        "weight": np.ascontiguousarray(w_hh), "packed": packed, "steps": len(order),
        "order": np.array(order, np.int64), "hidden": hidden, "pool": pool.memory(),
        "pool_run": pool.address(), "shares": shares, "walks": walks, "sequences": rows,
    }  # fmt: skip
    _kernels[mode].run(w_hh.dtype, name, DRIVER, *[words.get(word) for word in WORDS[:-STEP]])


def forward(mode: str, gates: Any, h: Any, c: Any, w_hh: Any, bias: Any, order: Any) -> Any:
    """The outputs (M, H), what the way back needs of cells, and the previous states (M, H).

    Args:
        mode: one of GATES.
        gates: (M, gates * H): the input's part, which becomes the gates.
        h: (N, H), the states, which become the last ones. c: the cells of an LSTM likewise.
        w_hh: (gates * H, H).
        bias: (gates * H) of a GRU, added to the product for its new state; else None.
        order: (offset, rows) of the steps in the order they are taken.
    """
    shape, dtype = (len(gates), h.shape[1]), gates.dtype
    states = memory.empty(shape, dtype)
    out = gates if GATES[mode] == 1 else memory.empty(shape, dtype)
    cells = memory.empty((2, *shape) if mode == "lstm" else shape if mode == "gru" else (0,), dtype)
    _run(
        "forward", mode, w_hh, order, gates=gates, states=states, out=out, h=h, c=c, bias=bias,
        **_kept(mode, cells),
    )  # fmt: skip
    return out, cells, states


def backward(
    mode: str, g: Any, h: Any, c: Any, w_hh: Any, gates: Any, cells: Any, states: Any, order: Any,
    ends: bool = True,
) -> tuple[Any, Any]:  # fmt: skip
    """The gradients of the input's part and of the product with the state, both (M, gates * H).

    Args:
        mode: one of GATES.
        g: the outputs' gradient (M, H).
        h: the last states' gradient (N, H), which becomes the first ones'. c: the cells' likewise.
        w_hh, gates, cells, states: as the way forward had and left them.
        order: the steps as the way forward took them.
        ends: whether the first states' gradient is wanted; `h` is worth nothing afterwards if not.
    """
    slope = memory.empty_like(gates)
    inner = memory.empty_like(gates) if mode == "gru" else slope
    _run(
        "backward", mode, w_hh, order[::-1], gates=gates, states=states, out=g, h=h, c=c,
        slope=slope, inner_slope=inner, ends=ends, **_kept(mode, cells),
    )  # fmt: skip
    return slope, inner


def _kept(mode: str, cells: Any) -> dict[str, Any]:
    return dict(zip(("first", "second"), cells if mode == "lstm" else [cells], strict=False))
