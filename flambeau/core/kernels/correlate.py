"""Correlations of planes by generated code: what is planned for a shape, and the call.

``out[n, g, m, o] = bias[m] + sum_{c, t} weight[g, m, c, t] x[n, g, c, o * stride + t]``, where the
taps t of each axis are any positions and x is zero outside: convolution and, phase by phase, its
adjoint. Arrays have three spatial axes. The code is in ``generate.conv``; ``conv`` has the NumPy
forms and chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels.generate import conv as generated
from flambeau.core.kernels.generate.call import tiled
from flambeau.core.kernels.generate.conv_tile import WIDEST
from flambeau.core.kernels.native.prepared import launch
from flambeau.core.kernels.phases import (
    ALONE,
    MANY,
    Call,
    Taps,
    apart,
    lanes_of,
    phases,
    place_words,
    plane_words,
    ready,
)
from flambeau.core.kernels.windows import Ints, scratch

__all__ = ["Weights", "available", "correlate", "geometry", "prepare"]

PACKED = 1 << 20
"""Bytes of packed planes that a thread works on at a time: about half a second-level cache."""
CUT = 12
"""Rows of a band at least, where planes are cut for more threads."""
CLOSE = 1 << 17
"""Bytes of pixels that every tile of features meets before the next are taken."""


@once
def _functions(dtype: np.dtype[Any]) -> dict[str, int] | None:
    return tiled(dtype, generated.module)


def available(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of this type have generated code here."""
    return _functions(dtype) is not None


class Weights(NamedTuple):
    """How the weights of a correlation lie: strides in elements from group to group, from row to
    row (a feature each), from channel to channel, and the places of a channel's taps.
    """

    features: int
    group: int
    row: int
    channel: int
    places: Ints


class Geometry(NamedTuple):
    """A plan: the words that do not depend on where arrays lie, and the tables they point to."""

    words: np.ndarray
    tables: tuple[np.ndarray, ...]
    bands: int
    runs: int
    packed: int
    """Numbers of scratch memory of one thread; 0 where planes are read in place."""
    narrow: bool
    """Whether panels are narrower than `WIDEST`, so that tiles have more features."""


AT = {name: k for k, name in enumerate(generated.CORRELATE)}


@lru_cache(maxsize=512)
def geometry(
    dtype: np.dtype[Any],
    size: Ints,
    channels: int,
    input_strides: Ints,
    taps: Taps,
    strides: Ints,
    out: Ints,
    out_strides: Ints,
    cuts: int,
    many: bool,
) -> Geometry:
    """The plan for planes of `size` to outputs of `out`; strides of (channel, *S) in elements.
    Packed planes are cut into `cuts` bands at least; they meet `many` features, or few.
    """
    lanes = lanes_of(dtype)
    rows_out, columns_out = out[1:]
    found = phases(taps, strides)
    count = len(found.taps)
    in_place = found.in_place(size, out, strides, input_strides)
    if many and not in_place and apart(taps, strides, out, lanes):
        found = phases(taps, strides, True)
    if in_place:
        pitch = input_strides[2]
        starts, widths = _panels((rows_out - 1) * pitch + columns_out, lanes)
        last = (rows_out - 1) * pitch + columns_out - widths[-1] * lanes
        in_place = last >= 0
        starts[-1] = min(starts[-1], last)
    if in_place:
        band, bands, rows, packed = rows_out, 1, 0, 0
        offsets = [y * pitch + x for y in taps[1] for x in taps[2]]
        channel = input_strides[0]
    else:
        pitch = columns_out + found.span[1]
        per_row = channels * len(taps[0]) * len(found.numbers) * pitch * dtype.itemsize
        most = min(PACKED // per_row - found.span[0], -(-rows_out // cuts))
        band, bands = _bands(rows_out, most)
        rows = band + found.span[0]
        starts, widths = _panels((band - 1) * pitch + columns_out, lanes)
        plane = rows * pitch + lanes
        offsets = [phase * plane + y * pitch + x for phase, y, x in found.taps]
        channel = len(found.numbers) * plane
        packed = channels * len(taps[0]) * channel + 8 * lanes
    runs = _runs(widths, CLOSE // (channels * len(taps[0]) * WIDEST * lanes * dtype.itemsize))
    masks, places, table = _places(starts, lanes, pitch, band, columns_out, out_strides)
    deltas = steps(
        [plane * channel + o for plane in range(len(taps[0])) for o in offsets],
        channel * len(taps[0]),
    )
    depth_places = np.array(taps[0], np.int64)
    tables = (
        np.array(starts, np.int64), np.array(widths, np.int64), masks, places, table, deltas,
        depth_places, found.rows, found.columns, runs,
    )  # fmt: skip
    words = np.zeros(len(AT), np.int64)
    place_words(words, AT, plane_words(size, input_strides, taps, strides, found, depth_places))
    place_words(
        words,
        AT,
        {
            "channels": channels,
            "rows": rows,
            "pitch": pitch,
            "images_out": out[0],
            "bands": bands,
            "band": band,
            "last_band": rows_out - band,
            "taps": len(deltas),
            "first": offsets[0],
            "deltas": deltas.ctypes.data,
            "depth": channels * len(taps[0]) * count,
            "out_depth": out_strides[1],
            "out_row": out_strides[2],
            "out_channel": out_strides[0],
            "runs": len(runs) - 1,
            "run_panels": runs.ctypes.data,
            "starts": tables[0].ctypes.data,
            "widths": tables[1].ctypes.data,
            "masks": masks.ctypes.data,
            "places": places.ctypes.data,
            "lanes": table.ctypes.data if table.size else 0,
        },
    )
    return Geometry(
        words, tables, bands, len(runs) - 1, packed, max(widths) < WIDEST,
    )  # fmt: skip


def steps(places: Sequence[int], channel: int) -> np.ndarray:
    """From each place to the next, and from the last one to the first of the next channel."""
    return np.diff([*places, places[0] + channel]).astype(np.int64)


def _bands(rows: int, most: int) -> tuple[int, int]:
    """Bands of about `most` rows, or a little fewer where the last one then overlaps less."""
    most = max(1, min(rows, most))
    fewest = -(-rows // most)
    cost, bands = min((bands * -(-rows // bands), bands) for bands in range(fewest, fewest + 3))
    return cost // bands, bands


def _panels(length: int, lanes: int) -> tuple[list[int], list[int]]:
    """A row of numbers cut into panels of up to `WIDEST` registers, as equal as may be."""
    left, at = -(-length // lanes), 0
    starts, widths = [], []
    while left:
        width = -(-left // -(-left // WIDEST))
        starts.append(at)
        widths.append(width)
        at += width * lanes
        left -= width
    return starts, widths


def _runs(widths: list[int], most: int) -> np.ndarray:
    """Where runs of panels of one width begin, `most` panels long, and the end of the last."""
    starts = [0]
    for panel in range(1, len(widths)):
        if widths[panel] != widths[panel - 1] or panel - starts[-1] >= most:
            starts.append(panel)
    return np.array([*starts, len(widths)], np.int64)


def _places(
    starts: list[int], lanes: int, pitch: int, rows: int, columns: int, strides: Ints
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each register of each panel, which lanes are outputs, and where they go."""
    at = np.array(starts)[:, None] + np.arange(WIDEST * lanes)
    row, column = at // pitch, at % pitch
    inside = ((column < columns) & (row < rows)).reshape(-1, lanes)
    masks = (inside << np.arange(lanes)).sum(1).astype(np.int32)
    place = (row * strides[2] + column * strides[3]).reshape(-1, lanes)
    if strides[3] == 1 and (strides[2] == columns or rows == 1):
        first = place[np.arange(len(place)), inside.argmax(1)]
        return masks, np.ascontiguousarray(first, np.int64), np.empty(0, np.int32)
    return masks, np.zeros(len(masks), np.int64), np.where(inside, place, 0).astype(np.int32)


@lru_cache(maxsize=1024)
def prepare(
    dtype: np.dtype[Any],
    input: tuple[Ints, Ints],
    weight: Weights,
    out: tuple[Ints, Ints],
    taps: Taps,
    strides: Ints,
    groups: int,
    limit: int,
) -> Call:
    """A call for arrays of these shapes and strides (in elements), on up to `limit` threads.

    Args:
        input: (N, groups * C, D, H, W).
        weight: how weights lie.
        out: (N, groups * M, OD, OH, OW).
    """
    functions = _functions(dtype)
    assert functions is not None
    (batch, channels, *size), input_strides = input
    rows = weight.features * groups
    features = weight.features
    units = batch * out[0][2] * groups
    work = batch * rows * prod(out[0][2:]) * channels // groups * len(weight.places)
    threads = min(limit, 1 + work // ALONE)
    wanted = 8 * threads if threads > 1 else 1
    cuts = max(1, min(out[0][3] // CUT, -(-wanted // units)))
    plan = geometry(
        dtype, tuple(size), channels // groups, input_strides[1:], taps, strides, out[0][2:],
        out[1][1:], cuts, features >= MANY,
    )  # fmt: skip
    bands, split = plan.bands, 0
    if not plan.packed and units < wanted:
        split = -(-plan.runs * units // wanted)
        bands = -(-plan.runs // split)
    units *= bands
    block = features
    if units < wanted:
        tile = 12 if plan.narrow else 8
        block = max(2 * tile, -(-features * units // wanted // tile) * tile)
    blocks = -(-features // block)
    units *= blocks
    threads = min(threads, units)
    each = -(-plan.packed // 64) * 64
    weight_deltas = steps(weight.places, weight.channel)
    words = plan.words.copy()
    place_words(
        words,
        AT,
        {
            "input_batch": input_strides[0],
            "input_group": input_strides[1] * (channels // groups),
            "units": units,
            "groups": groups,
            "bands": bands,
            "split": split,
            "blocks": blocks,
            "block": block,
            "weight_group": weight.group,
            "weight_row": weight.row,
            "weight_deltas": weight_deltas.ctypes.data,
            "out_batch": out[1][0],
            "features": features,
            "scratch_each": each,
        },
    )
    words = ready(functions["correlate"], threads, work, AT["input"], words)
    return Call(words, threads * each + 16 if each else 0, (plan.tables, weight_deltas))


def correlate(
    call: Call, input: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, out: np.ndarray
) -> None:
    """Compute into `out`; arrays as the call was made for."""
    memory = scratch("planes", (call.scratch,), input.dtype) if call.scratch else None
    launch()(call.words, input, weight, bias, out, memory)
