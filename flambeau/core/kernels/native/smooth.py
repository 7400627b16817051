"""Formulas of log, erf, sin and what is made of them.

erf takes the approximations of the NumPy forms in ``kernels/smooth``, whose tables it reads.
Stands on formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flambeau.core.kernels import smooth as numpy_forms
from flambeau.core.kernels.jit.ir import Function, Value, element, lanes, vector
from flambeau.core.kernels.native.elementwise import FLOATS, Formula
from flambeau.core.kernels.native.formulas import BIAS, SHIFT, WORD, exp, sigmoid

__all__ = ["SMOOTH", "any_sine", "erf", "log", "log1p", "sine"]

ROOT_HALF = {"float": 0x3F3504F3, "double": 0x3FE6A09E667F3BCD}
"""The bits of the square root of 1/2."""
ONE = {"float": 0x3F800000, "double": 0x3FF0000000000000}
LEAST_NORMAL = {"float": 2.0**-126, "double": 2.0**-1022}
DIGITS = {"float": 25, "double": 54}
"""A power of two that makes the smallest number a normal one."""
TERMS = {"float": 5, "double": 11}
PI_HIGH, PI_LOW = math.pi, 1.2246467991473532e-16
"""pi and what it lacks."""
LN2_HIGH = {"float": 0.693145751953125, "double": 6.93147180369123816490e-1}
LN2_LOW = {"float": 1.42860682030941723212e-6, "double": 1.90821492927058770002e-10}


def log(f: Function, x: Value) -> Value:
    """``ln x``: the exponent times ln 2, and the series of artanh for what lies around 1."""
    type = element(x.type)
    word, shift = vector(WORD[type], lanes(x.type)), SHIFT[type]
    small = x.lt(LEAST_NORMAL[type])
    normal = f.select(small, x * 2.0 ** DIGITS[type], x)
    bits = normal.bits(word) + (ONE[type] - ROOT_HALF[type])
    exponent = (bits >> shift) - BIAS[type] - f.select(small, f.value(word, DIGITS[type]), 0)
    n = exponent.to(x.type)
    rest = ((bits & ((1 << shift) - 1)) + ROOT_HALF[type]).bits(x.type) - 1.0
    s = rest / (rest + 2.0)
    z = s * s
    series = f.polynomial(z, [2 / (2 * k + 3) for k in range(TERMS[type])]) * z
    half = rest * rest * 0.5
    # ln(1 + r) = r - (r^2/2 - s (r^2/2 + series)): what is large comes in exactly.
    tail = f.fma(s, half + series, n * LN2_LOW[type])
    found = f.fma(n, LN2_HIGH[type], rest - (half - tail))
    found = f.select(x.eq(0), -math.inf, found)
    found = f.select(x.lt(0), math.nan, found)
    return f.select(x.eq(math.inf) | x.isnan(), x, found)


def log1p(f: Function, x: Value) -> Value:
    """``ln(1 + x)``, with what rounding took from 1 + x put back."""
    whole = x + 1.0
    found = log(f, whole) + (x - (whole - 1.0)) / whole
    found = f.select(whole.eq(0) | whole.eq(math.inf), log(f, whole), found)
    return f.select(whole.eq(1), x, found)


def _ratio(f: Function, y: Value, table: tuple[Sequence[float], Sequence[float]]) -> Value:
    up, down = table
    top, bottom = y * up[-1], y
    for a, b in zip(up[:-2], down[:-1], strict=True):
        top, bottom = (top + a) * y, (bottom + b) * y
    return (top + up[-2]) / (bottom + down[-1])


def _minimum(f: Function, x: Value, y: float) -> Value:
    return f.select(x.gt(y), y, x)


def erf(f: Function, x: Value) -> Value:
    """The error function: one rational approximation in single precision, three in double."""
    type = element(x.type)
    if type == "float":
        near = _minimum(f, x, 4.0)
        near = f.select(near.lt(-4.0), -4.0, near)
        y = near * near
        return f.polynomial(y, numpy_forms._P[::-1]) * near / f.polynomial(y, numpy_forms._Q[::-1])
    y = f.intrinsic("fabs", x)
    small = y * _ratio(f, y * y, numpy_forms._SMALL)
    bell = exp(f, -(y * y))
    middle = f.value(type, 1.0) - bell * _ratio(f, y, numpy_forms._MIDDLE)
    far = _minimum(f, y, 30.0)
    z = f.value(type, 1.0) / (far * far)
    large = f.value(type, 1 / math.sqrt(math.pi)) - z * _ratio(f, z, numpy_forms._LARGE)
    large = f.value(type, 1.0) - exp(f, -(far * far)) / far * large
    found = f.select(y.le(0.46875), small, f.select(y.le(4.0), middle, large))
    return f.select(x.isnan(), x, f.intrinsic("copysign", found, x))


def normal_below(f: Function, x: Value) -> Value:
    """The normal distribution's Phi."""
    return f.fma(erf(f, x * math.sqrt(0.5)), 0.5, f.value(x.type, 0.5))


def gelu(f: Function, x: Value) -> Value:
    """``x * Phi(x)``."""
    return x * normal_below(f, x)


def gelu_backward(f: Function, g: Value, x: Value) -> Value:
    """``g * (Phi(x) + x * density(x))``."""
    density = exp(f, x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (normal_below(f, x) + x * density)


def softplus(f: Function, x: Value, beta: Value, threshold: Value) -> Value:
    """``ln(1 + e^(beta x)) / beta``, `x` beyond the threshold."""
    scaled = x * beta
    found = log1p(f, exp(f, scaled)) / beta
    return f.select(scaled.gt(threshold), x, found)


def softplus_backward(f: Function, g: Value, x: Value, beta: Value, threshold: Value) -> Value:
    """``g sigmoid(beta x)``, `g` beyond the threshold."""
    scaled = x * beta
    return f.select(scaled.gt(threshold), g, g * sigmoid(f, scaled))


def leaky_relu(f: Function, x: Value, slope: Value) -> Value:
    """``x``, times `slope` where it is not positive."""
    return f.select(x.gt(0), x, x * slope)


def leaky_relu_backward(f: Function, g: Value, x: Value, slope: Value) -> Value:
    """``g``, times `slope` where `x` was not positive."""
    return f.select(x.gt(0), g, g * slope)


def sine(f: Function, x: Value) -> Value:
    """sin of a double, for ``|x| <= pi / 2``: Taylor's series."""
    terms = [(-1) ** k / math.factorial(2 * k + 1) for k in range(11)]
    return x * f.polynomial(x * x, terms)


def any_sine(f: Function, x: Value) -> Value:
    """sin of a double of moderate size; far away the remainder by pi is lost."""
    n = f.intrinsic("rint", x * (1 / math.pi))
    rest = f.fma(n, -PI_HIGH, x)
    rest = f.fma(n, -PI_LOW, rest)
    bound = f.select(rest.gt(1.6), 1.6, rest)
    bound = f.select(bound.lt(-1.6), -1.6, bound)
    half = n * 0.5
    odd = f.intrinsic("rint", half).ne(half)
    found = sine(f, bound)
    return f.select(odd, -found, found)


def sinc(f: Function, x: Value) -> Value:
    """``sin(pi x) / (pi x)``, the product rounded first."""
    y = x * math.pi
    return f.select(y.eq(0), f.value(x.type, 1.0), any_sine(f, y.to("double")).to(x.type) / y)


SMOOTH: dict[str, Formula] = {
    "sinc": Formula(sinc, 1),
    "log": Formula(log, 1),
    "log1p": Formula(log1p, 1),
    "erf": Formula(erf, 1),
    "gelu": Formula(gelu, 1),
    "gelu_backward": Formula(gelu_backward, 2),
    "softplus": Formula(softplus, 3, FLOATS, forms=("vss",)),
    "softplus_backward": Formula(softplus_backward, 4, FLOATS, forms=("vvss", "svss")),
    "leaky_relu": Formula(leaky_relu, 2, FLOATS, forms=("vs",)),
    "leaky_relu_backward": Formula(leaky_relu_backward, 3, FLOATS, forms=("vvs", "svs")),
}
