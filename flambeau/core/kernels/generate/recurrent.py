"""Recurrent layers over whole sequences in one call, forward and backward: LSTM, GRU, tanh, relu.

A share owns sequences and walks through all steps, or it owns columns of the state and every step
is one region of the pool; it multiplies by the recurrent weight and goes through the gates while
the sums are in registers. The weight is packed once a call, the gates of a column side by side.
What comes before and after, products over all steps, is ``kernels.rnn``'s. Stands on jit, gemm's
helpers, call, recurrent_gates and recurrent_tiles.
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
    larger,
    mask,
    pointer,
    share,
    smaller,
)
from flambeau.core.kernels.generate.recurrent_gates import GATES, STEPS, Cell
from flambeau.core.kernels.generate.recurrent_tiles import (
    Following,
    asks_nothing,
    each_tile,
    multiply_panel,
    powers_to,
    sizes_to,
    write_tiles,
)
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, vector

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
) -> tuple[Value, Following]:  # fmt: skip
    """Where a panel of the packed weight begins, and what comes after it, as `each_tile` has it:
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
        multiply_panel(f, sums, left, many, lanes, _kinds(TOUCHED[mode], gates))
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

    tiles = write_tiles(made, "forward_tile", sizes_to(most), tile)
    f = made.function("forward_step", pool.ARGUMENTS, internal=True)
    get = _reader(f, f.argument["context"])
    hidden = get("hidden")
    start, stop = _panels(f, get, lanes)
    ahead = _Ahead(_Register(f, get, type, lanes, gates), TOUCHED[mode], start, stop, lanes)
    with f.loop(start, stop) as p:
        panel, following = _panel(f, get, p, start, stop, hidden, type, gates * lanes, gates)
        part = partial(ahead.part, p)
        each_tile(f, tiles, 0, get("rows"), part, following, panel, p * lanes, hidden)
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
        multiply_panel(f, sums, left, many, lanes, 0 if ends else _kinds(touched, gates))
        for line, own in zip(sums, cells, strict=True):
            for total, cell in zip(line, own, strict=True):
                slope = total.get() + cell.get("h")
                if ends:
                    cell.put("h", slope)
                    continue
                kept = STEPS[mode].backward(cell, slope + cell.get("out"))
                cell.put("h", f.value(many, 0.0) if kept is None else kept)

    inner = write_tiles(made, "backward_tile", sizes_to(most), lambda f, rows: tile(f, rows, False))
    ends = write_tiles(made, "ending_tile", powers_to(most), lambda f, rows: tile(f, rows, True))
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
            nothing = asks_nothing(f)
            if name == "backward_end":
                each_tile(f, ends, 0, past, nothing, *more, depth)
            else:  # rows that end here, rows of both steps, rows that begin
                rows = get("rows")
                both = smaller(f, rows, past)
                each_tile(f, ends, rows, past, nothing, *more, depth)
                each_tile(f, inner, 0, both, partial(ahead.part, p), *more, depth)
                each_tile(f, inner, both, rows, nothing, *more, f.index(0))
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
    least, rows = sorted((order[0][1], order[-1][1]))  # steps become larger, or smaller
    shares = min(pool.limit(), 1 + rows * hidden * hidden * gates // ALONE)
    even = least == rows and w_hh.nbytes <= NEAR
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
