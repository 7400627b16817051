"""What stands around the passes of a Fourier transform: the driver that takes a plan's steps one
after the other, reading and writing the caller's memory, and the steps of real transforms and of
lengths with large primes.

A unit of work is one row, or a register of transforms side by side, number n of them in the run n
of a buffer. Stands on fft_passes.

Reference: L. Bluestein, A linear filtering approach to the computation of discrete Fourier
transform, 1970.
"""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.kernels.generate.dft import joined, parted, picked, times, turned_pairs
from flambeau.core.kernels.generate.fft_passes import full_or_not, pair, put_pair, registers, step
from flambeau.core.kernels.generate.gemm import (
    mask,
    masked_store,
    pointer,
    share,
    smaller,
    words,
)
from flambeau.core.kernels.generate.vectors import read, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, lanes, vector

__all__ = ["BEFORE", "COMPLETION", "CONTEXT", "STEPS", "STEP_WORDS", "end_module"]

CONTEXT = (
    "plan", "steps", "units", "blocks", "lanes", "block", "source_outer", "source_step",
    "target_outer", "target_step", "room", "source", "target", "scratch",
)  # fmt: skip
"""Of the driver: the plan's address and its number of steps; units in all, in one outer index,
transforms there and in a unit; how far outer indices and units are apart; numbers of a buffer.
"""
STEP_WORDS = 10
"""Words of a step: the function, whether the buffers change places, its arguments."""
BEFORE = 16
"""Numbers before a buffer, which registers read that go backwards."""


def _drive(made: Module, type: str, width: int) -> None:
    f = made.function("drive", pool.ARGUMENTS)
    get = words(f, CONTEXT)
    start, stop = share(f, get["units"])
    apart = get["room"] + BEFORE
    own = get["scratch"] + 63 & -64
    first = f.at(pointer(f, own), f.argument["thread"] * apart * 2 + BEFORE, type)
    second = f.at(first, apart, type)
    x, y = f.variable("ptr", first), f.variable("ptr", second)
    plan = pointer(f, get["plan"])
    with f.loop(start, stop) as unit:
        outer, block = unit / get["blocks"], unit % get["blocks"]
        places = [
            f.at(pointer(f, get[n]), outer * get[f"{n}_outer"] + block * get[f"{n}_step"], type)
            for n in ("source", "target")
        ]
        count = smaller(f, get["lanes"] - block * get["block"], get["block"])
        with f.loop(0, get["steps"]) as k:
            given = f.at(plan, k * STEP_WORDS, "i64")
            a, b = x.get(), y.get()
            f.call(f.load("ptr", given), "void", given, a, b, *places, count, block)
            change = f.load("i64", given, 1).ne(0)
            x.set(f.select(change, b, a))
            y.set(f.select(change, a, b))


def _load_across(made: Module, type: str, width: int) -> None:
    """Complex numbers of neighbouring transforms lie side by side."""
    f, get = step(made, "step", ("n", "n_step", "re", "im"))
    x, source = f.argument["x"], f.argument["source"]

    def body(left: Value | None) -> None:
        with f.loop(0, get["n"]) as n:
            z = pair(f, type, width, f.at(source, n * get["n_step"], type), f.index(0), left)
            for part, name in zip(z, ("re", "im"), strict=True):
                f.store(part, x, get[name] + n * width)

    full_or_not(f, f.argument["count"], width, body)


def _store_across(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("n", "n_step", "re", "im", "scale"))
    x, target = f.argument["x"], f.argument["target"]
    many = vector(type, width)
    scale = _scale(f, get["scale"], type, width)

    def body(left: Value | None) -> None:
        with f.loop(0, get["n"]) as n:
            re, im = (f.load(many, x, get[name] + n * width) * scale for name in ("re", "im"))
            put_pair(f, (re, im), width, f.at(target, n * get["n_step"], type), f.index(0), left)

    full_or_not(f, f.argument["count"], width, body)


def _scale(f: Function, word: Value, type: str, width: int) -> Value:
    return f.splat(word.bits("double").to(type), width)


def _load_beside(made: Module, type: str, width: int) -> None:
    """Real numbers of neighbouring transforms lie side by side; two of them are a complex one."""
    f, get = step(made, "step", ("n", "n_step", "re", "im", "im_step"))
    x, source = f.argument["x"], f.argument["source"]
    many = vector(type, width)

    def body(left: Value | None) -> None:
        some = None if left is None else mask(f, left, width)
        with f.loop(0, get["n"]) as n:
            at = n * get["n_step"]
            f.store(read(f, many, source, at, some), x, get["re"] + n * width)
            f.store(read(f, many, source, at + get["im_step"], some), x, get["im"] + n * width)

    full_or_not(f, f.argument["count"], width, body)


def _store_beside(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("n", "n_step", "re", "im", "scale", "im_step"))
    x, target = f.argument["x"], f.argument["target"]
    many = vector(type, width)
    scale = _scale(f, get["scale"], type, width)

    def body(left: Value | None) -> None:
        some = None if left is None else mask(f, left, width)
        with f.loop(0, get["n"]) as n:
            at = n * get["n_step"]
            re, im = (f.load(many, x, get[name] + n * width) * scale for name in ("re", "im"))
            write(f, re, target, at, some)
            write(f, im, target, at + get["im_step"], some)

    full_or_not(f, f.argument["count"], width, body)


def _load_turned(made: Module, type: str, width: int) -> None:
    """Each transform's complex numbers lie side by side: squares are turned in registers."""
    f, get = step(made, "step", ("n", "lane_step", "re", "im"))
    x, source, count = f.argument["x"], f.argument["source"], f.argument["count"]
    many, side = vector(type, width), max(width // 2, 1)
    pairs = vector(type, 2 * side)
    rows = [f.at(source, smaller(f, count - 1, k) * get["lane_step"], type) for k in range(width)]

    def body(n: Value, left: Value | None) -> None:
        some = None if left is None else mask(f, left * 2, 2 * side)
        squares = []
        for k in range(0, width, side):
            given = [read(f, pairs, row, n * 2, some) for row in rows[k : k + side]]
            squares.append(turned_pairs(f, given))
        for j in range(side):
            re, im = parted(f, *(square[j] for square in squares))
            for part, name in ((re, "re"), (im, "im")):
                place = get[name] + (n + j) * width
                if left is None:
                    f.store(part, x, place)
                else:
                    kept = f.select(left.gt(j), f.index(width), 0)
                    masked_store(f, part, f.at(x, place, type), mask(f, kept, width))

    assert lanes(many) == width
    for n, left in registers(f, get["n"], side):
        body(n, left)


def _store_turned(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("n", "lane_step", "re", "im", "scale"))
    x, target, count = f.argument["x"], f.argument["target"], f.argument["count"]
    many, side = vector(type, width), max(width // 2, 1)
    scale = _scale(f, get["scale"], type, width)

    def body(n: Value, left: Value | None, part_rows: Value | None) -> None:
        squares: list[list[Value]] = [[], []]
        for j in range(side):
            at = n + (j if left is None else smaller(f, left - 1, j))
            z = [f.load(many, x, get[name] + at * width) * scale for name in ("re", "im")]
            for square, half in zip(squares, joined(f, (z[0], z[1])), strict=True):
                square.append(half)
        whole = f.index(2 * side) if left is None else left * 2
        for g, square in enumerate(squares):
            for k, row in enumerate(turned_pairs(f, square)):
                lane = g * side + k
                place = f.at(target, get["lane_step"] * lane + n * 2, type)
                if left is None and part_rows is None:
                    f.store(row, place)
                    continue
                kept = whole
                if part_rows is not None:
                    kept = f.select(part_rows.gt(lane), whole, 0)
                masked_store(f, row, place, mask(f, kept, 2 * side))

    def all_rows(part_rows: Value | None) -> None:
        for n, left in registers(f, get["n"], side):
            body(n, left, part_rows)

    full_or_not(f, count, width, all_rows)


def _load_any(made: Module, type: str, width: int) -> None:
    """Any strides, number by number; imaginary parts may be missing."""
    f, get = step(made, "step", ("n", "n_step", "re", "im", "im_step", "lane_step", "run"))
    x, source = f.argument["x"], f.argument["source"]
    with f.loop(0, get["n"]) as n, f.loop(0, f.argument["count"]) as lane:
        at, place = n * get["n_step"] + lane * get["lane_step"], n * get["run"] + lane
        f.store(f.load(type, source, at), x, get["re"] + place)
        im = f.variable(type, 0.0)
        with f.when(get["im_step"].ne(0)):
            im.set(f.load(type, source, at + get["im_step"]))
        f.store(im.get(), x, get["im"] + place)


def _store_any(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("n", "n_step", "re", "im", "scale", "im_step", "lane_step", "run"))
    x, target = f.argument["x"], f.argument["target"]
    scale = _scale(f, get["scale"], type, 1)
    with f.loop(0, get["n"]) as n, f.loop(0, f.argument["count"]) as lane:
        at, place = n * get["n_step"] + lane * get["lane_step"], n * get["run"] + lane
        f.store(f.load(type, x, get["re"] + place) * scale, target, at)
        with f.when(get["im_step"].ne(0)):
            f.store(f.load(type, x, get["im"] + place) * scale, target, at + get["im_step"])


def _load_row(made: Module, type: str, width: int) -> None:
    """One transform's complex numbers, side by side."""
    f, get = step(made, "step", ("n", "re", "im"))
    x = f.argument["x"]
    for n, left in registers(f, get["n"], width):
        z = pair(f, type, width, f.argument["source"], n, left)
        some = None if left is None else mask(f, left, width)
        for part, name in zip(z, ("re", "im"), strict=True):
            write(f, part, f.at(x, get[name], type), n, some)


def _store_row(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("n", "re", "im", "scale"))
    x = f.argument["x"]
    many = vector(type, width)
    scale = _scale(f, get["scale"], type, width)
    for n, left in registers(f, get["n"], width):
        some = None if left is None else mask(f, left, width)
        re, im = (read(f, many, f.at(x, get[name], type), n, some) * scale for name in ("re", "im"))
        put_pair(f, (re, im), width, f.argument["target"], n, left)


def _mirrored(f: Function, type: str, width: int, part: Value, k: Value, m: Value) -> Value:
    """The numbers m - k, m - k - 1, ... of a row."""
    found = f.load(vector(type, width), part, m - k - (width - 1))
    return found if width == 1 else picked(f, found, found, range(width - 1, -1, -1))


def _split_row(made: Module, type: str, width: int) -> None:
    """The half spectrum of 2 m real numbers from the transform of m pairs, to memory."""
    f, get = step(made, "step", ("m", "half", "twiddles", "scale"))
    m, re = get["m"], f.argument["x"]
    im = f.at(re, get["half"], type)
    table = get["twiddles"].to("ptr")
    scale = _scale(f, get["scale"], type, width)
    many = vector(type, width)
    for part in (re, im):
        f.store(f.load(type, part), part, m)
    for k, left in registers(f, m + 1, width):
        some = None if left is None else mask(f, left, width)
        a = [read(f, many, part, k, some) for part in (re, im)]
        b = [_mirrored(f, type, width, part, k, m) for part in (re, im)]
        w = read(f, many, table, k, some), read(f, many, table, m + 1 + k, some)
        t = times(f, (a[0] - b[0], a[1] + b[1]), w)
        found = f.fma(a[0] + b[0], 0.5, t[0]) * scale, f.fma(a[1] - b[1], 0.5, t[1]) * scale
        put_pair(f, found, width, f.argument["target"], k, left)


def _backwards(f: Function, type: str, width: int, row: Value, at: Value) -> tuple[Value, Value]:
    """The complex numbers of a register that ends before `at`, the last one first."""
    low, high = (f.load(vector(type, width), row, (at - width) * 2 + k * width) for k in (0, 1))
    return (
        picked(f, low, high, range(2 * width - 2, -1, -2)),
        picked(f, low, high, range(2 * width - 1, -1, -2)),
    )


def _split_rows(made: Module, type: str, width: int) -> None:
    """The half spectra of rows of 2 m real numbers from the transforms of m pairs, to memory."""
    f, get = step(made, "step", ("m", "row_step", "target_step", "twiddles", "scale"))
    m, table = get["m"], get["twiddles"].to("ptr")
    many, scale = vector(type, width), _scale(f, get["scale"], type, width)
    one = get["scale"].bits("double").to(type)
    with f.loop(0, f.argument["count"]) as number:
        row = f.at(f.argument["x"], number * get["row_step"], type)
        target = f.at(f.argument["target"], number * get["target_step"], type)
        with f.loop(0, m, width) as k:
            a = pair(f, type, width, row, k, None)
            b = _backwards(f, type, width, row, m - k + 1)
            w = f.load(many, table, k), f.load(many, table, m + 1 + k)
            t = times(f, (a[0] - b[0], a[1] + b[1]), w)
            found = f.fma(a[0] + b[0], 0.5, t[0]) * scale, f.fma(a[1] - b[1], 0.5, t[1]) * scale
            put_pair(f, found, width, target, k, None)
        # The first number's opposite is itself, as the one in the middle's.
        re, im = f.load(type, row), f.load(type, row, 1)
        for k, x in ((f.index(0), re + im), (m, re - im)):
            f.store(x * one, target, k * 2)
            f.store(f.value(type, 0.0), target, k * 2 + 1)


def _join_rows(made: Module, type: str, width: int) -> None:
    """The transforms of m pairs from half spectra of 2 m real numbers, into the buffer."""
    f, get = step(made, "step", ("m", "row_step", "source_step", "twiddles"))
    m, table = get["m"], get["twiddles"].to("ptr")
    many = vector(type, width)
    with f.loop(0, f.argument["count"]) as number:
        row = f.at(f.argument["y"], number * get["row_step"], type)
        source = f.at(f.argument["source"], number * get["source_step"], type)
        with f.loop(0, m, width) as k:
            a = pair(f, type, width, source, k, None)
            b = _backwards(f, type, width, source, m - k + 1)
            w = f.load(many, table, k), f.load(many, table, m + 1 + k)
            t = times(f, (a[0] - b[0], a[1] + b[1]), w)
            found = a[0] + b[0] + t[0], a[1] - b[1] + t[1]
            put_pair(f, found, width, row, k, None)
        first, middle = f.load(type, source), f.load(type, source, m * 2)
        f.store(first + middle, row)
        f.store(first - middle, row, 1)


def _split_lanes(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("m", "half", "out_half", "twiddles"))
    m, many = get["m"], vector(type, width)
    x, y = f.argument["x"], f.argument["y"]
    table = get["twiddles"].to("ptr")
    with f.loop(0, m + 1) as k:
        near, far = f.select(k.eq(m), 0, k), f.select(k.eq(0), 0, m - k)
        a = [f.load(many, x, near * width + off) for off in (0, get["half"])]
        b = [f.load(many, x, far * width + off) for off in (0, get["half"])]
        w = tuple(f.splat(f.load(type, table, k + off), width) for off in (0, m + 1))
        t = times(f, (a[0] - b[0], a[1] + b[1]), w)  # type: ignore[arg-type]
        f.store(f.fma(a[0] + b[0], 0.5, t[0]), y, k * width)
        f.store(f.fma(a[1] - b[1], 0.5, t[1]), y, k * width + get["out_half"])


def _join_row(made: Module, type: str, width: int) -> None:
    """The transform of m pairs from the half spectrum of 2 m real numbers."""
    f, get = step(made, "step", ("m", "half", "re", "im", "twiddles"))
    m, re = get["m"], f.argument["x"]
    im, y = f.at(re, get["half"], type), f.argument["y"]
    table = get["twiddles"].to("ptr")
    many = vector(type, width)
    f.store(f.value(type, 0.0), im)
    f.store(f.value(type, 0.0), im, m)
    for k, left in registers(f, m, width):
        some = None if left is None else mask(f, left, width)
        a = [read(f, many, part, k, some) for part in (re, im)]
        b = [_mirrored(f, type, width, part, k, m) for part in (re, im)]
        w = read(f, many, table, k, some), read(f, many, table, m + 1 + k, some)
        t = times(f, (a[0] - b[0], a[1] + b[1]), w)
        write(f, a[0] + b[0] + t[0], f.at(y, get["re"], type), k, some)
        write(f, a[1] - b[1] + t[1], f.at(y, get["im"], type), k, some)


def _join_lanes(made: Module, type: str, width: int) -> None:
    f, get = step(made, "step", ("m", "half", "re", "im", "twiddles"))
    m, many = get["m"], vector(type, width)
    x, y = f.argument["x"], f.argument["y"]
    table = get["twiddles"].to("ptr")
    for k in (f.index(0), m):
        f.store(f.value(many, 0.0), x, k * width + get["half"])
    with f.loop(0, m) as k:
        a = [f.load(many, x, k * width + off) for off in (0, get["half"])]
        b = [f.load(many, x, (m - k) * width + off) for off in (0, get["half"])]
        w = tuple(f.splat(f.load(type, table, k + off), width) for off in (0, m + 1))
        t = times(f, (a[0] - b[0], a[1] + b[1]), w)  # type: ignore[arg-type]
        f.store(a[0] + b[0] + t[0], y, k * width + get["re"])
        f.store(a[1] - b[1] + t[1], y, k * width + get["im"])


def _mirror(made: Module, type: str, width: int) -> None:
    """The whole spectrum of an odd number of real numbers from its half."""
    f, get = step(made, "step", ("n", "half", "re", "im", "run"))
    n, run, x, y = get["n"], get["run"], f.argument["x"], f.argument["y"]
    with f.loop(0, n / 2 + 1) as k, f.loop(0, run) as lane:
        at = k * run + lane
        re, im = f.load(type, x, at), f.load(type, x, at + get["half"])
        im = f.select(k.eq(0), 0.0, im)
        other = (n - k) % n * run + lane
        f.store(-im, y, get["im"] + other)
        f.store(re, y, get["re"] + other)
        f.store(re, y, get["re"] + at)
        f.store(im, y, get["im"] + at)


def _chirp(made: Module, type: str, width: int, run: int) -> None:
    """Numbers times a table's, the rest of the buffer zeros."""
    f, get = step(made, "step", ("n", "all", "re", "im", "out_re", "out_im", "table"))
    x, y, n = f.argument["x"], f.argument["y"], get["n"]
    table = get["table"].to("ptr")
    many = vector(type, width)

    def put(at: Value, z: tuple[Value, Value], some: Value | None) -> None:
        for part, name in zip(z, ("out_re", "out_im"), strict=True):
            write(f, part, f.at(y, get[name], type), at, some)

    zero = f.value(many, 0.0)
    if run > 1:
        with f.loop(0, n) as k:
            given = tuple(f.load(many, x, k * width + get[name]) for name in ("re", "im"))
            w = tuple(f.splat(f.load(type, table, k + off), width) for off in (0, n))
            put(k * width, times(f, given, w), None)  # type: ignore[arg-type]
        with f.loop(n, get["all"]) as k:
            put(k * width, (zero, zero), None)
        return
    for k, left in registers(f, n, width):
        some = None if left is None else mask(f, left, width)
        given = tuple(read(f, many, f.at(x, get[name], type), k, some) for name in ("re", "im"))
        w = read(f, many, table, k, some), read(f, many, table, n + k, some)
        put(k, times(f, given, w), some)  # type: ignore[arg-type]
    for k, left in registers(f, get["all"] - n, width):
        put(n + k, (zero, zero), None if left is None else mask(f, left, width))


def _rotate(made: Module, type: str, width: int) -> None:
    """Runs times factors of their own lane: between the two halves of a long transform. The table
    holds a register of real and one of imaginary parts for each run, block by block.
    """
    f, get = step(made, "step", ("n", "half", "table"))
    x = f.argument["x"]
    many = vector(type, width)
    table = f.at(get["table"].to("ptr"), f.argument["block"] * get["n"] * (2 * width), type)
    with f.loop(0, get["n"]) as k:
        z = tuple(f.load(many, x, k * width + off) for off in (0, get["half"]))
        w = tuple(f.load(many, table, (k * 2 + part) * width) for part in range(2))
        found = times(f, z, w)  # type: ignore[arg-type]
        f.store(found[0], x, k * width)
        f.store(found[1], x, k * width + get["half"])


COMPLETION = (
    "table", "rows", "batch", "batch_step", "n", "step", "target",
)  # fmt: skip
"""Of `complete`: places of rows and of what lies opposite, how many, batches of them and how far
these are apart, the length and the step between complex numbers.
"""


def _complete(made: Module, type: str, width: int) -> None:
    """The second half of a real array's spectrum: the conjugate of what lies opposite."""
    f = made.function("complete", pool.ARGUMENTS)
    get = words(f, COMPLETION)
    start, stop = share(f, get["rows"] * get["batch"])
    table, n, step = pointer(f, get["table"]), get["n"], get["step"]
    known = n / 2 + 1
    count = n - known
    many, side = vector(type, width), max(width // 2, 1)
    signs = ", ".join(f"{type} {'-' * (k % 2)}1.0" for k in range(width))
    backwards = [lane for k in range(side - 1, -1, -1) for lane in (2 * k, 2 * k + 1)]
    with f.loop(start, stop) as unit:
        row, batch = unit % get["rows"], unit / get["rows"]
        base = f.at(pointer(f, get["target"]), batch * get["batch_step"], type)
        near, far = (f.at(base, f.load("i64", table, row * 2 + k), type) for k in range(2))
        whole = f.select(step.eq(2), count / side * side, 0) if width > 1 else f.index(0)
        with f.loop(0, whole, side) as j:
            x = f.load(many, far, (count - j - (side - 1)) * 2)
            x = picked(f, x, x, backwards) * Value(many, f"<{signs}>", f)
            f.store(x, near, (known + j) * 2)
        with f.loop(whole, count) as j:
            from_, to = (count - j) * step, (known + j) * step
            f.store(f.load(type, far, from_), near, to)
            f.store(-f.load(type, far, from_ + 1), near, to + 1)


STEPS: dict[str, Callable[[Module, str, int], None]] = {
    "complete": _complete,
    "drive": _drive,
    "load_across": _load_across,
    "store_across": _store_across,
    "load_beside": _load_beside,
    "store_beside": _store_beside,
    "load_turned": _load_turned,
    "store_turned": _store_turned,
    "load_any": _load_any,
    "store_any": _store_any,
    "load_row": _load_row,
    "store_row": _store_row,
    "split_row": _split_row,
    "split_rows": _split_rows,
    "join_rows": _join_rows,
    "split_lanes": _split_lanes,
    "join_row": _join_row,
    "join_lanes": _join_lanes,
    "mirror": _mirror,
    "rotate": _rotate,
    "chirp_row": lambda made, type, width: _chirp(made, type, width, 1),
    "chirp_lanes": lambda made, type, width: _chirp(made, type, width, width),
}


def end_module(name: str, type: str, width: int) -> Module:
    """A module with one of `STEPS`, called `step`, or `drive` or `complete`, called so."""
    made = Module(f"fft-{type}-{name}")
    STEPS[name](made, type, width)
    return made
