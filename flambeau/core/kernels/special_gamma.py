"""The gamma function's family in float64: lgamma, digamma, polygamma, Hurwitz's zeta, the
incomplete gamma functions.

Stands on special and special_tables.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.special import _erfc, double, horner, piecewise

__all__ = ["digamma", "igamma", "igammac", "lgamma", "mvlgamma", "polygamma", "slope", "zeta"]

Array = Any
LOG_PI = 1.1447298858494002
HALF_LOG_2PI = 0.9189385332046727
EPSILON = 2.0**-53

BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611
    / 330, 854513 / 138,
    -236364091 / 2730,
)  # fmt: skip
"""B2, B4, ... B24."""
STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:10], 1))[::-1]
DIGAMMA = tuple(b / (2 * k) for k, b in enumerate(BERNOULLI[:8], 1))[::-1]
EULER_MACLAURIN = tuple(b / factorial(2 * k) for k, b in enumerate(BERNOULLI, 1))


def _stirling_rest(x: Array) -> Array:
    """lgamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2) for x >= 8."""
    return horner(STIRLING, 1 / (x * x)) / x


def _lgamma_positive(x: Array) -> Array:
    return piecewise(
        x,
        (x < 1, lambda x: x * (x - 1) * horner(table.LGAMMA_LOW, x - 1) - np.log(x)),
        ((x >= 1) & (x <= 3), lambda x: (x - 1) * (x - 2) * horner(table.LGAMMA_LOW, x - 2) + 0.0),
        ((x > 3) & (x < 8), lambda x: horner(table.LGAMMA_HIGH, (x - 5.5) / 2.5)),
        (
            (x >= 8) & (x < np.inf),
            lambda x: (x - 0.5) * np.log(x) - x + HALF_LOG_2PI + _stirling_rest(x),
        ),
        (x == np.inf, lambda x: x),
    )


def _sin_pi(x: Array) -> Array:
    """sin(pi x), exact zeros at whole numbers."""
    rest = x - 2 * np.rint(x / 2)  # in [-1, 1]
    rest = np.where(np.abs(rest) > 0.5, np.copysign(1.0, rest) - rest, rest)
    return np.sin(np.pi * rest)


def _lgamma(x: Array) -> Array:
    return piecewise(
        x,
        (x > 0, _lgamma_positive),
        ((x <= 0) & (x == np.floor(x)), lambda x: np.full_like(x, np.inf)),
        (
            (x < 0) & (x != np.floor(x)),
            lambda x: LOG_PI - np.log(np.abs(_sin_pi(x))) - _lgamma_positive(1 - x),
        ),
    )


def _digamma_positive(x: Array) -> Array:
    found = np.zeros_like(x)
    for _ in range(10):
        low = x < 10
        if not low.any():
            break
        found -= np.where(low, 1 / x, 0)
        x = x + low
    return found + np.log(x) - 0.5 / x - horner(DIGAMMA, 1 / (x * x)) / (x * x)


def _digamma_reflected(x: Array) -> Array:
    rest = x - np.trunc(x)
    return _digamma_positive(1 - x) - np.pi / np.tan(np.pi * rest)


def _digamma(x: Array) -> Array:
    return piecewise(
        x,
        ((x > 0) & (x < np.inf), _digamma_positive),
        (x == np.inf, lambda x: x),
        (x == 0, lambda x: np.copysign(np.inf, -x)),
        ((x < 0) & (x != np.trunc(x)), _digamma_reflected),
    )


RISES = 23
"""Factors of the last term of PyTorch's form of Euler and Maclaurin's formula."""


def _zeta(s: Array, q: Array) -> Array:
    """Hurwitz's zeta by Euler and Maclaurin's formula after the terms below 9."""
    s, q = np.broadcast_arrays(s, q)
    stop = q == np.floor(q)
    good = (s > 1) & ((q > 0) | ((s == np.floor(s)) & ~stop))
    found = np.where((s == 1) | (~(s < 1) & (q <= 0) & stop), np.inf, np.nan)
    s, a = s[good], q[good].astype(np.float64)
    total = np.zeros_like(a)
    k = 0
    while (more := (a <= 9) | (k < 9)).any():
        total += np.where(more, np.power(a, -s), 0)
        a = a + more
        k += 1
    last = np.power(a, -s)
    total += last * a / (s - 1) + last / 2
    rise, power = s, last / a
    for k, factor in enumerate(EULER_MACLAURIN):
        term = factor * rise * power
        total += np.where(
            np.isfinite(term), term, 0
        )  # for huge s: infinity times a power that is 0
        rise = rise * (s + 2 * k + 1) * (s + 2 * k + 2)
        power = power / (a * a)
    found[good] = total
    return found


NOTHING = 745.2
"""``e`` to less than minus this is 0."""


def _boundless(s: Array, q: Array) -> Array:
    """Where PyTorch's form of that formula has infinity times nothing: the factors of its last term
    and the first power."""
    rise = np.prod([s + j for j in range(RISES)], axis=0)
    return (q > 1) & np.isinf(rise) & (s * np.log(q) > NOTHING)


def zeta(input: Array, other: Array) -> Array:
    """``sum (k + other) ** -input``; inf at its poles, NaN where it is not defined."""
    s, q = np.asarray(input, np.float64), np.asarray(other, np.float64)
    found = np.where(_boundless(s, q), np.nan, _zeta(s, q))
    return np.asarray(found).astype(input.dtype)


def _trigamma_reflected(x: Array) -> Array:
    return (np.pi / np.sin(np.pi * x)) ** 2 - _zeta(np.float64(2), 1 - x)


def slope(n: int) -> float:
    """What zeta of n + 1 is multiplied with in the n-th derivative of digamma."""
    size = float(factorial(n)) if n <= 170 else np.inf
    return size if n % 2 else -size


def _trigamma(x: Array) -> Array:
    return piecewise(
        x,
        ((x > 0.5) & (x < np.inf), lambda x: _zeta(np.float64(2), x)),
        (x <= 0.5, _trigamma_reflected),
        (x == np.inf, np.zeros_like),
    )


def _mvlgamma(x: Array, p: int) -> Array:
    found = np.full(x.shape, p * (p - 1) / 4 * LOG_PI)
    for j in range(p):
        found += _lgamma(x - j / 2)
    return found


UNIFORM, NEAR = 16, 0.3
"""From this `a` on, for x nearer to it than this part of it, Temme's expansion serves."""
CLEAR = 1e5
"""Elsewhere the functions are 0 and 1 for an `a` beyond this, or twice this x."""


def _density(a: Array, x: Array) -> Array:
    """``x^a e^-x / gamma(a + 1)``."""
    return np.exp(a * np.log(x) - x - _lgamma_positive(a + 1))


def _lower_series(a: Array, x: Array) -> Array:
    term = np.ones_like(a)
    total = term.copy()
    below = a
    for _ in range(10_000):
        below = below + 1
        term = term * (x / below)
        total += term
        if not (term > total * EPSILON).any():
            break
    return total * _density(a, x)


def _upper_fraction(a: Array, x: Array) -> Array:
    """Lentz's form of Legendre's continued fraction."""
    tiny = 1e-300
    b = x + 1 - a
    c = np.full_like(x, 1 / tiny)
    d = 1 / b
    h = d
    for k in range(1, 10_000):
        step = -k * (k - a)
        b = b + 2
        d = step * d + b
        d = 1 / np.where(np.abs(d) < tiny, tiny, d)
        c = b + step / c
        c = np.where(np.abs(c) < tiny, tiny, c)
        change = d * c
        h = h * change
        if not (np.abs(change - 1) > 4 * EPSILON).any():
            break
    return h * a * _density(a, x)


def _uniform(a: Array, x: Array) -> Array:
    """The upper function by Temme's expansion: the normal distribution's tail and a correction."""
    mu = (x - a) / a
    half = np.maximum(mu - np.log1p(mu), 0)
    eta = np.copysign(np.sqrt(2 * half), mu)
    series = np.zeros_like(a)
    for row in table.TEMME[::-1]:
        series = series / a + horner(row[::-1], eta)
    return _erfc(eta * np.sqrt(a / 2)) / 2 + np.exp(-a * half) / np.sqrt(2 * np.pi * a) * series


def _incomplete(input: Array, other: Array, upper: bool) -> Array:
    a, x = np.broadcast_arrays(np.asarray(input, np.float64), np.asarray(other, np.float64))
    at_zero, at_infinity = (1.0, 0.0) if upper else (0.0, 1.0)
    found = np.full_like(np.equal(a, x), np.nan, dtype=np.float64)  # laid out as the operands
    allowed = ~((a < 0) | (x < 0))
    found[allowed & (a != 0) & (x == 0)] = at_zero
    found[(a == 0) & (x > 0)] = at_infinity
    found[allowed & ~np.isinf(a) & (x == np.inf)] = at_infinity
    found[(a == np.inf) & allowed & (x != np.inf)] = at_zero
    proper = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    near = proper & (a >= UNIFORM) & (np.abs(x - a) <= NEAR * a)
    low, rest = x <= a + 1, proper & ~near
    clear = rest & ((a > CLEAR) | (x > 2 * CLEAR))
    found[clear] = np.where(low, at_zero, at_infinity)[clear]
    rest &= ~clear
    for mask, function, complement in (
        (near, _uniform, not upper),
        (rest & low, _lower_series, upper),
        (rest & ~low, _upper_fraction, not upper),
    ):
        if mask.any():
            value = function(a[mask], x[mask])
            found[mask] = 1 - value if complement else value
    return found.astype(input.dtype)


def igamma(input: Array, other: Array) -> Array:
    """The regularised lower incomplete gamma function P(input, other)."""
    return _incomplete(input, other, False)


def igammac(input: Array, other: Array) -> Array:
    """The regularised upper incomplete gamma function Q(input, other)."""
    return _incomplete(input, other, True)


lgamma = double(_lgamma)
_digamma_double = double(_digamma)
_trigamma_double = double(_trigamma)
_zeta_double = double(lambda x, s: zeta(np.float64(s), x))
mvlgamma = double(_mvlgamma)


def digamma(x: Array) -> Array:
    """The derivative of lgamma. Left of 0 a float32 is reflected in float32: next to a pole the
    rounding of 1 - x shows."""
    found = _digamma_double(x)
    if x.dtype == np.float32:
        left = (x < 0) & np.isfinite(found)
        if left.any():
            y = x[left]
            turn = np.pi / np.tan(np.pi * (y - np.trunc(y)).astype(np.float64))
            found[left] = _digamma_double(1 - y) - turn.astype(np.float32)
    return found


def polygamma(x: Array, n: int) -> Array:
    """The n-th derivative of digamma; for n = 1 reflected in float32 as digamma is."""
    if n == 0:
        return digamma(x)
    if n > 1:  # zeta is rounded first: nothing times an endless factor is NaN
        found: Array = _zeta_double(x, n + 1) * x.dtype.type(slope(n))
        return found
    found = _trigamma_double(x)
    if x.dtype == np.float32:
        left = (x < 0.5) & np.isfinite(found)
        if left.any():
            y = x[left]
            sine = np.sin(np.float32(np.pi) * y)
            found[left] = np.float32(np.pi) ** 2 / (sine * sine) - _trigamma_double(1 - y)
    return found
