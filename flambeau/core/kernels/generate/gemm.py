"""Matrix products: C = epilogue(A B + bias), any sizes, any strides of A and B, in batches.

B is packed into panels of four registers' width, `pack`; `product` multiplies tiles of rows by a
panel with A read where it lies. A tile's sums stay in registers over all of K. Products of few
rows go without packing: `product` reads B's own rows, `dots` takes both along K. Stands on jit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from flambeau.core.kernels.jit.ir import (
    SIZES,
    SUFFIX,
    Function,
    Module,
    Value,
    Variable,
    element,
    lanes,
    vector,
)

__all__ = ["ARGUMENTS", "DOTS", "Epilogue", "PACK", "PRODUCT", "Shape", "module", "shape_of"]

ARGUMENTS = (("ptr", "context"), ("i64", "thread"), ("i64", "threads"))
PRODUCT = (
    "a", "a_row", "a_column", "a_batch",
    "b", "b_step", "b_last", "b_panel", "b_batch",
    "c", "c_row", "c_batch",
    "bias", "accumulate", "m", "n", "k", "batch", "rows",
)  # fmt: skip
"""Words of `product`'s context: strides in elements, `b_step` from one k to the next (`b_last` in a
panel that is cut off), `b_panel` from one panel to the next, `rows` how many rows make a unit of
work.
"""
PACK = ("b", "b_row", "b_column", "b_batch", "packed", "packed_batch", "n", "k", "batch")
DOTS = (
    "a", "a_row", "a_batch", "b", "b_column", "b_batch", "c", "c_row", "c_batch",
    "bias", "accumulate", "m", "n", "k", "batch",
)  # fmt: skip
DEPTH = 1024
"""K is taken in pieces of so many, so that a panel stays in the second cache."""

Epilogue = Callable[[Function, Value], Value]


class Shape(NamedTuple):
    """How tiles are cut for a number type on a machine."""

    type: str
    lanes: int
    """Numbers in a register."""
    masked: bool
    rows: tuple[int, int, int, int]
    """Rows of a tile that is one, two, three, four registers wide."""
    across: int = 4
    """Registers of a whole panel of a product."""

    @property
    def panel(self) -> int:
        """Columns of a whole panel."""
        return self.across * self.lanes


def shape_of(type: str, bits: int, masked: bool) -> Shape:
    """The tiles that fill the registers without spilling: 32 of 512 bits, 16 of fewer."""
    lanes = bits // 8 // SIZES[type]
    if bits == 512:
        return Shape(type, lanes, masked, (12, 12, 8, 6))
    return Shape(type, lanes, masked, (12, 6, 4, 3), 2)


def words(f: Function, names: tuple[str, ...]) -> dict[str, Value]:
    """The context's words by name."""
    context = f.argument["context"]
    return {name: f.load("i64", context, k) for k, name in enumerate(names)}


def pointer(f: Function, address: Value) -> Value:
    """A word as an address."""
    return address.to("ptr")


def share(f: Function, total: Value) -> tuple[Value, Value]:
    """This thread's part of range(total)."""
    thread, threads = f.argument["thread"], f.argument["threads"]
    return thread * total / threads, (thread + 1) * total / threads


@contextmanager
def taken(f: Function, counter: Value, stop: Value) -> Iterator[Value]:
    """Units of work as long as there are any: who is free takes the next one, so that a thread that
    wakes up late costs no more than its delay.
    """
    k = f.fresh()
    f.label(f"take{k}")
    unit = f.emit("i64", f"atomicrmw add ptr {counter.name}, i64 1 monotonic")
    f.branch(unit.lt(stop), f"unit{k}", f"none{k}")
    f.label(f"unit{k}")
    yield unit
    f.jump(f"take{k}")
    f.label(f"none{k}")


def smaller(f: Function, a: Value, b: Value | int) -> Value:
    """The smaller of two integers."""
    return f.intrinsic("smin", a, f.value(a.type, b))


def larger(f: Function, a: Value, b: Value | int) -> Value:
    """The larger of two integers."""
    return f.intrinsic("smax", a, f.value(a.type, b))


def mask(f: Function, count: Value, lanes: int) -> Value:
    """True in the first `count` lanes."""
    type = f"<{lanes} x i32>"
    steps = ", ".join(f"i32 {k}" for k in range(lanes))
    limit = f.splat(count.to("i32"), lanes)
    return f.emit(f"<{lanes} x i1>", f"icmp slt {type} <{steps}>, {limit.name}")


def masked_load(f: Function, type: str, place: Value, some: Value) -> Value:
    """The lanes of a mask; zero in the others, which are not touched."""
    name = "llvm.masked.load." + suffix(type) + ".p0"
    f.declared.add(f"declare {type} @{name}(ptr, i32, {some.type}, {type})")
    align = f.value("i32", SIZES[type[1:-1].split(" x ")[1]])
    return f.emit(
        type,
        f"call {type} @{name}(ptr {place.name}, i32 {align.name}, {some.type} {some.name}, "
        f"{type} zeroinitializer)",
    )


def masked_store(f: Function, value: Value, place: Value, some: Value) -> None:
    """Write the lanes of a mask."""
    type = value.type
    name = "llvm.masked.store." + suffix(type) + ".p0"
    f.declared.add(f"declare void @{name}({type}, ptr, i32, {some.type})")
    align = SIZES[type[1:-1].split(" x ")[1]]
    f.line(
        f"call void @{name}({type} {value.name}, ptr {place.name}, i32 {align}, "
        f"{some.type} {some.name})"
    )


def prefetch(f: Function, place: Value, near: int = 3) -> None:
    """Ask for a line, into the first cache or (`near` 2) the second; the address may be any."""
    f.declared.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    f.line(f"call void @llvm.prefetch.p0(ptr {place.name}, i32 0, i32 {near}, i32 1)")


def suffix(type: str) -> str:
    """LLVM's spelling of a vector type in an intrinsic's name."""
    count, one = type[1:-1].split(" x ")
    return f"v{count}{SUFFIX.get(one, one)}"


def module(
    shape: Shape, epilogue: Epilogue | None = None, name: str = "gemm", dots: bool = True
) -> Module:
    """`product`, `pack` and, unless told otherwise, `dots` for one number type, with an epilogue on
    what is stored.
    """
    made = Module(f"{name}-{shape.type}")
    against = _against(made, shape, _tiles(made, shape, epilogue))
    _product(made, shape, against)
    if epilogue is None:
        _pack(made, shape, _panel(made, shape))
    if epilogue is None and dots:
        wide = 4 if shape.masked else 2
        _dots(made, shape, "dots", wide, wide)
        _dots(made, shape, "dots_of_one", 1, 2 * wide)
    return made


TILE = (
    ("ptr", "a"), ("i64", "a_row"), ("i64", "a_column"), ("ptr", "b"), ("i64", "b_step"),
    ("ptr", "c"), ("i64", "c_row"), ("ptr", "bias"), ("i64", "accumulate"), ("i64", "depth"),
    ("i64", "last"), ("i64", "columns"), ("ptr", "ahead"), ("i64", "ahead_row"), ("i64", "lines"),
)  # fmt: skip
"""`ahead`: `lines` rows of a panel's width that are asked for meanwhile, for what comes next."""
AHEAD = 8
"""Steps in K for each row that is asked for."""


def _tiles(
    made: Module, shape: Shape, epilogue: Epilogue | None
) -> dict[tuple[int, int, bool], Function]:
    """By (rows, registers, whether columns are cut off): the function of that tile."""
    found = {}
    for width in range(1, shape.across + 1):
        counts = [shape.rows[width - 1]]
        rest = 1 << ((counts[0] - 1).bit_length() - 1)
        while rest:
            counts.append(rest)
            rest //= 2
        for rows in dict.fromkeys(counts):
            for cut in (False, True) if width == shape.across else (True,):
                f = made.function(f"tile{rows}x{width}{'c' * cut}", TILE, internal=True)
                _tile(f, shape, rows, width, cut, epilogue)
                found[rows, width, cut] = f
    return found


def _tile(
    f: Function, shape: Shape, rows: int, width: int, cut: bool, epilogue: Epilogue | None
) -> None:
    """`rows` by `width` registers of C, over `depth` of K."""
    get = f.argument
    lanes, type = shape.lanes, shape.type
    many = vector(type, lanes)
    sums = [[f.variable(many) for _ in range(width)] for _ in range(rows)]
    some = mask(f, get["columns"] - (width - 1) * lanes, lanes) if cut else None

    def load(place: Value, z: int) -> Value:
        if some is not None and z == width - 1:
            return masked_load(f, many, place, some)
        return f.load(many, place)

    c = [f.at(get["c"], get["c_row"] * r, type) for r in range(rows)]
    k = f.fresh()
    f.branch(get["accumulate"].ne(0), f"more{k}", f"fresh{k}")
    f.label(f"more{k}")
    for r in range(rows):
        for z in range(width):
            sums[r][z].set(load(f.at(c[r], z * lanes, type), z))
    f.jump(f"begin{k}")
    f.label(f"fresh{k}")
    f.branch(get["bias"].eq(0), f"zero{k}", f"bias{k}")
    f.label(f"bias{k}")
    for z in range(width):
        start = load(f.at(get["bias"], z * lanes, type), z)
        for r in range(rows):
            sums[r][z].set(start)
    f.jump(f"begin{k}")
    f.label(f"zero{k}")
    for r in range(rows):
        for z in range(width):
            sums[r][z].set(0.0)
    f.label(f"begin{k}")

    a = [f.at(get["a"], get["a_row"] * r, type) for r in range(rows)]
    b_at = f.variable("ptr", get["b"])
    a_at = f.variable("i64", 0)

    def multiply() -> None:
        b, at = b_at.get(), a_at.get()
        columns = [load(f.at(b, z * lanes, type), z) for z in range(width)]
        for r in range(rows):
            x = f.splat(f.load(type, a[r], at), lanes)
            for z in range(width):
                sums[r][z].set(f.fma(x, columns[z], sums[r][z].get()))
            hold(f, sums[r])
        b_at.set(f.at(b, get["b_step"], type))
        a_at.set(at + get["a_column"])

    unroll = 2
    begun = f.variable("i64", 0)
    if width == shape.across and rows == shape.rows[width - 1]:
        stop = smaller(f, get["depth"] / AHEAD, get["lines"])
        with f.loop(0, stop) as number:
            line = f.at(get["ahead"], number * get["ahead_row"], type)
            for z in range(width):
                prefetch(f, f.at(line, z * lanes, type))
                for _ in range(AHEAD // width):
                    multiply()
        begun.set(stop * AHEAD)
    left = get["depth"] - begun.get()
    with f.loop(0, left / unroll):
        for _ in range(unroll):
            multiply()
    with f.loop(0, left % unroll):
        multiply()

    def write(through: Epilogue | None) -> None:
        for r in range(rows):
            for z in range(width):
                value = sums[r][z].get()
                if through is not None:
                    value = through(f, value)
                place = f.at(c[r], z * lanes, type)
                if some is not None and z == width - 1:
                    masked_store(f, value, place, some)
                else:
                    f.store(value, place)

    if epilogue is None:
        write(None)
        return
    k = f.fresh()
    f.branch(get["last"].ne(0), f"last{k}", f"inner{k}")
    f.label(f"last{k}")
    write(epilogue)
    f.ret()
    f.label(f"inner{k}")
    write(None)


AGAINST = (
    ("ptr", "a"), ("i64", "a_row"), ("i64", "a_column"), ("ptr", "b"), ("i64", "b_step"),
    ("ptr", "c"), ("i64", "c_row"), ("ptr", "bias"), ("i64", "accumulate"), ("i64", "depth"),
    ("i64", "last"), ("i64", "columns"), ("i64", "first"), ("i64", "stop"),
    ("ptr", "ahead"), ("i64", "ahead_row"), ("i64", "lines"),
)  # fmt: skip
"""`ahead`: what is asked for into the cache before rows of C are, none for null."""


def _against(made: Module, shape: Shape, tiles: dict[tuple[int, int, bool], Function]) -> Function:
    """Rows `first` to `stop` of A against one panel: whole tiles, then what is left in powers of
    two. The width of the panel is looked at once.
    """
    f = made.function("against", AGAINST, internal=True, attributes="noinline")
    get, lanes = f.argument, shape.lanes
    columns = get["columns"]
    for width in range(shape.across, 0, -1):
        for cut in (False, True) if width == shape.across else (True,):
            fits = columns.gt((width - 1) * lanes) & columns.le(width * lanes)
            if width == shape.across:
                fits = fits & (columns.lt(shape.panel) if cut else columns.eq(shape.panel))
            with f.when(fits):
                row: Variable = f.variable("i64", get["first"])
                asked: Variable = f.variable("i64", 0)
                sizes = {rows for rows, w, c_ in tiles if (w, c_) == (width, cut)}
                for rows in sorted(sizes, reverse=True):
                    k = f.fresh()
                    f.label(f"rows{k}")
                    at = row.get()
                    f.branch((at + rows).le(get["stop"]), f"tile{k}", f"fewer{k}")
                    f.label(f"tile{k}")
                    c = f.at(get["c"], at * get["c_row"], shape.type)
                    below = f.at(c, get["c_row"] * rows, shape.type)
                    from_ = asked.get()
                    more = from_.lt(get["lines"])
                    ahead = f.at(get["ahead"], from_ * get["ahead_row"], shape.type)
                    f.call(
                        tiles[rows, width, cut], "void",
                        f.at(get["a"], at * get["a_row"], shape.type), get["a_row"],
                        get["a_column"], get["b"], get["b_step"],
                        c, get["c_row"], get["bias"],
                        get["accumulate"], get["depth"], get["last"], columns,
                        f.select(more, ahead, below),
                        f.select(more, get["ahead_row"], get["c_row"]),
                        f.select(more, get["lines"] - from_, rows),
                    )  # fmt: skip
                    asked.set(from_ + get["depth"] / AHEAD)
                    row.set(at + rows)
                    f.jump(f"rows{k}")
                    f.label(f"fewer{k}")
    return f


HELD = {32: ("x", 16), 64: ("v", 32)}
"""By a register's bytes: what such are called in assembly, and how many there are."""


def hold(f: Function, sums: list[Variable], scarce: int = 16) -> None:
    """What follows waits for these sums in the order of instructions, where there are no more than
    `scarce` registers: loads drawn together would push sums out of them.
    """
    many = sums[0].get().type
    letter, registers = HELD.get(lanes(many) * SIZES[element(many)], ("", math.inf))
    if registers > scarce:
        return
    for total in sums:
        kept = f'asm sideeffect "", "={letter},0,~{{memory}}"({many} {total.get().name})'
        total.set(f.emit(many, f"call {many} {kept}"))


def nothing_ahead(f: Function) -> tuple[Value, Value, Value]:
    """The last arguments of `against`."""
    return f.value("ptr", 0), f.index(0), f.index(0)


def bias_of(f: Function, bias: Value, column: Value, type: str) -> Value:
    """Where the bias of a column stands, or null."""
    return f.select(bias.eq(0), f.index(0), bias + column * SIZES[type]).to("ptr")


def _product(made: Module, shape: Shape, against: Function) -> None:
    f = made.function("product", ARGUMENTS)
    get = words(f, PRODUCT)
    type, panel = shape.type, shape.panel
    panels = (get["n"] + (panel - 1)) / panel
    blocks = (get["m"] + (get["rows"] - 1)) / get["rows"]
    start, stop = share(f, get["batch"] * panels * blocks)
    with f.loop(start, stop) as unit:
        block, rest = unit % blocks, unit / blocks
        p, batch = rest % panels, rest / panels
        first = block * get["rows"]
        last = smaller(f, first + get["rows"], get["m"])
        columns = smaller(f, get["n"] - p * panel, panel)
        a0 = f.at(pointer(f, get["a"]), batch * get["a_batch"], type)
        b0 = f.at(pointer(f, get["b"]), batch * get["b_batch"] + p * get["b_panel"], type)
        c0 = f.at(pointer(f, get["c"]), batch * get["c_batch"] + p * panel, type)
        bias = bias_of(f, get["bias"], p * panel, type)
        b_step = f.select(columns.eq(panel), get["b_step"], get["b_last"])
        with pieces(f, get["k"], get["accumulate"]) as (k0, depth, more, ends):
            f.call(
                against, "void",
                f.at(a0, k0 * get["a_column"], type), get["a_row"], get["a_column"],
                f.at(b0, k0 * b_step, type), b_step, c0, get["c_row"], bias, more, depth, ends,
                columns, first, last, *nothing_ahead(f),
            )  # fmt: skip


@contextmanager
def pieces(
    f: Function, k: Value, accumulate: Value, most: Value | int = DEPTH
) -> Iterator[tuple[Value, Value, Value, Value]]:
    """K in pieces: where one begins, how long it is, whether what stands in C is added
    to, whether it is the last.
    """
    each = f.index(most)
    steps = larger(f, (k + (each - 1)) / each, 1)
    with f.loop(0, steps) as step:
        k0 = step * each
        more = (accumulate.ne(0) | step.ne(0)).to("i64")
        yield k0, smaller(f, k - k0, each), more, step.eq(steps - 1).to("i64")


PANEL = (
    ("ptr", "source"), ("i64", "row"), ("i64", "column"), ("ptr", "target"), ("i64", "columns"),
    ("i64", "depth"),
)  # fmt: skip


def _panel(made: Module, shape: Shape) -> Function:
    """Columns of B into a panel: [depth][columns], whole registers, zeros beyond the last column.
    `row` and `column` are B's strides.
    """
    f = made.function("panel", PANEL, internal=True, attributes="noinline")
    get = f.argument
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    source, target, columns, depth = (get[n] for n in ("source", "target", "columns", "depth"))
    wide = (columns + (lanes - 1)) / lanes * lanes
    f.branch(get["column"].eq(1), "copy", "turn")
    f.label("copy")
    with f.loop(0, depth) as i:
        row = f.at(source, i * get["row"], type)
        out = f.at(target, i * wide, type)
        with f.loop(0, wide, lanes) as j:
            some = mask(f, columns - j, lanes)
            f.store(masked_load(f, many, f.at(row, j, type), some), f.at(out, j, type))
    f.ret()
    f.label("turn")
    with f.loop(0, wide, lanes) as j:
        left = smaller(f, columns - j, lanes)
        whole = smaller(f, (get["row"].eq(1) & left.eq(lanes)).to("i64"), 1)
        blocks = depth / lanes * whole
        with f.loop(0, blocks) as block:
            i = block * lanes
            rows = [
                f.load(many, f.at(source, (j + r) * get["column"] + i, type)) for r in range(lanes)
            ]
            for number, row in enumerate(transposed(f, rows)):
                f.store(row, f.at(target, (i + number) * wide + j, type))
        with f.loop(blocks * lanes, depth) as i:
            out = f.at(target, i * wide + j, type)
            with f.loop(0, lanes) as r:
                inside = r.lt(left)
                here = f.select(inside, r, 0)
                value = f.load(
                    type, f.at(source, (j + here) * get["column"] + i * get["row"], type)
                )
                f.store(f.select(inside, value, 0.0), f.at(out, r, type))
    return f


def _pack(made: Module, shape: Shape, one: Function) -> None:
    """B into panels, one behind the other."""
    f = made.function("pack", ARGUMENTS)
    get = words(f, PACK)
    type, panel = shape.type, shape.panel
    panels = (get["n"] + (panel - 1)) / panel
    start, stop = share(f, get["batch"] * panels)
    with f.loop(start, stop) as unit:
        p, batch = unit % panels, unit / panels
        source = f.at(pointer(f, get["b"]), batch * get["b_batch"], type)
        target = f.at(pointer(f, get["packed"]), batch * get["packed_batch"], type)
        f.call(
            one, "void",
            f.at(source, p * panel * get["b_column"], type), get["b_row"], get["b_column"],
            f.at(target, p * panel * get["k"], type), smaller(f, get["n"] - p * panel, panel),
            get["k"],
        )  # fmt: skip


def transposed(f: Function, rows: list[Value]) -> list[Value]:
    """A square of registers with rows and columns exchanged, by shuffles of pairs."""
    count = len(rows)
    type = rows[0].type
    distance = 1
    while distance < count:
        found = list(rows)
        for r in range(count):
            if r & distance:
                continue
            low, high = rows[r], rows[r + distance]
            for odd, place in ((0, r), (1, r + distance)):
                picks = []
                for lane in range(count):
                    from_high = bool(lane & distance)
                    base = (lane & ~distance) | (distance if odd else 0)
                    picks.append(base + count * from_high)
                order = ", ".join(f"i32 {pick}" for pick in picks)
                found[place] = f.emit(
                    type,
                    f"shufflevector {type} {low.name}, {type} {high.name}, "
                    f"<{count} x i32> <{order}>",
                )
        rows = found
        distance *= 2
    return rows


def _dots(made: Module, shape: Shape, name: str, high: int, wide: int) -> None:
    """C[m, n] = A[m] . B[:, n], both contiguous along K: for few rows, where packing costs more.
    `high` rows by `wide` columns at a time.
    """
    f = made.function(name, ARGUMENTS)
    get = words(f, DOTS)
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    groups = (get["n"] + (wide - 1)) / wide
    start, stop = share(f, get["batch"] * groups)
    sums = [[f.variable(many) for _ in range(wide)] for _ in range(high)]
    whole = get["k"] / lanes * lanes
    some = mask(f, get["k"] - whole, lanes)
    with f.loop(start, stop) as unit:
        batch, first = unit / groups, unit % groups * wide
        a0 = f.at(pointer(f, get["a"]), batch * get["a_batch"], type)
        b0 = f.at(pointer(f, get["b"]), batch * get["b_batch"], type)
        c0 = f.at(pointer(f, get["c"]), batch * get["c_batch"], type)
        with f.loop(0, get["m"], high) as row:
            # Beyond the last row and column the last one is taken again, and not written.
            rows = [smaller(f, row + r, get["m"] - 1) for r in range(high)]
            columns = [smaller(f, first + j, get["n"] - 1) for j in range(wide)]
            a = [f.at(a0, r * get["a_row"], type) for r in rows]
            b = [f.at(b0, j * get["b_column"], type) for j in columns]
            for line in sums:
                for total in line:
                    total.set(0.0)

            def add(load: Callable[[Value], Value]) -> None:
                right = [load(place) for place in b]
                for r in range(high):
                    left = load(a[r])
                    for j in range(wide):
                        sums[r][j].set(f.fma(left, right[j], sums[r][j].get()))

            with f.loop(0, whole, lanes) as k:
                add(lambda place, k=k: f.load(many, f.at(place, k, type)))
            with f.when(whole.lt(get["k"])):
                add(lambda place: masked_load(f, many, f.at(place, whole, type), some))
            for r in range(high):
                for j in range(wide):
                    value = total_of(f, sums[r][j].get())
                    with f.when((row + r).lt(get["m"]) & (first + j).lt(get["n"])):
                        place = f.at(c0, rows[r] * get["c_row"] + columns[j], type)
                        start_at = f.variable(type, 0.0)
                        with f.when(get["bias"].ne(0)):
                            start_at.set(f.load(type, pointer(f, get["bias"]), columns[j]))
                        with f.when(get["accumulate"].ne(0)):
                            start_at.set(f.load(type, place))
                        f.store(value + start_at.get(), place)


def total_of(f: Function, x: Value) -> Value:
    """The sum of a register's lanes, halves first."""
    return halved(f, x, lambda a, b: a + b)


def halved(f: Function, x: Value, combine: Callable[[Value, Value], Value]) -> Value:
    """A register's lanes combined to one number: one half with the other until one is left."""
    count, one = lanes(x.type), element(x.type)
    while count > 1:
        half = count // 2
        low, high = (
            f.emit(
                vector(one, half),
                f"shufflevector {x.type} {x.name}, {x.type} poison, <{half} x i32> <"
                + ", ".join(f"i32 {k}" for k in range(start, start + half))
                + ">",
            )
            if half > 1
            else f.emit(one, f"extractelement {x.type} {x.name}, i64 {start}")
            for start in (0, half)
        )
        x = combine(low, high)
        count = half
    return x
