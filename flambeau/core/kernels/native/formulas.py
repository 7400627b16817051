"""The formulas that have a native function, by the operation's name or the rule's.

Written once for every dtype; results are the NumPy form's to the last digit for arithmetic (addcmul
and lerp round a product and its sum once, as PyTorch does), and to one or two for exp and what is
made of it. Stands on elementwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Value, element, lanes, vector
from flambeau.core.kernels.native.elementwise import FLOATS, Formula
from flambeau.core.kernels.native.narrow import HALVES, settled

__all__ = ["FORMULAS"]

NUMBERS = ("float", "double", "i64")
WIDTHS = {"i64": 64, "i32": 32, "i16": 16, "i8": 8}
LEAST_OF = {"float": -math.inf, "double": -math.inf, "u8": 0} | {
    type: -(1 << (bits - 1)) for type, bits in WIDTHS.items()
}
LARGEST_OF = {"float": math.inf, "double": math.inf, "u8": 255} | {
    type: (1 << (bits - 1)) - 1 for type, bits in WIDTHS.items()
}
"""Bounds that bound nothing."""
LN2_HIGH = {"float": 0.693359375, "double": 6.93145751953125e-1}
LN2_LOW = {"float": -2.12194440e-4, "double": 1.42860682030941723212e-6}
LARGEST = {"float": 89.0, "double": 710.0}
LEAST = {"float": -104.0, "double": -746.0}
"""Here e**x is 0."""
FAR = {"float": -1e4, "double": -1e5}
"""Here it is so without delay: a processor takes an underflow at leisure, in 13 times the time, but
knows a scale that leaves nothing at once.
"""
BIAS, SHIFT = {"float": 127, "double": 1023}, {"float": 23, "double": 52}
WORD = {"float": "i32", "double": "i64"}
DEGREE = {"float": 7, "double": 13}


def power_of_two(f: Function, n: Value, type: str) -> Value:
    """``2**n`` for an integer n of normal range."""
    return ((n + BIAS[type]) << SHIFT[type]).bits(vector(type, lanes(n.type)))


def exp(f: Function, x: Value) -> Value:
    """``e**x``: x less a multiple of ln 2, a Taylor polynomial, and the power of two put back, in
    halves where the machine has no instruction that scales: subnormal results and infinity come
    out right. What is nothing, such as a masked score, costs no more than other numbers.
    """
    type = element(x.type)
    word = vector(WORD[type], lanes(x.type))
    scales = build.host().masked
    # A NaN passes the bounds of a machine that scales; of others it is put back at the end.
    safe = (
        f.select(x.lt(FAR[type]), FAR[type], x)
        if scales
        else f.select(x.gt(LEAST[type]), x, LEAST[type])
    )
    safe = (
        f.select(safe.gt(LARGEST[type]), LARGEST[type], safe)
        if scales
        else f.select(safe.lt(LARGEST[type]), safe, LARGEST[type])
    )
    n = f.intrinsic("rint", safe * (1 / math.log(2)))
    rest = f.fma(n, -LN2_HIGH[type], safe)
    rest = f.fma(n, -LN2_LOW[type], rest)
    series = f.polynomial(rest, [1 / math.factorial(k) for k in range(DEGREE[type] + 1)])
    whole = n.to(word)
    if scales:
        return f.intrinsic("ldexp", series, whole)
    series = f.select(x.le(LEAST[type]), 0.0, series)
    half = whole >> 1
    found = series * power_of_two(f, half, type) * power_of_two(f, whole - half, type)
    return f.select(x.isnan(), x, found)


def sigmoid(f: Function, x: Value) -> Value:
    """``1 / (1 + e**-x)``; the far left tail is 0, as PyTorch's."""
    one = f.value(x.type, 1.0)
    return one / (exp(f, -x) + 1.0)


ONE_FROM = {"float": 20.0, "double": 40.0}
"""From here on e**x - 1 and e**x + 1 are one number."""


def tanh(f: Function, x: Value) -> Value:
    """``(e**2x - 1) / (e**2x + 1)``, the difference taken before the power of two is put back."""
    type = element(x.type)
    double = f.intrinsic("fabs", x) * 2.0
    double = f.select(double.gt(ONE_FROM[type]), ONE_FROM[type], double)
    n = f.intrinsic("rint", double * (1 / math.log(2)))
    rest = f.fma(n, -LN2_HIGH[type], double)
    rest = f.fma(n, -LN2_LOW[type], rest)
    series = f.polynomial(rest, [1 / math.factorial(k) for k in range(2, DEGREE[type] + 1)])
    series = f.fma(series * rest, rest, rest)
    whole = f.select(x.isnan(), 0, n).to(vector(WORD[type], lanes(x.type)))
    power = power_of_two(f, whole, type)
    less = f.fma(series, power, power - 1.0)
    return f.intrinsic("copysign", less / (less + 2.0), x)


def gelu_tanh(f: Function, x: Value) -> Value:
    """gelu with Phi approximated by tanh."""
    inner = tanh(f, (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi))
    return x * 0.5 * (inner + 1.0)


def gelu_tanh_backward(f: Function, g: Value, x: Value) -> Value:
    """Its gradient."""
    scale = math.sqrt(2 / math.pi)
    inner = tanh(f, (x + x * x * x * 0.044715) * scale)
    slope = (x * x * (3 * 0.044715) + 1.0) * scale
    one = f.value(x.type, 1.0)
    return g * ((inner + 1.0) * 0.5 + x * 0.5 * (one - inner * inner) * slope)


def silu_backward(f: Function, g: Value, x: Value) -> Value:
    """``g * s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``, rounded where PyTorch rounds."""
    s, one = sigmoid(f, x), f.value(x.type, 1.0)
    return g * s * f.fma(x, one - s, one)


def tanh_backward(f: Function, g: Value, out: Value) -> Value:
    """``g * (1 - out^2)``, rounded where PyTorch rounds."""
    return g * f.fma(-out, out, f.value(out.type, 1.0))


def rsqrt_backward(f: Function, g: Value, out: Value) -> Value:
    """``-g * out^3 / 2``, rounded where PyTorch rounds: a cube of float16 once."""
    cube = (out * out if f.element == "half" else settled(f, out * out)) * out
    return g * -0.5 * settled(f, cube)


def gated_backward(f: Function, g: Value, a: Value, b: Value) -> Value:
    """``(1 - s) * s * g * a`` with ``s = sigmoid(b)``, rounded where PyTorch rounds."""
    s = settled(f, sigmoid(f, b))
    return (f.value(a.type, 1.0) - s) * s * g * a


def maximum(f: Function, a: Value, b: Value) -> Value:
    """The larger, NaN where either is."""
    better = a.gt(b)
    return f.select(better | a.isnan() if a.floating else better, a, b)


def minimum(f: Function, a: Value, b: Value) -> Value:
    """The smaller, NaN where either is."""
    better = a.lt(b)
    return f.select(better | a.isnan() if a.floating else better, a, b)


def relu(f: Function, x: Value) -> Value:
    """Zero for negative numbers, NaN for NaN."""
    return f.select(x.lt(0), 0, x)


def absolute(f: Function, x: Value) -> Value:
    """The size of a number."""
    if x.floating:
        return f.intrinsic("fabs", x)
    return f.select(x.lt(0), -x, x)


def comparing(how: str) -> Callable[[Function, Value, Value], Value]:
    """`how` as a formula."""
    return lambda f, a, b: a.compare(how, b)


def answered(write: Callable[..., Value], arity: int = 2) -> Formula:
    """The answers of a question to numbers, as numbers of their type: 1 or 0."""

    def numbers(f: Function, *values: Value) -> Value:
        return write(f, *values).to(values[0].type)

    return Formula(numbers, arity, (*NUMBERS, "i1"))


def addcmul(f: Function, x: Value, a: Value, b: Value) -> Value:
    """``x + a * b``, rounded once."""
    return f.fma(a, b, x) if x.floating else x + a * b


def lerp(f: Function, start: Value, end: Value, weight: Value) -> Value:
    """From the nearer end, so that weight 1 gives `end` exactly."""
    length = end - start
    low = f.fma(length, weight, start)
    high = f.fma(-length, f.value(start.type, 1.0) - weight, end)
    return f.select(f.intrinsic("fabs", weight).lt(0.5), low, high)


FORMULAS: dict[str, Formula] = {
    "add": Formula(lambda f, a, b: a | b if a.type == "i1" else a + b, 2, (*NUMBERS, "i1")),
    "sub": Formula(lambda f, a, b: a - b, 2, NUMBERS),
    "mul": Formula(lambda f, a, b: a * b, 2, (*NUMBERS, "i1")),
    "div": Formula(lambda f, a, b: a / b, 2, FLOATS),
    "neg": Formula(lambda f, x: -x, 1, NUMBERS),
    "abs": Formula(absolute, 1, NUMBERS),
    "square": Formula(lambda f, x: x * x, 1, NUMBERS),
    "sqrt": Formula(lambda f, x: f.intrinsic("sqrt", x), 1),
    "rsqrt_backward": Formula(rsqrt_backward, 2, forms=("vv", "sv"), narrow=("half", "bf16")),
    "rsqrt": Formula(
        lambda f, x: f.value(x.type, 1.0) / f.intrinsic("sqrt", x), 1,
        tail=lambda f, x: f.value(x.type, 1.0) / settled(f, f.intrinsic("sqrt", x)),
    ),
    "reciprocal": Formula(lambda f, x: f.value(x.type, 1.0) / x, 1),
    "relu": Formula(relu, 1, NUMBERS),
    "exp": Formula(exp, 1),
    "sigmoid": Formula(sigmoid, 1),
    "tanh": Formula(tanh, 1),
    "gelu_tanh": Formula(gelu_tanh, 1),
    "silu": Formula(lambda f, x: x / (exp(f, -x) + 1.0), 1),
    "maximum": Formula(maximum, 2, NUMBERS),
    "minimum": Formula(minimum, 2, NUMBERS),
    "eq": Formula(comparing("eq"), 2, (*NUMBERS, "i1"), "i1"),
    "ne": Formula(comparing("ne"), 2, (*NUMBERS, "i1"), "i1"),
    "lt": Formula(comparing("lt"), 2, NUMBERS, "i1"),
    "le": Formula(comparing("le"), 2, NUMBERS, "i1"),
    "gt": Formula(comparing("gt"), 2, NUMBERS, "i1"),
    "ge": Formula(comparing("ge"), 2, NUMBERS, "i1"),
    "isnan": Formula(lambda f, x: x.isnan(), 1, NUMBERS, "i1"),
    "where": Formula(
        lambda f, c, a, b: f.select(c, a, b), 3,
        (*NUMBERS, "i32", "i1"), forms=("vvv", "vvs", "vsv"), condition=0,
    ),
    "addcmul": Formula(addcmul, 3, NUMBERS, forms=("vvv",)),
    "lerp": Formula(lerp, 3, FLOATS, forms=("vvv", "vvs")),
    # Bounds of numbers; PyTorch's order: the upper bound last.
    "clamp": Formula(
        lambda f, x, low, high: minimum(f, maximum(f, x, low), high), 3, NUMBERS,
        forms=("vss", "vvv"), absent=((1, LEAST_OF), (2, LARGEST_OF)),
    ),
    # What gradients are made of.
    "relu_backward": Formula(lambda f, g, out: f.select(out.le(0), 0, g), 2, narrow=HALVES),
    "sigmoid_backward": Formula(
        lambda f, g, out: g * ((f.value(g.type, 1.0) - out) * out), 2
    ),
    "gelu_tanh_backward": Formula(gelu_tanh_backward, 2),
    "silu_backward": Formula(silu_backward, 2),
    "gated": Formula(lambda f, a, b: a * sigmoid(f, b), 2, forms=("vv", "sv")),
    "gated_backward": Formula(gated_backward, 3, forms=("vvv", "svv")),
    "tanh_backward": Formula(tanh_backward, 2, forms=("vv", "sv")),
    "sqrt_backward": Formula(lambda f, g, out: g / (out + out), 2),
    "inside_backward": Formula(  # of clamp: the gradient inside and at the bounds
        lambda f, g, x, low, high: f.select(x.ge(low) & x.le(high), g, 0), 4, FLOATS,
        forms=("vvss", "svss"),
    ),
    # What is written over the numbers asked about.
    "logical_and_answered": answered(lambda f, a, b: a.ne(0) & b.ne(0)),
    "logical_or_answered": answered(lambda f, a, b: a.ne(0) | b.ne(0)),
    "logical_xor_answered": answered(lambda f, a, b: a.ne(0) ^ b.ne(0)),
    "logical_not_answered": answered(lambda f, x: x.eq(0), 1),
}  # fmt: skip
FORMULAS |= {f"{how}_answered": answered(comparing(how)) for how in ("eq", "ne")}
FORMULAS |= {
    f"{how}_answered": answered(comparing(how))._replace(types=NUMBERS)
    for how in ("lt", "le", "gt", "ge")
}
