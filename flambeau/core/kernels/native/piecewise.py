"""Formulas made of choices and rounding: step functions, hard activations. Stands on formulas and
smooth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels.jit.ir import Function, Value, element
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.formulas import (
    DEGREE,
    LN2_HIGH,
    LN2_LOW,
    NUMBERS,
    WORD,
    absolute,
    addcmul,
    exp,
    maximum,
    minimum,
    power_of_two,
)
from flambeau.core.kernels.native.narrow import HALVES, settled
from flambeau.core.kernels.native.smooth import log, log1p

__all__ = ["PIECEWISE"]


def rounded(how: str) -> Callable[[Function, Value], Value]:
    """One of LLVM's rounding functions."""
    return lambda f, x: f.intrinsic(how, x) if x.floating else x


def zero(f: Function, x: Value) -> Value:
    """0 of the operand's type."""
    return f.value(x.type, 0)


def frac(f: Function, x: Value) -> Value:
    """What follows the point."""
    return x - f.intrinsic("trunc", x)


def sign(f: Function, x: Value) -> Value:
    """1, 0 or -1; 0 for NaN."""
    found = f.select(x.gt(0), f.value(x.type, 1), zero(f, x))
    return f.select(x.lt(0), f.value(x.type, -1), found)


def heaviside(f: Function, x: Value, values: Value) -> Value:
    """0 below 0, 1 above, `values` at 0."""
    side = f.select(x.gt(0), f.value(x.type, 1), zero(f, x))
    return f.select(x.eq(0), values, side)


def fmax(f: Function, a: Value, b: Value) -> Value:
    """The larger; a number where the other is NaN."""
    return f.select(a.ge(b) | b.isnan(), a, b) if a.floating else maximum(f, a, b)


def fmin(f: Function, a: Value, b: Value) -> Value:
    """The smaller; a number where the other is NaN."""
    return f.select(a.le(b) | b.isnan(), a, b) if a.floating else minimum(f, a, b)


def clipped(f: Function, x: Value, low: Any, high: Any) -> Value:
    """Between two bounds; NaN and -0 stay."""
    low, high = f.value(x.type, low), f.value(x.type, high)
    found = f.select(x.lt(low), low, x)
    return f.select(found.gt(high), high, found)


def is_far(part: Callable[[Function, Value], Value]) -> Callable[[Function, Value], Value]:
    """Whether a part of the number is infinite; no whole number is."""
    return lambda f, x: part(f, x).eq(math.inf) if x.floating else x.ne(x)


def isfinite(f: Function, x: Value) -> Value:
    """Whether it is neither NaN nor infinite."""
    return absolute(f, x).lt(math.inf) if x.floating else x.eq(x)


def hardsigmoid(f: Function, x: Value) -> Value:
    """``min(max(x + 3, 0), 6) / 6``."""
    return clipped(f, x + 3.0, 0.0, 6.0) / 6.0


def hardsigmoid_backward(f: Function, g: Value, x: Value) -> Value:
    """A sixth of `g` in the middle."""
    return f.select(x.gt(-3.0) & x.lt(3.0), g * (1 / 6), zero(f, g))


def hardswish(f: Function, x: Value) -> Value:
    """``x * min(max(x + 3, 0), 6) / 6``."""
    return x * clipped(f, x + 3.0, 0.0, 6.0) / 6.0


def hardswish_backward(f: Function, g: Value, x: Value) -> Value:
    """``g * (x / 3 + 1/2)`` in the middle, `g` above; NaN stays."""
    middle = g * (x / 3.0 + 0.5)
    return f.select(x.ge(3.0), g, f.select(x.le(-3.0), zero(f, g), middle))


def hardshrink(f: Function, x: Value, bound: Value) -> Value:
    """``x`` outside the bound, 0 within it."""
    return f.select(x.ge(-bound) & x.le(bound), zero(f, x), x)


def softshrink(f: Function, x: Value, bound: Value) -> Value:
    """``x`` moved towards 0 by the bound; NaN stays."""
    within = f.select(x.lt(-bound), x + bound, x * 0.0)
    return f.select(x.gt(bound), x - bound, within)


def outside_backward(f: Function, g: Value, x: Value, bound: Value) -> Value:
    """`g` outside the bound, 0 for NaN."""
    return f.select(x.lt(-bound) | x.gt(bound), g, zero(f, g))


def between_backward(f: Function, g: Value, x: Value, low: Value, high: Value) -> Value:
    """`g` between two bounds, which lie without; 0 for NaN."""
    return f.select(x.gt(low) & x.lt(high), g, zero(f, g))


def threshold(f: Function, x: Value, bound: Value, value: Value) -> Value:
    """``x`` where it is not at or below the bound, else `value`."""
    return f.select(x.le(bound), value, x)


def above_backward(f: Function, g: Value, x: Value, bound: Value) -> Value:
    """`g` where the operand is not at or below the bound."""
    return f.select(x.le(bound), zero(f, g), g)


def expm1(f: Function, x: Value) -> Value:
    """``e**x - 1``: up to 1 the series less its first term, times the power of two, and what that
    is off from 1; beyond, e**x decides.
    """
    type = x.type
    low = clipped(f, x, LEAST_BELOW, 1.0)
    n = f.intrinsic("rint", low * (1 / math.log(2)))
    rest = f.fma(n, -LN2_HIGH[type], low)
    rest = f.fma(n, -LN2_LOW[type], rest)
    series = f.polynomial(rest, [1 / math.factorial(k) for k in range(2, DEGREE[type] + 1)])
    series = f.fma(series * rest, rest, rest)
    power = power_of_two(f, f.select(x.isnan(), 0, n).to(WORD[type]), type)
    found = f.fma(series, power, power - 1.0)
    return f.select(x.gt(1.0), exp(f, x) - 1.0, f.select(x.eq(0) | x.isnan(), x, found))


LEAST_BELOW = -50.0
"""From here down e**x - 1 is -1."""


def logaddexp(f: Function, a: Value, b: Value) -> Value:
    """``ln(e**a + e**b)``; equal infinities give themselves."""
    high = maximum(f, a, b)
    found = high + log1p(f, exp(f, -f.intrinsic("fabs", a - b)))
    return f.select(a.eq(b) & f.intrinsic("fabs", a).eq(math.inf), a, found)


def hypot(f: Function, a: Value, b: Value) -> Value:
    """The root of the sum of squares, of single-precision numbers in double; an infinity beats
    NaN.
    """
    endless = absolute(f, a).eq(math.inf) | absolute(f, b).eq(math.inf)
    if element(a.type) == "double":
        found = _hypot_double(f, absolute(f, a), absolute(f, b))
    else:
        one, two = a.to("double"), b.to("double")
        found = f.intrinsic("sqrt", f.fma(one, one, two * two)).to(a.type)
    return f.select(endless, f.value(a.type, math.inf), found)


def _hypot_double(f: Function, a: Value, b: Value) -> Value:
    """Numbers out of the way are scaled by a power of two; what the root and the squares lost by
    rounding is taken off (Borges, An improved algorithm for hypot(a, b), 2019).
    """
    high, low = maximum(f, a, b), minimum(f, a, b)
    scale = f.select(high.gt(2.0**510), 2.0**-600, f.value(a.type, 1.0))
    scale = f.select(high.lt(2.0**-450), f.value(a.type, 2.0**600), scale)
    high, low = high * scale, low * scale
    root = f.intrinsic("sqrt", f.fma(high, high, low * low))
    square, most = root * root, high * high
    lost = f.intrinsic("fma", -low, low, square - most)
    lost = lost + f.intrinsic("fma", root, root, -square) - f.intrinsic("fma", high, high, -most)
    better = root - lost / (root + root)
    return f.select(root.gt(0), better, root + high) / scale


def elu(f: Function, x: Value, alpha: Value, scale: Value, input_scale: Value) -> Value:
    """``scale * x`` above 0, ``scale * alpha * (e**(input_scale x) - 1)`` below."""
    low = expm1(f, x * input_scale) * (alpha * scale)
    return f.select(x.ge(0), x * scale, low)


def elu_backward(f: Function, g: Value, x: Value, slope: Value, input_scale: Value) -> Value:
    """Its gradient for the scale 1: ``g * slope * e**(input_scale x)`` below, `g` above;
    NaN stays.
    """
    return f.select(x.gt(0), g, g * (exp(f, x * input_scale) * slope))


def celu(f: Function, x: Value, alpha: Value) -> Value:
    """elu with the scales 1 and ``1 / alpha``."""
    one = f.value(x.type, 1.0)
    return elu(f, x, alpha, one, one / alpha)


def celu_backward(f: Function, g: Value, x: Value, alpha: Value) -> Value:
    """Its gradient."""
    one = f.value(x.type, 1.0)
    return elu_backward(f, g, x, one, one / alpha)


def logsigmoid(f: Function, x: Value) -> Value:
    """``log(1 / (1 + e**-x))``."""
    tail = log1p(f, exp(f, -f.intrinsic("fabs", x)))
    return minimum(f, x, zero(f, x)) - tail


def _mish_parts(f: Function, x: Value) -> tuple[Value, Value]:
    """tanh of softplus, and what its square leaves of 1, by e**x alone."""
    size = minimum(f, x, f.value(x.type, 20.0))  # beyond, tanh(softplus) is 1
    e = exp(f, size)
    top = e * (e + 2.0)
    return top / (top + 2.0), e


def mish(f: Function, x: Value) -> Value:
    """``x * tanh(log(1 + e**x))``."""
    return x * _mish_parts(f, x)[0]


def mish_backward(f: Function, g: Value, x: Value) -> Value:
    """Its gradient."""
    t, e = _mish_parts(f, x)
    s = e / (e + 1.0)
    return g * (t + x * s * (f.value(x.type, 1.0) - t * t))


def logsigmoid_backward(f: Function, g: Value, x: Value) -> Value:
    """``g (1 - sigmoid(x))``, from the side where the exponential is small."""
    z = exp(f, -f.intrinsic("fabs", x))
    part = z / (z + 1.0)
    return g * f.select(x.lt(0.0), f.value(x.type, 1.0) - part, part)


def xlogy(f: Function, x: Value, y: Value) -> Value:
    """``x log y``, 0 where x is 0, NaN where y is."""
    found = f.select(x.eq(0), zero(f, x), x * settled(f, log(f, y)))
    return f.select(y.isnan(), y, found)


LARGEST = {
    "float": float(np.finfo("f4").max), "double": float(np.finfo("f8").max),
    "half": 65504.0, "bf16": (2 - 2.0**-7) * 2.0**127,
}  # fmt: skip


def nan_to_num(f: Function, x: Value, nan: Value, high: Value, low: Value) -> Value:
    """NaN and the infinities replaced."""
    if not x.floating:
        return x
    found = f.select(x.eq(math.inf), high, x)
    found = f.select(x.eq(-math.inf), low, found)
    return f.select(x.isnan(), nan, found)


def addcdiv(f: Function, x: Value, a: Value, b: Value) -> Value:
    """``x + a / b``."""
    return x + a / b


def angle(f: Function, x: Value) -> Value:
    """pi for negative numbers, else 0; NaN stays."""
    found = f.select(x.lt(0), f.value(x.type, math.pi), zero(f, x))
    return f.select(x.isnan(), x, found)


def logit(f: Function, x: Value) -> Value:
    """``log(x / (1 - x))``."""
    return log(f, x / (f.value(x.type, 1.0) - x))


def prelu(f: Function, x: Value, weight: Value) -> Value:
    """``x`` where positive, else ``weight * x``."""
    return f.select(x.gt(0), x, weight * x)


PIECEWISE: dict[str, Formula] = {
    "floor": Formula(rounded("floor"), 1, NUMBERS),
    "ceil": Formula(rounded("ceil"), 1, NUMBERS),
    "trunc": Formula(rounded("trunc"), 1, NUMBERS),
    "round": Formula(rounded("rint"), 1, NUMBERS),
    "frac": Formula(frac, 1),
    "angle": Formula(angle, 1),
    "logit_of": Formula(logit, 1),
    "prelu_kernel": Formula(prelu, 2),
    "rounded_up_to": Formula(
        lambda f, x, ten: f.intrinsic("rint", x * ten) / ten, 2, forms=("vs",)
    ),
    "sign": Formula(sign, 1, NUMBERS),
    "sgn": Formula(sign, 1, NUMBERS),
    "zero": Formula(zero, 1, NUMBERS),
    "fill": Formula(lambda f, x, value: value, 2, NUMBERS, forms=("vs",)),
    "copy": Formula(lambda f, x, value: value, 2, (*NUMBERS, "i1"), forms=("vv", "vs")),
    "rsub": Formula(lambda f, a, b: b - a, 2, NUMBERS),
    "heaviside": Formula(heaviside, 2, NUMBERS),
    "copysign": Formula(lambda f, a, b: f.intrinsic("copysign", a, b), 2),
    "clamp_min": Formula(maximum, 2, NUMBERS),
    "clamp_max": Formula(minimum, 2, NUMBERS),
    "fmax": Formula(fmax, 2, NUMBERS),
    "fmin": Formula(fmin, 2, NUMBERS),
    "isinf": Formula(is_far(lambda f, x: absolute(f, x)), 1, NUMBERS, "i1"),
    "isfinite": Formula(isfinite, 1, NUMBERS, "i1"),
    "isposinf": Formula(is_far(lambda f, x: x), 1, NUMBERS, "i1"),
    "isneginf": Formula(is_far(lambda f, x: -x), 1, NUMBERS, "i1"),
    "isreal": Formula(lambda f, x: x.eq(x) | x.isnan(), 1, NUMBERS, "i1"),
    "logical_not": Formula(lambda f, x: x.eq(0), 1, (*NUMBERS, "i1"), "i1"),
    "hardtanh": Formula(clipped, 3, forms=("vss",)),
    "hardsigmoid": Formula(hardsigmoid, 1),
    "hardswish": Formula(hardswish, 1),
    "hardshrink": Formula(hardshrink, 2, forms=("vs",)),
    "softshrink": Formula(softshrink, 2, forms=("vs",)),
    "threshold": Formula(threshold, 3, forms=("vss",)),
    "elu": Formula(elu, 4, forms=("vsss",)),
    "celu": Formula(celu, 2, forms=("vs",)),
    "logsigmoid": Formula(logsigmoid, 1),
    "mish": Formula(mish, 1),
    "xlogy": Formula(xlogy, 2),
    "addcdiv": Formula(addcdiv, 3, forms=("vvv",)),
    "nan_to_num": Formula(
        nan_to_num, 4, NUMBERS, forms=("vsss",),
        absent=((1, 0.0), (2, LARGEST), (3, {type: -value for type, value in LARGEST.items()})),
    ),
    "signbit": Formula(
        lambda f, x: (x.bits(WORD[x.type]) if x.floating else x).lt(0), 1, NUMBERS, "i1"
    ),
    "logaddexp": Formula(logaddexp, 2),
    "hypot": Formula(hypot, 2),
    "expm1": Formula(expm1, 1),
    "addcmul_scaled": Formula(
        lambda f, x, a, b, scale: addcmul(f, x, scale * a, b), 4, NUMBERS, forms=("vvvs",)
    ),
    "add_scaled": Formula(
        lambda f, x, y, scale: addcmul(f, x, y, scale), 3, NUMBERS, forms=("vvs",),
        tail=lambda f, x, y, scale: x + y * scale,
    ),
    "sub_scaled": Formula(
        lambda f, x, y, scale: addcmul(f, x, y, -scale), 3, NUMBERS, forms=("vvs",),
        tail=lambda f, x, y, scale: x - y * scale,
    ),
    "masked_fill": Formula(
        lambda f, x, mask, value: f.select(mask, value, x), 3, (*NUMBERS, "i32"),
        forms=("vvs",), condition=1,
    ),
    "addcdiv_scaled": Formula(
        lambda f, x, a, b, scale: x + scale * a / b, 4, forms=("vvvs",)
    ),
    # What gradients are made of.
    "hardsigmoid_backward": Formula(hardsigmoid_backward, 2),
    "hardswish_backward": Formula(hardswish_backward, 2),
    "outside_backward": Formula(outside_backward, 3, forms=("vvs", "svs")),
    "between_backward": Formula(between_backward, 4, forms=("vvss", "svss")),
    "above_backward": Formula(above_backward, 3, forms=("vvs", "svs")),
    "elu_backward": Formula(elu_backward, 4, forms=("vvss", "svss")),
    "celu_backward": Formula(celu_backward, 3, forms=("vvs", "svs")),
    "logsigmoid_backward": Formula(logsigmoid_backward, 2),
    "mish_backward": Formula(mish_backward, 2),
    "keep_where": Formula(
        lambda f, mask, g: f.select(mask, g, zero(f, g)), 2, forms=("vv", "vs"), condition=0,
        narrow=HALVES,
    ),
}  # fmt: skip
