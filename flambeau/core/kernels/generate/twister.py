"""The words of MT19937 and what laws make of them, sixteen at a time: uniforms, masks, normals.

The state is NumPy's own bit generator's, in its place: whoever draws next goes on from there. One
thread draws, in the stream's order. Stands on jit, vectors and the formulas of log.

Reference: M. Matsumoto, T. Nishimura, Mersenne Twister, ACM TOMACS 8 (1998); G. Box, M. Muller, A
note on the generation of random normal deviates, Ann. Math. Stat. 29 (1958).
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.gemm import smaller
from flambeau.core.kernels.generate.vectors import along, read, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, lanes, vector
from flambeau.core.kernels.native.launch import GRAIN, launcher
from flambeau.core.kernels.native.smooth import log

__all__ = ["BLOCK", "draw", "in_module", "pair", "serves", "taking"]

WORDS, MIDDLE = 624, 397
UPPER, LOWER, MATRIX = -(1 << 31), (1 << 31) - 1, 0x9908B0DF - (1 << 32)
CHUNK = 2048
"""Words drawn at a time: they stay in the first cache."""
BLOCK = 16
"""Normals are made in blocks of so many: half of the uniforms are radii, half angles."""

Law = Callable[[Function, Value, Value, Sequence[Value]], None]


def _down(f: Function, x: Value, by: int) -> Value:
    """A word shifted to the right, zeros coming in."""
    return f.emit(x.type, f"lshr {x.type} {x.name}, {f.value(x.type, by).name}")


def module(name: str) -> Module:
    """The function of a law: words (state, out, count, parameters...)."""
    made = Module(f"twister-{name}", vectorize=True)
    in_module(made, name, taking(made))
    return made


def taking(made: Module) -> Function:
    """The function that takes the stream's next words: (state, target, count)."""
    return _take(made, _twist(made))


def in_module(made: Module, name: str, take: Function) -> Function:
    """The function of a law."""
    law, words, count, size = LAWS[name]
    f = made.function(name, pool.ARGUMENTS)
    context = f.argument["context"]
    state, out = f.load("ptr", context), f.load("ptr", context, 1)
    total = f.load("i64", context, 2)
    given = [f.load("i64", context, 3 + k) for k in range(count)]
    room = f.memory("i32", CHUNK)
    each = CHUNK // words
    with f.loop(0, total, each) as start:
        some = smaller(f, total - start, each)
        f.call(take, "void", state, room, some * words)
        place = [start] if not size else []  # of a law that looks at the whole array
        law(f, room, f.at(out, start * size, "i8"), [some, *given, *place])
    return f


def _twist(made: Module) -> Function:
    """The next 624 words of the state."""
    f = made.function("twist", (("ptr", "key"),), internal=True, attributes="noinline")
    key = f.argument["key"]
    width = build.host().lanes(4)

    def turn(k: Value, other: Value, next: Value, type: str) -> None:
        a, b = f.load(type, key, k), f.load(type, key, next)
        y = (a & UPPER) | (b & LOWER)
        odd = (f.value(type, 0) - (b & 1)) & MATRIX
        f.store(f.load(type, key, other) ^ _down(f, y, 1) ^ odd, key, k)

    for first, last, away in (
        (0, WORDS - MIDDLE, MIDDLE),
        (WORDS - MIDDLE, WORDS - 1, MIDDLE - WORDS),
    ):
        whole = first + (last - first) // width * width
        with f.loop(first, whole, width) as k:
            turn(k, k + away, k + 1, vector("i32", width))
        with f.loop(whole, last) as k:
            turn(k, k + away, k + 1, "i32")
    turn(f.index(WORDS - 1), f.index(MIDDLE - 1), f.index(0), "i32")
    return f


def _take(made: Module, twist: Function) -> Function:
    """The next words of the stream, tempered."""
    f = made.function(
        "take", (("ptr", "state"), ("ptr", "out"), ("i64", "count")), internal=True,
        attributes="noinline",
    )  # fmt: skip
    state, count = f.argument["state"], f.argument["count"]
    width = build.host().lanes(4)
    many = vector("i32", width)
    place = f.at(state, WORDS, "i32")
    at, done = f.variable("i64", f.load("i32", place).to("i64")), f.variable("i64", 0)
    f.label("more")
    f.branch(done.get().lt(count), "some", "done")
    f.label("some")
    with f.when(at.get().ge(WORDS)):
        f.call(twist, "void", state)
        at.set(0)
    source, target = f.at(state, at.get(), "i32"), f.at(f.argument["out"], done.get(), "i32")
    turn = f.intrinsic("smin", count - done.get(), f.index(WORDS) - at.get())

    def temper(i: Value, some: Value | None, _: int) -> None:
        y = read(f, many, source, i, some)
        y = y ^ _down(f, y, 11)
        y = y ^ ((y << 7) & (0x9D2C5680 - (1 << 32)))
        y = y ^ ((y << 15) & (0xEFC60000 - (1 << 32)))
        write(f, y ^ _down(f, y, 18), target, i, some)

    along(f, turn, width, temper)
    at.set(at.get() + turn)
    done.set(done.get() + turn)
    f.jump("more")
    f.label("done")
    f.store(at.get().to("i32"), place)
    return f


def _float(f: Function, word: Value) -> Value:
    """The low 24 bits as a number in [0, 1)."""
    return (word & 0xFFFFFF).to(vector("float", lanes(word.type))) * 2.0**-24


def _floats(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    """``u * scale + low``, rounded once."""
    count, scale, low = given[0], *(g.bits("double").to("float") for g in given[1:])
    with f.loop(0, count, independent=True) as i:
        f.store(f.intrinsic("fma", _float(f, f.load("i32", room, i)), scale, low), out, i)


def pair(f: Function, room: Value, i: Value) -> Value:
    """The low 53 bits of two words, the first of which is the high one."""
    mask = 0xFFFFFFFF
    high, low = (f.load("i32", room, i * 2 + k).to("i64") & mask for k in range(2))
    return ((high & ((1 << 21) - 1)) << 32) | low


def _doubles(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    count, scale, low = given[0], *(g.bits("double") for g in given[1:])
    with f.loop(0, count, independent=True) as i:
        u = pair(f, room, i).to("double") * 2.0**-53
        f.store(f.intrinsic("fma", u, scale, low), out, i)


def _below(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    count, bound = given
    with f.loop(0, count, independent=True) as i:
        f.store(pair(f, room, i).lt(bound).to("i8"), out, i)


def _chosen(type: str) -> Law:
    """`kept` where a pair is below the bound, else 0."""

    def law(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
        count, bound, kept = given[0], given[1], given[2].bits("double").to(type)
        with f.loop(0, count, independent=True) as i:
            f.store(f.select(pair(f, room, i).lt(bound), kept, 0.0), out, i)

    return law


def _rest(f: Function, word: Value, span: Value) -> Value:
    """A word modulo a span, both without sign."""
    return f.emit(word.type, f"urem {word.type} {word.name}, {span.name}")


def _integers(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    """A word modulo the span, plus `low`."""
    count, span, low = given
    with f.loop(0, count, independent=True) as i:
        rest = _rest(f, f.load("i32", room, i), span.to("i32")).to("i64") & 0xFFFFFFFF
        f.store(rest + low, out, i)


def _whole(type: str) -> Law:
    """Any whole number of a type from 0 on: of floats those that are exact, up to 2^digits."""

    def law(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
        def number(i: Value) -> Value:
            if type == "float":
                word = f.load("i32", room, i)
                return _rest(f, word, f.value("i32", (1 << 24) + 1)).to(type)
            high, low = (f.load("i32", room, i * 2 + k).to("i64") for k in range(2))
            word = (high << 32) | (low & 0xFFFFFFFF)
            if type == "i64":
                return word & ((1 << 63) - 1)
            return _rest(f, word, f.index((1 << 53) + 1)).to(type)

        with f.loop(0, given[0], independent=True) as i:
            f.store(number(i), out, i)

    return law


def _permuted(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    """Each number changes places with one of those from it on: Fisher and Yates, from the front."""
    count, total, start = given
    with f.loop(0, count) as i:
        here = start + i
        rest = _rest(f, f.load("i32", room, i), (total - here).to("i32")).to("i64") & 0xFFFFFFFF
        there = here + rest
        old = f.load("i64", out, here)
        f.store(f.load("i64", out, there), out, here)
        f.store(old, out, there)


HALF_PI = (1.5703125, 4.837512969970703125e-4, 7.549789948768648e-8)
"""pi/2 in three parts, the first of which are short."""
SIN = (-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)
COS = (4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5)


def _cosine_and_sine(f: Function, angle: Value) -> tuple[Value, Value]:
    """Of angles from 0 to 2 pi, single precision; the coefficients are Cephes'."""
    n = f.intrinsic("rint", angle * (2 / math.pi))
    r = angle
    for part in HALF_PI:
        r = f.fma(n, -part, r)
    square = r * r
    sine = f.fma(f.polynomial(square, SIN) * square, r, r)
    cosine = f.fma(
        f.polynomial(square, COS) * square, square, f.fma(square, -0.5, f.value(r.type, 1.0))
    )
    quarter = n.to(vector("i32", lanes(n.type)))
    odd = (quarter & 1).ne(0)
    a, b = f.select(odd, sine, cosine), f.select(odd, cosine, sine)
    a = f.select(((quarter + 1) & 2).ne(0), -a, a)
    return a, f.select((quarter & 2).ne(0), -b, b)


def _normals(f: Function, room: Value, out: Value, given: Sequence[Value]) -> None:
    """Whole blocks of normals: eight radii with eight angles each."""
    count, scale, mean = given[0], *(g.bits("double").to("float") for g in given[1:])
    half = BLOCK // 2
    with f.loop(0, count, BLOCK) as first:
        words, target = f.at(room, first, "i32"), f.at(out, first, "float")
        with f.loop(0, half, independent=True) as i:
            u = f.value("float", 1.0) - _float(f, f.load("i32", words, i))
            radius = f.intrinsic("sqrt", log(f, u) * -2.0)
            cosine, sine = _cosine_and_sine(
                f, _float(f, f.load("i32", words, i + half)) * (2 * math.pi)
            )
            f.store(f.intrinsic("fma", radius * cosine, scale, mean), target, i)
            f.store(f.intrinsic("fma", radius * sine, scale, mean), target, i + half)


LAWS: dict[str, tuple[Law, int, int, int]] = {
    "floats": (_floats, 1, 2, 4),
    "doubles": (_doubles, 2, 2, 8),
    "below": (_below, 2, 1, 1),
    "chosen_float": (_chosen("float"), 2, 2, 4),
    "chosen_double": (_chosen("double"), 2, 2, 8),
    "normals": (_normals, 1, 2, 4),
    "integers": (_integers, 1, 2, 8),
    "whole_float": (_whole("float"), 1, 0, 4),
    "whole_double": (_whole("double"), 2, 0, 8),
    "whole_i64": (_whole("i64"), 2, 0, 8),
    "permuted": (_permuted, 1, 1, 0),
}
"""By name: the law, the words an element takes, its parameters, an element's bytes; of 0
bytes the law takes the array from its beginning, and the number of the first element."""


def serves() -> bool:
    """Whether there is code, and the machine rounds a product and a sum once."""
    return build.available() and "+fma" in build.host().features and _trusted()


@once
def _function(name: str) -> int | None:
    """Where the law's code begins."""
    if not serves():
        return None
    try:
        return build.load(module(name))[name]
    except build.Unavailable:
        return None


@once
def _trusted() -> bool:
    """Whether NumPy keeps its state as it is read here: 624 words and the next one's place."""
    bits = np.random.MT19937(5)
    bits.random_raw(1000, output=False)
    words = (ctypes.c_uint32 * (WORDS + 1)).from_address(bits.ctypes.state_address)
    state = bits.state["state"]
    return list(words) == [*state["key"].tolist(), state["pos"]]


def draw(name: str, bits: Any, out: Any, *given: Any) -> bool:
    """Fill a contiguous array by a law from a bit generator's stream; whether it was done."""
    function = _function(name)
    if function is None:
        return False
    work = min(out.size, GRAIN - 1)  # one share: the stream has one order
    launcher()(function, work, bits.ctypes.state_address, out, out.size, *given)
    return True
