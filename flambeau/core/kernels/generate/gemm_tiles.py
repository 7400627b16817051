"""Large products of float32 by the processor's matrix tiles, which multiply bfloat16 (AMX).

A number is the sum of three of bfloat16, exactly; six of the nine products of the parts are added
up in float32, the other three are smaller than the rounding of a product. Products take 0.7 of the
vector unit's time and are more exact: fewer sums are rounded. What is infinite, NaN or
smaller than 2^-110 does not split: `tiles` says so, and the caller computes another way. Stands on
gemm's helpers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from flambeau.core.kernels.generate.gemm import (
    mask,
    masked_load,
    masked_store,
    pieces,
    pointer,
    prefetch,
    smaller,
    transposed,
    words,
)
from flambeau.core.kernels.jit.ir import Function, Module, Value

__all__ = ["SIDE", "WORDS", "add", "deep_of", "room", "serves"]

WORDS = (
    "a", "a_row", "a_column", "b", "b_row", "b_column", "c", "c_row", "bias", "m", "n", "k",
    "deep", "scratch", "failed",
)  # fmt: skip
"""The context: strides in elements, of A and of B one is 1; `deep`: `deep_of` the whole product, of
which this may be a part. `failed` becomes 1 if a number of A or
B cannot be split: C is then worth nothing.
"""
DEEP, DEEPER, DEEPEST = 128, 256, 512
"""Terms of a sum that are packed together: the fewer the more of a strip lies in the first cache,
the more the oftener C is read and written.
"""
NARROW = 128
"""Rows or columns of C up to which it is read and written at little cost."""
LEAST, WORK = 64, 1 << 21
"""Rows, columns and terms, and multiplications, from which on packing pays."""
SIDE = 32
"""Rows and columns of C that are computed together, terms that a tile holds."""
HALF = 16
"""Rows and columns of a tile of C."""
ASKED = 4
"""Rows of the next square of C that are asked for with every `SIDE` terms."""
FAR = 2
"""The cache for what is packed next, as the first one is full of strips: products of factors that
lie beyond the caches, as those of a network do, take 0.95 of the time.
"""
STRIP = 3 * 2 * 1024
"""Bytes of a strip of either factor for `SIDE` terms: three parts of two tiles."""
FLOAT, WORD, BIT = "<16 x float>", "<16 x i32>", "<16 x i1>"
UPPER = -65536
"""The half of a float32 that is a bfloat16."""
HUGE = 0x7F7F0000
"""From these bits on a number rounds to infinity, or is it."""
TINY = 17 << 23
"""Below these bits (2^-110) a number has parts that are subnormal, which tiles take for zero."""
PARTS = ((0, 2), (0, 1), (1, 1), (1, 0), (0, 0), (2, 0))
"""Which parts of A meet which of B: one of the two stays in its tiles from each to the next."""


def serves(m: Value, n: Value, k: Value, steps: Sequence[Sequence[Value]]) -> Value:
    """Whether a product goes this way: large enough, both factors side by side in one direction."""
    (a_row, a_column), (b_row, b_column) = steps
    near = (a_row.eq(1) | a_column.eq(1)) & (b_row.eq(1) | b_column.eq(1))
    few = smaller(m.function, smaller(m.function, m, n), k)
    return near & few.ge(LEAST) & (m * n * k).ge(WORK)


def deep_of(m: Value, n: Value, k: Value) -> Value:
    """How many terms are packed together: by the whole product, so that sums do not depend on the
    parts it is cut into.
    """
    f = m.function
    narrow = smaller(f, m, n).le(NARROW)
    found = f.select(k.le(DEEPER), f.index(DEEPER), f.select(narrow, f.index(DEEPEST), DEEP))
    return smaller(f, found, _strips(k) * SIDE)


def room(m: Value, n: Value, deep: Value) -> Value:
    """Numbers of scratch for a part of these sizes: the smaller factor's piece, a strip of the
    other, a square of C.
    """
    return (_strips(smaller(m.function, m, n)) + 1) * (STRIP // SIDE // 4 * deep) + SIDE * SIDE


def _strips(count: Value) -> Value:
    return (count + (SIDE - 1)) / SIDE


def add(made: Module) -> None:
    """`tiles`, into a module; one thread does all of a product."""
    packs = {left: _pack(made, left) for left in (True, False)}
    square, finish = _square(made), _finish(made)
    f = made.function("tiles", (("ptr", "context"),), internal=True, attributes="noinline")
    get = words(f, WORDS)
    _configure(f)
    ends = f.memory("i32", 2 * HALF)
    f.store(f.value(WORD, 0), ends)
    f.store(f.value(WORD, -1), ends, HALF)
    own = pointer(f, get["scratch"])
    strip = f.at(own, SIDE * SIDE, "float")
    piece = f.at(strip, get["deep"] * (STRIP // SIDE), "i8")
    wide = get["n"].gt(get["m"])
    few, many = f.select(wide, get["m"], get["n"]), f.select(wide, get["n"], get["m"])

    def pack(left: bool, first: Value, k0: Value, depth: Value, target: Value) -> None:
        place, side, deep, count = (
            ("a", "a_row", "a_column", "m") if left else ("b", "b_column", "b_row", "n")
        )
        source = f.at(pointer(f, get[place]), first * get[side] + k0 * get[deep], "float")
        f.call(
            packs[left], "void", source, get[side], get[deep],
            smaller(f, get[count] - first, SIDE), depth, target, ends,
        )  # fmt: skip

    with pieces(f, get["k"], f.index(0), get["deep"]) as (k0, depth, more, _):
        each = _strips(depth) * STRIP

        def both(wanted: Value, left: bool, first: Value, target: Value) -> None:
            with f.when(wanted):
                pack(left, first, k0, depth, target)
            with f.when(~wanted):
                pack(not left, first, k0, depth, target)

        with f.loop(0, few, SIDE) as first:
            both(wide, True, first, f.at(piece, first / SIDE * each, "i8"))
        with f.loop(0, many, SIDE) as outer:
            both(wide, False, outer, strip)
            coming, across, along = _coming(f, get, wide, many, outer, k0, depth)
            with f.loop(0, few, SIDE) as inner:
                begin, end = (SIDE * (inner / SIDE + z) / _strips(few) for z in range(2))
                asked = f.at(coming, begin * across, "float"), across, along, end - begin
                packed = f.at(piece, inner / SIDE * each, "i8")
                row, column = f.select(wide, inner, outer), f.select(wide, outer, inner)
                left, right = f.select(wide, packed, strip), f.select(wide, strip, packed)
                rows, columns = (
                    smaller(f, get["m"] - row, SIDE),
                    smaller(f, get["n"] - column, SIDE),
                )
                c = f.at(pointer(f, get["c"]), row * get["c_row"] + column, "float")
                bias = f.select(get["bias"].eq(0), f.index(0), get["bias"] + column * 4)
                whole = rows.eq(SIDE) & columns.eq(SIDE)
                blocks = _strips(depth)
                with f.when(whole):
                    begun = more.ne(0)
                    following = f.at(c, f.select(wide, get["c_row"] * SIDE, SIDE), "float")
                    f.call(
                        square, "void", left, right, c, get["c_row"],
                        f.select(begun, c, pointer(f, bias)),
                        f.select(begun, get["c_row"], 0), blocks, following, packed, *asked,
                    )  # fmt: skip
                with f.when(~whole):
                    nothing = f.value("ptr", 0), f.index(0)
                    f.call(
                        square, "void", left, right, own, f.index(SIDE), *nothing, blocks, c,
                        packed, *asked,
                    )  # fmt: skip
                    f.call(finish, "void", own, c, get["c_row"], bias, more, rows, columns)
    f.declared.add("declare void @llvm.x86.tilerelease()")
    f.line("call void @llvm.x86.tilerelease()")
    most, least = f.variable("i32", 0), f.variable("i32", -1)
    with f.loop(0, HALF) as lane:
        most.set(f.intrinsic("umax", most.get(), f.load("i32", ends, lane)))
        least.set(f.intrinsic("umin", least.get(), f.load("i32", ends, lane + HALF)))
    outside = most.get().ge(HUGE) | (least.get().ge(0) & least.get().lt(TINY - 1))
    failed = f.at(f.argument["context"], WORDS.index("failed"), "i64")
    f.store(outside.to("i64"), failed)


def _coming(
    f: Function, get: dict[str, Value], wide: Value, many: Value, outer: Value, k0: Value,
    depth: Value,
) -> tuple[Value, Value, Value]:  # fmt: skip
    """The strip of the larger factor that is packed after this one: where it lies, how far apart
    its lines are, and how far what comes of them after `SIDE` terms.
    """
    side, deep = (
        f.select(wide, get[b], get[a]) for b, a in (("b_column", "a_row"), ("b_row", "a_column"))
    )
    ends = (outer + SIDE).ge(many)
    first, term = f.select(ends, f.index(0), outer + SIDE), f.select(ends, k0 + depth, k0)
    factor = pointer(f, f.select(wide, get["b"], get["a"]))
    place = f.at(factor, first * side + term * deep, "float")
    return place, f.select(deep.eq(1), side, deep), deep * SIDE


def _configure(f: Function) -> None:
    """All eight tiles are of 16 rows of 64 bytes."""
    words = f.memory("i64", 8)
    rows = sum(HALF << (8 * t) for t in range(8))
    lengths = sum(64 << (16 * t) for t in range(4))
    for number, word in enumerate((1, 0, lengths, lengths, 0, 0, rows, 0)):
        f.store(f.index(word), words, number)
    f.declared.add("declare void @llvm.x86.ldtilecfg(ptr)")
    f.line(f"call void @llvm.x86.ldtilecfg(ptr {words.name})")


PACK = (
    ("ptr", "source"), ("i64", "side"), ("i64", "deep"), ("i64", "count"), ("i64", "depth"),
    ("ptr", "target"), ("ptr", "ends"),
)  # fmt: skip


def _pack(made: Module, left: bool) -> Function:
    """A strip of a factor: `count` of its rows or columns, `side` apart, over `depth` terms, `deep`
    apart. A row of a tile of the left factor is a row of its own, of the right one a term of the
    sum; each pair of numbers that are multiplied together lies half a tile apart.
    """
    name = f"pack_{'left' if left else 'right'}"
    f = made.function(name, PACK, internal=True, attributes="noinline")
    get = f.argument
    along, least = (f.variable(WORD, f.load(WORD, get["ends"], k)) for k in (0, HALF))
    kept = f.memory("float", HALF * HALF)

    def lines(first: Value, second: Value, turned: bool) -> list[Value]:
        """The vectors of a square that begins at a place of the side and at a term."""
        rows, terms = get["count"] - first, get["depth"] - second
        outer, inner = ("deep", "side") if left == turned else ("side", "deep")
        limit, length = (terms, rows) if outer == "deep" else (rows, terms)
        place = f.at(get["source"], first * get["side"] + second * get["deep"], "float")
        found = []
        for number in range(HALF):
            some = mask(f, f.select(limit.gt(number), length, 0), HALF)
            found.append(masked_load(f, FLOAT, f.at(place, get[outer] * number, "float"), some))
        return transposed(f, found) if turned else found

    def write(number: int, pair: tuple[Value, Value], target: Value) -> None:
        split = [_split(f, x) for x in pair]
        for x in pair:
            size = x.bits(WORD) & 0x7FFFFFFF
            along.set(f.intrinsic("umax", along.get(), size))
            least.set(f.intrinsic("umin", least.get(), size - 1))  # zero is the largest then
        for part, (low, high) in enumerate(zip(*split, strict=True)):
            lower = f.emit(WORD, f"lshr {WORD} {low.name}, {f.value(WORD, 16).name}")
            f.store(lower | high, f.at(target, part * 2048 + number * 64, "i8"))

    straight = get["deep" if left else "side"].eq(1)
    for turned in (False, True):
        with f.when(~straight if turned else straight), f.loop(0, get["depth"], SIDE) as k:
            with f.loop(0, 2) as half:
                target = f.at(get["target"], k / SIDE * STRIP + half * 1024, "i8")
                if turned:
                    for number, x in enumerate(lines(half * HALF, k, turned)):
                        f.store(x, kept, number * HALF)
                    pairs = [
                        (f.load(FLOAT, kept, number * HALF), x)
                        for number, x in enumerate(lines(half * HALF, k + HALF, turned))
                    ]
                else:
                    pairs = list(
                        zip(
                            lines(half * HALF, k, turned),
                            lines(half * HALF, k + HALF, turned),
                            strict=True,
                        )
                    )
                for number, pair in enumerate(pairs):
                    write(number, pair, target)
    f.store(along.get(), get["ends"])
    f.store(least.get(), get["ends"], HALF)
    return f


def _split(f: Function, x: Value) -> list[Value]:
    """The three parts of bfloat16, in the upper halves; the lower ones are zero."""
    found = []
    for _ in range(2):
        part = (x.bits(WORD) + 0x8000) & UPPER
        found.append(part)
        x = x - part.bits(FLOAT)
    return [*found, x.bits(WORD)]


SQUARE = (
    ("ptr", "a"), ("ptr", "b"), ("ptr", "c"), ("i64", "c_row"), ("ptr", "start"),
    ("i64", "start_row"), ("i64", "blocks"), ("ptr", "next"),
    ("ptr", "passing"), ("ptr", "coming"), ("i64", "across"), ("i64", "along"), ("i64", "lines"),
)  # fmt: skip
"""`start`: what sums begin with, zero for null; `next`: the square that comes after this one;
`passing`: which of the two strips is another one then, and comes from the second cache; `coming`:
`lines` of what is packed next, `across` apart, and `along` from one block to the next of them.
"""


def _square(made: Module) -> Function:
    """Two by two tiles of C over the terms of two strips."""
    f = made.function("square", SQUARE, internal=True, attributes="noinline")
    get = f.argument

    def tile(name: str, *arguments: Any) -> None:
        given = ", ".join(
            f"i8 {x}" if isinstance(x, int) else f"{x.type} {x.name}" for x in arguments
        )
        types = ", ".join("i8" if isinstance(x, int) else x.type for x in arguments)
        f.declared.add(f"declare void @llvm.x86.{name}({types})")
        f.line(f"call void @llvm.x86.{name}({given})")

    def read(number: int, place: Value, part: int, half: int) -> None:
        tile("tileloadd64", number, f.at(place, part * 2048 + half * 1024, "i8"), f.index(64))

    def corner(number: int, place: Value, row: Value) -> Value:
        return f.at(place, row * (number // 2 * HALF) + number % 2 * HALF, "float")

    begun = get["start"].ne(f.value("ptr", 0))
    with f.when(begun):
        for number in range(4):
            place = corner(number, get["start"], get["start_row"])
            tile("tileloadd64", number, place, get["start_row"] * 4)
    with f.when(~begun):
        for number in range(4):
            tile("tilezero", number)
    with f.loop(0, get["blocks"]) as block:
        a, b = (f.at(get[name], block * STRIP, "i8") for name in ("a", "b"))
        row = f.at(get["next"], block * ASKED * get["c_row"], "float")
        for number in range(ASKED):
            for z in range(2):
                prefetch(f, f.at(row, get["c_row"] * number + z * HALF, "float"))
        here = f.at(get["coming"], block * get["along"], "float")
        with f.loop(0, get["lines"]) as line:
            for z in range(2):
                prefetch(f, f.at(here, get["across"] * line + z * HALF, "float"), FAR)
        lines = iter(range(0, STRIP, 64))

        def multiply(number: int, left: int, right: int) -> None:
            tile("tdpbf16ps", number, left, right)
            for line in islice(lines, STRIP // 64 // 4 // len(PARTS)):
                prefetch(f, f.at(get["passing"], (block + 1) * STRIP + line, "i8"))

        before: tuple[Any, Any] = (None, None)
        for p, q in PARTS:
            if p != before[0]:
                read(4, a, p, 0)
            if q != before[1]:
                read(6, b, q, 0)
            multiply(0, 4, 6)
            if q != before[1]:
                read(7, b, q, 1)
            multiply(1, 4, 7)
            if p != before[0]:
                read(5, a, p, 1)
            multiply(2, 5, 6)
            multiply(3, 5, 7)
            before = p, q
    for number in range(4):
        tile("tilestored64", number, corner(number, get["c"], get["c_row"]), get["c_row"] * 4)
    return f


FINISH = (
    ("ptr", "from"), ("ptr", "c"), ("i64", "c_row"), ("i64", "bias"), ("i64", "more"),
    ("i64", "rows"), ("i64", "columns"),
)  # fmt: skip


def _finish(made: Module) -> Function:
    """A square of sums into C: added to what stands there, or to the bias."""
    f = made.function("finish", FINISH, internal=True, attributes="noinline")
    get = f.argument
    some = [mask(f, get["columns"] - z * HALF, HALF) for z in range(2)]
    start = [f.variable(FLOAT) for _ in some]
    for z, total in enumerate(start):
        total.set(0.0)
        with f.when(get["bias"].ne(0)):
            place = f.at(pointer(f, get["bias"]), z * HALF, "float")
            total.set(masked_load(f, FLOAT, place, some[z]))
    with f.loop(0, get["rows"]) as row:
        for z, total in enumerate(start):
            place = f.at(get["c"], row * get["c_row"] + z * HALF, "float")
            with f.when(get["more"].ne(0)):
                total.set(masked_load(f, FLOAT, place, some[z]))
            value = f.load(FLOAT, get["from"], row * SIDE + z * HALF)
            masked_store(f, value + total.get(), place, some[z])
    return f
