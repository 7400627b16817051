"""Formulas of quotients rounded, what they leave, and powers.

What single precision would round twice is computed in double. Stands on formulas and smooth.
"""

from __future__ import annotations

import math

from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.formulas import NUMBERS, exp
from flambeau.core.kernels.native.narrow import HALVES
from flambeau.core.kernels.native.smooth import log

__all__ = ["QUOTIENTS"]


def power(f: Function, x: Value, y: Value) -> Value:
    """``x**y`` of single-precision numbers, rounded once; C's special cases."""
    base, exponent = x.to("double"), y.to("double")
    one = f.value("double", 1.0)
    size = f.intrinsic("fabs", base)
    found = exp(f, exponent * log(f, size))
    whole = f.intrinsic("rint", exponent).eq(exponent)
    half = exponent * 0.5
    odd = whole & f.intrinsic("rint", half).ne(half)
    negative = f.intrinsic("copysign", one, base).lt(0)
    found = f.select(negative & odd, -found, found)
    bad = base.lt(0) & ~whole & size.lt(math.inf)
    found = f.select(bad, f.value("double", math.nan), found)
    endless = size.eq(1.0) & f.intrinsic("fabs", exponent).eq(math.inf)
    found = f.select(base.eq(1.0) | exponent.eq(0) | endless, one, found)
    return found.to("float")


def whole_power(f: Function, x: Value, y: Value) -> Value:
    """``x**y`` of whole numbers, which wrap, by squares; what is a fraction is 0."""
    found, square = f.variable(x.type, 1), f.variable(x.type, x)
    left = f.variable(x.type, f.select(y.lt(0), 0, y))
    k = f.fresh()
    f.label(f"turn{k}")
    f.branch(left.get().eq(0), f"done{k}", f"more{k}")
    f.label(f"more{k}")
    odd = (left.get() & 1).ne(0)
    found.set(f.select(odd, found.get() * square.get(), found.get()))
    square.set(square.get() * square.get())
    left.set(left.get() >> 1)
    f.jump(f"turn{k}")
    f.label(f"done{k}")
    alternating = f.select((y & 1).ne(0), f.value(x.type, -1), 1)
    fraction = f.select(x.eq(1), f.value(x.type, 1), f.select(x.eq(-1), alternating, 0))
    return f.select(y.lt(0), fraction, found.get())


def towards_zero(f: Function, a: Value, b: Value) -> Value:
    """``a / b`` of whole numbers, b not 0; the least by -1 wraps."""
    less = b.eq(-1)
    return f.select(less, -a, a / f.select(less, f.value(b.type, 1), b))


def div_trunc(f: Function, a: Value, b: Value) -> Value:
    """``trunc(a / b)``."""
    return f.intrinsic("trunc", a / b) if a.floating else towards_zero(f, a, b)


def fmod(f: Function, a: Value, b: Value) -> Value:
    """C's fmod, exact: the quotient's leading digits times `b`, taken off in one rounding, leave
    what a number holds. Large quotients take several turns.
    """
    if not a.floating:
        return a - towards_zero(f, a, b) * b
    if a.type == "float":
        rest = _remains(f, a.to("double"), f.intrinsic("fabs", b.to("double")))
    else:
        rest = _remains(f, a, f.intrinsic("fabs", b))
    return f.select(b.isnan(), b, f.intrinsic("copysign", rest, a.to(rest.type)).to(a.type))


def _remains(f: Function, top: Value, size: Value) -> Value:
    """`fmod` of doubles, the divisor not negative; NaN for infinite `top` and for the divisor 0."""
    proper = f.intrinsic("fabs", top).lt(math.inf) & size.gt(0)
    rest = f.variable("double", f.select(proper, top, math.nan))
    scaled = f.variable("double")
    k = f.fresh()
    f.label(f"turn{k}")
    r = rest.get()
    f.branch(f.intrinsic("fabs", r).ge(size), f"more{k}", f"done{k}")
    f.label(f"more{k}")
    scaled.set(size)
    f.label(f"scale{k}")  # a quotient beyond all numbers: a power of two times the divisor first
    q = r / scaled.get()
    f.branch(f.intrinsic("fabs", q).eq(math.inf), f"larger{k}", f"take{k}")
    f.label(f"larger{k}")
    scaled.set(scaled.get() * 2.0**512)
    f.jump(f"scale{k}")
    f.label(f"take{k}")
    whole = f.intrinsic("trunc", q)
    short = (whole.bits("i64") & ~((1 << LEADING) - 1)).bits("double")
    # Fused: a machine that cannot has no such function, and takes the NumPy form.
    rest.set(f.intrinsic("fma", -short, scaled.get(), r))
    f.jump(f"turn{k}")
    f.label(f"done{k}")
    r = rest.get()
    # A quotient rounded up leaves the other sign.
    over = (r.lt(0) & top.gt(0)) | (r.gt(0) & top.lt(0))
    return f.select(over, r + f.intrinsic("copysign", size, top), r)


LEADING = 1
"""Last digits of a quotient that are left for the next turn: it is never rounded up by more."""


def remainder(f: Function, a: Value, b: Value) -> Value:
    """`fmod` with the sign of `b`."""
    found = fmod(f, a, b)
    if not a.floating:
        return f.select(found.ne(0) & (found ^ b).lt(0), found + b, found)
    other = found.ne(0) & ((b.lt(0) & found.ge(0)) | (b.ge(0) & found.lt(0)))
    return f.select(other & ~found.isnan(), found + b, found)


def floor_divide(f: Function, a: Value, b: Value) -> Value:
    """``floor(a / b)`` by what `fmod` leaves, so that a quotient rounded up does not count."""
    rest = fmod(f, a, b)
    if not a.floating:
        found = towards_zero(f, a, b)
        return f.select(rest.ne(0) & (rest ^ b).lt(0), found - 1, found)
    found = (a - rest) / b
    other = rest.ne(0) & ((b.lt(0) & rest.ge(0)) | (b.ge(0) & rest.lt(0)))
    found = f.select(other, found - 1.0, found)
    whole = f.intrinsic("floor", found)
    whole = f.select((found - whole).gt(0.5), whole + 1.0, whole)
    none = f.intrinsic("copysign", f.value(a.type, 0), a / b)
    return f.select(b.eq(0), a / b, f.select(found.eq(0), none, whole))


QUOTIENTS: dict[str, Formula] = {
    "fmod": Formula(fmod, 2, NUMBERS, divisor=1),
    "remainder": Formula(remainder, 2, NUMBERS, divisor=1),
    "floor_divide": Formula(floor_divide, 2, NUMBERS, divisor=1),
    "div_floor": Formula(floor_divide, 2, NUMBERS, divisor=1),
    "div_trunc": Formula(div_trunc, 2, NUMBERS, stepwise=HALVES, divisor=1),
    "whole_power": Formula(whole_power, 2, ("i64", "i32")),
    "power_of": Formula(power, 2, ("float",)),
}
