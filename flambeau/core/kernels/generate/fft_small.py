"""Fourier transforms of short rows that stay in registers: 4 to 128 numbers, a power of two.

n = a b: the register k holds numbers b k to b k + b of several rows. The registers are transformed,
turned, exchanged with the lanes, and transformed again: numbers come and go in their order, with
half the shuffles of squares that are turned twice. Stands on dft and fft_passes.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.dft import (
    Complex,
    dft,
    exchanged,
    joined,
    parted,
    picked,
    times,
)
from flambeau.core.kernels.generate.fft_passes import step
from flambeau.core.kernels.generate.gemm import smaller
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["shape", "small_module"]


def shape(n: int, width: int) -> tuple[int, int] | None:
    """(a, b) for rows of n numbers; None where they do not fill registers."""
    bits = n.bit_length() - 1
    if n != 1 << bits or n < 4:
        return None
    a, b = 1 << (bits + 1) // 2, 1 << bits // 2
    return (a, b) if a <= min(width, 16) else None


def small_module(n: int, place: str, type: str, width: int) -> Module:
    """A module with the function `step`: the transforms of as many rows as it is told.

    Args:
        n: the length.
        place: `small`; `swapped` exchanges real and imaginary parts, `_of` keeps the result in the
            buffer, `_to` takes the numbers from there.
    """
    made = Module(f"fft-{type}-small-{n}")
    swapped = "swapped" in place
    f, get = step(made, "step", ("source_step", "target_step", "twiddles", "scale"))
    a, b = shape(n, width) or (1, 1)
    rows = width // b
    count = f.argument["count"]
    source = f.argument["x" if place.endswith("_to") else "source"]
    target = f.argument["y" if place.endswith("_of") else "target"]
    scale = f.splat(get["scale"].bits("double").to(type), width)
    table = get["twiddles"].to("ptr")
    whole = count / rows * rows

    def group(first: Value, left: Value | None) -> None:
        near = [
            f.at(
                source,
                (first + (k if left is None else smaller(f, left - 1, k))) * get["source_step"],
                type,
            )
            for k in range(rows)
        ]
        given: list[Complex] = []
        for k in range(a):
            re, im = _gathered(f, type, width, [f.at(row, 2 * b * k, type) for row in near], b)
            given.append((im, re) if swapped else (re, im))
        found = dft(f, given)
        many = vector(type, width)
        for k in range(1, a):
            w = tuple(f.load(many, table, ((k - 1) * 2 + i) * width) for i in range(2))
            found[k] = times(f, found[k], w)  # type: ignore[arg-type]
        parts = [[z[i] for z in found] for i in range(2)]
        for bit in range(a.bit_length() - 1):
            parts = [exchanged(f, part, bit) for part in parts]
        for low in range(a // b):
            line = [(parts[0][low * b + p], parts[1][low * b + p]) for p in range(b)]
            for p, z in enumerate(dft(f, line)):
                z = z[0] * scale, z[1] * scale
                pieces = _pieces(f, joined(f, (z[1], z[0]) if swapped else z), width, 2 * a)
                for c, piece in enumerate(pieces):
                    row = low + a // b * c
                    to = f.at(
                        target,
                        (first + row) * get["target_step"] + 2 * a * p,
                        type,
                    )
                    if left is None:
                        _put(f, piece, to, width)
                    else:
                        with f.when(left.gt(row)):
                            _put(f, piece, to, width)

    with f.loop(0, whole, rows) as first:
        group(first, None)
    with f.when(whole.lt(count)):
        group(whole, count - whole)
    return made


def _gathered(f: Function, type: str, width: int, places: list[Value], b: int) -> Complex:
    """b complex numbers from each place, row by row."""
    if 2 * b >= width:
        each = 2 * b // width
        low, high = (
            f.load(vector(type, width), places[k // each], k % each * width) for k in range(2)
        )
        return parted(f, low, high)
    pieces = [f.load(vector(type, 2 * b), place) for place in places]
    half = len(pieces) // 2
    return parted(f, _concatenated(f, pieces[:half]), _concatenated(f, pieces[half:]))


def _concatenated(f: Function, pieces: list[Value]) -> Value:
    while len(pieces) > 1:
        size = int(pieces[0].type[1:].split(" x ")[0])
        pieces = [
            picked(f, x, y, range(2 * size)) for x, y in zip(pieces[::2], pieces[1::2], strict=True)
        ]
    return pieces[0]


def _pieces(
    f: Function, registers: tuple[Value, Value], width: int, size: int
) -> list[list[Value]]:
    """Two registers cut into pieces of `size` numbers, each a list of registers."""
    if size >= width:
        each = size // width
        return [list(registers[k : k + each]) for k in range(0, 2, each)]
    return [[picked(f, x, x, range(k, k + size))] for x in registers for k in range(0, width, size)]


def _put(f: Function, piece: list[Value], place: Value, width: int) -> None:
    for k, register in enumerate(piece):
        f.store(register, place, k * width)
