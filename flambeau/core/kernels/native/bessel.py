"""Formulas of Bessel's functions and of Airy's.

The approximations and tables are those of the NumPy forms in ``kernels/special_bessel``; all are
computed in double, every branch of an element and one chosen. Stands on special and smooth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flambeau.core.kernels import special_bessel as forms
from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.smooth import log
from flambeau.core.kernels.native.special import One, constant, horner, size_of, turn, wide

__all__ = ["BESSEL"]


def scaled_first(
    f: Function, x: Value, near: Sequence[float], far: Sequence[float], odd: bool
) -> Value:
    """``e**-x I(x)`` for positive numbers: a polynomial up to 8, one of 1/x beyond."""
    first = horner(f, near, x * 0.25 - 1.0)
    first = first * x if odd else first
    second = horner(f, far, constant(f, 16.0) / x - 1.0) / f.intrinsic("sqrt", x)
    return f.select(x.le(8.0), first, second)


def modified_first(odd: bool, scaled: bool) -> One:
    """A modified Bessel function of the first kind."""
    near, far = (table.I1_NEAR, table.I1_FAR) if odd else (table.I0_NEAR, table.I0_FAR)

    def formula(f: Function, x: Value) -> Value:
        size = size_of(f, x)
        found = scaled_first(f, size, near, far, odd)
        if not scaled:
            found = exp(f, size) * found
        return f.select(x.lt(0), -found, found) if odd else found

    return wide(formula)


def modified_second(odd: bool, scaled: bool) -> One:
    """A modified Bessel function of the second kind: up to 2 by the first kind and a logarithm."""
    near, far = (table.K1_NEAR, table.K1_FAR) if odd else (table.K0_NEAR, table.K0_FAR)
    first = table.I1_NEAR if odd else table.I0_NEAR

    def formula(f: Function, x: Value) -> Value:
        low = x.le(2.0)
        power = exp(f, f.select(low, x, -x))
        grown = horner(f, first, x * 0.25 - 1.0) * power * log(f, x * 0.5)
        below = horner(f, near, x * x * 0.5 - 1.0)
        below = below / x + grown * x if odd else below - grown
        beyond = horner(f, far, constant(f, 4.0) / x - 1.0) / f.intrinsic("sqrt", x)
        found = f.select(low, below * power if scaled else below, beyond)
        if not scaled:
            found = f.select(low, found, found * power)
        found = f.select(x.eq(0), math.inf, found)
        return f.select(x.lt(0), math.nan, found)

    return wide(formula)


def waves(f: Function, given: Value, order: int) -> tuple[Value, Value]:
    """J and Y beyond 8: Hankel's form. The angle is rounded to the given type, as PyTorch's is."""
    x = given.to("double")
    p, q = (table.P0, table.Q0) if order == 0 else (table.P1, table.Q1)
    inverse = constant(f, 1.0) / x
    t = inverse * inverse * 128.0 - 1.0
    angle = (given - forms.PI_4 * (1 + 2 * order)).to("double")
    s, c = turn(f, angle)
    scale = f.intrinsic("sqrt", inverse * forms.TWO_OVER_PI)
    top, bottom = horner(f, p, t), horner(f, q, t) * inverse
    endless = x.eq(math.inf)
    j, y = scale * (top * c - bottom * s), scale * (top * s + bottom * c)
    return f.select(endless, math.nan, j), f.select(endless, math.nan, y)


def first_kind(order: int) -> One:
    """J of order 0 or 1."""
    near = table.J1_NEAR if order else table.J0_NEAR

    def formula(f: Function, given: Value) -> Value:
        size = size_of(f, given)
        x = size.to("double")
        found = horner(f, near, x * x * (1 / 32) - 1.0)
        found = found * x if order else found
        found = f.select(x.le(8.0), found, waves(f, size, order)[0]).to(given.type)
        return f.select(given.lt(0), -found, found) if order else found

    return formula


def second_kind(order: int) -> One:
    """Y of order 0 or 1: up to 8 by J and a logarithm."""
    near, first = (table.Y1_NEAR, table.J1_NEAR) if order else (table.Y0_NEAR, table.J0_NEAR)

    def formula(f: Function, given: Value) -> Value:
        x = given.to("double")
        t = x * x * (1 / 32) - 1.0
        grown = log(f, x) * horner(f, first, t)
        found = horner(f, near, t)
        if order:
            found = found * x + (grown * x - constant(f, 1.0) / x) * forms.TWO_OVER_PI
        else:
            found = found + grown * forms.TWO_OVER_PI
        found = f.select(x.le(8.0), found, waves(f, given, order)[1])
        found = f.select(x.eq(0), -math.inf, found)
        return f.select(x.lt(0), math.nan, found).to(given.type)

    return formula


def spherical(f: Function, x: Value) -> Value:
    """``sin(x) / x``, 1 at 0 and 0 at infinity."""
    found = f.select(size_of(f, x).lt(1e-4), constant(f, 1.0) - x * x * (1 / 6), turn(f, x)[0] / x)
    return f.select(size_of(f, x).eq(math.inf), 0.0, found)


def airy(f: Function, given: Value) -> Value:
    """Ai: a polynomial around 0, a decaying and a waving form, its angle in the given type."""
    x = given.to("double")
    size = size_of(f, given)
    zeta = size * 2.0 * f.intrinsic("sqrt", size) / 3.0
    angle = (zeta + forms.PI_4).to("double")
    root = f.intrinsic("sqrt", size.to("double"))
    near = horner(f, table.AIRY_NEAR, (x + 2.0) * 0.25)
    deep = x * root * (2 / 3)
    fourth = f.intrinsic("sqrt", root)
    decay = horner(f, table.AIRY_DECAY, constant(f, 2 * forms.EDGE) / deep - 1.0)
    decay = decay * exp(f, -deep) * 0.28209479177387814 / fourth
    wide_zeta = zeta.to("double")
    ratio = constant(f, forms.FAR) / wide_zeta
    t = ratio * ratio * 2.0 - 1.0
    s, c = turn(f, angle)
    wave = horner(f, table.AIRY_P, t) * s - horner(f, table.AIRY_Q, t) / wide_zeta * c
    wave = wave * 0.5641895835477563 / fourth
    found = f.select(x.gt(2.0), decay, f.select(x.lt(-6.0), wave, near))
    found = f.select(x.ge(forms.NOTHING), 0.0, found)
    return f.select(size.eq(math.inf), math.nan, found.to(given.type))


BESSEL: dict[str, Formula] = {
    "i0": Formula(modified_first(odd=False, scaled=False), 1),
    "special_i0e": Formula(modified_first(odd=False, scaled=True), 1),
    "special_i1": Formula(modified_first(odd=True, scaled=False), 1),
    "special_i1e": Formula(modified_first(odd=True, scaled=True), 1),
    "special_modified_bessel_i0": Formula(modified_first(odd=False, scaled=False), 1),
    "special_modified_bessel_i1": Formula(modified_first(odd=True, scaled=False), 1),
    "special_modified_bessel_k0": Formula(modified_second(odd=False, scaled=False), 1),
    "special_modified_bessel_k1": Formula(modified_second(odd=True, scaled=False), 1),
    "special_scaled_modified_bessel_k0": Formula(modified_second(odd=False, scaled=True), 1),
    "special_scaled_modified_bessel_k1": Formula(modified_second(odd=True, scaled=True), 1),
    "special_bessel_j0": Formula(first_kind(0), 1),
    "special_bessel_j1": Formula(first_kind(1), 1),
    "special_bessel_y0": Formula(second_kind(0), 1),
    "special_bessel_y1": Formula(second_kind(1), 1),
    "special_spherical_bessel_j0": Formula(wide(spherical), 1),
    "special_airy_ai": Formula(airy, 1),
}
