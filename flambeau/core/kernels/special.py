"""The error function's family in float64: erf, erfc, erfcx and their inverses, and the normal
distribution's.

Bessel functions are in `special_bessel`, gamma's family in `special_gamma`. Every kernel takes
arrays, computes in
float64 whatever came, and returns the input's dtype. Stands on special_tables and smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from flambeau.core.kernels import smooth
from flambeau.core.kernels import special_tables as table

__all__ = [
    "double",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "horner",
    "log_ndtr",
    "ndtri",
    "no_half",
    "piecewise",
]

Array = Any
BLOCK = 1 << 14
"""Elements computed at once: the intermediates of a block stay in the cache (3 times faster on a
million elements)."""
SQRT_HALF = 0.7071067811865476
TWO_OVER_SQRT_PI = 1.1283791670955126


def double(function: Callable[..., Array]) -> Callable[..., Array]:
    """Let a function of one float64 array take any floating dtype and any size, block by block."""

    @wraps(function)
    def kernel(x: Array, *parameters: Any) -> Array:
        return _blocks(lambda part: function(part.astype(np.float64), *parameters), x)

    return kernel


def _blocks(function: Callable[[Array], Array], x: Array) -> Array:
    """A function of one array, computed block by block into the input's dtype."""
    if x.size <= BLOCK:
        return np.asarray(function(np.asarray(x)), x.dtype)
    found = np.empty_like(x)  # laid out as x is, so both are read in the same order
    flat, filled = x.ravel("K"), found.ravel("K")
    for start in range(0, flat.size, BLOCK):
        part = slice(start, start + BLOCK)
        filled[part] = function(flat[part])
    return found


def no_half(name: str, kernel: Callable[..., Array]) -> Callable[..., Array]:
    """A kernel that PyTorch does not offer for 16-bit floats.

    Raises:
        NotImplementedError: float16 or bfloat16.
    """

    def checked(input: Array, *others: Any) -> Array:
        if input.dtype.itemsize == 2:
            raise NotImplementedError(
                f'"{name}" not implemented for 16-bit floats: convert to float32 first.'
            )
        return kernel(input, *others)

    checked.refuses_halves = True  # type: ignore[attr-defined]
    return checked


def horner(coefficients: tuple[float, ...], t: Array) -> Array:
    """A polynomial, highest power first."""
    found = np.full_like(t, coefficients[0], dtype=np.float64)
    for c in coefficients[1:]:
        found *= t
        found += c
    return found


def piecewise(x: Array, *parts: tuple[Array, Callable[[Array], Array]]) -> Array:
    """Each function on the elements its mask picks; NaN where none does."""
    found = np.full_like(x, np.nan)
    for mask, function in parts:
        if mask.all():
            return function(x)
        if mask.any():
            found[mask] = function(x[mask])
    return found


def _exp_square(x: Array) -> Array:
    """exp(-x^2) without the error of rounding x^2."""
    high = np.rint(x * 32) / 32
    return np.exp(-high * high) * np.exp(-(x - high) * (x + high))


def _erfcx_positive(x: Array) -> Array:
    far = 1 / (x * 1.7724538509055159)
    t = np.where(np.isinf(x), 1.0, (x - 4) / (x + 4))
    return np.where(x > 1e8, far, horner(table.ERFCX, t) / (1 + 2 * x))


def _erfc_positive(x: Array) -> Array:
    return _exp_square(x) * _erfcx_positive(x)


def _erf_small(x: Array) -> Array:
    return x * horner(table.ERF, 2 * x * x - 1)


def _erf(x: Array) -> Array:
    size = np.abs(x)
    return piecewise(
        x,
        (size < 1, _erf_small),
        ((size >= 1) & (size < 6), lambda x: np.copysign(1 - _erfc_positive(np.abs(x)), x)),
        (size >= 6, np.sign),
    )


def _erfc(x: Array) -> Array:
    return piecewise(
        x,
        (np.abs(x) < 0.5, lambda x: 1 - _erf_small(x)),
        ((x >= 0.5) & (x < 28), _erfc_positive),
        (x >= 28, lambda x: np.zeros_like(x)),
        (x <= -0.5, lambda x: 2 - _erfc_positive(np.minimum(-x, 28.0))),
    )


def _erfcx(x: Array) -> Array:
    return piecewise(
        x,
        (x >= 0, _erfcx_positive),
        (x < 0, lambda x: 2 * np.exp(x * x) - _erfcx_positive(-x)),
    )


def _tail(log_q: Array) -> Array:
    """y > 0 with erfc(y) = q for q <= 1/2, from log q: a rational start (Abramowitz and Stegun
    26.2.23), two Halley steps."""
    t = np.sqrt(-2 * (log_q - 0.6931471805599453))
    y = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (
        1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    )
    y *= SQRT_HALF
    for _ in range(3):
        step = (np.exp(y * y + log_q) - _erfcx_positive(y)) / TWO_OVER_SQRT_PI
        y = y - step / (1 + y * step)
    return np.where(np.isneginf(log_q), np.inf, y)


def _erfinv(x: Array) -> Array:
    size = np.abs(x)
    return piecewise(
        x,
        (size <= 0.5, lambda x: x * horner(table.ERFINV, 8 * x * x - 1)),
        ((size > 0.5) & (size <= 1), lambda x: np.copysign(_tail(np.log1p(-np.abs(x))), x)),
    )


def _erfcinv(q: Array) -> Array:
    return piecewise(
        q,
        ((q >= 0) & (q < 0.5), lambda q: _tail(np.log(q))),
        ((q >= 0.5) & (q <= 1.5), lambda q: _erfinv(1 - q)),
        ((q > 1.5) & (q <= 2), lambda q: -_tail(np.log(2 - q))),
    )


def _ndtri(p: Array) -> Array:
    return -1.4142135623730951 * _erfcinv(2 * p)


def _log_ndtr(x: Array) -> Array:
    return piecewise(
        x,
        (x < -1, lambda x: np.log(_erfcx_positive(-x * SQRT_HALF) / 2) - x * x / 2),
        (x >= -1, lambda x: np.log1p(-_erfc(x * SQRT_HALF) / 2)),
    )


_erf_double = double(_erf)


def erf(x: Array) -> Array:
    """The error function: a rational approximation of single precision for float32."""
    return _blocks(smooth.erf, x) if x.dtype == np.float32 else _erf_double(x)


erfc = double(_erfc)
erfcx = double(_erfcx)
erfinv = double(_erfinv)
erfcinv = double(_erfcinv)
ndtri = double(_ndtri)
_log_ndtr_double = double(_log_ndtr)


def log_ndtr(x: Array) -> Array:
    """The logarithm of ndtr. In the left tail a float32 loses in float32 what PyTorch's loses: its
    gradient exponentiates it."""
    found = _log_ndtr_double(x)
    if x.dtype == np.float32:
        left = x < -1
        if left.any():
            t = x[left] * np.float32(SQRT_HALF)
            found[left] = np.log(erfcx(-t) / 2, dtype=np.float64).astype(np.float32) - t * t
    return found
