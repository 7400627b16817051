"""The smooth activations on ndarrays: sigmoid, softplus, silu, gelu by erf, and gradients.

NumPy has no erf: float32 takes one rational approximation (2e-7), float64 three (1e-16).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "erf",
    "gelu",
    "gelu_backward",
    "gelu_tanh",
    "gelu_tanh_backward",
    "sigmoid",
    "silu",
    "silu_backward",
    "softplus",
    "softplus_backward",
    "softplus_scaled",
]


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``: exp overflows to inf, whose reciprocal is the right 0."""
    e = np.exp(np.negative(x))
    e += x.dtype.type(1)
    return np.reciprocal(e, out=e) if isinstance(e, np.ndarray) else np.reciprocal(e)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x)))


def softplus_scaled(x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``; x itself where ``beta * x > threshold``."""
    t = x.dtype.type
    scaled = x * t(beta)
    return np.where(
        scaled > threshold, x, np.log1p(np.exp(np.minimum(scaled, t(threshold)))) / t(beta)
    )


def softplus_backward(g: Any, x: Any, beta: float, threshold: float) -> Any:
    """Its gradient."""
    scaled = x * g.dtype.type(beta)
    z = np.exp(scaled)
    return np.where(scaled > threshold, g, g * z / (z + 1))


def silu_backward(g: Any, x: Any) -> Any:
    """The gradient of silu."""
    s = sigmoid(x)
    return g * s * (1 + x * (1 - s))


def silu(x: Any) -> Any:
    """``x / (1 + exp(-x))``."""
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":
        return silu(x.astype("f4")).astype(x.dtype)
    e = np.exp(np.negative(x))
    e += x.dtype.type(1)
    return np.divide(x, e)


# erf by Cody's rational approximations, in three ranges, good to 1e-16.
_SMALL = (
    (
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
        1.85777706184603153e-1,
    ),
    (2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
        2.15311535474403846e-8,
    ),
    (
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
_LARGE = (
    (
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
        1.63153871373020978e-2,
    ),
    (
        2.56852019228982242e0,
        1.87295284992346725e0,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)


def _ratio(y: Any, table: Any) -> Any:
    """Numerator over denominator; the numerator's last coefficient is its leading one."""
    up, down = table
    top, bottom = up[-1] * y, y
    for a, b in zip(up[:-2], down[:-1], strict=True):
        top = (top + a) * y
        bottom = (bottom + b) * y
    return (top + up[-2]) / (bottom + down[-1])


def _erf_double(x: Any) -> Any:
    """Reference: Cody, Rational Chebyshev approximations for the error function, 1969."""
    flat = np.abs(x).reshape(-1)
    found = np.empty_like(flat)
    small = flat <= 0.46875
    large = flat > 4.0
    middle = ~(small | large)
    y = flat[small]
    found[small] = y * _ratio(y * y, _SMALL)
    y = flat[middle]
    found[middle] = 1 - np.exp(-y * y) * _ratio(y, _MIDDLE)
    y = np.minimum(flat[large], 30.0)
    z = 1 / (y * y)
    found[large] = 1 - np.exp(-y * y) / y * (1 / math.sqrt(math.pi) - z * _ratio(z, _LARGE))
    found[np.isnan(flat)] = np.nan
    return np.copysign(found.reshape(x.shape), x)


# Coefficients of the (7, 5) rational minimax approximation of erf on [-4, 4] in single precision.
_P = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
_Q = (
    -1.45660718464996e-05,
    -2.13374055278905e-04,
    -1.68282697438203e-03,
    -7.37332916720468e-03,
    -1.42647390514189e-02,
)


def _erf_single(x: Any) -> Any:
    x = np.clip(x, np.float32(-4), np.float32(4))
    y = x * x
    top = np.full_like(y, _P[0])
    for c in _P[1:]:
        top *= y
        top += np.float32(c)
    bottom = np.full_like(y, _Q[0])
    for c in _Q[1:]:
        bottom *= y
        bottom += np.float32(c)
    top *= x
    top /= bottom
    return top


def erf(x: Any) -> Any:
    """The error function of float32 or float64 numbers."""
    x = np.asarray(x)
    return _erf_single(x) if x.dtype == np.float32 else _erf_double(x)


def gelu(x: Any) -> Any:
    """``x * (1 + erf(x / sqrt(2))) / 2``."""
    if x.dtype.itemsize == 2:
        return gelu(x.astype("f4")).astype(x.dtype)
    t = x.dtype.type
    found = erf(x * t(math.sqrt(0.5)))
    found += t(1)
    found *= x * t(0.5)
    return found


def gelu_backward(g: Any, x: Any) -> Any:
    """``g * (Phi(x) + x phi(x))``."""
    if x.dtype.itemsize == 2:
        return gelu_backward(g.astype("f4"), x.astype("f4")).astype(g.dtype)
    t = x.dtype.type
    phi = np.exp(x * x * t(-0.5))
    phi *= x
    phi *= t(1 / math.sqrt(2 * math.pi))
    whole = erf(x * t(math.sqrt(0.5)))
    whole += t(1)
    whole *= t(0.5)
    whole += phi
    whole *= g
    return whole


def gelu_tanh(x: Any) -> Any:
    """``x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2``."""
    if x.dtype.itemsize == 2:
        return gelu_tanh(x.astype("f4")).astype(x.dtype)
    t = x.dtype.type
    inner = np.tanh(t(math.sqrt(2 / math.pi)) * (x + t(0.044715) * x * x * x))
    inner += t(1)
    inner *= x * t(0.5)
    return inner


def gelu_tanh_backward(g: Any, x: Any) -> Any:
    """The gradient of :func:`gelu_tanh`."""
    if x.dtype.itemsize == 2:
        return gelu_tanh_backward(g.astype("f4"), x.astype("f4")).astype(g.dtype)
    t = x.dtype.type
    scale = t(math.sqrt(2 / math.pi))
    square = x * x
    inner = np.tanh(scale * (x + t(0.044715) * square * x))
    slope = scale * (t(1) + t(3 * 0.044715) * square)
    return g * (t(0.5) * (t(1) + inner) + t(0.5) * x * (t(1) - inner * inner) * slope)
