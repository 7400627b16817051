"""The gradient of a correlation in its weight by generated code: what is planned, and the call.

The sums are those of ``correlate``; the code is in ``generate.conv_weight``.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import gcd, prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels.generate import conv_weight as generated
from flambeau.core.kernels.generate.call import tiled
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.prepared import HEADER, launch
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

__all__ = ["available", "geometry", "prepare", "weight_gradient"]

VECTORS = 96
"""Registers of pixels that are summed in one go: four features of so many stay in the first-level
cache.
"""
PACKED = 1 << 19
"""Bytes of gradients that a thread works on at a time."""
NEAR = 1 << 16
"""Bytes of planes that all features meet before the next are packed."""

FEW = 8
"""Features of a unit of work at least: planes are packed again for each."""


@once
def _function(dtype: np.dtype[Any], careful: bool = False) -> int | None:
    found = tiled(dtype, lambda shape: generated.module(shape, careful))
    return None if found is None else found["weight_gradient"]


def available(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of this type have generated code here."""
    return _function(dtype) is not None


class Geometry(NamedTuple):
    """A plan: the words that do not depend on where arrays lie, and the tables they point to."""

    words: np.ndarray
    tables: tuple[np.ndarray, ...]
    in_place: bool
    channel: int
    """Numbers that a packed channel of one image takes."""
    images: int
    """Images of a block."""
    places: int
    """Taps of one channel."""
    held: int
    """Numbers of one feature's gradient in a block."""
    full: bool
    """Whether every lane is an output, so that gradients are read where they lie."""
    offsets: np.ndarray
    """Where each tap of a channel lies."""
    pitch: int
    """From one channel to the next."""
    work: int
    """Multiplications for one feature of one image."""


AT = {name: k for k, name in enumerate(generated.WEIGHTS)}


@lru_cache(maxsize=512)
def geometry(
    dtype: np.dtype[Any],
    batch: int,
    size: Ints,
    channels: int,
    input_strides: Ints,
    taps: Taps,
    strides: Ints,
    out: Ints,
    many: bool,
) -> Geometry:
    """The plan for planes of `size`, strides of (channel, *S) in elements, and gradients of `out`
    side by side, of `many` features or few.
    """
    lanes = lanes_of(dtype)
    rows_out, columns_out = out[1:]
    found = phases(taps, strides)
    in_place = found.in_place(size, out, strides, input_strides)
    if many and not in_place and apart(taps, strides, out, lanes):
        found = phases(taps, strides, True)
    pitch = input_strides[2] if in_place else columns_out + found.span[1]
    vectors = -(-((rows_out - 1) * pitch + columns_out) // lanes)
    images, band = 1, rows_out
    if vectors <= VECTORS:
        images = -(-batch * out[0] // -(-batch * out[0] // (VECTORS // vectors)))
    else:
        band = max(1, VECTORS * lanes // pitch)
    bands = -(-rows_out // band)
    band = -(-rows_out // bands)
    bands = -(-rows_out // band)
    rows = band + found.span[0]
    planes = len(taps[0])
    if in_place:
        offsets = [y * pitch + x for y in taps[1] for x in taps[2]]
        each = channel = input_strides[0]
    else:
        plane = rows * pitch + lanes
        each = len(found.numbers) * plane
        offsets = [
            depth * each + phase * plane + y * pitch + x
            for depth in range(planes)
            for phase, y, x in found.taps
        ]
        channel = planes * each
    last = rows_out - (bands - 1) * band
    starts, masks, places = _lanes(lanes, pitch, band, columns_out)
    _, masks_last, _ = _lanes(lanes, pitch, last, columns_out)
    depth_places = np.array(taps[0], np.int64)
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
            "images_each": images,
            "places_of_channel": len(offsets),
            "vectors": len(masks),
            "vectors_last": len(masks_last),
            "starts": starts.ctypes.data,
            "masks": masks.ctypes.data,
            "masks_last": masks_last.ctypes.data,
            "places": places.ctypes.data,
        },
    )
    tables = (starts, masks, places, masks_last, depth_places, found.rows, found.columns)
    return Geometry(
        words, tables, in_place, channel, images, len(offsets), images * len(masks) * lanes,
        out[0] == 1 and pitch == columns_out and band * pitch % lanes == last * pitch % lanes == 0,
        np.array(offsets, np.int64), channel,
        out[0] * rows_out * columns_out * channels * len(offsets),
    )  # fmt: skip


def _lanes(
    lanes: int, pitch: int, rows: int, columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Registers of the rows of a band: where each starts, which lanes are outputs, and the number
    of outputs before it.
    """
    length = (rows - 1) * pitch + columns
    starts = np.arange(0, length, lanes)
    at = starts[:, None] + np.arange(lanes)
    inside = (at % pitch < columns) & (at < length)
    masks = (inside << np.arange(lanes)).sum(1).astype(np.int32)
    places = np.cumsum(inside.sum(1)) - inside.sum(1)
    return starts.astype(np.int64), masks, places.astype(np.int64)


@lru_cache(maxsize=1024)
def prepare(
    dtype: np.dtype[Any],
    grad: tuple[Ints, Ints],
    input: tuple[Ints, Ints],
    taps: Taps,
    strides: Ints,
    groups: int,
    limit: int,
) -> Call:
    """A call for arrays of these shapes and strides (in elements), on up to `limit` threads.

    Args:
        grad: (N, groups * M, OD, OH, OW), the numbers of a plane side by side.
        input: (N, groups * C, D, H, W).
    """
    (batch, all_channels, *size_in), input_strides = input
    channels, features = all_channels // groups, grad[0][1] // groups
    plan = geometry(
        dtype,
        batch,
        tuple(size_in),
        channels,
        input_strides[1:],
        taps,
        strides,
        grad[0][2:],
        features >= (FEW if prod(grad[0][3:]) % lanes_of(dtype) == 0 else MANY),
    )
    size = dtype.itemsize
    work = plan.work * batch * features * groups
    threads = min(limit, 1 + work // ALONE)
    # So many channels that their taps make whole tiles.
    widest = generated.sizes(build.host().masked)[1][0]
    even = widest // gcd(widest, plan.places)
    near = max(even, NEAR // (plan.images * plan.channel * size) // even * even)
    near = channels if plan.in_place else min(near, channels)
    features_each = max(4, min(features, PACKED // (plan.held * size) // 4 * 4))
    wanted = -(-2 * threads // groups) if threads > 1 else 1
    # Where gradients lie as they are met, blocks of channels have nothing made ready twice.
    channel_blocks = min(wanted, max(1, channels // 2)) if plan.full else 1
    channels_each = -(-channels // channel_blocks)
    channel_blocks = -(-channels // channels_each)
    shared = min(-(-wanted // channel_blocks), max(1, features // FEW))
    feature_blocks = max(-(-features // features_each), shared)
    features_each = -(-features // feature_blocks // 4) * 4
    feature_blocks = -(-features // features_each)
    units = groups * channel_blocks * feature_blocks
    if units < threads:
        channels_each = max(1, channels * units // (2 * threads))
        channel_blocks = -(-channels // channels_each)
        units = groups * channel_blocks * feature_blocks
    threads = min(threads, units)
    near = min(near, channels_each)
    image_pitch = input_strides[0] if plan.in_place else near * plan.channel
    packed = 0 if plan.in_place else -(-(plan.images * image_pitch + 128) // 64) * 64
    held = 0 if plan.full else plan.held
    each = packed + -(-features_each * held // 64) * 64
    offsets = plan.pitch * np.arange(near)[:, None] + plan.offsets
    words = plan.words.copy()
    place_words(
        words,
        AT,
        {
            "input_batch": input_strides[0],
            "input_group": input_strides[1] * channels,
            "images": batch * grad[0][2],
            "units": units,
            "groups": groups,
            "grad_batch": grad[1][0],
            "grad_group": grad[1][1] * features,
            "grad_channel": grad[1][1],
            "grad_depth": grad[1][2],
            "grad_row": grad[0][4],
            "channels_near": near,
            "features": features,
            "features_each": features_each,
            "feature_blocks": feature_blocks,
            "channels_each": channels_each,
            "channel_blocks": channel_blocks,
            "out_row": channels * plan.places,
            "offsets": offsets.ctypes.data,
            "grad_pitch": held or grad[1][1],
            "grad_image": held // plan.images or grad[1][0],
            "spread": int(held > 0),
            "image_pitch": image_pitch,
            "packed": packed,
            "scratch_each": each,
        },
    )
    function = _function(dtype)
    assert function is not None
    words = ready(function, threads, work, AT["input"], words)
    return Call(words, threads * each + 16, (plan.tables, offsets))


def weight_gradient(call: Call, grad: np.ndarray, input: np.ndarray, out: np.ndarray) -> None:
    """Compute into a contiguous `out`, (groups * M, C * taps); arrays as the call was made for."""
    memory = scratch("planes", (call.scratch,), input.dtype)
    special = np.zeros(1, np.int64)
    out[...] = 0
    launch()(call.words, input, grad, out, memory, special)
    if special[0]:
        function = _function(input.dtype, True)
        assert function is not None
        out[...] = 0
        words = call.words.copy()
        words[HEADER.index("function")] = function
        launch()(words, input, grad, out, memory, special)
