"""The passes of a fast Fourier transform in Stockham's order: each reads one buffer and writes the
other, nothing is permuted afterwards.

A pass of radix r over n = m r numbers, each a run of `stride` others, is ``y[q + stride (r p + k)]
= exp(-2 pi i p k / n) sum_j x[q + stride (p + m j)] exp(-2 pi i jk / r)``.
The run is either what earlier passes have separated or a register of transforms side by side, so
that one code serves rows and columns. Buffers hold real parts, then imaginary parts. Stands on dft.

Reference: T. Stockham, High-speed convolution and correlation, 1966.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flambeau.core.kernels.generate.dft import Complex, dft, interleaved, joined, parted, times
from flambeau.core.kernels.generate.gemm import mask
from flambeau.core.kernels.generate.vectors import read, write
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["PASSES", "STEP", "full_or_not", "pair", "pass_module", "put_pair", "registers", "step"]

STEP = (
    ("ptr", "words"), ("ptr", "x"), ("ptr", "y"), ("ptr", "source"), ("ptr", "target"),
    ("i64", "count"), ("i64", "block"),
)  # fmt: skip
"""A step of a plan: its words, the buffer it reads and the one it writes, where the caller's
numbers come from and go to, how many transforms lie side by side, which register of them it is.
"""
PASSES = ("first", "first_of", "first_of_swapped", "one", "wide", "last", "last_to",
          "last_to_swapped", "lanes_of", "lanes_of_swapped", "lanes_to", "lanes_to_swapped",
          "lanes", "lanes_swapped")  # fmt: skip
"""Where a pass stands: the first of a row (from memory, where `_of`), one with a register of
transforms side by side, with longer runs, the last (to memory, where `_to`); passes of columns that
lie side by side from memory, to it, or both. `swapped` exchanges real and imaginary parts of the
caller's numbers, which makes the transform the inverse.
"""


def step(made: Module, name: str, names: Sequence[str]) -> tuple[Function, dict[str, Value]]:
    """Begin a step, and its words by name; the first two are the driver's."""
    f = made.function(name, STEP)
    return f, {n: f.load("i64", f.argument["words"], k + 2) for k, n in enumerate(names)}


def pair(f: Function, type: str, width: int, place: Value, i: Value, left: Value | None) -> Complex:
    """Complex numbers as they lie in memory from the i-th on: all of a register's, or `left`."""
    many = vector(type, width)
    halves = []
    for k in range(2):
        some = None if left is None else mask(f, left * 2 - k * width, width)
        halves.append(read(f, many, place, i * 2 + k * width, some))
    return parted(f, halves[0], halves[1])


def put_pair(
    f: Function, x: Complex, width: int, place: Value, i: Value, left: Value | None
) -> None:
    """Write complex numbers as they lie in memory."""
    for k, half in enumerate(joined(f, x)):
        some = None if left is None else mask(f, left * 2 - k * width, width)
        write(f, half, place, i * 2 + k * width, some)


def full_or_not(
    f: Function, count: Value, width: int, body: Callable[[Value | None], None]
) -> None:
    """The body with no mask where all lanes are used, else with how many are."""
    k = f.fresh()
    f.branch(count.eq(width), f"full{k}", f"part{k}")
    f.label(f"full{k}")
    body(None)
    f.jump(f"both{k}")
    f.label(f"part{k}")
    body(count)
    f.label(f"both{k}")


def pass_module(radix: int, place: str, type: str, width: int) -> Module:
    """One pass of a radix: a module with the function `step`."""
    made = Module(f"fft-{type}-{radix}-{place}")
    if place.startswith("first"):
        _first(made, radix, type, width, place)
    elif place.startswith("last"):
        _last(made, radix, type, width, place)
    elif place.startswith("lanes"):
        _lanes(made, radix, type, width, place)
    else:
        _middle(made, radix, type, width, place == "one")
    return made


def _buffer(f: Function, name: str, half: Value, type: str) -> Complex:
    """Where a buffer's real and imaginary parts begin."""
    place = f.argument[name]
    return place, f.at(place, half, type)


def registers(f: Function, count: Value, width: int) -> Iterator[tuple[Value, Value | None]]:
    """Where each register of range(count) begins, and how many numbers it holds; None if whole."""
    whole = count / width * width
    with f.loop(0, whole, width) as i:
        yield i, None
    with f.when(whole.lt(count)):
        yield whole, count - whole


def _first(made: Module, r: int, type: str, width: int, place: str) -> None:
    f, get = step(made, "step", ("m", "half", "out_half", "twiddles"))
    m = get["m"]
    many = vector(type, width)
    x, y = _buffer(f, "x", get["half"], type), _buffer(f, "y", get["out_half"], type)
    table = get["twiddles"].to("ptr")
    for p, left in registers(f, m, width):
        some = None if left is None else mask(f, left, width)
        given: list[Complex] = []
        for k in range(r):
            at = p + m * k
            if place == "first":
                given.append((read(f, many, x[0], at, some), read(f, many, x[1], at, some)))
                continue
            re, im = pair(f, type, width, f.argument["source"], at, left)
            given.append((im, re) if place.endswith("swapped") else (re, im))
        found = dft(f, given)
        turned = [found[0]]
        for k in range(1, r):
            at = m * (2 * (k - 1)) + p
            w = read(f, many, table, at, some), read(f, many, table, at + m, some)
            turned.append(times(f, found[k], w))
        for part in range(2):
            for i, row in enumerate(interleaved(f, [z[part] for z in turned])):
                some = None if left is None else mask(f, left * r - i * width, width)
                write(f, row, y[part], p * r + i * width, some)


def _middle(made: Module, r: int, type: str, width: int, one: bool) -> None:
    f, get = step(made, "step", ("m", "half", "out_half", "twiddles", "stride"))
    m = get["m"]
    stride = f.index(width) if one else get["stride"]
    many = vector(type, width)
    x, y = _buffer(f, "x", get["half"], type), _buffer(f, "y", get["out_half"], type)
    table = get["twiddles"].to("ptr")

    def work(p: Value, q: Value | int, some: Value | None) -> None:
        given = []
        for k in range(r):
            at = (p + m * k) * stride + q
            given.append(tuple(read(f, many, part, at, some) for part in x))
        for k, z in enumerate(dft(f, given)):  # type: ignore[arg-type]
            if k:
                at = (p * (r - 1) + (k - 1)) * 2
                c, s = (f.splat(f.load(type, table, at + i), width) for i in range(2))
                z = times(f, z, (c, s))
            for part, number in zip(y, z, strict=True):
                write(f, number, part, (p * r + k) * stride + q, some)

    with f.loop(0, m) as p:
        if one:
            work(p, 0, None)
        else:
            for q, left in registers(f, stride, width):
                work(p, q, None if left is None else mask(f, left, width))


def _last(made: Module, r: int, type: str, width: int, place: str) -> None:
    f, get = step(made, "step", ("half", "out_half", "stride", "scale"))
    stride = get["stride"]
    many = vector(type, width)
    x, y = _buffer(f, "x", get["half"], type), _buffer(f, "y", get["out_half"], type)
    scale = f.splat(get["scale"].bits("double").to(type), width)
    for q, left in registers(f, stride, width):
        some = None if left is None else mask(f, left, width)
        given = [
            (read(f, many, x[0], stride * k + q, some), read(f, many, x[1], stride * k + q, some))
            for k in range(r)
        ]
        for k, z in enumerate(dft(f, given)):
            at = stride * k + q
            if place == "last":
                for part, number in zip(y, z, strict=True):
                    write(f, number, part, at, some)
                continue
            if place.endswith("swapped"):
                z = z[1], z[0]
            put_pair(f, (z[0] * scale, z[1] * scale), width, f.argument["target"], at, left)


def _lanes(made: Module, r: int, type: str, width: int, place: str) -> None:
    """The first or last pass of a register of columns, or the only one."""
    f, get = step(
        made, "step", ("m", "half", "out_half", "twiddles", "source_step", "target_step", "scale")
    )
    m, many = get["m"], vector(type, width)
    x, y = _buffer(f, "x", get["half"], type), _buffer(f, "y", get["out_half"], type)
    source, target = f.argument["source"], f.argument["target"]
    table = get["twiddles"].to("ptr")
    scale = f.splat(get["scale"].bits("double").to(type), width)
    swapped, last = place.endswith("swapped"), "_of" not in place

    def body(left: Value | None) -> None:
        zero = f.index(0)
        with f.loop(0, m) as p:
            given: list[Complex] = []
            for k in range(r):
                n = p + m * k
                if "_to" in place:
                    given.append((f.load(many, x[0], n * width), f.load(many, x[1], n * width)))
                    continue
                z = pair(f, type, width, f.at(source, n * get["source_step"], type), zero, left)
                given.append((z[1], z[0]) if swapped else z)
            for k, z in enumerate(dft(f, given)):
                if last:
                    z = z[0] * scale, z[1] * scale
                    to = f.at(target, (p + m * k) * get["target_step"], type)
                    put_pair(f, (z[1], z[0]) if swapped else z, width, to, zero, left)
                    continue
                if k:
                    at = (p * (r - 1) + (k - 1)) * 2
                    c, s = (f.splat(f.load(type, table, at + i), width) for i in range(2))
                    z = times(f, z, (c, s))
                for part, number in zip(y, z, strict=True):
                    write(f, number, part, (p * r + k) * width, None)

    full_or_not(f, f.argument["count"], width, body)
