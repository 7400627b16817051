"""The in-place sums optimizers are written in, with PyTorch's roundings.

Arrays are flat and of one dtype; `s` is scratch of the same length. In float32, PyTorch's default,
PyTorch rounds a product and the sum it goes into once (fma): so does the native form, which is one
pass. Other dtypes take NumPy's passes, without temporaries. Stands on NumPy and kernels.native.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.native.choose import lazily
from flambeau.core.kernels.native.elementwise import Formula

__all__ = ["Array", "add_scaled", "addcdiv", "addcmul", "lerp"]

Array = np.ndarray[Any, Any]

_SINGLE = np.dtype("f4")


def _native(name: str, write: Any, numpy_form: Any, forms: str) -> Any:
    """A function of float32 arrays, numbers and, last, the array to write. In an update that is
    being made into a loop, that array takes what `write` says itself.
    """
    native = lazily(name, numpy_form, Formula(write, len(forms), ("float",), forms=(forms,)))

    def call(*given: Any) -> None:
        target = given[-1]
        if type(target) is np.ndarray:
            native(*given)
        else:
            target.write(write, given[:-1])

    return call


_add_scaled = _native(
    "add_scaled",
    lambda f, x, y, alpha: f.fma(y, alpha, x),
    lambda x, y, alpha, out: np.add(x, y * alpha, out=out),
    "vvs",
)
_lerp_low = _native(
    "lerp_low",
    lambda f, x, end, weight: f.fma(end - x, weight, x),
    lambda x, end, weight, out: np.add(x, (end - x) * weight, out=out),
    "vvs",
)
_lerp_high = _native(
    "lerp_high",
    lambda f, x, end, weight: f.fma(x - end, f.value(x.type, 1.0) - weight, end),
    lambda x, end, weight, out: np.add(
        end, (x - end) * (np.float32(1) - np.float32(weight)), out=out
    ),
    "vvs",
)
_addcmul = _native(
    "addcmul_scaled",
    lambda f, x, a, b, value: f.fma(a * value, b, x),
    lambda x, a, b, value, out: np.add(x, a * value * b, out=out),
    "vvvs",
)
_addcdiv = _native(
    "addcdiv_scaled",
    lambda f, x, a, b, value: x + a * value / b,
    lambda x, a, b, value, out: np.add(x, a * value / b, out=out),
    "vvvs",
)


def add_scaled(x: Array, y: Array, alpha: Any, s: Array) -> None:
    """``x += alpha * y``"""
    if x.dtype is _SINGLE:
        _add_scaled(x, y, alpha, x)
        return
    np.multiply(y, alpha, out=s)
    np.add(x, s, out=x)


def lerp(x: Array, end: Array, weight: Any, s: Array) -> None:
    """``x += weight * (end - x)``, computed from the nearer side as PyTorch does."""
    if x.dtype is _SINGLE:
        if weight < 0.5:
            _lerp_low(x, end, weight, x)
        else:
            _lerp_high(x, end, weight, x)
        return
    np.subtract(end, x, out=s)
    if weight < 0.5:
        np.multiply(s, weight, out=s)
        np.add(x, s, out=x)
    else:
        np.multiply(s, 1 - weight, out=s)
        np.subtract(end, s, out=x)


def addcmul(x: Array, a: Array, b: Array, value: Any, s: Array) -> None:
    """``x += value * a * b``"""
    if x.dtype is _SINGLE:
        _addcmul(x, a, b, value, x)
        return
    np.multiply(a, value, out=s)
    np.multiply(s, b, out=s)
    np.add(x, s, out=x)


def addcdiv(x: Array, a: Array, b: Array, value: Any, s: Array) -> None:
    """``x += value * a / b``"""
    if x.dtype is _SINGLE:
        _addcdiv(x, a, b, value, x)
        return
    np.multiply(a, value, out=s)
    np.divide(s, b, out=s)
    np.add(x, s, out=x)
