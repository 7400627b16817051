"""Arithmetic of complex numbers as PyTorch's compiled code does it, where NumPy treats
infinities and NaNs otherwise: sums scaled by alpha, powers by logarithms. Stands on NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["added", "joined", "log1p", "logaddexp", "power", "subtracted"]


def joined(real: Any, imag: Any) -> Any:
    """``real + 1j * imag`` without arithmetic: infinities stay in their part."""
    found = np.empty(np.shape(real), np.result_type(real, np.complex64))
    found.real, found.imag = real, imag
    return found


def _alone(x: Any) -> Any:
    """``alpha * x`` for the alpha of 1 that every sum has: an infinite part makes the other NaN."""
    return x * x.dtype.type(1) if hasattr(x, "dtype") else complex(x) * (1 + 0j)


def added(a: Any, b: Any) -> Any:
    """``a + 1 * b``."""
    return a + _alone(b)


def subtracted(a: Any, b: Any) -> Any:
    """``a - 1 * b``."""
    return a - _alone(b)


def power(a: Any, b: Any) -> Any:
    """``exp(b * log(a))``, also of 0, to the power of 0, and of infinities and NaNs, for which
    NumPy has answers of its own.
    """
    found = np.asarray(np.power(a, b))
    own = (a == 0) | (b == 0) | ~np.isfinite(a) | ~np.isfinite(b)
    if own.any():
        a, b = (np.broadcast_to(x, found.shape)[own] for x in (a, b))
        found[own] = np.exp(_product(b, np.log(a)))
    return found


def log1p(a: Any) -> Any:
    """``log(1 + a)``; a NaN in either part is one in both."""
    found = np.log1p(a)
    return np.where(np.isnan(a), _NAN.astype(found.dtype), found)


def logaddexp(a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))``, the larger real part taken out unless both are infinite."""
    swap = a.real < b.real
    high, low = np.where(swap, b, a), np.where(swap, a, b)
    found = high + np.log1p(np.exp(low - high))
    tie = np.isinf(high.real) & (high.real == low.real)
    if tie.any():
        both = np.where(high.real > 0, np.log(np.exp(low) + np.exp(high)), low)
        found = np.where(tie, both, found)
    return np.where(np.isnan(a) | np.isnan(b), _NAN.astype(found.dtype), found)


_NAN = np.array(complex("nan+nanj"))


def _product(a: Any, b: Any) -> Any:
    """``a * b`` as C defines it (Annex G): an infinity times what is not 0 is one, whatever NaNs
    the four products made.
    """
    found = np.asarray(a * b)
    lost = np.isnan(found.real) & np.isnan(found.imag)
    if not lost.any():
        return found
    a, b = (np.broadcast_to(x, found.shape)[lost] for x in (a, b))
    infinite = [np.isinf(x) for x in (a, b)]
    products = [x * y for x in (a.real, a.imag) for y in (b.real, b.imag)]
    over = np.logical_or.reduce([np.isinf(p) for p in products])
    again = infinite[0] | infinite[1] | over
    parts = []
    for x, own, others in ((a, *infinite), (b, *infinite[::-1])):
        loose = others | (over & ~own)
        for part in (x.real, x.imag):
            boxed = np.copysign(np.isinf(part).astype(part.dtype), part)
            cleared = np.where(loose & np.isnan(part), np.copysign(0, part), part)
            parts.append(np.where(own, boxed, cleared))
    ar, ai, br, bi = parts
    real = np.where(again, np.inf * (ar * br - ai * bi), found[lost].real)
    imag = np.where(again, np.inf * (ar * bi + ai * br), found[lost].imag)
    found[lost] = joined(real, imag)
    return found
