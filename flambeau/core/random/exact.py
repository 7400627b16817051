"""Fused multiply-add on arrays: ``a * b + c`` rounded once, as the compiled laws compute it.

PyTorch's kernels scale uniforms and normals with a fused multiply-add; the last bit shows it.
"""

from typing import Any

import numpy as np

__all__ = ["fma"]

_BLOCK = 32768
_SPLIT = 134217729.0  # 2^27 + 1: Veltkamp's constant splits a float64 into two halves of 26 bits


def fma(a: np.ndarray, b: float, c: float) -> np.ndarray:
    """``a * b + c`` of a vector, with one rounding to its dtype (float32 or float64), anew.

    float32 goes through float64, where the product is exact. float64 adds the rounding errors of
    the product (Dekker) and of the sum (Knuth) back in.

    Reference: T. J. Dekker, A floating-point technique for extending the available precision, 1971.
    """
    if c == 0:
        return a * a.dtype.type(b)
    if a.size > _BLOCK:  # the float64 temporaries stay in cache
        whole = np.empty_like(a)
        for start in range(0, len(a), _BLOCK):
            whole[start : start + _BLOCK] = fma(a[start : start + _BLOCK], b, c)
        return whole
    if a.dtype == np.float32:
        out = a.astype(np.float64)
        out *= b
        out += c
        return out.astype(np.float32)
    b, c = float(b), float(c)
    product = a * b
    if b == 0 or float(np.frexp(abs(b))[0]) == 0.5:  # a power of two: the product is exact
        return product + c
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    total = product + c
    shift = total - product
    lost += (product - (total - shift)) + (c - shift)
    return total + lost


def _halves(x: Any) -> tuple[Any, Any]:
    scaled = x * _SPLIT
    high = scaled - (scaled - x)
    return high, x - high
