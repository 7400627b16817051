"""Exponentials, logarithms, roots and the circular and hyperbolic functions. Elementwise,
differentiable.

Not here: powers with an exponent (power), error and gamma functions (special). A body that is one
ufunc keeps half and
bfloat16 exact by itself; the others ask for float32 with `upcast`. Stands on declare and either.
"""

from __future__ import annotations

import numpy as np

from flambeau.core.declare import elementwise, ops
from flambeau.core.dtypes import FLOAT, NUMBER, REAL_FLOAT, Rule
from flambeau.core.kernels import complex_numbers
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.ops.either import cosine, keep, sine, times
from flambeau.core.rules import with_arrays

__all__: list[str] = []

_REAL_ANGLE = Rule(
    "REAL_ANGLE", refuses=frozenset({"complex", "float8"}), ints_to_float=True, error=RuntimeError
)


@elementwise(types=FLOAT, kernel=np.exp, inplace_function=True, vjp=lambda g, out: g * out)
def exp(input):
    """``e ** input``."""
    return np.exp(input)


@elementwise(
    types=FLOAT,
    kernel=np.exp2,
    inplace_function=True,
    vjp=lambda g, out: g * out * 0.6931471805599453,
)
def exp2(input):
    """``2 ** input``."""
    return np.exp2(input)


@elementwise(types=FLOAT, kernel=np.expm1, inplace_function=True, vjp=lambda g, out: g * (out + 1))
def expm1(input):
    """``e ** input - 1``, exact for small input."""
    return np.expm1(input)


@elementwise(types=FLOAT, kernel=np.log, inplace_function=True, vjp=lambda g, input: g / input)
def log(input):
    """The natural logarithm; -inf at 0, NaN below."""
    return np.log(input)


@elementwise(
    types=FLOAT,
    kernel=np.log2,
    inplace_function=True,
    vjp=lambda g, input: g / (input * 0.6931471805599453),
)
def log2(input):
    """The logarithm to base 2."""
    return np.log2(input)


@elementwise(
    types=FLOAT,
    kernel=np.log10,
    inplace_function=True,
    vjp=lambda g, input: g / (input * 2.302585092994046),
)
def log10(input):
    """The logarithm to base 10."""
    return np.log10(input)


@elementwise(
    types=FLOAT,
    kernel=np.log1p,
    complex=complex_numbers.log1p,
    inplace_function=True,
    vjp=lambda g, input: g / (input + 1),
)
def log1p(input):
    """``log(1 + input)``, exact for small input."""
    return np.log1p(input)


@elementwise(types=FLOAT, kernel=np.sqrt, inplace_function=True, vjp=lambda g, out: g / (2 * out))
def sqrt(input):
    """The square root; NaN for negative numbers."""
    return np.sqrt(input)


def _rsqrt(input):
    return 1 / np.sqrt(input)


def _rsqrt_slope(g, out):
    cube = out**3 if out.dtype == "f2" else out * out * out  # PyTorch rounds a cube of theirs once
    return g * g.dtype.type(-0.5) * cube


@elementwise(
    types=FLOAT,
    kernel=_rsqrt,
    upcast=True,
    inplace_function=True,
    vjp=with_arrays(lazily("rsqrt_backward", _rsqrt_slope))(
        lambda g, out: -0.5 * g * (out * out * out)
    ),
)
def rsqrt(input):
    """``1 / sqrt(input)``."""
    return 1 / np.sqrt(input)


@elementwise(
    types=FLOAT, kernel=np.reciprocal, inplace_function=True, vjp=lambda g, out: -g * (out * out)
)
def reciprocal(input):
    """``1 / input``."""
    return np.reciprocal(input)


@elementwise(
    types=FLOAT, kernel=np.sin, inplace_function=True, vjp=lambda g, input: g * cosine(input)
)
def sin(input):
    """The sine of an angle in radians."""
    return np.sin(input)


@elementwise(
    types=FLOAT, kernel=np.cos, inplace_function=True, vjp=lambda g, input: g * -sine(input)
)
def cos(input):
    """The cosine of an angle in radians."""
    return np.cos(input)


@elementwise(
    types=FLOAT, kernel=np.tan, inplace_function=True, vjp=lambda g, out: g * (1 + out * out)
)
def tan(input):
    """The tangent of an angle in radians."""
    return np.tan(input)


@elementwise(
    types=FLOAT,
    kernel=np.arcsin,
    alias=("arcsin",),
    inplace_function=True,
    vjp=lambda g, input: g * ops.rsqrt(1 - input * input),
)
def asin(input):
    """The angle whose sine is input; NaN outside [-1, 1]."""
    return np.arcsin(input)


@elementwise(
    types=FLOAT,
    kernel=np.arccos,
    alias=("arccos",),
    inplace_function=True,
    vjp=lambda g, input: g * -ops.rsqrt(1 - input * input),
)
def acos(input):
    """The angle whose cosine is input; NaN outside [-1, 1]."""
    return np.arccos(input)


@elementwise(
    types=FLOAT,
    kernel=np.arctan,
    alias=("arctan",),
    inplace_function=True,
    vjp=lambda g, input: g / (input * input + 1),
)
def atan(input):
    """The angle in (-pi/2, pi/2) whose tangent is input."""
    return np.arctan(input)


@elementwise(
    types=FLOAT, kernel=np.sinh, inplace_function=True, vjp=lambda g, input: g * ops.cosh(input)
)
def sinh(input):
    """The hyperbolic sine."""
    return np.sinh(input)


@elementwise(
    types=FLOAT, kernel=np.cosh, inplace_function=True, vjp=lambda g, input: g * ops.sinh(input)
)
def cosh(input):
    """The hyperbolic cosine."""
    return np.cosh(input)


@elementwise(
    types=FLOAT,
    kernel=np.arcsinh,
    alias=("arcsinh",),
    written="AsinhBackward1",
    inplace_function=True,
    vjp=lambda g, input: g * ops.rsqrt(input * input + 1),
)
def asinh(input):
    """The inverse of sinh."""
    return np.arcsinh(input)


def _acosh_grad(g, input):
    if input.is_complex():
        return g * (ops.rsqrt(input - 1) * ops.rsqrt(input + 1))
    return g * ops.rsqrt(input * input - 1)


@elementwise(
    types=FLOAT,
    kernel=np.arccosh,
    alias=("arccosh",),
    written="AcoshBackward1",
    inplace_function=True,
    vjp=_acosh_grad,
)
def acosh(input):
    """The inverse of cosh; NaN below 1."""
    return np.arccosh(input)


@elementwise(
    types=FLOAT,
    kernel=np.arctanh,
    alias=("arctanh",),
    written="AtanhBackward1",
    inplace_function=True,
    vjp=lambda g, input: g / (1 - input * input),
)
def atanh(input):
    """The inverse of tanh; NaN outside [-1, 1]."""
    return np.arctanh(input)


def _sinc(input):
    x = input * np.pi
    return np.where(x == 0, x.dtype.type(1), np.sin(x) / x)


def _sinc_grad(g, input):
    x = times(input, np.pi)
    square = times(input * input, np.pi)
    return keep(g * ((x * ops.cos(x) - ops.sin(x)) / square), square != 0)


@elementwise(types=FLOAT, kernel=_sinc, upcast=True, inplace_function=True, vjp=_sinc_grad)
def sinc(input):
    """``sin(pi input) / (pi input)``, 1 at 0."""
    return _sinc(input)


@elementwise(
    types=_REAL_ANGLE,
    upcast=True,
    inplace_function=True,
    node="Deg2Rad",
    vjp=lambda g: g * 0.017453292519943295,
)
def deg2rad(input):
    """Degrees to radians."""
    return input * (np.pi / 180)


@elementwise(
    types=_REAL_ANGLE,
    upcast=True,
    inplace_function=True,
    node="Rad2Deg",
    vjp=lambda g: g * 57.29577951308232,
)
def rad2deg(input):
    """Radians to degrees."""
    return input * (180 / np.pi)


def _turning(moved, input, other):
    """A step across the ray by its length: 0 at the origin."""
    square = input * input + other * other
    return keep(moved * ops.reciprocal(square), (square == 0) == 0)


@elementwise(
    operands="tensors",
    types=REAL_FLOAT,
    kernel=np.arctan2,
    alias=("arctan2",),
    vjp={
        "input": lambda g, input, other: _turning(g * other, input, other),
        "other": lambda g, input, other: _turning(g * -input, input, other),
    },
)
def atan2(input, other):
    """The angle of the point (other, input), in (-pi, pi]."""
    return np.arctan2(input, other)


_FLOATS = Rule("FLOATS", refuses=frozenset({"bool", "int", "complex", "float8"}))


@elementwise(
    operands="tensors",
    types=_FLOATS,
    kernel=np.hypot,
    vjp={
        "input": lambda g, input, out: g * input / out,
        "other": lambda g, other, out: g * other / out,
    },
)
def hypot(input, other):
    """``sqrt(input ** 2 + other ** 2)`` without overflow in between."""
    return np.hypot(input, other)


def _logaddexp(input, other):
    if input.dtype.kind == "c":
        return complex_numbers.logaddexp(input, other)
    return np.logaddexp(input, other)


@elementwise(
    operands="tensors",
    types=Rule("LOGADD", refuses=frozenset({"bool", "int", "float8"})),
    kernel=_logaddexp,
    inplace=False,
    upcast=True,
    vjp={
        "input": lambda g, input, other: g / (1 + ops.exp(other - input)),
        "other": lambda g, input, other: g / (1 + ops.exp(input - other)),
    },
)
def logaddexp(input, other):
    """``log(exp(input) + exp(other))`` without overflow."""
    return _logaddexp(input, other)


@elementwise(
    operands="tensors",
    types=_FLOATS,
    kernel=np.logaddexp2,
    inplace=False,
    upcast=True,
    vjp={
        "input": lambda g, input, other: g / (1 + ops.exp2(other - input)),
        "other": lambda g, input, other: g / (1 + ops.exp2(input - other)),
    },
)
def logaddexp2(input, other):
    """``log2(2 ** input + 2 ** other)`` without overflow."""
    return np.logaddexp2(input, other)


_odds = lazily("logit_of", lambda input: np.log(input / (1 - input)))


def _logit(input, eps):
    if eps is not None:
        kind = input.dtype.type
        input = np.minimum(np.maximum(input, kind(eps)), kind(1 - eps))
    return _odds(input)


def _logit_grad(g, input, eps):
    slope = g / (input * (1 - input))
    if eps is None:
        inside = (input >= 0) & (input <= 1)
        return keep(slope, inside) + ops.where(inside, 0.0, float("nan"))
    return keep(slope, (input >= eps) & (input <= 1 - eps))


@elementwise(types=REAL_FLOAT, kernel=_logit, inplace_function=True, vjp=_logit_grad)
def logit(input, eps: float | None = None):
    """``log(input / (1 - input))``, the inverse of sigmoid; with `eps` the input is clamped to
    [eps, 1 - eps] first."""
    return _logit(input, eps)


@elementwise(
    types=NUMBER,
    kernel=np.square,
    name="_square",
    node="Pow",
    function=False,
    method=False,
    vjp=lambda g, input: g * (input * 2),
)
def _square_of(input):
    """``input ** 2`` for what is not bool."""
    return np.square(input)
