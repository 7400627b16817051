"""Lengths of Fourier transforms: their primes, the radices of their passes, the convolutions that
stand for those with large primes, and roots of one. Plans are made of them in fft_plans.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["LARGEST", "factors", "radices", "smooth", "turns"]

LARGEST = 31
"""The largest prime whose transform is held in registers."""
MOST = 16
"""The largest radix that is composed of several primes."""
CONVOLUTIONS = 12
"""Lengths that are looked at for a convolution."""


def turns(j: Any, n: int, exactly: bool = True) -> tuple[Any, Any]:
    """The real and imaginary part of ``exp(-2 pi i j / n)``, by the nearest eighth of a turn."""
    j = np.asarray(j, np.int64) % n
    eighth = 8 * j // n
    # Eighths 1, 2, 5, 6 are mirrored at the diagonal: what is left is at most an eighth of a turn.
    quarter = (eighth + 1) // 2
    left = (4 * j - quarter * n).astype(np.longdouble if exactly else np.float64)
    angle = left * (np.longdouble(2) * _PI / (4 * n) if exactly else 2 * np.pi / (4 * n))
    c, s = np.cos(angle).astype("f8"), np.sin(angle).astype("f8")
    quarter %= 4
    re = np.choose(quarter, (c, -s, -c, s))
    im = np.choose(quarter, (s, c, -s, -c))
    return re, -im


_PI = np.arctan(np.longdouble(1)) * 4


def factors(n: int) -> list[int]:
    """The primes that n is made of, in rising order."""
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found + ([n] if n > 1 else [])


def _cost(r: int) -> float:
    """About what a pass of radix r costs a number: memory, and the arithmetic."""
    primes = factors(r)
    return 1.5 + sum(0.5 if p == 2 else 0.35 * p for p in primes) + (0.6 if r > 8 else 0)


def radices(n: int, width: int, row: bool) -> tuple[int, ...]:
    """The radices of a transform's passes; the first of a row fills the registers of the others.
    Empty where n is 1, or has a larger prime than there are passes for.
    """
    return _passes(n, width, row)[1]


@lru_cache(maxsize=256)
def _passes(n: int, width: int, row: bool) -> tuple[float, tuple[int, ...]]:
    """The radices that cost least, and about what they cost a number."""
    parts = [r for r in range(2, LARGEST + 1) if n % r == 0 and (r <= MOST or factors(r) == [r])]

    @once
    def best(left: int, run: int) -> tuple[float, tuple[int, ...]]:
        if left == 1:
            return 0.0, ()
        waste = 1.0 if not row or run == 1 else -(-run // width) * width / run
        found: tuple[float, tuple[int, ...]] = (float("inf"), ())
        for r in parts:
            if left % r == 0:
                more, rest = best(left // r, run * r)
                if row and run == 1:
                    m = n // r
                    waste = -(-m // width) * width / m
                found = min(found, (_cost(r) * waste + more, (r, *rest)))
        return found

    return best(n, 1)


@lru_cache(maxsize=256)
def smooth(n: int, row: bool, width: int) -> int:
    """The length of the convolution that a transform of n becomes: of the first ones that are long
    enough and made of small primes, the one that takes least.
    """
    step = width if row else 2
    size = -(-(2 * n - 1) // step) * step
    found: list[int] = []
    while len(found) < CONVOLUTIONS:
        if max(factors(size)) <= 7:
            found.append(size)
        size += step
    return min(found, key=lambda size: (2 + _passes(size, width, row)[0]) * size)
