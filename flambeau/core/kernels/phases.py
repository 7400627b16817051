"""What correlations of planes share: phases of strides, how planes are packed for taps, the words
that say so, and calls made ready.

The taps of each of three axes are any positions. Stands on the generated code's list of words.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.prepared import HEADER
from flambeau.core.kernels.windows import Ints

__all__ = [
    "ALONE",
    "MANY",
    "Call",
    "Phases",
    "Taps",
    "apart",
    "lanes_of",
    "phases",
    "place_words",
    "plane_words",
    "reached",
    "ready",
    "registers",
]

ALONE = 1 << 21
"""Multiplications that one more thread is worth."""
UNLOCKED = 1 << 17
"""From so many multiplications on the interpreter's lock is free."""

Taps = tuple[Ints, Ints, Ints]


def lanes_of(dtype: np.dtype[Any]) -> int:
    """How many numbers of this type a register holds."""
    return build.host().lanes(dtype.itemsize)


class Call(NamedTuple):
    """What `launch` is given for arrays of some shapes and strides."""

    words: np.ndarray
    scratch: int
    """Numbers of scratch memory of all threads."""
    kept: Any
    """What the words point to."""


def ready(function: int, threads: int, work: int, first: int, words: np.ndarray) -> np.ndarray:
    """The words that `launch` is given, for `work` multiplications."""
    header = np.array([function, threads, work >= UNLOCKED, first], np.int64)
    assert len(header) == len(HEADER)
    return np.concatenate([header, words])


SAVED, ALIGNED = 0.9, 0.95
"""Which part of the registers of pixels is left at most where every tap along columns has planes of
its own: rows then lie side by side without borders, but are packed and read as often as there are
such taps. Where rows fill registers, loads do not cross lines of the cache any more, which is worth
something too.
"""


def apart(taps: Taps, strides: Ints, out: Ints, lanes: int) -> bool:
    """Whether every tap along columns gets planes of its own."""
    left = SAVED if out[2] % lanes else ALIGNED
    return -(-prod(out[1:]) // lanes) <= left * _bordered(taps, strides, out, lanes)


MANY = 24
"""Features from which on it pays to pack planes oftener to have fewer registers of pixels."""


def registers(taps: Taps, strides: Ints, out: Ints, lanes: int, features: int) -> int:
    """How many registers the pixels of a plane of `out` fill."""
    if features >= MANY and apart(taps, strides, out, lanes):
        return -(-prod(out[1:]) // lanes)
    return _bordered(taps, strides, out, lanes)


def _bordered(taps: Taps, strides: Ints, out: Ints, lanes: int) -> int:
    """The same where borders lie between rows."""
    rows, columns = out[1:]
    reach = max(taps[2]) // strides[2] - min(taps[2]) // strides[2]
    return -(-((rows - 1) * (columns + reach) + columns) // lanes)


class Phases(NamedTuple):
    """How planes are packed for some taps."""

    numbers: list[tuple[int, int]]
    """The phases of rows and columns that taps meet."""
    rows: np.ndarray
    """The first position along rows of each phase, and along columns."""
    columns: np.ndarray
    span: tuple[int, int]
    """How far windows reach beyond an output, in rows and columns of a phase."""
    taps: list[tuple[int, int, int]]
    """Of every tap in a plane: the phase's number, the row and the column in it."""
    reach: tuple[tuple[int, int], ...]
    """The first and the last position of taps along depth, rows and columns."""

    def in_place(self, size: Ints, out: Ints, strides: Ints, steps: Ints) -> bool:
        """Whether planes can be read where they lie: no strides, no borders, rows side by side."""
        return (
            self.reach[0] == (0, 0)
            and size[0] == out[0] == 1
            and strides[1:] == (1, 1)
            and all(low >= 0 for low, _ in self.reach)
            and all(
                high + n <= m
                for (_, high), n, m in zip(self.reach[1:], out[1:], size[1:], strict=True)
            )
            and steps[3] == 1
            and out[2] <= steps[2] <= 1.25 * out[2] + 1
        )


def phases(taps: Taps, strides: Ints, each: bool = False) -> Phases:
    """Positions of taps, cut by the strides; along columns one by one, if `each`."""
    _, rows, columns = taps
    _, sy, sx = strides
    low = min(rows) // sy, 0 if each else min(columns) // sx
    high = max(rows) // sy, 0 if each else max(columns) // sx

    def of(y: int, x: int) -> tuple[int, int]:
        return y % sy, x if each else x % sx

    numbers = sorted({of(y, x) for y in rows for x in columns})
    return Phases(
        numbers,
        np.array([y + sy * low[0] for y, _ in numbers], np.int64),
        np.array([x + sx * low[1] for _, x in numbers], np.int64),
        (high[0] - low[0], high[1] - low[1]),
        [
            (numbers.index(of(y, x)), y // sy - low[0], 0 if each else x // sx - low[1])
            for y in rows
            for x in columns
        ],
        tuple((min(places), max(places)) for places in taps),
    )


def plane_words(
    size: Ints, input_strides: Ints, taps: Taps, strides: Ints, found: Phases, depth: np.ndarray
) -> dict[str, int]:
    """The words that tell how planes are packed, but for the size of what is made."""
    return {
        "input_channel": input_strides[0],
        "input_depth": input_strides[1],
        "input_row": input_strides[2],
        "input_column": input_strides[3],
        "length": size[0],
        "height": size[1],
        "width": size[2],
        "depths": len(taps[0]),
        "depth_stride": strides[0],
        "depth_places": depth.ctypes.data,
        "row_stride": strides[1],
        "column_stride": strides[2],
        "phases": len(found.numbers),
        "phase_rows": found.rows.ctypes.data,
        "phase_columns": found.columns.ctypes.data,
    }


def place_words(words: np.ndarray, at: dict[str, int], values: dict[str, int]) -> None:
    """Write a context's words by name."""
    for name, value in values.items():
        words[at[name]] = value


@lru_cache(maxsize=256)
def reached(
    kernel: Ints, stride: Ints, lows: Ints, dilation: Ints, size: Ints
) -> list[tuple[Ints, list[Ints], tuple[slice, ...]]]:
    """The phases of the input that taps reach: where the taps stand, and which they are."""
    found = []
    for phase in product(*(range(min(s, n)) for s, n in zip(stride, size, strict=True))):
        places, chosen = [], []
        for n, p, s, d, low in zip(kernel, phase, stride, dilation, lows, strict=True):
            reaching = [k for k in range(n) if (p + low - k * d) % s == 0]
            places.append(tuple((p + low - k * d) // s for k in reaching))
            step = s // gcd(s, d)  # of the taps that reach one phase
            chosen.append(slice(reaching[0], None, step) if reaching else slice(0))
        if all(places):
            found.append((phase, places, tuple(chosen)))
    return found
