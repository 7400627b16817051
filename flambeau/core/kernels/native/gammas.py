"""Formulas of the incomplete gamma functions, Hurwitz's zeta and what is made of them.

Their sums are as long as an element asks for, so they are scalar code, in double; zeta's first
terms fill the lanes of vectors. Stands on special and smooth.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from flambeau.core.kernels import special_gamma as forms
from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.jit.ir import Function, Value, Variable, lanes, vector
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.smooth import log, log1p
from flambeau.core.kernels.native.special import (
    constant,
    erfcx_positive,
    lgamma,
    lgamma_positive,
    size_of,
)

__all__ = ["GAMMAS", "mvlgamma_of"]

TOLERANCE = {"float": 1e-9, "double": 2.0**-53}
"""Where a sum ends, beside what it has come to."""
STEPS = 4
"""Terms by one division."""


def again(f: Function, turn: Callable[[], Value]) -> None:
    """``while turn(): ...``."""
    k = f.fresh()
    f.label(f"again{k}")
    f.branch(turn(), f"again{k}", f"enough{k}")
    f.label(f"enough{k}")


def lower_series(f: Function, a: Value, x: Value, tolerance: float) -> Value:
    """``1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ...``."""
    total, term = f.variable("double", 1.0), f.variable("double", 1.0)
    below = f.variable("double", a)

    def turn() -> Value:
        first, *steps = [below.get() + float(k + 1) for k in range(STEPS)]
        product, part, power = steps[-1], steps[-1] + x, x * x
        for step in steps[-2::-1]:
            product, power = product * step, power * x
            part = f.fma(part, x, product)
        scale = term.get() / (product * first)
        total.set(total.get() + part * x * scale)
        term.set(power * scale)
        below.set(steps[-1])
        return term.get().gt(total.get() * tolerance)

    again(f, turn)
    return total.get()


def upper_fraction(f: Function, a: Value, x: Value, tolerance: float) -> Value:
    """Legendre's continued fraction by its numerators and denominators, brought back to a
    denominator of 1 every few steps.
    """
    b = f.variable("double", x + 1.0 - a)
    count = f.variable("double", 0.0)
    one = constant(f, 1.0)
    top, top_before = f.variable("double", one / b.get()), f.variable("double", 0.0)
    below_before = f.variable("double", one / b.get())

    def turn() -> Value:
        known = top.get()
        tops, belows = [top_before.get(), known], [below_before.get(), one]
        k, step = count.get(), b.get()
        for _ in range(STEPS):
            k, step = k + 1.0, step + 2.0
            weight = k * (a - k)
            tops.append(f.fma(step, tops[-1], weight * tops[-2]))
            belows.append(f.fma(step, belows[-1], weight * belows[-2]))
        scale = one / belows[-1]
        found = tops[-1] * scale
        top.set(found)
        top_before.set(tops[-2] * scale)
        below_before.set(belows[-2] * scale)
        count.set(k)
        b.set(step)
        return size_of(f, found - known).gt(size_of(f, found) * tolerance)

    again(f, turn)
    return top.get()


def uniform(f: Function, a: Value, x: Value) -> Value:
    """The upper function for large `a` and an x near it, by Temme's expansion: the normal
    distribution's tail and a correction.
    """
    mu = (x - a) / a
    half = mu - log1p(f, mu)
    half = f.select(half.lt(0), 0.0, half)
    eta = f.intrinsic("copysign", f.intrinsic("sqrt", half * 2.0), mu)
    bell = exp(f, -(a * half))
    tail = bell * erfcx_positive(f, f.intrinsic("sqrt", a * half)) * 0.5
    rows = [f.polynomial(eta, row) for row in table.TEMME]
    inverse = constant(f, 1.0) / a
    series = rows[-1]
    for row in rows[-2::-1]:
        series = f.fma(series, inverse, row)
    rest = bell * series * f.intrinsic("sqrt", inverse * (1 / (2 * math.pi)))
    return f.select(mu.lt(0), constant(f, 1.0) - tail, tail) + rest


def incomplete(upper: bool) -> Callable[[Function, Value, Value], Value]:
    """A regularised incomplete gamma function."""
    at_zero, at_infinity = (1.0, 0.0) if upper else (0.0, 1.0)

    def complement(f: Function, found: Variable) -> None:
        found.set(constant(f, 1.0) - found.get())

    def formula(f: Function, given: Value, other: Value) -> Value:
        a, x = given.to("double"), other.to("double")
        tolerance = TOLERANCE[given.type]
        found = f.variable("double", math.nan)
        k = f.fresh()
        proper = a.gt(0) & x.gt(0) & a.lt(math.inf) & x.lt(math.inf)
        f.branch(proper, f"proper{k}", f"edge{k}")
        f.label(f"proper{k}")
        near = a.ge(forms.UNIFORM) & size_of(f, x - a).le(a * forms.NEAR)
        f.branch(near, f"near{k}", f"off{k}")
        f.label(f"near{k}")
        found.set(uniform(f, a, x))
        if not upper:
            complement(f, found)
        f.jump(f"done{k}")
        f.label(f"off{k}")
        low = x.le(a + 1.0)
        f.branch(a.gt(forms.CLEAR) | x.gt(2 * forms.CLEAR), f"clear{k}", f"sum{k}")
        f.label(f"clear{k}")
        found.set(f.select(low, constant(f, at_zero), at_infinity))
        f.jump(f"done{k}")
        f.label(f"sum{k}")
        density = exp(f, a * log(f, x) - x - lgamma_positive(f, a + 1.0))
        f.branch(low, f"series{k}", f"fraction{k}")
        f.label(f"series{k}")
        found.set(density * lower_series(f, a, x, tolerance))
        if upper:
            complement(f, found)
        f.jump(f"done{k}")
        f.label(f"fraction{k}")
        found.set(density * a * upper_fraction(f, a, x, tolerance))
        if not upper:
            complement(f, found)
        f.jump(f"done{k}")
        f.label(f"edge{k}")
        value = f.select(x.eq(math.inf), constant(f, at_infinity), math.nan)
        endless = f.select(x.eq(math.inf), constant(f, math.nan), at_zero)
        value = f.select(a.eq(math.inf), endless, value)
        value = f.select(x.eq(0), at_zero, value)
        none = f.select(x.gt(0), constant(f, at_infinity), math.nan)
        value = f.select(a.eq(0), none, value)
        value = f.select(
            x.lt(0) | a.lt(0) | (a.isnan() & x.ne(0) & x.ne(math.inf)), math.nan, value
        )
        found.set(value)
        f.label(f"done{k}")
        return found.get().to(given.type)

    return formula


LANES = 8
TERMS = 10


WHOLE = 1024.0
"""Whole exponents up to here are products, whose signed sums cancel to the last digit."""


def powers(f: Function, a: Value, s: Value) -> Value:
    """``a ** -s`` for positive numbers, in every lane."""
    found, base = f.variable(a.type), f.variable(a.type, a)
    k = f.fresh()
    whole = s.eq(f.intrinsic("floor", s)) & s.le(WHOLE) & s.ge(0)
    f.branch(whole, f"whole{k}", f"any{k}")
    f.label(f"whole{k}")
    rest = f.variable("i64", s.to("i64"))
    product = f.variable(a.type, 1.0)

    def turn() -> Value:
        now = base.get()
        odd = f.select((rest.get() & 1).ne(0), constant(f, 1.0), 0.0)
        chosen = f.splat(odd, lanes(a.type)).ne(0)
        product.set(f.select(chosen, product.get() * now, product.get()))
        base.set(now * now)
        rest.set(rest.get() >> 1)
        return rest.get().gt(0)

    again(f, turn)
    found.set(f.value(a.type, 1.0) / product.get())
    f.jump(f"power{k}")
    f.label(f"any{k}")
    found.set(exp(f, -(f.splat(s, lanes(a.type)) * log(f, a))))
    f.label(f"power{k}")
    return found.get()


def hurwitz(f: Function, s: Value, q: Value) -> Value:
    """``sum (k + q) ** -s``: the terms up to 0 one by one, two registers of the next ones, and
    Euler and Maclaurin's formula.
    """
    start, total = f.variable("double", q), f.variable("double", 0.0)
    half = s * 0.5
    sign = f.select(f.intrinsic("rint", half).eq(half), constant(f, 1.0), -1.0)
    whole = s.eq(f.intrinsic("floor", s))
    k = f.fresh()
    f.branch(q.lt(0) & whole & q.ne(f.intrinsic("floor", q)), f"below{k}", f"above{k}")
    f.label(f"below{k}")

    def turn() -> Value:
        a = start.get()
        total.set(total.get() + sign * powers(f, -a, s))
        start.set(a + 1.0)
        return start.get().lt(0)

    again(f, turn)
    f.label(f"above{k}")
    a = start.get()
    room = f.memory("double", 2 * LANES)
    for j in range(2 * LANES):
        f.store(a + float(j), room, j)
    f.store(powers(f, f.load(vector("double", 2 * LANES), room), s), room)
    a = a + 2.0 * LANES
    last, inverse = powers(f, a, s), constant(f, 1.0) / a
    rise, power, rest = s, inverse, constant(f, 0.5)
    for j, factor in enumerate(forms.EULER_MACLAURIN[:TERMS]):
        rest = f.fma(rise * power, factor, rest)
        rise = rise * (s + (2.0 * j + 1)) * (s + (2.0 * j + 2))
        power = power * inverse * inverse
    found = total.get()
    for j in range(2 * LANES):  # large ones of both signs are gone before small ones come
        found = found + f.load("double", room, j)
    return found + last * a / (s - 1.0) + f.select(last.eq(0), 0.0, last * rest)


def zeta(f: Function, given: Value, other: Value) -> Value:
    """Hurwitz's zeta; where the first power is nothing and the factors of the formula's last term
    have no bound, NaN as PyTorch has it.
    """
    s, q = given.to("double"), other.to("double")
    found = hurwitz(f, s, q)
    rise = s
    for j in range(1, forms.RISES):
        rise = rise * (s + float(j))
    boundless = q.gt(1.0) & rise.eq(math.inf) & (s * log(f, q)).gt(forms.NOTHING)
    found = f.select(boundless, math.nan, found)
    outside = f.select(q.lt(1.0), constant(f, math.inf), math.nan)
    found = f.select(s.eq(math.inf), f.select(q.eq(1.0), 1.0, outside), found)
    stop = q.eq(f.intrinsic("floor", q))
    found = f.select(q.le(0) & s.ne(f.intrinsic("floor", s)), math.nan, found)
    found = f.select(q.le(0) & stop, math.inf, found)
    found = f.select(s.lt(1.0), math.nan, found)
    return f.select(s.eq(1.0), math.inf, found).to(given.type)


def polygamma(f: Function, x: Value, s: Value, factor: Value) -> Value:
    """``factor * zeta(s, x)``."""
    return factor * zeta(f, s, x)


def mvlgamma(f: Function, x: Value, p: Value) -> Value:
    """The logarithm of the multivariate gamma function of dimension p."""
    a, size = x.to("double"), p.to("double")
    total = f.variable("double", size * (size - 1.0) * (forms.LOG_PI / 4))
    with f.loop(0, size.to("i64")) as j:
        total.set(total.get() + lgamma(f, a - j.to("double") * 0.5))
    return total.get().to(x.type)


def mvlgamma_of(p: int) -> Formula:
    """The same of one dimension: its terms side by side, which vectors take."""

    def formula(f: Function, x: Value) -> Value:
        a = x.to("double")
        total = constant(f, p * (p - 1) / 4 * forms.LOG_PI)
        for j in range(p):
            total = total + lgamma(f, a - j / 2)
        return total.to(x.type)

    return Formula(formula, 1)


GAMMAS: dict[str, Formula] = {
    "igamma": Formula(incomplete(upper=False), 2),
    "igammac": Formula(incomplete(upper=True), 2),
    "special_zeta": Formula(zeta, 2),
    "polygamma_of": Formula(polygamma, 3, forms=("vss",)),
    "mvlgamma": Formula(mvlgamma, 2, forms=("vs",)),
}
