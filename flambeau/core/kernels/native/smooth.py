"""Formulas of log, erf, sin and what is made of them.

erf takes the approximations of the NumPy forms in ``kernels/smooth``, whose tables it reads.
Stands on formulas.
"""

from __future__ import annotations

import math

from flambeau.core.kernels import smooth as numpy_forms
from flambeau.core.kernels.jit.ir import Function, Value, element, lanes, vector
from flambeau.core.kernels.native.elementwise import FLOATS, Formula
from flambeau.core.kernels.native.formulas import BIAS, SHIFT, WORD, exp

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


ERF_NEAR = (
    1.1283791670955126, -0.3761263890318355, 0.11283791670945251, -0.026866170643275792,
    0.005223977607420333, -0.0008548325989561955, 0.00012055295316863969, -1.49247446003053e-05,
    1.6447516972483834e-06, -1.62091709951112e-07, 1.3722956847530256e-08,
    -7.801155675748427e-10,
)  # fmt: skip
"""erf(x) / x up to 1, in x^2."""
LOG_ERFC = (
    -1.8496055099332485, -2.6389675142347255, -0.8431072563621699, -0.04156109796700535,
    0.01003382455350237, -0.0019778972373466286, 0.00023730018374358835, 2.634132532566082e-05,
    -2.7286478358458e-05, 9.793645823067558e-06, -2.2563255336841134e-06, 2.97382293262113e-07,
    7.805453750515698e-09, -1.382699128620994e-08, 3.1977255751535865e-09,
    -3.6251920642058456e-10, 1.739838691428651e-11,
)  # fmt: skip
"""ln erfc(x) from 1 to 6, in x - 1, as exact as erf asks."""


def _minimum(f: Function, x: Value, y: float) -> Value:
    return f.select(x.gt(y), y, x)


def erf(f: Function, x: Value) -> Value:
    """The error function: a rational approximation in single precision; in double a polynomial, and
    beyond 1 that of the logarithm of what is missing: no division.
    """
    type = element(x.type)
    if type == "float":
        near = _minimum(f, x, 4.0)
        near = f.select(near.lt(-4.0), -4.0, near)
        y = near * near
        return f.polynomial(y, numpy_forms._P[::-1]) * near / f.polynomial(y, numpy_forms._Q[::-1])
    y = f.intrinsic("fabs", x)
    small = y * f.polynomial(y * y, ERF_NEAR)
    beyond = _minimum(f, y, 6.0) - 1.0  # at 6 it is 1
    large = f.value(type, 1.0) - exp(f, f.polynomial(beyond, LOG_ERFC))
    found = f.select(y.lt(1.0), small, large)
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
    """``g z / (z + 1)`` with ``z = exp(beta x)``, `g` beyond the threshold."""
    scaled = x * beta
    z = exp(f, scaled)
    return f.select(scaled.gt(threshold), g, g * z / (z + 1.0))


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
