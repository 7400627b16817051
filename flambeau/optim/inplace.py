"""The in-place sums optimizers are written in: each one call per NumPy pass, no temporaries,
PyTorch's order of roundings.

Arrays are flat and of one dtype; `s` is scratch of the same length. Stands on NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Array", "add_scaled", "addcdiv", "addcmul", "lerp"]

Array = np.ndarray[Any, Any]


def add_scaled(x: Array, y: Array, alpha: Any, s: Array) -> None:
    """``x += alpha * y``"""
    np.multiply(y, alpha, out=s)
    np.add(x, s, out=x)


def lerp(x: Array, end: Array, weight: Any, s: Array) -> None:
    """``x += weight * (end - x)``, computed from the nearer side as PyTorch does."""
    np.subtract(end, x, out=s)
    if weight < 0.5:
        np.multiply(s, weight, out=s)
        np.add(x, s, out=x)
    else:
        np.multiply(s, 1 - weight, out=s)
        np.subtract(end, s, out=x)


def addcmul(x: Array, a: Array, b: Array, value: Any, s: Array) -> None:
    """``x += value * a * b``"""
    np.multiply(a, value, out=s)
    np.multiply(s, b, out=s)
    np.add(x, s, out=x)


def addcdiv(x: Array, a: Array, b: Array, value: Any, s: Array) -> None:
    """``x += value * a / b``"""
    np.multiply(a, value, out=s)
    np.divide(s, b, out=s)
    np.add(x, s, out=x)
