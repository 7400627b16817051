"""Products of bfloat16 matrices by the processor's matrix unit (AMX): C = A B + bias, in batches.

Both factors are packed into tiles of 16 rows of 64 bytes, A's rows along K, B's rows pairs of
neighbours along K; four tiles of C are added up in single precision over all of K, and rounded once
when they are stored. A unit of work is a part of one product, packed by the thread that computes
it. Which machines have the unit, and the calls, are in ``kernels.tiled``. Stands on jit and gemm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    mask,
    pointer,
    share,
    smaller,
    transposed,
    words,
)
from flambeau.core.kernels.generate.vectors import read, write
from flambeau.core.kernels.jit.ir import Function, Module, Value

__all__ = ["BLOCK", "STEP", "WORDS", "module", "room"]

WORDS = (
    "a", "b", "c", "bias", "scratch", "a_outer", "a_inner", "a_row", "a_column", "b_outer",
    "b_inner", "b_row", "b_column", "outer", "inner", "m", "n", "k", "rows", "columns",
    "scratch_each", "table", "row_bias",
)  # fmt: skip
"""The context: strides in elements, `bias` (n) and `row_bias` (m) in single precision or 0, `rows`
and `columns` of a unit, `scratch` in bytes. The results lie one behind the other. Where `table` is
not 0 it says where B's rows begin, if its columns lie side by side, else its columns, in elements
from `b`; it has whole blocks of entries.
"""
ROWS = 16
"""Rows of a tile."""
BLOCK = 32
"""Rows and columns of C that are computed together: two tiles each."""
STEP = 32
"""Numbers along K in a tile."""
BYTES = 1024
"""Of a tile."""
NEAR = 1 << 20
"""Bytes of packed columns of B that stay in the second cache."""
CELLS = "<16 x i32>"
"""A row of a tile: pairs of numbers."""
PACK = (
    ("ptr", "source"), ("i64", "step"), ("ptr", "target"), ("i64", "count"), ("i64", "depth"),
    ("ptr", "table"),
)  # fmt: skip


def room(k: int, columns: int) -> int:
    """Bytes of scratch for a unit with so many columns."""
    steps = -(-k // STEP)
    panels = min(max(1, NEAR // (2 * BYTES * steps)), -(-columns // BLOCK))
    return 2 * BYTES * steps * (panels + 1) + 4 * BYTES + 64


def module(single: bool) -> Module:
    """`product`, and the packing of both factors; the result is in single precision or bfloat16."""
    made = Module(f"tiles-{'float' if single else 'bf16'}")
    packs = {
        (along, pairs, listed): _pack(made, along, pairs, listed)
        for along in (True, False)
        for pairs, listed in ((0, False), (1, False), (1, True))
    }
    blocks = {rows: _block(made, rows) for rows in (1, 2)}
    put = _put(made, "float" if single else "bf16")
    f = made.function("product", ARGUMENTS)
    get = words(f, WORDS)
    size = 4 if single else 2
    n, k = get["n"], get["k"]
    steps = (k + (STEP - 1)) / STEP
    own = get["scratch"] + f.argument["thread"] * get["scratch_each"]
    own = ((own + 63) & ~63).to("ptr")
    left = f.at(own, 4 * BYTES, "i8")
    right = f.at(left, steps * (2 * BYTES), "i8")
    most = f.intrinsic("smax", NEAR / (steps * (2 * BYTES)), f.index(1)) * BLOCK
    parts = [
        (get[whole] + (get[part] - 1)) / get[part]
        for whole, part in (("m", "rows"), ("n", "columns"))
    ]
    along = [get["a_column"].eq(1) | k.eq(1), get["b_row"].eq(1) | k.eq(1)]
    _configure(f)
    start, stop = share(f, get["outer"] * get["inner"] * parts[0] * parts[1])
    with f.loop(start, stop) as unit:
        number, part = unit / (parts[0] * parts[1]), unit % (parts[0] * parts[1])
        i, j = number / get["inner"], number % get["inner"]
        top, begin = part / parts[1] * get["rows"], part % parts[1] * get["columns"]
        bottom = smaller(f, top + get["rows"], get["m"])
        end = smaller(f, begin + get["columns"], n)
        a = f.at(pointer(f, get["a"]), i * get["a_outer"] + j * get["a_inner"], "i16")
        b = f.at(pointer(f, get["b"]), i * get["b_outer"] + j * get["b_inner"], "i16")
        c = f.at(pointer(f, get["c"]), number * get["m"] * n * size, "i8")
        with f.loop(begin, end, most) as first:
            last = smaller(f, first + most, end)
            with f.loop(first, last, BLOCK) as column:
                panel = f.at(right, (column - first) / BLOCK * steps * (2 * BYTES), "i8")
                place = f.at(b, column * get["b_column"], "i16")
                given = (panel, last - column, k)
                q = f.fresh()
                f.branch(get["table"].eq(0), f"even{q}", f"listed{q}")
                f.label(f"even{q}")
                _packed(f, packs, 1, along[1], place, (get["b_column"], get["b_row"]), *given)
                f.jump(f"right{q}")
                f.label(f"listed{q}")
                table = pointer(f, get["table"])
                beside = get["b_row"].eq(1)
                table = f.select(beside, f.at(table, column, "i64"), table)
                _packed(f, packs, 1, beside, place, (k, k), *given, table)
                f.label(f"right{q}")
            with f.loop(top, bottom, BLOCK) as row:
                place = f.at(a, row * get["a_row"], "i16")
                rows = smaller(f, bottom - row, BLOCK)
                _packed(
                    f, packs, 0, along[0], place, (get["a_row"], get["a_column"]), left, rows, k
                )
                with f.loop(first, last, BLOCK) as column:
                    panel = f.at(right, (column - first) / BLOCK * steps * (2 * BYTES), "i8")
                    q = f.fresh()
                    f.branch(rows.gt(ROWS), f"two{q}", f"one{q}")
                    f.label(f"two{q}")
                    f.call(blocks[2], "void", left, panel, own, steps)
                    f.jump(f"put{q}")
                    f.label(f"one{q}")
                    f.call(blocks[1], "void", left, panel, own, steps)
                    f.label(f"put{q}")
                    bias = f.select(
                        get["bias"].eq(0), f.value("ptr", 0),
                        f.at(pointer(f, get["bias"]), column, "float"),
                    )  # fmt: skip
                    f.call(
                        put, "void", own, f.at(c, (row * n + column) * size, "i8"), n, bias, rows,
                        last - column,
                        f.select(
                            get["row_bias"].eq(0), f.value("ptr", 0),
                            f.at(pointer(f, get["row_bias"]), row, "float"),
                        ),
                    )  # fmt: skip
    f.line('call void asm sideeffect "tilerelease", "~{memory}"()')
    return made


def _configure(f: Function) -> None:
    """All eight tiles whole."""
    words = f.memory("i64", 8)
    for k in range(8):
        f.store(f.index(0), words, k)
    f.store(f.value("i8", 1), words)
    for tile in range(8):
        f.store(f.value("i16", 64), f.at(words, 16 + 2 * tile, "i8"))
        f.store(f.value("i8", ROWS), f.at(words, 48 + tile, "i8"))
    f.line(f'call void asm sideeffect "ldtilecfg ($0)", "r,~{{memory}}"(ptr {words.name})')


def _packed(
    f: Function, packs: dict[tuple[bool, int, bool], Function], pairs: int, along: Value,
    source: Value, steps: tuple[Value, Value], target: Value, count: Value, depth: Value,
    table: Value | None = None,
) -> None:  # fmt: skip
    """Pack BLOCK rows of A, or columns of B, by how they lie: `steps` lead to the next of them, and
    along K.
    """
    q = f.fresh()
    listed = table is not None
    given = (target, smaller(f, count, BLOCK), depth, table if table else f.value("ptr", 0))
    f.branch(along, f"along{q}", f"across{q}")
    f.label(f"along{q}")
    f.call(packs[True, pairs, listed], "void", source, steps[0], *given)
    f.jump(f"packed{q}")
    f.label(f"across{q}")
    f.call(packs[False, pairs, listed], "void", source, steps[1], *given)
    f.label(f"packed{q}")


def _pack(made: Module, along: bool, pairs: int, listed: bool) -> Function:
    """`count` rows of A (columns of B) and `depth` of K into two tiles for each step, zeros beside
    them. They lie along K or across it; the cells of a register are then along K or across it, and
    a tile's rows may be the other way.
    """
    name = f"pack_{'along' if along else 'across'}_{pairs}{'_listed' * listed}"
    f = made.function(name, PACK, internal=True, attributes="noinline")
    get = f.argument
    source, step, count, depth = get["source"], get["step"], get["count"], get["depth"]
    with f.loop(0, depth, STEP) as k, f.loop(0, 2) as half:
        target = f.at(get["target"], k / STEP * (2 * BYTES) + half * BYTES, "i8")
        first = half * ROWS
        q = f.fresh()
        whole = (depth - k).ge(STEP) & (count - first).ge(ROWS)
        f.branch(whole, f"whole{q}", f"cut{q}")
        for cut in (False, True):
            f.label(f"cut{q}" if cut else f"whole{q}")
            begin, beside = (first, k) if along else (k, first)
            place = f.at(source, beside, "i16")

            def line(r: int, place: Value = place, begin: Value = begin) -> Value:
                at = begin + r
                return f.at(place, f.load("i64", get["table"], at) if listed else at * step, "i16")

            cells = (_rows_along if along else _rows_across)(f, line, count - first, depth - k, cut)
            for r, row in enumerate(transposed(f, cells) if along == bool(pairs) else cells):
                f.store(row, f.at(target, r * 64, "i8"))
            if not cut:
                f.jump(f"packed{q}")
        f.label(f"packed{q}")
    return f


def _rows_along(
    f: Function, line: Callable[[int], Value], count: Value, depth: Value, cut: bool
) -> list[Value]:
    """A register for each row: its numbers along K."""
    found = []
    for r in range(ROWS):
        here = line(r)
        some = mask(f, f.select(count.gt(r), depth, 0), STEP) if cut else None
        found.append(read(f, f"<{STEP} x i16>", here, 0, some).bits(CELLS))
    return found


def _rows_across(
    f: Function, line: Callable[[int], Value], count: Value, depth: Value, cut: bool
) -> list[Value]:
    """A register for each pair along K: what lies side by side in both."""
    found = []
    for p in range(ROWS):
        both = []
        for r in (2 * p, 2 * p + 1):
            here = line(r)
            some = mask(f, f.select(depth.gt(r), count, 0), ROWS) if cut else None
            row = read(f, f"<{ROWS} x i16>", here, 0, some)
            both.append(f.emit(CELLS, f"zext {row.type} {row.name} to {CELLS}"))
        found.append(both[0] | both[1] << 16)
    return found


def _block(made: Module, rows: int) -> Function:
    """Two tiles of columns by one or two of rows: ``c = a b`` over all steps, rows of 128 bytes."""
    f = made.function(
        f"block{rows}", (("ptr", "a"), ("ptr", "b"), ("ptr", "c"), ("i64", "steps")), internal=True,
        attributes="noinline",
    )  # fmt: skip
    get = f.argument
    sums = [(i, j) for i in range(rows) for j in range(2)]
    f.line(
        f'call void asm sideeffect "{_lines(f"tilezero %tmm{2 * i + j}" for i, j in sums)}", ""()'
    )
    load = [f"tileloadd {BYTES * i}($0,$2,1), %tmm{4 + i}" for i in range(rows)]
    load += [f"tileloadd {BYTES * j}($1,$2,1), %tmm{6 + j}" for j in range(2)]
    multiply = [f"tdpbf16ps %tmm{6 + j}, %tmm{4 + i}, %tmm{2 * i + j}" for i, j in sums]
    step = f.index(64)
    with f.loop(0, get["steps"]) as s:
        a, b = (f.at(get[key], s * (2 * BYTES), "i8") for key in ("a", "b"))
        f.line(
            f'call void asm sideeffect "{_lines(load + multiply)}", "r,r,r,~{{memory}}"'
            f"(ptr {a.name}, ptr {b.name}, i64 {step.name})"
        )
    keep = [f"tilestored %tmm{2 * i + j}, {2048 * i + 64 * j}($0,$1,1)" for i, j in sums]
    f.line(
        f'call void asm sideeffect "{_lines(keep)}", "r,r,~{{memory}}"'
        f"(ptr {get['c'].name}, i64 {f.index(128).name})"
    )
    return f


def _lines(text: Iterable[str]) -> str:
    return "\\0A".join(text)


def _put(made: Module, type: str) -> Function:
    """A block of sums and the bias into C."""
    f = made.function(
        "put",
        (("ptr", "sums"), ("ptr", "c"), ("i64", "c_row"), ("ptr", "bias"), ("i64", "rows"),
         ("i64", "columns"), ("ptr", "row_bias")),
        internal=True, attributes="noinline",
    )  # fmt: skip
    get, many = f.argument, "<16 x float>"
    masks = [mask(f, get["columns"] - 16 * h, 16) for h in range(2)]
    bias = [f.variable(many, 0.0) for _ in range(2)]
    with f.when(get["bias"].ne(f.value("ptr", 0))):
        for h in range(2):
            bias[h].set(read(f, many, get["bias"], 16 * h, masks[h]))
    less = [b.get() for b in bias]
    with f.loop(0, get["rows"]) as r:
        c = f.at(get["c"], r * get["c_row"], type)
        one = f.variable("float", 0.0)
        with f.when(get["row_bias"].ne(f.value("ptr", 0))):
            one.set(f.load("float", get["row_bias"], r))
        own = f.splat(one.get(), 16)
        for h in range(2):
            value = f.load(many, get["sums"], r * 32 + 16 * h) + less[h] + own
            write(f, value, c, 16 * h, masks[h], type=type)
    return f
