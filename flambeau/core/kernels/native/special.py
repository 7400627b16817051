"""Formulas of the error function's and the gamma function's families.

The approximations are those of the NumPy forms in ``kernels/special`` and its neighbours, whose
tables they read; both number types are computed in double, all branches of an element and one
chosen. Stands on formulas and smooth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial import chebyshev

from flambeau.core.kernels import special as forms
from flambeau.core.kernels import special_gamma as gammas
from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.formulas import exp, minimum
from flambeau.core.kernels.native.narrow import settled
from flambeau.core.kernels.native.smooth import (
    PI_HIGH,
    PI_LOW,
    any_sine,
    log,
    log1p,
    sine,
)

__all__ = ["SPECIAL"]

One = Callable[[Function, Value], Value]


def wide(formula: One) -> One:
    """A formula of double precision for both number types."""
    return lambda f, x: formula(f, x.to("double")).to(x.type)


def horner(f: Function, coefficients: Sequence[float], x: Value) -> Value:
    """A polynomial, highest power first."""
    return f.polynomial(x, coefficients[::-1])


def constant(f: Function, value: float) -> Value:
    return f.value("double", value)


def size_of(f: Function, x: Value) -> Value:
    return f.intrinsic("fabs", x)


def sine_pi(f: Function, x: Value) -> Value:
    """``sin(pi x)``, exact zeros at whole numbers."""
    rest = x - f.intrinsic("rint", x * 0.5) * 2.0  # in [-1, 1]
    folded = f.intrinsic("copysign", constant(f, 1.0), rest) - rest
    return sine(f, f.select(size_of(f, rest).gt(0.5), folded, rest) * math.pi)


def turn(f: Function, x: Value) -> tuple[Value, Value]:
    """sin and cos of a double; far away the remainder by pi is lost."""
    n = f.intrinsic("rint", x * (1 / math.pi))
    rest = f.fma(n, -PI_LOW, f.fma(n, -PI_HIGH, x))
    size = minimum(f, size_of(f, rest), constant(f, 1.6))
    half = n * 0.5
    odd = f.intrinsic("rint", half).ne(half)
    s = f.intrinsic("copysign", sine(f, size), rest)
    c = sine(f, constant(f, math.pi / 2) - size)
    return f.select(odd, -s, s), f.select(odd, -c, c)


def exp_square(f: Function, x: Value) -> Value:
    """``e**(-x^2)`` without the error of rounding x^2."""
    high = f.intrinsic("rint", x * 32.0) * (1 / 32)
    return exp(f, -(high * high)) * exp(f, -((x - high) * (x + high)))


def erfcx_positive(f: Function, x: Value) -> Value:
    one = constant(f, 1.0)
    far = one / (x * math.sqrt(math.pi))
    t = (x - 4.0) / (x + 4.0)
    return f.select(x.gt(1e8), far, horner(f, table.ERFCX, t) / (x * 2.0 + 1.0))


def shortened(coefficients: Sequence[float], tolerance: float) -> tuple[float, ...]:
    """A polynomial on [-1, 1] of lower degree, near the given one: its Chebyshev series without
    what is small at the end.
    """
    series = chebyshev.poly2cheb(coefficients[::-1])
    rest = np.cumsum(np.abs(series[::-1]))[::-1]
    return tuple(float(c) for c in chebyshev.cheb2poly(series[rest > tolerance])[::-1])


def erfc_single(f: Function, x: Value) -> Value:
    """erfc to single precision."""
    one = f.value("float", 1.0)
    size = minimum(f, size_of(f, x), f.value("float", 28.0))
    t = (size - 4.0) / (size + 4.0)
    tail = horner(f, shortened(table.ERFCX, 1e-9), t) / (size * 2.0 + 1.0)
    tail = exp_square(f, size) * tail
    tail = f.select(x.lt(0), f.value("float", 2.0) - tail, tail)
    small = one - x * horner(f, shortened(table.ERF, 1e-9), x * x * 2.0 - 1.0)
    return f.select(size.lt(0.5), small, tail)


def erfcx(f: Function, x: Value) -> Value:
    """``e**(x^2) erfc(x)``."""
    found = erfcx_positive(f, size_of(f, x))
    return f.select(x.lt(0), exp(f, x * x) * 2.0 - found, found)


def erfc(f: Function, x: Value) -> Value:
    """``1 - erf x``, accurate in the tail."""
    size = minimum(f, size_of(f, x), constant(f, 28.0))  # beyond, it is 0
    small = constant(f, 1.0) - x * horner(f, table.ERF, x * x * 2.0 - 1.0)
    tail = exp_square(f, size) * erfcx_positive(f, size)
    tail = f.select(x.lt(0), constant(f, 2.0) - tail, tail)
    return f.select(size.lt(0.5), small, tail)


def tail(f: Function, log_q: Value, steps: int) -> Value:
    """y > 0 with ``erfc y = q`` for q up to 1/2, from log q: a rational start (Abramowitz and
    Stegun 26.2.23) and steps of Halley's, each of which triples the digits.
    """
    t = f.intrinsic("sqrt", (log_q - math.log(2)) * -2.0)
    top = f.polynomial(t, [2.515517, 0.802853, 0.010328])
    y = t - top / f.polynomial(t, [1.0, 1.432788, 0.189269, 0.001308])
    y = y * forms.SQRT_HALF
    for _ in range(steps):
        step = (exp(f, y * y + log_q) - erfcx_positive(f, y)) * (1 / forms.TWO_OVER_SQRT_PI)
        y = y - step / (y * step + 1.0)
    return f.select(log_q.eq(-math.inf), math.inf, y)


STEPS = {"float": 1, "double": 2}


def erfinv_small(f: Function, x: Value) -> Value:
    return x * horner(f, table.ERFINV, x * x * 8.0 - 1.0)


NEAR = (
    -3.33398094e-05, 3.5531379e-05, 0.000284075153, -0.000845545939, -0.000484349951,
    0.00852917636, -0.019574194, -0.026108686, 0.616600723, 1.50140936,
)  # fmt: skip
"""erfinv(x) / x for w up to 5, where ``w = -ln(1 - x^2)``, in ``w / 2.5 - 1``; to 1e-8."""
FAR = (
    4.92777114e-05, -7.24721164e-05, -0.000166648329, 0.000710191381, -0.00146676033,
    0.00240715468, -0.00375614812, 0.00556884138, 0.910564653, 2.97642344,
)  # fmt: skip
"""The same beyond, in the root of w moved to [-1, 1] from [5**0.5, 4.05]."""
MIDDLE, HALF = (4.05 + 5**0.5) / 2, (4.05 - 5**0.5) / 2


def erfinv_single(f: Function, x: Value) -> Value:
    """erfinv to single precision, by polynomials of what 1 - x^2 says."""
    one = f.value("float", 1.0)
    w = -log(f, (one - x) * (x + 1.0))
    near = horner(f, NEAR, w * (1 / 2.5) - 1.0)
    far = horner(f, FAR, (f.intrinsic("sqrt", w) - MIDDLE) * (1 / HALF))
    found = f.select(w.le(5.0), near, far) * x
    endless = f.intrinsic("copysign", f.value("float", math.inf), x)
    return f.select(size_of(f, x).eq(1.0), endless, found)


def erfinv(f: Function, given: Value) -> Value:
    """The inverse of erf; NaN outside of [-1, 1]."""
    if given.type == "float":
        return erfinv_single(f, given)
    x = given
    size = size_of(f, x)
    far = f.intrinsic("copysign", tail(f, log1p(f, -size), STEPS[given.type]), x)
    found = f.select(size.le(0.5), erfinv_small(f, x), far)
    return f.select(size.le(1.0), found, math.nan).to(given.type)


def ndtri(f: Function, given: Value) -> Value:
    """The inverse of the normal distribution's Phi: by erfc's at 2p."""
    q = given.to("double") * 2.0
    other = constant(f, 2.0) - q
    low = q.lt(1.0)
    far = tail(f, log(f, f.select(low, q, other)), STEPS[given.type])
    far = f.select(low, far, -far)
    middle = erfinv_small(f, constant(f, 1.0) - q)
    found = f.select(q.ge(0.5) & q.le(1.5), middle, far)
    found = f.select(q.ge(0) & q.le(2.0), found, math.nan)
    return (found * -math.sqrt(2)).to(given.type)


def log_ndtr(f: Function, given: Value) -> Value:
    """``ln Phi(x)``. Single precision loses in the left tail what PyTorch's loses."""
    x = given.to("double")
    scaled = x * forms.SQRT_HALF
    near = log1p(f, erfc(f, scaled) * -0.5)
    if given.type == "double":
        left = log(f, erfcx_positive(f, -scaled) * 0.5) - x * x * 0.5
        return f.select(x.lt(-1.0), left, near)
    t = given * forms.SQRT_HALF
    density = erfcx(f, -(t.to("double"))).to("float") * 0.5
    left = log(f, density.to("double")).to("float") - t * t
    return f.select(given.lt(-1.0), left, near.to("float"))


def lgamma_positive(f: Function, x: Value) -> Value:
    """Polynomials around 1 to 3 and to 8, then Stirling's series."""
    logarithm = log(f, x)
    below = x.lt(1.0)
    t = f.select(below, x - 1.0, x - 2.0)
    low = f.select(below, x, x - 1.0) * t * horner(f, table.LGAMMA_LOW, t)
    low = low - f.select(below, logarithm, 0)
    high = horner(f, table.LGAMMA_HIGH, (x - 5.5) * (1 / 2.5))
    inverse = constant(f, 1.0) / x
    rest = horner(f, gammas.STIRLING, inverse * inverse) * inverse
    far = (x - 0.5) * logarithm - x + gammas.HALF_LOG_2PI + rest
    found = f.select(x.le(3.0), low + 0.0, f.select(x.lt(8.0), high, far))
    return f.select(x.eq(math.inf), x, found)


def lgamma(f: Function, x: Value) -> Value:
    """``ln |gamma x|``, reflected left of 0."""
    left = x.lt(0)
    found = lgamma_positive(f, f.select(left, constant(f, 1.0) - x, x))
    turned = constant(f, gammas.LOG_PI) - log(f, size_of(f, sine_pi(f, x))) - found
    found = f.select(left, turned, found)
    return f.select(x.le(0) & x.eq(f.intrinsic("floor", x)), math.inf, found)


RISES = 10
"""The asymptotic series begin here: smaller numbers rise by recurrence."""


def digamma_positive(f: Function, x: Value) -> Value:
    """The terms 1/x, 1/(x+1), ... below 10 as one fraction, then the asymptotic series."""
    top, bottom = constant(f, 0.0), constant(f, 1.0)
    for _ in range(RISES):
        low = x.lt(RISES)
        top = f.select(low, top * x + bottom, top)
        bottom = f.select(low, bottom * x, bottom)
        x = f.select(low, x + 1.0, x)
    inverse = constant(f, 1.0) / x
    square = inverse * inverse
    series = inverse * 0.5 + horner(f, gammas.DIGAMMA, square) * square
    return log(f, x) - series - top / bottom


def cotangent_pi(f: Function, x: Value) -> Value:
    """``pi / tan(pi x)`` of what follows the point."""
    rest = x - f.intrinsic("trunc", x)
    cosine = sine(f, (constant(f, 0.5) - size_of(f, rest)) * math.pi)
    return cosine * math.pi / sine_pi(f, rest)


def digamma(f: Function, given: Value) -> Value:
    """The derivative of lgamma. Single precision is reflected in single precision."""
    x, left = given.to("double"), given.lt(0)
    turned = (f.value(given.type, 1.0) - given).to("double")
    found = digamma_positive(f, f.select(left, turned, x)).to(given.type)
    found = f.select(left, found - cotangent_pi(f, x).to(given.type), found)
    pole = given.lt(0) & given.eq(f.intrinsic("trunc", given))
    found = f.select(pole, math.nan, found)
    endless = f.intrinsic("copysign", f.value(given.type, math.inf), -given)
    found = f.select(given.eq(0), endless, found)
    return f.select(given.eq(math.inf), given, found)


ASYMPTOTIC = tuple(gammas.BERNOULLI[:8])


def zeta_of_two(f: Function, x: Value) -> Value:
    """``sum 1 / (x + k)^2`` for positive numbers, as digamma."""
    top, bottom = constant(f, 0.0), constant(f, 1.0)
    for _ in range(RISES):
        low, square = x.lt(RISES), x * x
        top = f.select(low, top * square + bottom, top)
        bottom = f.select(low, bottom * square, bottom)
        x = f.select(low, x + 1.0, x)
    inverse = constant(f, 1.0) / x
    square = inverse * inverse
    series = f.polynomial(square, ASYMPTOTIC) * square * inverse
    return inverse + square * 0.5 + series + top / bottom


def trigamma(f: Function, given: Value) -> Value:
    """The derivative of digamma. Single precision is reflected in single precision."""
    x, left = given.to("double"), given.lt(0.5) if given.type == "float" else given.le(0.5)
    turned = (f.value(given.type, 1.0) - given).to("double")
    found = zeta_of_two(f, f.select(left, turned, x)).to(given.type)
    # At a pole the product with pi is off by its rounding, and so PyTorch's value is finite.
    turned_sine = any_sine(f, (given * math.pi).to("double")).to(given.type)
    ratio = f.value(given.type, math.pi) / turned_sine
    found = f.select(left, ratio * ratio - found, found)
    return f.select(given.eq(-math.inf), math.nan, found)


def entropy(f: Function, x: Value) -> Value:
    """``-x ln x``, 0 at 0 and -inf below; NaN stays."""
    found = f.select(x.gt(0), -x * log(f, x), f.select(x.eq(0), f.value(x.type, 0), -math.inf))
    return f.select(x.isnan(), x, found)


def xlog1py(f: Function, x: Value, y: Value) -> Value:
    """``x ln(1 + y)``, 0 where x is 0, NaN where y is."""
    found = f.select(x.eq(0), f.value(x.type, 0), x * settled(f, log1p(f, y)))
    return f.select(y.isnan(), y, found)


SPECIAL: dict[str, Formula] = {
    "erfc": Formula(lambda f, x: (erfc_single if x.type == "float" else erfc)(f, x), 1),
    "erfinv": Formula(erfinv, 1),
    "special_erfcx": Formula(wide(erfcx), 1),
    "special_ndtri": Formula(ndtri, 1),
    "special_log_ndtr": Formula(log_ndtr, 1),
    "lgamma": Formula(wide(lgamma), 1),
    "digamma": Formula(digamma, 1),
    "trigamma": Formula(trigamma, 1),
    "special_entr": Formula(entropy, 1),
    "special_xlog1py": Formula(xlog1py, 2),
}
