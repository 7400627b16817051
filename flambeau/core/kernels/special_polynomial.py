"""Orthogonal polynomials by their three-term recurrences, all degrees of an array at once, in the
array's own dtype.

Stands on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "chebyshev_t", "chebyshev_u", "chebyshev_v", "chebyshev_w", "hermite_h", "hermite_he",
    "laguerre_l", "legendre_p", "shifted",
]  # fmt: skip

Array = Any
_LOOK = 16
"""Steps from one look for an early end to the next."""
Step = Callable[[int, Array, Array, Array], Array]


def _degree(n: Array) -> Array:
    """Whole degrees; what no 64 bits hold is negative, as it is after C's conversion."""
    n = np.trunc(n)
    return np.where(np.abs(n) < 2.0**63, n, n.dtype.type(-1))


def _climb(x: Array, n: Array, first: Array, step: Step) -> Array:
    """Degree `n` of the family with p0 = 1, p1 = first and p(k + 1) = step(k, x, p(k), p(k - 1));
    0 for n < 0. What has become NaN stays so: a degree of billions costs no billion steps.
    """
    x, n, first = np.broadcast_arrays(x, n, first)
    n = _degree(n)
    found = np.where(n == 0, x.dtype.type(1), x.dtype.type(0))
    before, now = np.ones_like(x), first
    found = np.where(n == 1, now, found)
    top = int(np.max(n, initial=0))
    for k in range(1, top):
        before, now = now, step(k, x, now, before)
        found = np.where(n == k + 1, now, found)
        if k % _LOOK == 0:
            higher = n > k + 1
            if np.isnan(now, where=higher, out=np.ones_like(higher)).all():
                return np.where(higher, now, found)
    return found


def _less(a: Array, b: Array, c: Array) -> Array:
    """``a * b - c`` with one rounding in float32: PyTorch's compiler fuses the two, and the
    recurrences magnify it."""
    if a.dtype == np.float32:
        return (a.astype(np.float64) * b - c).astype(np.float32)
    return a * b - c


def _double_step(k: int, x: Array, now: Array, before: Array) -> Array:
    return _less(x + x, now, before)


def _chebyshev(
    x: Array,
    n: Array,
    first: Array,
    at_one: Any,
    at_minus_one: Any,
    many: int,
    cosine: Callable[[Array, Array], Array],
) -> Array:
    """A Chebyshev family: its ends, the trigonometric form beyond degree `many`, and the
    recurrence."""
    x, n = np.broadcast_arrays(x, n)
    n = _degree(n)
    inside = (n > many) & (np.abs(x) < 1)
    end = (np.abs(x) == 1) & (n >= 0)
    found = _climb(x, np.where(inside | end, 0, n), first, _double_step)
    found = np.where(inside, cosine(np.arccos(np.where(inside, x, 0)), n), found)
    even = n % 2 == 0
    value = np.where(x > 0, at_one(n), np.where(even, 1, -1) * at_minus_one(n))
    return np.where(end, value, found).astype(x.dtype)


def _one(n: Array) -> Array:
    return np.ones_like(n)


def _odd(n: Array) -> Array:
    return n + n + 1


def chebyshev_t(x: Array, n: Array) -> Array:
    """The first kind: ``cos(n acos x)``."""
    return _chebyshev(x, n, x, _one, _one, 6, lambda angle, n: np.cos(n * angle))


def chebyshev_u(x: Array, n: Array) -> Array:
    """The second kind: ``sin((n + 1) a) / sin a`` with ``a = acos x``."""
    return _chebyshev(
        x,
        n,
        x + x,
        lambda n: n + 1,
        lambda n: n + 1,
        8,
        lambda angle, n: np.sin((n + 1) * angle) / np.sin(angle),
    )


def chebyshev_v(x: Array, n: Array) -> Array:
    """The third kind: ``cos((n + 1/2) a) / cos(a / 2)``."""
    half = x.dtype.type(0.5)
    return _chebyshev(
        x,
        n,
        x + x - 1,
        _one,
        _odd,
        8,
        lambda angle, n: np.cos((n + half) * angle) / np.cos(angle / 2),
    )


def chebyshev_w(x: Array, n: Array) -> Array:
    """The fourth kind: ``sin((n + 1/2) a) / sin(a / 2)``."""
    half = x.dtype.type(0.5)
    return _chebyshev(
        x,
        n,
        x + x + 1,
        _odd,
        _one,
        8,
        lambda angle, n: np.sin((n + half) * angle) / np.sin(angle / 2),
    )


def shifted(family: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The family on [0, 1]: at ``2 x - 1``."""
    return lambda x, n: family(x + x - 1, n)


def hermite_h(x: Array, n: Array) -> Array:
    """The physicists' Hermite polynomial."""
    return _climb(x, n, x + x, lambda k, x, now, before: _less(x + x, now, 2 * k * before))


def hermite_he(x: Array, n: Array) -> Array:
    """The probabilists' Hermite polynomial."""
    return _climb(x, n, x, lambda k, x, now, before: _less(x, now, k * before))


def laguerre_l(x: Array, n: Array) -> Array:
    """The Laguerre polynomial."""
    return _climb(
        x, n, 1 - x, lambda k, x, now, before: _less(2 * k + (1 - x), now, k * before) / (k + 1)
    )


def legendre_p(x: Array, n: Array) -> Array:
    """The Legendre polynomial."""
    return _climb(
        x, n, x, lambda k, x, now, before: _less((2 * k + 1) * x, now, k * before) / (k + 1)
    )
