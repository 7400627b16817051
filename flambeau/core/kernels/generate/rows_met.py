"""A matrix of compressed rows times another one: ``out[i] = sum(values[p] * b[columns[p]])`` over
the places p of row i, with `out` in compressed rows too, its columns in order.

A row is summed at its columns' places in a row of zeros, and a bit marks each column that was met
(and a bit each word of bits), so that walking the bits gives the columns in order. After Gustavson,
Two fast algorithms for sparse matrices, 1978. Threads share the rows. Stands on jit and gemm's
helpers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import TYPES
from flambeau.core.kernels.generate.gemm import pointer, share
from flambeau.core.kernels.generate.gemm import words as read_words
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native.launch import GRAIN, launcher

__all__ = ["WORDS", "meet_rows", "module"]

WORDS = (
    "pointers columns values other_pointers other_columns other_values "
    "counts places found starts room each bits tops count top_count"
).split()
ALONE = 1 << 18
"""Products that one more thread is worth."""
PLACES = np.dtype(np.int64)

Rows = tuple[Any, Any, Any]


@contextmanager
def _set_bits(f: Function, place: Value, first: Value) -> Iterator[Value]:
    """For each bit that is set in the word at `place`, which is cleared: `first` and its number."""
    k = f.fresh()
    left = f.variable("i64", f.load("i64", place))
    f.store(f.index(0), place)
    f.label(f"next{k}")
    bits = left.get()
    f.branch(bits.ne(0), f"bit{k}", f"none{k}")
    f.label(f"bit{k}")
    left.set(bits & (bits - 1))
    yield first + f.intrinsic("cttz", bits, f.value("i1", 1))
    f.jump(f"next{k}")
    f.label(f"none{k}")


def module(type: str) -> Module:
    """The function for values of one number type and int64 places."""
    made = Module(f"rows-met-{type}")
    f = made.function("meet_rows", pool.ARGUMENTS)
    get = read_words(f, tuple(WORDS))
    at = {name: pointer(f, get[name]) for name in WORDS[:10]}
    room = f.at(pointer(f, get["room"]), f.argument["thread"] * get["each"], "i8")
    sums, bits, tops = room, f.at(room, get["bits"], "i8"), f.at(room, get["tops"], "i8")
    start, stop = share(f, get["count"])
    place = f.variable("i64", f.load("i64", at["starts"], start))
    with f.loop(start, stop) as i:
        first = place.get()
        from_, to = (f.load("i64", at["pointers"], i + k) for k in (0, 1))
        with f.loop(from_, to) as p:
            row = f.load("i64", at["columns"], p)
            factor = f.load(type, at["values"], p)
            begin, end = (f.load("i64", at["other_pointers"], row + k) for k in (0, 1))
            with f.loop(begin, end) as q:
                column = f.load("i64", at["other_columns"], q)
                term = f.load(type, at["other_values"], q)
                f.store(f.fma(factor, term, f.load(type, sums, column)), sums, column)
                word = column >> 6
                have = f.load("i64", bits, word)
                f.store(have | (f.index(1) << (column & 63)), bits, word)
                with f.when(have.eq(0)):
                    top = word >> 6
                    f.store(f.load("i64", tops, top) | (f.index(1) << (word & 63)), tops, top)
        with (
            f.loop(0, get["top_count"]) as t,
            _set_bits(f, f.at(tops, t, "i64"), t << 6) as word,
            _set_bits(f, f.at(bits, word, "i64"), word << 6) as column,
        ):
            here = place.get()
            f.store(column, at["places"], here)
            f.store(f.load(type, sums, column), at["found"], here)
            f.store(f.value(type, 0), sums, column)
            place.set(here + 1)
        f.store(place.get() - first, at["counts"], i)
    return made


@once
def _function(type: str) -> int | None:
    if not build.available():
        return None
    try:
        return build.load(module(type))["meet_rows"]
    except build.Unavailable:
        return None


def _bounds(a: Rows, b: Rows, n: int, m: int) -> tuple[Any, int]:
    """Where each row of the product begins if all rows are as full as they can be, and the number
    of terms.
    """
    terms = np.zeros(len(a[1]) + 1, np.int64)
    lengths = b[0][1:] - b[0][:-1]
    lengths.take(a[1]).cumsum(out=terms[1:])
    ends: Any = terms.take(a[0])
    if ends[-1] <= m:
        return ends, int(ends[-1])
    starts = np.zeros(n + 1, np.int64)
    np.minimum(ends[1:] - ends[:-1], m).cumsum(out=starts[1:])
    return starts, int(ends[-1])


def meet_rows(a: Rows, b: Rows, n: int, m: int) -> Rows | None:
    """The rows of ``a @ b`` (n, m), where that can be generated: pointers, columns, values.

    Args:
        a, b: int64 pointers and columns, and float32 or float64 values, all contiguous.
    """
    type = TYPES.get(a[2].dtype)
    function = None if type is None else _function(type)
    if type is None or function is None or not (len(a[1]) and len(b[1])):
        return None
    starts, terms = _bounds(a, b, n, m)
    shares = min(pool.limit(), 1 + terms // ALONE, n)
    words = -(-m // 64)
    bits = -(-m * SIZES[type] // 64) * 64
    tops = bits + 8 * words
    each = tops + 8 * -(-words // 64)
    room = np.zeros(shares * each // 8, np.int64)
    pointers = np.zeros(n + 1, np.int64)
    most = int(starts[-1])
    columns, values = memory.empty((most,), PLACES), memory.empty((most,), a[2].dtype)
    given: tuple[Any, ...] = (*a, *b, pointers[1:], columns, values, starts, room)
    given += (each, bits, tops, n, -(-words // 64))
    if shares == 1:
        launcher()(function, min(terms, GRAIN - 1), *given)
        pointers.cumsum(out=pointers)
        kept = pointers[-1]
        if 2 * kept > most:
            return pointers, columns[:kept], values[:kept]
        return pointers, columns[:kept].copy(), values[:kept].copy()
    context = (ctypes.c_int64 * len(WORDS))(
        *(word if isinstance(word, int) else word.ctypes.data for word in given)
    )
    pool.run(function, ctypes.addressof(context), shares)
    pointers.cumsum(out=pointers)
    cuts = [k * n // shares for k in range(shares + 1)]  # as `share` has it
    parts = [
        slice(starts[k], starts[k] + pointers[stop] - pointers[k])
        for k, stop in zip(cuts, cuts[1:], strict=False)
    ]
    columns, values = (np.concatenate([x[part] for part in parts]) for x in (columns, values))
    return pointers, columns, values
