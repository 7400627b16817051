"""Discrete Fourier transforms of a few numbers held in registers, and the shuffles that bring
complex numbers into registers of real and of imaginary parts.

A complex number is a pair of registers. Powers of two by butterflies, odd primes by sums and
differences of opposite inputs, products of the two by Cooley and Tukey's rule. Stands on jit.ir.

Reference: J. Cooley and J. Tukey, An algorithm for the machine calculation of complex Fourier
series, 1965.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flambeau.core.kernels.jit.ir import Function, Value, lanes, vector

__all__ = [
    "Complex", "dft", "exchanged", "interleaved", "joined", "merged", "parted", "picked", "times",
    "turned_pairs",
]  # fmt: skip

Complex = tuple[Value, Value]
"""Real and imaginary parts, lane by lane."""


def dft(f: Function, z: Sequence[Complex]) -> list[Complex]:
    """``X[k] = sum_j z[j] exp(-2 pi i jk / n)``."""
    n = len(z)
    if n == 1:
        return list(z)
    if n == 2:
        return [_sum(z[0], z[1]), _difference(z[0], z[1])]
    if n == 4:
        return _four(z)
    if n % 4 == 0 and n > 4:
        return _composed(f, z, 4)
    for p in (2, 3, 5, 7):
        if n % p == 0 and n > p:
            return _composed(f, z, p)
    return _prime(f, z)


def _sum(a: Complex, b: Complex) -> Complex:
    return a[0] + b[0], a[1] + b[1]


def _difference(a: Complex, b: Complex) -> Complex:
    return a[0] - b[0], a[1] - b[1]


def _four(z: Sequence[Complex]) -> list[Complex]:
    a, b = _sum(z[0], z[2]), _difference(z[0], z[2])
    c, d = _sum(z[1], z[3]), _difference(z[1], z[3])
    return [
        _sum(a, c),
        (b[0] + d[1], b[1] - d[0]),
        _difference(a, c),
        (b[0] - d[1], b[1] + d[0]),
    ]


def _composed(f: Function, z: Sequence[Complex], p: int) -> list[Complex]:
    """n = p q: q transforms of p inputs each, turned, then p transforms of q."""
    n = len(z)
    q = n // p
    columns = [dft(f, [z[j + q * k] for k in range(p)]) for j in range(q)]
    found: list[Complex] = [z[0]] * n
    for k in range(p):
        row = dft(f, [_turned(f, columns[j][k], j * k, n) for j in range(q)])
        for i in range(q):
            found[k + p * i] = row[i]
    return found


def _turned(f: Function, x: Complex, j: int, n: int) -> Complex:
    """``x exp(-2 pi i j / n)``."""
    re, im = x
    j %= n
    if 8 * j % n == 0:
        quarter, half = divmod(8 * j // n, 2)
        if half:
            root = math.sqrt(0.5)
            re, im = (re + im) * root, (im - re) * root
        for _ in range(quarter):
            re, im = im, re
            im = -im
        return re, im
    c, s = _angle(j, n)
    return f.fma(re, c, im * s), f.fma(im, c, re * -s)


def _angle(j: int, n: int) -> tuple[float, float]:
    """Cosine and sine of j n-ths of a turn, from at most an eighth of one."""
    j %= n
    quarter = (8 * j // n + 1) // 2
    angle = 2 * math.pi * (4 * j - quarter * n) / (4 * n)
    c, s = math.cos(angle), math.sin(angle)
    return ((c, s), (-s, c), (-c, -s), (s, -c))[quarter % 4]


def _prime(f: Function, z: Sequence[Complex]) -> list[Complex]:
    """An odd number of inputs: those of opposite places share their cosines and sines."""
    n = len(z)
    half = range(1, (n + 1) // 2)
    even = {j: _sum(z[j], z[n - j]) for j in half}
    odd = {j: _difference(z[j], z[n - j]) for j in half}
    first = z[0]
    for j in half:
        first = _sum(first, even[j])
    found = [first] * n
    for k in half:
        re, im = z[0]
        across: list[Value] = []
        for j in half:
            c, s = _angle(j * k, n)
            re, im = f.fma(even[j][0], c, re), f.fma(even[j][1], c, im)
            if across:
                across = [f.fma(odd[j][1], s, across[0]), f.fma(odd[j][0], s, across[1])]
            else:
                across = [odd[j][1] * s, odd[j][0] * s]
        found[k] = re + across[0], im - across[1]
        found[n - k] = re - across[0], im + across[1]
    return found


def times(f: Function, x: Complex, w: Complex) -> Complex:
    """The product of complex numbers."""
    return f.fma(x[0], w[0], -(x[1] * w[1])), f.fma(x[0], w[1], x[1] * w[0])


def picked(f: Function, a: Value, b: Value, order: Sequence[int]) -> Value:
    """Lanes of two registers, those of the second counted on."""
    text = ", ".join(f"i32 {k}" for k in order)
    found = vector(a.type[1:-1].split(" x ")[1], len(order))
    return f.emit(
        found, f"shufflevector {a.type} {a.name}, {b.type} {b.name}, <{len(order)} x i32> <{text}>"
    )


def parted(f: Function, a: Value, b: Value) -> Complex:
    """Real and imaginary parts of two registers of complex numbers as they lie in memory."""
    count = lanes(a.type)
    return (
        picked(f, a, b, range(0, 2 * count, 2)),
        picked(f, a, b, range(1, 2 * count, 2)),
    )


def joined(f: Function, x: Complex) -> tuple[Value, Value]:
    """The opposite of `parted`."""
    low, high = merged(f, x[0], x[1])
    return low, high


def merged(f: Function, a: Value, b: Value) -> tuple[Value, Value]:
    """``a0 b0 a1 b1 ...`` in two registers."""
    count = lanes(a.type)
    half = count // 2
    if count == 1:
        return a, b
    order = [k // 2 + count * (k % 2) for k in range(2 * count)]
    return picked(f, a, b, order[: 2 * half]), picked(f, a, b, order[2 * half :])


def interleaved(f: Function, rows: Sequence[Value]) -> list[Value]:
    """Registers of which number ``j r + k`` is lane j of row k, for r rows."""
    r = len(rows)
    if r == 1:
        return list(rows)
    if r % 2 == 0:
        even, odd = interleaved(f, rows[0::2]), interleaved(f, rows[1::2])
        return [x for a, b in zip(even, odd, strict=True) for x in merged(f, a, b)]
    count = lanes(rows[0].type)
    found = []
    for i in range(r):
        places = [divmod(i * count + lane, r) for lane in range(count)]
        kept = rows[0]
        first = True
        for k in range(r):
            if not any(row == k for _, row in places):
                continue
            if first:
                kept = picked(f, rows[k], rows[k], [j if row == k else 0 for j, row in places])
                first = False
            else:
                order = [count + j if row == k else lane for lane, (j, row) in enumerate(places)]
                kept = picked(f, kept, rows[k], order)
        found.append(kept)
    return found


def turned_pairs(f: Function, rows: Sequence[Value]) -> list[Value]:
    """A square of complex numbers as they lie in memory, rows and columns exchanged."""
    found = list(rows)
    count = len(found)
    distance = 1
    while distance < count:
        before = list(found)
        for r in range(count):
            if r & distance:
                continue
            low, high = before[r], before[r + distance]
            for odd, place in ((0, r), (1, r + distance)):
                order = []
                for lane in range(count):
                    base = (lane & ~distance) | (distance if odd else 0)
                    pair = base + count * bool(lane & distance)
                    order += [2 * pair, 2 * pair + 1]
                found[place] = picked(f, low, high, order)
        distance *= 2
    return found


def exchanged(f: Function, rows: Sequence[Value], bit: int) -> list[Value]:
    """Numbers whose register has a bit of its number set against those whose lane has."""
    found = list(rows)
    count, by = lanes(rows[0].type), 1 << bit
    for r in range(len(rows)):
        if r & by:
            continue
        low, high = rows[r], rows[r | by]
        found[r] = picked(f, low, high, [k ^ by | count if k & by else k for k in range(count)])
        found[r | by] = picked(
            f, low, high, [k | count if k & by else k | by for k in range(count)]
        )
    return found
