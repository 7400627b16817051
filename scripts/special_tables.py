"""Writes flambeau/core/kernels/special_tables.py: the polynomials behind the special functions,
fitted with mpmath.

    python scripts/special_tables.py

Each row is a Chebyshev interpolant in t in [-1, 1], turned into powers of t (highest first) at 60
digits and rounded once.
Degrees grow until the last coefficients vanish beside 1e-17. Needs mpmath; the tables need nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
TARGET = Path(__file__).parents[1] / "flambeau/core/kernels/special_tables.py"
Function = Callable[[mp.mpf], mp.mpf]


def chebyshev(function: Function, count: int) -> list[mp.mpf]:
    """Coefficients of the interpolant at `count` Chebyshev points."""
    angles = [mp.pi * (k + mp.mpf(1) / 2) / count for k in range(count)]
    values = [function(mp.cos(angle)) for angle in angles]
    found = [
        2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / count
        for j in range(count)
    ]
    found[0] /= 2
    return found


def powers(series: list[mp.mpf]) -> list[float]:
    """A Chebyshev series as powers of t, highest first."""
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    total = [mp.mpf(0)] * len(series)
    for c in series:
        for k, value in enumerate(before):
            total[k] += c * value
        before, now = (
            now,
            [
                2 * (now[k - 1] if k else 0) - (before[k] if k < len(before) else 0)
                for k in range(len(now) + 1)
            ],
        )
    return [float(value) for value in reversed(total)]


def fit(function: Function, count: int = 60) -> list[float]:
    """The shortest expansion whose rest is below 1e-17 of its largest coefficient."""
    series = chebyshev(function, count)
    scale = max(map(abs, series))
    last = max(k for k, c in enumerate(series) if abs(c) > scale * mp.mpf("2e-18"))
    return powers(series[: last + 1])


def on(low: float, high: float, function: Function) -> Function:
    """A function of x in [low, high] as one of t."""
    return lambda t: function(low + (high - low) * (t + 1) / 2)


def beyond(edge: float, function: Function, square: bool = False) -> Function:
    """A function of x >= edge as one of t = 2 edge / x - 1 (or of the square of edge / x)."""

    def mapped(t: mp.mpf) -> mp.mpf:
        z = (t + 1) / 2
        return function(edge / (mp.sqrt(z) if square else z))

    return mapped


def bessel_parts(order: int) -> tuple[Function, Function]:
    """P and x Q of Hankel's form: J = sqrt(2 / (pi x)) (P cos - Q sin), Y = sqrt(2 / (pi x)) (P
    sin + Q cos)."""

    def parts(x: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        angle = x - mp.pi / 4 - order * mp.pi / 2
        scale = mp.sqrt(mp.pi * x / 2)
        j, y = mp.besselj(order, x), mp.bessely(order, x)
        return scale * (j * mp.cos(angle) + y * mp.sin(angle)), scale * (
            y * mp.cos(angle) - j * mp.sin(angle)
        )

    return lambda x: parts(x)[0], lambda x: x * parts(x)[1]


def airy_parts(zeta: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
    """P and zeta Q with Ai(-x) = (P cos + Q sin)(zeta - pi / 4) / (sqrt(pi) x^(1/4))."""
    x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
    angle, scale = zeta - mp.pi / 4, mp.sqrt(mp.pi) * x ** (mp.mpf(1) / 4)
    a, b = mp.airyai(-x), mp.airybi(-x)
    return scale * (a * mp.cos(angle) - b * mp.sin(angle)), zeta * scale * (
        a * mp.sin(angle) + b * mp.cos(angle)
    )


def airy_decay(zeta: mp.mpf) -> mp.mpf:
    """Ai(x) 2 sqrt(pi) x^(1/4) e^zeta."""
    x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
    return mp.airyai(x) * 2 * mp.sqrt(mp.pi) * x ** (mp.mpf(1) / 4) * mp.exp(zeta)


def lgamma_ratio(x: mp.mpf) -> mp.mpf:
    """log gamma(x) / ((x - 1)(x - 2))."""
    if abs(x - 1) < mp.mpf("1e-25"):
        return mp.euler
    if abs(x - 2) < mp.mpf("1e-25"):
        return 1 - mp.euler
    return mp.loggamma(x) / ((x - 1) * (x - 2))


def away(function: Function) -> Function:
    """A function of x that is read a little off 0, where its formula is 0 / 0."""
    return lambda x: function(x if x > mp.mpf("1e-40") else mp.mpf("1e-40"))


def root(function: Function) -> Function:
    """A function of x as one of u = x^2."""
    return lambda u: function(mp.sqrt(u if u > mp.mpf("1e-40") else mp.mpf("1e-40")))


def inverse(series: list[mp.mpf]) -> list[mp.mpf]:
    """1 / series, for one that begins with 1."""
    found = [mp.mpf(1)]
    for n in range(1, len(series)):
        found.append(-mp.fsum(series[i] * found[n - i] for i in range(1, n + 1)))
    return found


def stirling(count: int) -> list[mp.mpf]:
    """gamma(z) over Stirling's formula, in powers of 1 / z: the exponential of Bernoulli's sum."""
    logarithm = [mp.mpf(0)] * (count + 1)
    for k in range(1, count + 1, 2):
        logarithm[k] = mp.bernoulli(k + 1) / (k * (k + 1))
    found = [mp.mpf(1)]
    for n in range(1, count + 1):
        found.append(mp.fsum(k * logarithm[k] * found[n - k] for k in range(1, n + 1)) / n)
    return found


def temme(rows: int, terms: int) -> list[list[float]]:
    """Temme's expansion of the incomplete gamma function: a row of powers of eta, constant first,
    for each power of 1 / a. With eta^2 / 2 = mu - log(1 + mu), x = a (1 + mu): the first is 1 / mu
    - 1 / eta, the next (c' / eta) + (-1)^k g(k) / mu (DLMF 8.12).
    """
    length = terms + 2 * rows + 4
    mu = [mp.mpf(0), mp.mpf(1)]  # from mu mu' = eta (1 + mu)
    for n in range(2, length):
        rest = mp.fsum(mu[i] * (n + 1 - i) * mu[n + 1 - i] for i in range(2, n))
        mu.append((mu[n - 1] - rest) / (n + 1))
    over, gamma = inverse(mu[1:]), stirling(rows)  # over eta: 1 / mu
    row = over[1:]
    found = [row]
    for k in range(1, rows):
        sign = (-1) ** k * gamma[k]
        row = [(i + 2) * row[i + 2] + sign * over[i + 1] for i in range(len(row) - 2)]
        found.append(row)
    return [[float(c) for c in row[: terms - k]] for k, row in enumerate(found)]


def tables() -> dict[str, list[float]]:
    """Every table by name."""
    p0, q0 = bessel_parts(0)
    p1, q1 = bessel_parts(1)
    two = 2 / mp.pi
    edge = mp.mpf(2) / 3 * mp.mpf(2) ** mp.mpf("1.5")
    far = mp.mpf(2) / 3 * mp.mpf(6) ** mp.mpf("1.5")
    return {
        "ERF": fit(on(0, 1, root(lambda x: mp.erf(x) / x))),
        "ERFCX": fit(
            lambda t: (lambda x: (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x))(4 * (1 + t) / (1 - t))
        ),
        "ERFINV": fit(on(0, 0.25, root(lambda x: mp.erfinv(x) / x))),
        "I0_NEAR": fit(on(0, 8, lambda x: mp.besseli(0, x) * mp.exp(-x))),
        "I0_FAR": fit(beyond(8, lambda x: mp.besseli(0, x) * mp.exp(-x) * mp.sqrt(x))),
        "I1_NEAR": fit(on(0, 8, away(lambda x: mp.besseli(1, x) * mp.exp(-x) / x))),
        "I1_FAR": fit(beyond(8, lambda x: mp.besseli(1, x) * mp.exp(-x) * mp.sqrt(x))),
        "K0_NEAR": fit(
            on(0, 4, root(lambda x: mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x)))
        ),
        "K0_FAR": fit(beyond(2, lambda x: mp.besselk(0, x) * mp.exp(x) * mp.sqrt(x))),
        "K1_NEAR": fit(
            on(0, 4, root(lambda x: x * mp.besselk(1, x) - x * mp.log(x / 2) * mp.besseli(1, x)))
        ),
        "K1_FAR": fit(beyond(2, lambda x: mp.besselk(1, x) * mp.exp(x) * mp.sqrt(x))),
        "J0_NEAR": fit(on(0, 64, root(lambda x: mp.besselj(0, x)))),
        "J1_NEAR": fit(on(0, 64, root(lambda x: mp.besselj(1, x) / x))),
        "Y0_NEAR": fit(
            on(0, 64, root(lambda x: mp.bessely(0, x) - two * mp.log(x) * mp.besselj(0, x)))
        ),
        "Y1_NEAR": fit(
            on(
                0,
                64,
                root(
                    lambda x: (mp.bessely(1, x) - two * (mp.log(x) * mp.besselj(1, x) - 1 / x)) / x
                ),
            )
        ),
        "P0": fit(beyond(8, p0, square=True)),
        "Q0": fit(beyond(8, q0, square=True)),
        "P1": fit(beyond(8, p1, square=True)),
        "Q1": fit(beyond(8, q1, square=True)),
        "AIRY_NEAR": fit(on(-6, 2, mp.airyai)),
        "AIRY_DECAY": fit(beyond(edge, airy_decay)),
        "AIRY_P": fit(beyond(far, lambda z: airy_parts(z)[0], square=True)),
        "AIRY_Q": fit(beyond(far, lambda z: airy_parts(z)[1], square=True)),
        "LGAMMA_LOW": fit(on(1, 3, lgamma_ratio)),
        "LGAMMA_HIGH": fit(on(3, 8, mp.loggamma)),
        "ARCSINE": fit(on(0, 0.25, root(lambda x: mp.asin(x) / x))),
    }


def wrapped(values: Sequence[float], indent: str = "    ") -> list[str]:
    """Lines of numbers, none longer than 100 letters."""
    text = " ".join(f"{value!r}," for value in values)
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=indent)


def write() -> None:
    """Write the module."""
    lines = [
        '"""Polynomials behind the special functions, highest power first, in t in [-1, 1].',
        "",
        "Written by `scripts/special_tables.py`: change that, not this. The maps from x to t",
        "stand in `special` and its siblings.",
        '"""',
        "",
    ]
    lines.append("# fmt: off")
    for name, values in tables().items():
        lines += [f"{name} = (", *wrapped(values), ")"]
    lines.append("TEMME = (")
    for row in temme(10, 16):
        lines += ["    (", *wrapped(row, "        "), "    ),"]
    lines.append(")")
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write()
