"""Formulas of sin, cos and tan: short reductions near 0, all digits of 2 / pi for angles far away.

Stands on elementwise and smooth.

Reference: M. Payne, R. Hanek, Radian reduction for trigonometric functions, SIGNUM Newsletter 18
(1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.elementwise import Far, Formula
from flambeau.core.kernels.native.smooth import PI_HIGH, PI_LOW

__all__ = ["ANGLES"]

REACH = {"float": 1e5, "double": float(1 << 30)}
"""Up to here an angle less a multiple of pi keeps its digits by two or three fused steps."""
TERMS = {"float": 6, "double": 10}
"""Of Taylor's series up to a right angle, after the first."""
MASK = (1 << 64) - 1


def _parts(type: str) -> list[float]:
    """pi as numbers of a type, whose sum has their digits together."""
    if type == "double":
        return [PI_HIGH, PI_LOW]
    first = np.float32(math.pi)
    second = np.float32(math.pi - float(first))
    third = np.float32(math.pi - float(first) - float(second))
    return [float(first), float(second), float(third)]


def sine_of_rest(f: Function, x: Value) -> Value:
    """sin up to a right angle."""
    terms = [(-1) ** k / math.factorial(2 * k + 1) for k in range(1, TERMS[x.type] + 1)]
    square = x * x
    return f.fma(f.polynomial(square, terms) * square, x, x)


def cosine_of_rest(f: Function, x: Value) -> Value:
    """cos up to half a right angle."""
    terms = [(-1) ** k / math.factorial(2 * k) for k in range(TERMS[x.type] + 1)]
    return f.polynomial(x * x, terms)


def without_turns(f: Function, x: Value, n: Value, part: float) -> Value:
    """``x - n * part * pi``."""
    for piece in _parts(x.type):
        x = f.fma(n, -piece * part, x)
    return x


def is_odd(f: Function, n: Value) -> Value:
    half = n * 0.5
    return f.intrinsic("rint", half).ne(half)


def sine(f: Function, x: Value) -> Value:
    """sin of an angle within reach."""
    n = f.intrinsic("rint", x * (1 / math.pi))
    found = sine_of_rest(f, without_turns(f, x, n, 1.0))
    found = f.select(is_odd(f, n), -found, found)
    return f.select(x.eq(0), x, found)


def cosine(f: Function, x: Value) -> Value:
    """cos of an angle within reach: the sine a right angle further."""
    n = f.intrinsic("rint", x * (1 / math.pi) - 0.5)
    found = sine_of_rest(f, without_turns(f, x, n + 0.5, 1.0))
    return f.select(is_odd(f, n), found, -found)


def tangent(f: Function, x: Value) -> Value:
    """tan of an angle within reach."""
    n = f.intrinsic("rint", x * (2 / math.pi))
    rest = without_turns(f, x, n, 0.5)
    s, c = sine_of_rest(f, rest), cosine_of_rest(f, rest)
    odd = is_odd(f, n)
    found = f.select(odd, -c, s) / f.select(odd, s, c)
    return f.select(x.eq(0), x, found)


def two_over_pi(words: int) -> list[int]:
    """A word of zeros and the first digits of 2 / pi, 64 to a word; pi by Machin's formula."""
    digits = 64 * words + 64

    def arctangent(inverse: int) -> int:
        term = total = (1 << digits) // inverse
        k, sign = 1, -1
        while term:
            term //= inverse * inverse
            k += 2
            total += sign * (term // k)
            sign = -sign
        return total

    pi = 4 * (4 * arctangent(5) - arctangent(239))
    bits = (2 << (2 * digits)) // pi  # digits of them after the point
    return [0] + [(bits >> (digits - 64 * (k + 1))) & MASK for k in range(words - 1)]


WORDS = 20


def _wide(f: Function, x: Value) -> Value:
    """A word without sign in twice its bits."""
    return f.emit("i128", f"zext i64 {x.name} to i128")


def far_turns(f: Function, x: Value) -> tuple[Value, Value]:
    """The number of right angles modulo 4 in a large positive double, and what is left, up to half
    a right angle.
    """
    room = f.memory("i64", WORDS)
    for k, word in enumerate(two_over_pi(WORDS)):
        f.store(f.index(word - (1 << 64) if word >> 63 else word), room, k)
    bits = x.bits("i64")
    exponent, mantissa = (bits >> 52) & 0x7FF, (bits & ((1 << 52) - 1)) | (1 << 52)
    place = exponent - (1075 - 62)
    first, shift = place >> 6, place & 63
    row = [f.load("i64", room, first + k) for k in range(4)]
    high, middle, low = (f.intrinsic("fshl", row[k], row[k + 1], shift) for k in range(3))
    wide = _wide(f, mantissa)
    total = (_wide(f, mantissa * high) << 64) + wide * _wide(f, middle)
    rest = wide * _wide(f, low)
    total = total + f.emit("i128", f"lshr i128 {rest.name}, 64")
    rounded = total + (1 << 125)
    quarter = f.emit("i128", f"lshr i128 {rounded.name}, 126").to("i64")
    part = total << 2
    upper = (part >> 64).to("i64").to("double") * 2.0**-64
    lower = ((part.to("i64") >> 1) & ((1 << 63) - 1)).to("double") * 2.0**-127
    return quarter, (upper + lower) * (math.pi / 2)


def far(choose: Callable[[Function, Value, Value, Value], Value]) -> Far:
    """A function of any angle, from the sine and the cosine of what is left and the number of right
    angles.
    """

    def formula(f: Function, given: Value) -> Value:
        x = given.to("double")
        quarter, rest = far_turns(f, f.intrinsic("fabs", x))
        negative = x.lt(0)
        rest = f.select(negative, -rest, rest)
        quarter = f.select(negative, -quarter, quarter)
        found = choose(f, sine_of_rest(f, rest), cosine_of_rest(f, rest), quarter)
        size = f.intrinsic("fabs", x)
        return f.select(size.lt(math.inf), found, math.nan).to(given.type)

    return Far(REACH, formula)


def _far_sine(f: Function, s: Value, c: Value, quarter: Value) -> Value:
    found = f.select((quarter & 1).ne(0), c, s)
    return f.select((quarter & 2).ne(0), -found, found)


def _far_cosine(f: Function, s: Value, c: Value, quarter: Value) -> Value:
    return _far_sine(f, s, c, quarter + 1)


def _far_tangent(f: Function, s: Value, c: Value, quarter: Value) -> Value:
    odd = (quarter & 1).ne(0)
    return f.select(odd, -c, s) / f.select(odd, s, c)


ANGLES: dict[str, Formula] = {
    "sin": Formula(sine, 1, far=far(_far_sine)),
    "cos": Formula(cosine, 1, far=far(_far_cosine)),
    "tan": Formula(tangent, 1, far=far(_far_tangent)),
}
