"""Discrete Fourier transforms along one axis: what steps of generated code a transform takes, and
its tables. Which passes a length takes is in fft_lengths.

A row that lies in one piece is transformed by itself, short ones and columns a register of them at
a time; long rows are two transforms of columns. Lengths with a large prime become convolutions
(Bluestein). Stands on generate.fft_passes and fft_ends.

Reference: D. Bailey, FFTs in external or hierarchical memory, 1990.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache as once
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels.fft_lengths import LARGEST, factors, radices, smooth, turns
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import Module

__all__ = ["Array", "Plan", "completion", "planned"]

TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ROW = 15
"""Registers from which on a row is transformed by itself where there are others beside it: fewer do
not fill the registers of its passes.
"""
LONG, LONGEST = 1 << 18, 1 << 22
"""Numbers from which on a row is two transforms of columns: one of few, which threads share so; all
rows. One thread takes less time for it as a whole: 1.1 of 1.45 ms where they are 262144.
"""
FEW = 2
APART = 16
"""Numbers between two rows of a buffer."""
GRAIN = 1 << 17
"""Multiplications that one more thread is worth."""
UNLOCKED = 1 << 15


class Plan(NamedTuple):
    """What `launch` is given, how much scratch memory it takes, and what must be kept alive."""

    words: Any
    scratch: int
    kept: tuple[Any, ...]


class _Steps:
    """A plan in the making."""

    def __init__(self, type: str, run: int, width: int, rows: int) -> None:
        self.type, self.run, self.width = type, run, width
        self.half = -(-((rows + 1) * run + width) // 16) * 16 + 16
        self.words: list[list[int]] = []
        self.kept: list[Any] = []
        self.dtype = np.dtype("f4" if type == "float" else "f8")
        self.bare = False  # whether nothing is kept between two steps

    def add(self, name: Any, *arguments: Any, change: bool = False) -> None:
        """A step; `change` where it writes the other buffer."""
        words = [_function(name, self.type, self.width), int(change)]
        for x in arguments:
            if isinstance(x, float):
                words.append(int(struct.unpack("<q", struct.pack("<d", x))[0]))
            elif isinstance(x, np.ndarray):
                self.kept.append(x)
                words.append(int(x.ctypes.data))
            else:
                words.append(int(x))
        self.words.append(words)

    def table(self, re: Any, im: Any) -> Any:
        """Real, then imaginary parts."""
        return np.concatenate([re.ravel(), im.ravel()]).astype(self.dtype)

    def passes(
        self, n: int, first: str = "", last: str = "", scale: float = 1.0,
        steps: tuple[int, int] = (0, 0),
    ) -> None:  # fmt: skip
        """The transform of n runs; `first` and `last` name passes to and from caller's memory, with
        its steps from one number of a column to the next.
        """
        if max(factors(n), default=1) > LARGEST:
            self._convolved(n)
            return
        left, run, half = n, self.run, self.half
        found = radices(n, self.width, run == 1)
        for k, r in enumerate(found):
            left //= r
            final = k == len(found) - 1
            name = last if final else first if k == 0 else ""
            if name.startswith("lanes"):
                if final and k == 0:
                    name = "lanes_swapped" if name.endswith("swapped") else "lanes"
                    self.bare = True
                table: Any = 0 if final else self._factors(left, r)
                m = run // self.width if final else left
                self.add((r, name), m, half, half, table, *steps, scale, change=True)
            elif final:
                self.add((r, name or "last"), half, half, run, scale, change=True)
            else:
                name = name or ("first" if run == 1 else "one" if run == self.width else "wide")
                table = self._factors(left, r, run == 1)
                self.add((r, name), left, half, half, table, run, change=True)
            run *= r

    def _factors(self, m: int, r: int, row: bool = False) -> Any:
        """``exp(-2 pi i p k / (m r))``: by p, then k, or for a row's registers by k, then p."""
        p, k = np.arange(m), np.arange(1, r)
        re, im = turns(np.multiply.outer(k, p) if row else np.multiply.outer(p, k), m * r)
        return np.stack([re, im], 1 if row else 2).astype(self.dtype)

    def _convolved(self, n: int) -> None:
        """Bluestein's transform: jk is (j^2 + k^2 - (j - k)^2) / 2."""
        name = "chirp_row" if self.run == 1 else "chirp_lanes"
        size = smooth(n, self.run == 1, self.width)
        j = np.arange(n)
        re, im = turns(j * j, 2 * n)
        table = self.table(re, im)
        filter = np.zeros(size, np.complex128)
        filter[:n] = re - 1j * im
        filter[size - n + 1 :] = filter[n - 1 : 0 : -1]
        spectrum = np.fft.fft(filter) / size
        half = self.half
        self.add(name, n, size, 0, half, 0, half, table, change=True)
        self.passes(size)
        full = self.table(spectrum.real, spectrum.imag)
        self.add(name, size, size, 0, half, half, 0, full, change=True)
        self.passes(size)
        self.add(name, n, n, half, 0, 0, half, table, change=True)


@once
def _function(name: Any, type: str, width: int) -> int:
    """Where a step begins: one of `STEPS`, a pass, (radix, place), or (n, small)."""
    from flambeau.core.kernels.generate import dft, fft_ends, fft_passes, fft_small

    sources = [Path(str(made.__file__)) for made in (dft, fft_ends, fft_passes, fft_small)]
    label = "-".join(map(str, name)) if isinstance(name, tuple) else name

    def make() -> Module:
        if not isinstance(name, tuple):
            return fft_ends.end_module(name, type, width)
        n, place = name
        if place.startswith("small"):
            return fft_small.small_module(n, place, type, width)
        return fft_passes.pass_module(n, place, type, width)

    found = build.load_made(f"fft-{type}-{label}", sources, repr((name, type, width)), make)
    return next(iter(found.values()))


def small(n: int, width: int) -> tuple[int, int] | None:
    """How rows of n numbers stay in registers; None where they do not."""
    from flambeau.core.kernels.generate.fft_small import shape

    return shape(n, width)


Group = tuple[int, int, int]
"""A batch axis: its size and its steps in the source and in the target."""


def groups(shape: Sequence[int], source: Sequence[int], target: Sequence[int]) -> list[Group]:
    """Axes by their step in the target, those that go on in both arrays as one."""
    found: list[Group] = []
    for n, s, t in sorted(zip(shape, source, target, strict=True), key=lambda g: -abs(g[2])):
        if n == 1:
            continue
        if found and found[-1][1] == n * s and found[-1][2] == n * t:
            found[-1] = (found[-1][0] * n, s, t)
        else:
            found.append((n, s, t))
    return found


@lru_cache(maxsize=256)
def _plan(
    kind: str, dtype: Any, n: int, swapped: bool, scale: float, axis: int,
    shape: tuple[int, ...], source: tuple[int, ...], target: tuple[int, ...], limit: int,
    rotated: int = 0,
) -> Plan | None:  # fmt: skip
    """None where no code serves.

    Args:
        kind: c2c, r2c, c2r; n is the length of the complex or real side's transform.
        axis: which is transformed; of the other axes' sizes `shape` tells.
        source: bytes between neighbours in the source.
        target: the same in the target.
        limit: threads.
        rotated: the length of the transform of which this is the first half.
    """
    type = TYPES.get(dtype)
    size = dtype.itemsize
    if type is None or not build.available() or any(s % size for s in (*source, *target)):
        return None
    source, target = (tuple(s // size for s in line) for line in (source, target))
    s_step, t_step = source[axis], target[axis]
    rest = [k for k in range(len(shape)) if k != axis]
    found = groups(*([line[k] for k in rest] for line in (shape, source, target)))
    if len(found) > 2:
        return None
    width = build.host().lanes(size)
    inner = (1 if kind == "r2c" else 2, 1 if kind == "c2r" else 2)
    count = prod(g[0] for g in found)
    pairs = kind != "c2c" and n % 2 == 0
    m = n // 2 if pairs else n
    row = (s_step, t_step) == inner and (m >= ROW * width or count <= width // 4) and not rotated
    if not found:
        found = [(1, 0, 0)]
    # Lanes are what fills a register, then what lies side by side, then the longer axis.
    near = (2 if inner[0] == 2 else 1, 2 if inner[1] == 2 else 1)
    found.sort(key=lambda g: (min(g[0], width), (g[1] == near[0]) + (g[2] == near[1]), g[0]))
    (outer, s_outer, t_outer), (beside, s_lane, t_lane) = [(1, 0, 0), *found][-2:]
    half = n // 2 + 1
    rows = n
    if max(factors(m), default=1) > LARGEST:
        rows = smooth(m, row, width)
    made = _Steps(type, 1 if row else width, width, max(rows, half) + APART // 2)
    try:
        if row:
            _row_steps(made, kind, n, pairs, swapped, scale)
        else:
            steps = (s_step, s_lane, t_step, t_lane)
            _lane_steps(made, kind, n, pairs, swapped, scale, steps, rotated)
        drive = _function("drive", type, width)
    except build.Unavailable:
        return None
    block = 1 if row else width
    blocks = -(-beside // block)
    units = outer * blocks
    work = units * block * n * max(n.bit_length(), 4)
    shares = min(units, pool.shares_of(work * 32768 // GRAIN, 32768)) if limit > 1 else 1
    from flambeau.core.kernels.generate.fft_ends import BEFORE, CONTEXT, STEP_WORDS

    room = 2 * made.half + APART
    plan = np.zeros((len(made.words), STEP_WORDS), np.int64)
    for k, line in enumerate(made.words):
        plan[k, : len(line)] = line
    words = np.array(
        [drive, max(shares, 1), work >= UNLOCKED, CONTEXT.index("source"), plan.ctypes.data,
         len(plan), units, blocks, beside, block, s_outer, block * s_lane, t_outer,
         block * t_lane, room, 0, 0, 0],
        np.int64,
    )  # fmt: skip
    scratch = 0 if made.bare else (room + BEFORE) * 2 * size * max(shares, 1) + 4 * 64
    return Plan(words, scratch, (plan, *made.kept))


def _row_steps(made: _Steps, kind: str, n: int, pairs: bool, swapped: bool, scale: float) -> None:
    half, h = made.half, n // 2 + 1
    m = n // 2 if pairs else n
    straight = len(radices(m, made.width, True)) > 1 and max(factors(m)) <= LARGEST
    tail = "_swapped" if swapped else ""
    re, im = (half, 0) if swapped else (0, half)
    if kind == "c2c":
        if straight:
            made.passes(n, "first_of" + tail, "last_to" + tail, scale)
            return
        made.add("load_row", n, re, im)
        made.passes(n)
        made.add("store_row", n, re, im, scale)
    elif kind == "r2c":
        if not pairs:
            made.add("load_any", n, 1, 0, half, 0, 0, 1)
            made.passes(n)
            made.add("store_row", h, 0, half, scale)
            return
        if not straight:
            made.add("load_row", m, 0, half)
        made.passes(m, "first_of" if straight else "")
        made.add("split_row", m, half, _splitting(made, n), scale)
    else:
        made.add("load_row", h, 0, half)
        if not pairs:
            made.add("mirror", n, half, half, 0, 1, change=True)
            made.passes(n)
            made.add("store_any", n, 1, half, 0, scale, 0, 0, 1)
            return
        made.add("join_row", m, half, half, 0, _joining(made, n), change=True)
        made.passes(m, "", "last_to_swapped" if straight else "", scale)
        if not straight:
            made.add("store_row", m, half, 0, scale)


def _splitting(made: _Steps, n: int) -> Any:
    re, im = turns(np.arange(n // 2 + 1), n)
    return made.table(im / 2, -re / 2)


def _joining(made: _Steps, n: int) -> Any:
    re, im = turns(np.arange(n // 2 + 1), n)
    return made.table(im, re)


def _lane_steps(
    made: _Steps, kind: str, n: int, pairs: bool, swapped: bool, scale: float,
    steps: tuple[int, int, int, int], rotated: int,
) -> None:  # fmt: skip
    half, h, run = made.half, n // 2 + 1, made.run
    m = n // 2 if pairs else n
    s_step, s_lane, t_step, t_lane = steps
    re, im = (half, 0) if swapped else (0, half)
    if not rotated and _small_steps(made, kind, n, m, swapped, scale, steps):
        return
    if kind == "c2c" and max(factors(n), default=1) <= LARGEST and n > 1:
        tail = "_swapped" if swapped else ""
        across = s_lane == 2 and s_step != 2, t_lane == 2 and t_step != 2 and not rotated
        if not (across[0] and across[1]) and len(radices(n, run, False)) == 1:
            across = False, False
        if not across[0]:
            _load(made, n, s_step, s_lane, 1, re, im)
        first, last = ("lanes_of" + tail) * across[0], ("lanes_to" + tail) * across[1]
        made.passes(n, first, last, scale, (s_step, t_step))
        if rotated:
            made.add("rotate", n, half, _rotations(rotated, n, made.width, made.dtype))
        if not across[1]:
            _store(made, n, t_step, t_lane, 1, re, im, scale)
        return
    if kind == "r2c":
        if pairs:
            _load(made, m, 2 * s_step, s_lane, s_step, 0, half)
        else:
            _load(made, n, s_step, s_lane, 0, 0, half)
    else:
        _load(
            made,
            n if kind == "c2c" else h,
            s_step,
            s_lane,
            1,
            *((re, im) if kind == "c2c" else (0, half)),
        )
    if kind == "c2r":
        if pairs:
            made.add("join_lanes", m, half, half, 0, _joining(made, n), change=True)
        else:
            made.add("mirror", n, half, half, 0, run, change=True)
    made.passes(m)
    if kind == "r2c":
        if pairs:
            made.add("split_lanes", m, half, half, _splitting(made, n), change=True)
        _store(made, h, t_step, t_lane, 1, 0, half, scale)
    elif kind == "c2c":
        _store(made, n, t_step, t_lane, 1, re, im, scale)
    elif pairs:
        _store(made, m, 2 * t_step, t_lane, t_step, half, 0, scale)
    else:
        _store(made, n, t_step, t_lane, 0, half, 0, scale)


def _small_steps(
    made: _Steps, kind: str, n: int, m: int, swapped: bool, scale: float,
    steps: tuple[int, int, int, int],
) -> bool:  # fmt: skip
    """Rows that stay in registers, between two buffers where they are of real numbers; whether
    these are such.
    """
    s_step, s_lane, t_step, t_lane = steps
    width = made.width
    shape = small(m, width)
    near = {"c2c": (2, 2), "r2c": (1, 2), "c2r": (2, 1)}[kind]
    if shape is None or (s_step, t_step) != near or (kind != "c2c" and (m < width or 2 * m != n)):
        return False
    re, im = turns(np.multiply.outer(np.arange(1, shape[0]), np.arange(width) % shape[1]), m)
    table = np.stack([re, im], 1).astype(made.dtype)
    row = 2 * m + APART
    if kind == "c2c":
        made.bare = True
        made.add((m, "small_swapped" if swapped else "small"), s_lane, t_lane, table, scale)
    elif kind == "r2c":
        made.add((m, "small_of"), s_lane, row, table, 1.0, change=True)
        made.add("split_rows", m, row, t_lane, _splitting(made, n), scale)
    else:
        made.add("join_rows", m, row, s_lane, _joining(made, n), change=True)
        made.add((m, "small_swapped_to"), row, t_lane, table, scale)
    return True


def _load(made: _Steps, n: int, step: int, lane: int, im_step: int, re: int, im: int) -> None:
    if im_step == 1 and step == 2:
        made.add("load_turned", n, lane, re, im)
    elif im_step == 1 and lane == 2:
        made.add("load_across", n, step, re, im)
    elif im_step and lane == 1:
        made.add("load_beside", n, step, re, im, im_step)
    else:
        made.add("load_any", n, step, re, im, im_step, lane, made.run)


def _store(
    made: _Steps, n: int, step: int, lane: int, im_step: int, re: int, im: int, scale: float
) -> None:
    if im_step == 1 and step == 2:
        made.add("store_turned", n, lane, re, im, scale)
    elif im_step == 1 and lane == 2:
        made.add("store_across", n, step, re, im, scale)
    elif im_step and lane == 1:
        made.add("store_beside", n, step, re, im, scale, im_step)
    else:
        made.add("store_any", n, step, re, im, scale, im_step, lane, made.run)


@lru_cache(maxsize=8)
def _rotations(whole: int, n: int, width: int, dtype: Any) -> Any:
    """``exp(-2 pi i k c / whole)`` for row k of n and column c, register by register."""
    columns = np.arange(-(-(whole // n) // width) * width).reshape(-1, 1, width)
    re, im = turns(columns * np.arange(n)[:, None], whole, exactly=False)
    return np.ascontiguousarray(np.stack([re, im], 2).astype(dtype))


class Array(NamedTuple):
    """An array's shape and strides in bytes."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]


def planned(
    kind: str, dtype: Any, n: int, swapped: bool, scale: float, axis: int,
    source: Array, target: Array,
) -> tuple[list[Plan], int] | None:  # fmt: skip
    """What transforms along one axis: plans, and the bytes of the array between two of them. None
    where no code serves.

    Args:
        kind: complex to complex (c2c), real to half a spectrum (r2c) or back (c2r).
        dtype: of the real numbers.
        n: the length; of c2r the result's.
        swapped: the inverse, unscaled; of c2r always.
        scale: what every number is multiplied by.
        axis: along which.
        source: what is transformed.
        target: what is written: another array, or the source itself where the kind is c2c.
    """
    limit = threads.count()
    if kind == "c2c" and n >= (LONG if prod(source.shape) <= FEW * n else LONGEST):
        found = _long(dtype, n, swapped, scale, axis, source, target, limit)
        if found is not None:
            return found
    shape = source.shape if kind != "c2r" else target.shape
    plan = _plan(kind, dtype, n, swapped, scale, axis, shape, source.strides, target.strides, limit)
    return None if plan is None else ([plan], 0)


def completion(dtype: Any, target: Array, last: int, others: tuple[int, ...]) -> Plan | None:
    """What fills in the second half of a spectrum along `last`, from what lies opposite along that
    and other axes; all further ones are a batch. None where no code serves.
    """
    size = dtype.itemsize
    shape, steps = target.shape, tuple(s // size for s in target.strides)
    rest = [k for k in range(len(shape)) if k not in (last, *others)]
    batch = groups(*([line[k] for k in rest] for line in (shape, steps, steps))) or [(1, 0, 0)]
    if len(batch) > 1 or not build.available():
        return None
    near = far = np.zeros(1, np.int64)
    for k in sorted(others, key=lambda k: -steps[k]):
        at = np.arange(shape[k])
        near = (near[:, None] + at * steps[k]).ravel()
        far = (far[:, None] + -at % shape[k] * steps[k]).ravel()
    table = np.stack([near, far], 1)
    limit, n = threads.count(), shape[last]
    work = prod(shape)
    try:
        function = _function("complete", TYPES[dtype], build.host().lanes(size))
    except build.Unavailable:
        return None
    rows = len(table) * batch[0][0]
    shares = max(min(rows, pool.shares_of(work, 1 << 16)), 1) if limit > 1 else 1
    words = np.array(
        [function, shares, work >= UNLOCKED, 6, table.ctypes.data, len(table), batch[0][0],
         batch[0][1], n, steps[last], 0],
        np.int64,
    )  # fmt: skip
    return Plan(words, 0, (table,))


def _long(
    dtype: Any, n: int, swapped: bool, scale: float, axis: int, source: Array, target: Array,
    limit: int,
) -> tuple[list[Plan], int] | None:  # fmt: skip
    """A row of n1 n2 numbers as a matrix of n1 rows: its columns are transformed and rotated, then
    its rows. None where the row does not lie in one piece.
    """
    size = 2 * dtype.itemsize
    if source.strides[axis] != size or target.strides[axis] != size:
        return None
    primes = factors(n)
    n1 = 1
    for p in reversed(primes):
        if (n1 * p) ** 2 <= n * 2:
            n1 *= p
    n2 = n // n1
    if primes[-1] > LARGEST or min(n1, n2) < 64:
        return None
    rest = [k for k in range(len(source.shape)) if k != axis]
    batch = tuple(source.shape[k] for k in rest)
    steps = tuple(n * size * prod(batch[k + 1 :]) for k in range(len(batch)))
    given, wanted = (tuple(line.strides[k] for k in rest) for line in (source, target))
    first = _plan(
        "c2c", dtype, n1, swapped, 1.0, len(batch), (*batch, n1, n2), (*given, n2 * size, size),
        (*steps, size, n1 * size), limit, n,
    )  # fmt: skip
    second = _plan(
        "c2c", dtype, n2, swapped, scale, len(batch), (*batch, n2, n1), (*steps, n1 * size, size),
        (*wanted, n1 * size, size), limit,
    )  # fmt: skip
    if first is None or second is None:
        return None
    return [first, second], n * size * prod(batch)
