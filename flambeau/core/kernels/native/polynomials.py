"""Formulas of orthogonal polynomials: their recurrences, and Chebyshev's by angles.

As the NumPy forms in ``kernels/special_polynomial``, but a product and what is taken from it are
rounded once in both types, as PyTorch has it. Stands on special.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.jit.ir import Function, Value, Variable
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.special import constant, horner, size_of, turn

__all__ = ["POLYNOMIALS"]

Two = Callable[[Function, Value, Value], Value]
First = Callable[[Function, Value], Value]
Step = Callable[[Function, Value, Value, Value, Value], Value]
AtEnd = Callable[[Value], Value]
HIGHEST = 2.0**63
"""From here on a degree is none."""


def climb(f: Function, x: Value, n: Value, first: Value, step: Step, found: Variable) -> None:
    """Degree n of the family with p0 = 1, p1 = first and p(k + 1) = step(k, x, p(k), p(k - 1));
    0 for what is no degree. What has become NaN stays so.
    """
    one, zero = f.value(x.type, 1.0), f.value(x.type, 0.0)
    before, now, count = (f.variable(x.type, v) for v in (one, first, one))
    k = f.fresh()
    f.branch(n.ge(2.0) & n.lt(HIGHEST), f"climb{k}", f"top{k}")
    f.label(f"climb{k}")
    degree, last = count.get(), now.get()
    now.set(step(f, degree, x, last, before.get()))
    before.set(last)
    count.set(degree + 1.0)
    f.branch(count.get().lt(n) & now.get().eq(now.get()), f"climb{k}", f"top{k}")
    f.label(f"top{k}")
    value = f.select(n.ge(1.0) & n.lt(HIGHEST), now.get(), zero)
    found.set(f.select(n.eq(0), one, value))


def recurrence(first: First, step: Step) -> Two:
    """A family by its recurrence alone."""

    def formula(f: Function, x: Value, n: Value) -> Value:
        found = f.variable(x.type)
        climb(f, x, f.intrinsic("trunc", n), first(f, x), step, found)
        return found.get()

    return formula


def arccosine(f: Function, given: Value) -> Value:
    """acos inside of (-1, 1), rounded to the given type."""
    x = given.to("double")
    size = size_of(f, x)
    far = size.gt(0.5)
    square = f.select(far, (constant(f, 1.0) - size) * 0.5, x * x)
    base = f.select(far, f.intrinsic("sqrt", square), x)
    sine = base * horner(f, table.ARCSINE, square * 8.0 - 1.0)
    near = constant(f, math.pi / 2) - sine
    twice = sine + sine
    beyond = f.select(x.lt(0), constant(f, math.pi) - twice, twice)
    return f.select(far, beyond, near).to(given.type)


def chebyshev(
    first: First, at_one: AtEnd, at_minus_one: AtEnd, many: int, by_angle: Two, shift: bool
) -> Two:
    """A Chebyshev family, see ``special_polynomial._chebyshev``; `shift` puts it on [0, 1]."""

    def step(f: Function, k: Value, x: Value, now: Value, before: Value) -> Value:
        return f.fma(x + x, now, -before)

    def formula(f: Function, x: Value, n: Value) -> Value:
        if shift:
            x = x + x - 1.0
        n = f.intrinsic("trunc", n)
        size, found = size_of(f, x), f.variable(x.type)
        k = f.fresh()
        f.branch(n.gt(float(many)) & size.lt(1.0) & n.lt(HIGHEST), f"angle{k}", f"outside{k}")
        f.label(f"angle{k}")
        found.set(by_angle(f, arccosine(f, x), n))
        f.jump(f"done{k}")
        f.label(f"outside{k}")
        f.branch(size.eq(1.0) & n.ge(0) & n.lt(HIGHEST), f"end{k}", f"steps{k}")
        f.label(f"end{k}")
        half = n * 0.5
        other = at_minus_one(n)
        other = f.select(f.intrinsic("trunc", half).eq(half), other, -other)
        found.set(f.select(x.gt(0), at_one(n), other))
        f.jump(f"done{k}")
        f.label(f"steps{k}")
        climb(f, x, n, first(f, x), step, found)
        f.label(f"done{k}")
        return found.get()

    return formula


def sine_of(f: Function, x: Value) -> Value:
    return turn(f, x.to("double"))[0].to(x.type)


def cosine_of(f: Function, x: Value) -> Value:
    return turn(f, x.to("double"))[1].to(x.type)


def one(n: Value) -> Value:
    return n.function.value(n.type, 1.0)


def next_one(n: Value) -> Value:
    return n + 1.0


def odd(n: Value) -> Value:
    return n + n + 1.0


def by_angle_t(f: Function, angle: Value, n: Value) -> Value:
    return cosine_of(f, n * angle)


def by_angle_u(f: Function, angle: Value, n: Value) -> Value:
    return sine_of(f, (n + 1.0) * angle) / sine_of(f, angle)


def by_angle_v(f: Function, angle: Value, n: Value) -> Value:
    return cosine_of(f, (n + 0.5) * angle) / cosine_of(f, angle * 0.5)


def by_angle_w(f: Function, angle: Value, n: Value) -> Value:
    return sine_of(f, (n + 0.5) * angle) / sine_of(f, angle * 0.5)


def hermite_h(f: Function, k: Value, x: Value, now: Value, before: Value) -> Value:
    return f.fma(x + x, now, -((k + k) * before))


def hermite_he(f: Function, k: Value, x: Value, now: Value, before: Value) -> Value:
    return f.fma(x, now, -(k * before))


def laguerre(f: Function, k: Value, x: Value, now: Value, before: Value) -> Value:
    slope = (k + k) + (f.value(x.type, 1.0) - x)
    return f.fma(slope, now, -(k * before)) / (k + 1.0)


def legendre(f: Function, k: Value, x: Value, now: Value, before: Value) -> Value:
    return f.fma((k + k + 1.0) * x, now, -(k * before)) / (k + 1.0)


CHEBYSHEV: dict[str, tuple[First, AtEnd, AtEnd, int, Two]] = {
    "t": (lambda f, x: x, one, one, 6, by_angle_t),
    "u": (lambda f, x: x + x, next_one, next_one, 8, by_angle_u),
    "v": (lambda f, x: x + x - 1.0, one, odd, 8, by_angle_v),
    "w": (lambda f, x: x + x + 1.0, odd, one, 8, by_angle_w),
}
"""By the kind's letter: the first degree, the values at 1 and -1, the degree beyond which angles
serve, and how."""

POLYNOMIALS: dict[str, Formula] = {
    "special_hermite_polynomial_h": Formula(recurrence(lambda f, x: x + x, hermite_h), 2),
    "special_hermite_polynomial_he": Formula(recurrence(lambda f, x: x, hermite_he), 2),
    "special_laguerre_polynomial_l": Formula(
        recurrence(lambda f, x: f.value(x.type, 1.0) - x, laguerre), 2
    ),
    "special_legendre_polynomial_p": Formula(recurrence(lambda f, x: x, legendre), 2),
} | {
    f"special_{shifted}chebyshev_polynomial_{kind}": Formula(chebyshev(*how, bool(shifted)), 2)
    for kind, how in CHEBYSHEV.items()
    for shifted in ("", "shifted_")
}
