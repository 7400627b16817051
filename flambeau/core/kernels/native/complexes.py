"""The formulas of complex numbers: pairs of values, as they lie in memory side by side.

They are written out in products and sums, each rounded, as PyTorch's vector code has them. Loops
over them become vectors as those over numbers do. Stands on jit and narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels.jit.ir import Function, Value

__all__ = ["COMPLEX", "DTYPES", "FORMULAS", "Pair", "load", "store"]

COMPLEX = {"c8": "float", "c16": "double"}
"""Complex types, and what their parts are."""
DTYPES = tuple(np.dtype(type) for type in COMPLEX)


class Pair:
    """A complex number of the code under construction."""

    __slots__ = ("im", "re")

    def __init__(self, re: Value, im: Value) -> None:
        self.re, self.im = re, im

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Pair) -> Pair:
        return Pair(self.re - other.re, self.im - other.im)

    def __mul__(self, other: Pair) -> Pair:
        return Pair(
            self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        )

    def __neg__(self) -> Pair:
        return Pair(-self.re, -self.im)


def load(f: Function, type: str, place: Value, i: Any) -> Pair:
    """The complex number at `i`."""
    part = COMPLEX[type]
    at = f.index(i) * 2
    return Pair(f.load(part, place, at), f.load(part, place, at + 1))


def store(f: Function, x: Pair, place: Value, i: Any) -> None:
    """Write the complex number at `i`."""
    at = f.index(i) * 2
    f.store(x.re, place, at)
    f.store(x.im, place, at + 1)


def _alone(x: Pair) -> Pair:
    """``alpha * x`` for the alpha of 1 that every sum has: an infinite part makes the other NaN."""
    return Pair(x.re - x.im * 0.0, x.re * 0.0 + x.im)


def reciprocal(f: Function, x: Pair) -> Pair:
    """``1 / x``: the smaller part over the larger one first, so that no square is formed; of 0 an
    infinity and a NaN.

    Reference: R. Smith, Algorithm 116: Complex division, 1962.
    """
    sizes = [f.intrinsic("fabs", part) for part in (x.re, x.im)]
    wide = sizes[0].ge(sizes[1])
    large, small = f.select(wide, x.re, x.im), f.select(wide, x.im, x.re)
    ratio = small / large
    scale = f.value(ratio.type, 1.0) / f.fma(small, ratio, large)
    part = ratio * scale
    none = sizes[0].eq(0.0) & sizes[1].eq(0.0)
    return Pair(
        f.select(none, f.value(part.type, math.inf), f.select(wide, scale, part)),
        f.select(wide, -part, -scale),
    )


FORMULAS: dict[str, Callable[..., Any]] = {
    "add": lambda f, a, b: a + _alone(b),
    "sub": lambda f, a, b: a - _alone(b),
    "mul": lambda f, a, b: a * b,
    "neg": lambda f, x: -x,
    "reciprocal": reciprocal,
    "square": lambda f, x: x * x,
    "eq": lambda f, a, b: a.re.eq(b.re) & a.im.eq(b.im),
    "ne": lambda f, a, b: a.re.ne(b.re) | a.im.ne(b.im),
}
"""By the names of the formulas of real numbers."""
