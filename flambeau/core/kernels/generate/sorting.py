"""Rows in order, their top and their k-th element, and the places they come from: generated code.

Elements become integers that order as they do: NaN above all numbers, both zeros one, a descending
order by the complement. A sort goes through those bytes of the keys that differ, lowest first, and
is stable; where the order of an unstable sort is asked for, rows with equal elements go through its
exchanges (``generate.introsort``). Stands on jit and call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import Kernel
from flambeau.core.kernels.generate.gemm import halved, pointer, share, words
from flambeau.core.kernels.generate.introsort import Exchanges
from flambeau.core.kernels.introsort import FEW, SHORT_SORTED
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import (
    SIZES,
    SUFFIX,
    Function,
    Module,
    Value,
    lanes,
    vector,
)
from flambeau.core.kernels.native.launch import GRAIN

__all__ = ["kth", "ordered", "top"]

WORDS = (
    "x", "values", "places", "rows", "size", "count", "flip", "exact", "scratch", "room",
)  # fmt: skip
"""The context. `count`: of the top, or the number of the k-th; `flip`: -1 for a descending order;
`exact`: whether equal elements stand as an introsort leaves them; `room`: bytes of scratch for a
share.
"""
TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double", np.dtype("i4"): "i32",
         np.dtype("i8"): "i64"}  # fmt: skip
PLACE = np.dtype("i8")
BYTE = np.dtype("u1")
BINS = 256
SHORT = 256
"""In rows up to this length each element counts those before it."""
CROWDED = 8
"""Square of a row's length over the range of its numbers, from which on equal ones are certain to
one in e**4.
"""
SHORT_CROWDED = 32
"""Rows up to this length are put in order before anybody looks."""
LONG = 1 << 14
"""Longer rows have equal elements as good as always: an exact order begins with the exchanges."""


def module(name: str, type: str, width: int) -> Module:
    """`ordered`, `top` or `kth` for one number type."""
    made = Module(f"{name}-{type}")
    word = {4: "i32", 8: "i64"}[SIZES[type]]
    write = {"ordered": _ordered, "top": _top, "kth": _kth}[name]
    write(made, type, word, width, Exchanges(made, word))
    return made


class _Row:
    """One row under work: its elements as keys, and room for them and their places, twice."""

    def __init__(self, f: Function, type: str, word: str, width: int) -> None:
        self.f, self.type, self.word, self.width = f, type, word, width
        self.get = words(f, WORDS)
        self.size = self.get["size"]
        self.flip = self.get["flip"].to(word)
        start = f.argument["thread"] * self.get["room"]
        place = f.at(pointer(f, self.get["scratch"]), start, "i8")
        self.bins = place
        place = f.at(place, BINS, "i32")
        self.keys = [place, f.at(place, self.size, word)]
        place = f.at(place, self.size * 2, word)
        self.marks = [place, f.at(place, self.size, "i32")]

    def begin(self, row: Value) -> None:
        """Take up a row."""
        self.x = self.f.at(pointer(self.f, self.get["x"]), row * self.size, self.type)

    def key(self, x: Value) -> Value:
        """The keys of elements."""
        f, count = self.f, lanes(x.type)
        word, flip = vector(self.word, count), f.splat(self.flip, count)
        if self.type not in SUFFIX:
            return x ^ flip
        sign = 8 * SIZES[self.word] - 1
        top = (1 << sign) - 1
        bits = f.select(x.eq(0), 0.0, x).bits(word)
        bits = bits ^ ((bits >> sign) & top)
        return f.select(x.isnan(), f.value(word, top), bits) ^ flip

    def fill(self, count: Value) -> None:
        """The first elements as keys, with their places."""
        f, width = self.f, self.width
        whole = count / width * width
        steps = ", ".join(f"i32 {k}" for k in range(width))
        numbers = vector("i32", width)
        with f.loop(0, whole, width) as i:
            f.store(self.key(f.load(vector(self.type, width), self.x, i)), self.keys[0], i)
            start = f.splat(i.to("i32"), width)
            f.store(f.emit(numbers, f"add {numbers} {start.name}, <{steps}>"), self.marks[0], i)
        with f.loop(whole, count) as i:
            f.store(self.key(f.load(self.type, self.x, i)), self.keys[0], i)
            f.store(i.to("i32"), self.marks[0], i)

    def give(self, row: Value, count: Value, marks: Value) -> None:
        """Write values and places."""
        f = self.f
        values = f.at(pointer(f, self.get["values"]), row * count, self.type)
        places = f.at(pointer(f, self.get["places"]), row * count, "i64")
        with f.loop(0, count) as i:
            place = f.load("i32", marks, i).to("i64")
            f.store(place, places, i)
            f.store(f.load(self.type, self.x, place), values, i)


def _each_row(
    made: Module, name: str, type: str, word: str, width: int,
    body: Callable[[_Row, Value], None],
) -> None:  # fmt: skip
    f = made.function(name, pool.ARGUMENTS)
    own = _Row(f, type, word, width)
    start, stop = share(f, own.get["rows"])
    with f.loop(start, stop) as row:
        own.begin(row)
        body(own, row)


def _ordered(
    made: Module, type: str, word: str, width: int, exchanges: Exchanges
) -> None:  # fmt: skip
    """All elements of each row."""

    def body(own: _Row, row: Value) -> None:
        f, size = own.f, own.size
        keys, marks = (f.variable("ptr", each[0]) for each in (own.keys, own.marks))
        k = f.fresh()
        own.fill(size)
        exact = own.get["exact"].ne(0)
        f.branch(exact & size.gt(LONG), f"exchange{k}", f"other{k}")
        f.label(f"other{k}")
        if type in SUFFIX:
            f.jump(f"stable{k}")
        else:
            f.branch(exact & size.gt(SHORT_CROWDED), f"look{k}", f"stable{k}")
            f.label(f"look{k}")
            f.branch(_crowded(own), f"exchange{k}", f"stable{k}")
        f.label(f"exchange{k}")
        f.call(exchanges.sort, "void", own.keys[0], own.marks[0], size)
        f.jump(f"done{k}")
        f.label(f"stable{k}")
        f.branch(size.le(SHORT), f"short{k}", f"long{k}")
        f.label(f"short{k}")
        _by_ranks(own)
        keys.set(own.keys[1])
        marks.set(own.marks[1])
        f.jump(f"sorted{k}")
        f.label(f"long{k}")
        _through_bytes(own, keys, marks)
        f.label(f"sorted{k}")
        with f.when(exact & size.gt(SHORT_SORTED)):
            same = f.variable("i64", 0)
            found = keys.get()
            with f.loop(1, size) as i:
                equal = f.load(word, found, i).eq(f.load(word, found, i - 1))
                same.set(same.get() | equal.to("i64"))
            with f.when(same.get().ne(0)):
                own.fill(size)
                f.call(exchanges.sort, "void", own.keys[0], own.marks[0], size)
                marks.set(own.marks[0])
        f.label(f"done{k}")
        own.give(row, size, marks.get())

    _each_row(made, "ordered", type, word, width, body)


def _ends(own: _Row) -> list[Value]:
    """The least and the largest key."""
    f, size, width = own.f, own.size, own.width
    many, keys = vector(own.word, width), own.keys[0]
    last = size - width
    found = []
    for how in ("smin", "smax"):
        end = f.variable(many, f.splat(f.load(own.word, keys), width))
        with f.loop(0, size, width) as i:
            # The last register lies back over the one before it; short rows have none.
            here = f.load(many, keys, f.intrinsic("smin", i, last))
            end.set(f.intrinsic(how, end.get(), here))
        found.append(halved(f, end.get(), lambda a, b, how=how: f.intrinsic(how, a, b)))
    return found


def _crowded(own: _Row) -> Value:
    """Whether whole numbers lie in so narrow a range that equal ones are as good as certain."""
    low, high = (each.to("i64") for each in _ends(own))
    span = high - low
    return span.ge(0) & (span * CROWDED).lt(own.size * own.size)


def _by_ranks(own: _Row) -> None:
    """Put each element where as many lie as are less than it, or equal and before it: a register
    of elements meets all others, without a branch.
    """
    f, size, width = own.f, own.size, own.width
    many, keys = vector(own.word, width), own.keys[0]
    rank = f.variable(many)
    room = f.memory(own.word, width)
    steps = f.value(many, 0)
    for k in range(1, width):
        steps = f.emit(many, f"insertelement {many} {steps.name}, {own.word} {k}, i64 {k}")

    def count(start: Value, stop: Value, less: Callable[[Value, Value], Value]) -> None:
        with f.loop(start, stop) as j:
            key = f.splat(f.load(own.word, keys, j), width)
            rank.set(f.select(less(key, j), rank.get() + 1, rank.get()))

    with f.loop(0, size, width) as first:
        # What lies beyond the last element is room of the same row, and not looked at after.
        mine = f.load(many, keys, first)
        rank.set(0)
        stop = f.intrinsic("smin", first + width, size)
        count(f.index(0), first, lambda key, _, mine=mine: key.le(mine))
        count(
            first, stop,
            lambda key, j, mine=mine, first=first: key.lt(mine)
            | (key.eq(mine) & steps.gt(f.splat((j - first).to(own.word), width))),
        )  # fmt: skip
        count(stop, size, lambda key, _, mine=mine: key.lt(mine))
        f.store(rank.get(), room)
        with f.loop(first, stop) as i:
            place = f.load(own.word, room, i - first).to("i64")
            f.store(f.load(own.word, keys, i), own.keys[1], place)
            f.store(i.to("i32"), own.marks[1], place)


def _through_bytes(own: _Row, keys: Any, marks: Any) -> None:
    """Sort by each byte of the keys in turn, counted from the least key; a byte that is the same in
    all is passed over.
    """
    f, word, size = own.f, own.word, own.size
    bytes = SIZES[word]
    least, _ = _ends(own)
    spare_keys, spare_marks = f.variable("ptr", own.keys[1]), f.variable("ptr", own.marks[1])
    differ = f.variable(word, 0)
    with f.loop(0, size) as i:
        differ.set(differ.get() | (f.load(word, own.keys[0], i) - least))
    for byte in range(bytes):

        def bin_of(key: Value, byte: int = byte) -> Value:
            """The byte as an unsigned number."""
            return (((key - least) >> (8 * byte)) & (BINS - 1)).to("i64")

        with f.when(((differ.get() >> (8 * byte)) & (BINS - 1)).ne(0)):
            old, new = (keys.get(), marks.get()), (spare_keys.get(), spare_marks.get())
            with f.loop(0, BINS) as i:
                f.store(f.value("i32", 0), own.bins, i)
            with f.loop(0, size) as i:
                at = bin_of(f.load(word, old[0], i))
                f.store(f.load("i32", own.bins, at) + 1, own.bins, at)
            total = f.variable("i32", 0)
            with f.loop(0, BINS) as i:
                count = f.load("i32", own.bins, i)
                f.store(total.get(), own.bins, i)
                total.set(total.get() + count)
            with f.loop(0, size) as i:
                key, mark = f.load(word, old[0], i), f.load("i32", old[1], i)
                at = bin_of(key)
                to = f.load("i32", own.bins, at)
                f.store(to + 1, own.bins, at)
                f.store(key, new[0], to.to("i64"))
                f.store(mark, new[1], to.to("i64"))
            for variable, value in zip((keys, marks, spare_keys, spare_marks), (*new, *old),
                                       strict=True):  # fmt: skip
                variable.set(value)


def _top(
    made: Module, type: str, word: str, width: int, exchanges: Exchanges
) -> None:  # fmt: skip
    """The least keys of each row as a partial sort or a selection leaves them; `exact` where they
    are wanted in order.
    """

    def body(own: _Row, row: Value) -> None:
        f, size, count = own.f, own.size, own.get["count"]
        pair = own.keys[0], own.marks[0]
        k = f.fresh()
        f.branch((count * FEW).le(size), f"heap{k}", f"select{k}")
        f.label(f"heap{k}")
        own.fill(count)
        f.call(exchanges.heapify, "void", *pair, f.index(0), count)
        with f.loop(count, size) as i:
            key = own.key(f.load(type, own.x, i))
            with f.when(key.lt(f.load(word, pair[0]))):
                zero = f.index(0)
                f.call(exchanges.sink, "void", *pair, zero, zero, count, key, i.to("i32"))
        f.call(exchanges.unheap, "void", *pair, f.index(0), count)
        f.jump(f"found{k}")
        f.label(f"select{k}")
        own.fill(size)
        f.call(exchanges.select, "void", *pair, size, count - 1)
        with f.when(own.get["exact"].ne(0)):
            f.call(exchanges.sort, "void", *pair, count - 1)
        f.label(f"found{k}")
        own.give(row, count, own.marks[0])

    _each_row(made, "top", type, word, width, body)


def _kth(
    made: Module, type: str, word: str, width: int, exchanges: Exchanges
) -> None:  # fmt: skip
    """The place of each row's k-th key as Hoare's selection finds it."""

    def body(own: _Row, row: Value) -> None:
        f = own.f
        own.fill(own.size)
        place = f.call(
            exchanges.hoare, "i32", own.keys[0], own.marks[0], own.size, own.get["count"]
        )
        f.store(place.to("i64"), pointer(f, own.get["places"]), row)

    _each_row(made, "kth", type, word, width, body)


_kernel = Kernel(module, TYPES)


def _serves(name: str, rows: Any) -> bool:
    """Whether code serves rows (R, size): contiguous, of a dtype it knows, with elements."""
    return (
        rows.dtype in TYPES
        and rows.flags.c_contiguous
        and 0 < rows.size
        and rows.shape[1] < 1 << 31
        and _kernel.ready(rows.dtype, name)
    )


def _run(
    name: str, rows: Any, values: Any, places: Any, count: int, descending: bool, exact: bool
) -> None:
    R, size = rows.shape
    work = rows.size * 8
    room = 4 * BINS + 2 * size * (rows.itemsize + 4) + 64 & -64
    shares = 1 if work < GRAIN else pool.shares_of(work, GRAIN)
    scratch = memory.empty(room * shares, BYTE)
    _kernel.run(
        rows.dtype, name, work, rows, values, places, R, size, count, -int(descending), int(exact),
        scratch, room,
    )  # fmt: skip


def ordered(rows: Any, descending: bool, exact: bool) -> tuple[Any, Any] | None:
    """The values of rows (R, size) in order and the places they come from; None where no code
    serves.

    Args:
        rows: contiguous.
        descending: the largest first; equal elements keep their order all the same.
        exact: equal elements stand as an introsort leaves them.
    """
    if not _serves("ordered", rows):
        return None
    values, places = memory.empty_like(rows), memory.empty(rows.shape, PLACE)
    _run("ordered", rows, values, places, 0, descending, exact)
    return values, places


def top(rows: Any, count: int, largest: bool, in_order: bool) -> tuple[Any, Any] | None:
    """The `count` largest or smallest of rows (R, size) and their places, as a partial sort or a
    selection leaves them; None where no code serves.
    """
    if not count or not _serves("top", rows):
        return None
    shape = (len(rows), count)
    values, places = memory.empty(shape, rows.dtype), memory.empty(shape, PLACE)
    _run("top", rows, values, places, count, largest, in_order)
    return values, places


def kth(rows: Any, k: int) -> Any:
    """The places of the k-th least (from 0) of rows (R, size); None where no code serves."""
    if not _serves("kth", rows):
        return None
    places = np.empty(len(rows), np.int64)
    _run("kth", rows, None, places, k, False, False)
    return places
