"""Convolution of images whose channels lie last, and its adjoint in the input, by generated code:
weights become one matrix, which rows of pixels meet where they lie, or as blocks of what they see.

Every function says whether it did the work. The code is in ``generate.conv_last`` and
``generate.conv_blocks``; each channel by itself is in ``windows_native``.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import conv_blocks, conv_last
from flambeau.core.kernels.generate.call import tiled
from flambeau.core.kernels.generate.turn import turn, turn_runs
from flambeau.core.kernels.native.prepared import launch
from flambeau.core.kernels.phases import UNLOCKED, lanes_of
from flambeau.core.kernels.windows import Ints, Pairs, scratch, to_last
from flambeau.core.kernels.windows_native import Geometry, geometry_of, takes

__all__ = ["convolve", "input_gradient"]

ALONE = 1 << 20
"""Multiplications that one more thread is worth."""
WIDE = 12
"""Columns of a result from which on its rows fill tiles by themselves."""
THIN = 16
"""Channels from which on a tap is a product of its own."""
NEAR = 1 << 20
"""Bytes of weights that stay in the second cache, so that they may be met row by row."""
FEW = 2 * 96
"""Pixels in all up to which panels of weights are turned where they are met, not before."""
DEEP = 64
"""Features of a gradient from which on a tap is met by itself, its weights where they lie."""
BLOCK, DEPTH = 96, 512
"""Pixels of a block, and numbers that are copied of what each sees, at most but for one group."""


@once
def _rows(dtype: np.dtype[Any]) -> int | None:
    found = tiled(dtype, conv_last.module)
    return None if found is None else found["convolve"]


@once
def _blocks(dtype: np.dtype[Any]) -> int | None:
    found = tiled(dtype, conv_blocks.module)
    return None if found is None else found["blocks"]


@lru_cache(maxsize=1024)
def _row_words(function: int, input: Ints, out: Ints, geometry: Geometry, limit: int) -> np.ndarray:
    work = prod(out) * prod(geometry[0]) * input[1]
    shares = min(limit, 1 + work // ALONE)
    context = (*input, *out[1:], *(n for pair in geometry for n in pair), 0)
    return np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 4, *context], np.int64)


class _Lie(NamedTuple):
    """How weights lie, in numbers: from tap to tap, from channel to channel, from feature to
    feature.
    """

    tap: int
    channel: int
    feature: int


@lru_cache(maxsize=1024)
def _block_words(
    function: int, input: Ints, out: Ints, geometry: Geometry, lie: _Lie, panel: int, limit: int
) -> tuple[np.ndarray, int]:
    """What `launch` is given, and numbers of scratch memory."""
    kernel, *options = geometry
    channels, features = input[1], out[1]
    pixels, taps = out[0] * prod(out[2:]), prod(kernel)
    work = pixels * features * taps * channels
    shares = min(limit, 1 + work // ALONE)
    dense = lie.tap == channels * lie.channel  # one matrix of all taps and channels
    side_by_side = dense and geometry[3][1] == 1 and kernel[1] * channels <= DEPTH
    together = kernel[1] if side_by_side else 1
    groups = taps // together
    groups_each = max(1, min(groups, DEPTH // (together * channels))) if dense else 1
    wanted = 4 * shares if shares > 1 else 1
    block = -(-pixels // -(-pixels // BLOCK))
    if lie.feature == 1 and -(-pixels // block) < wanted:
        block = max(min(block, 24), -(-pixels // wanted))
    blocks = -(-pixels // block)
    panels = -(-features // panel)
    split = -(-panels // min(panels, -(-wanted // blocks))) * panel
    depth = groups_each * together * channels
    room = -(-block * depth // 64) * 64
    each = room + (panel * depth if lie.feature != 1 else 0)
    context = (
        *input[1:], *out[1:], kernel[1], *(n for pair in options for n in pair), pixels, block,
        split, -(-features // split), groups, together, groups_each, together * lie.tap,
        lie.channel, lie.feature, room, each, 0,
    )  # fmt: skip
    words = np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 5, *context], np.int64)
    return words, shares * each


def _by_blocks(
    input: np.ndarray, weight: np.ndarray, lie: _Lie, bias: Any, result: np.ndarray,
    geometry: Geometry,
) -> bool:  # fmt: skip
    function = _blocks(input.dtype)
    if function is None:
        return False
    words, room = _block_words(
        function, input.shape, result.shape, geometry, lie, 4 * lanes_of(input.dtype),
        threads.count(),
    )  # fmt: skip
    launch()(words, input, weight, bias, result, scratch("pixels", (room,), input.dtype))
    return True


def _by_rows(
    input: np.ndarray, matrix: np.ndarray, bias: Any, result: np.ndarray, geometry: Geometry
) -> bool:
    """With weights as (taps, channels, features)."""
    function = _rows(input.dtype)
    if function is None:
        return False
    words = _row_words(function, input.shape, result.shape, geometry, threads.count())
    launch()(words, input, matrix, bias, result)
    return True


def _fill_tiles(input: np.ndarray, weight: np.ndarray, result: np.ndarray) -> bool:
    """Whether rows of pixels are better met where they lie."""
    return result.shape[3] >= WIDE and input.shape[1] >= THIN and weight.nbytes <= NEAR


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> bool:
    """Fill `result` with the convolution of all channels. Whether that was done."""
    if weight.dtype is not input.dtype or not takes(input, result):
        return False
    features, channels, *kernel = weight.shape
    rows = np.ascontiguousarray(to_last(weight)).reshape(1, features, -1)
    geometry = geometry_of(tuple(kernel), stride, pads, dilation)
    bias = None if bias is None else np.ascontiguousarray(bias, input.dtype)
    if result.size <= FEW * features:
        lie = _Lie(channels, 1, rows.shape[2])
        return _by_blocks(input, rows, lie, bias, result, geometry)
    matrix = memory.empty((1, rows.shape[2], features), weight.dtype)
    turn(rows, matrix)
    if _fill_tiles(input, weight, result):
        return _by_rows(input, matrix, bias, result, geometry)
    lie = _Lie(channels * features, features, 1)
    return _by_blocks(input, matrix, lie, bias, result, geometry)


def input_gradient(
    grad: np.ndarray, weight: np.ndarray, result: np.ndarray, pads: Pairs, dilation: Ints
) -> bool:
    """Fill `result` with the adjoint in the input, for strides of 1: taps that go the other way.
    Whether that was done.
    """
    if weight.dtype is not grad.dtype or not takes(grad, result):
        return False
    features, channels, *kernel = weight.shape
    taps = np.ascontiguousarray(to_last(weight)).reshape(1, features, prod(kernel), channels)
    geometry: Geometry = (
        tuple(kernel), (1, 1), tuple(-low for low, _ in pads), tuple(-d for d in dilation)
    )  # fmt: skip
    if _fill_tiles(grad, weight, result):
        return _by_rows(grad, turn_runs(taps), None, result, geometry)
    if features >= DEEP:
        lie = _Lie(channels, prod(kernel) * channels, 1)
        return _by_blocks(grad, taps, lie, None, result, geometry)
    lie = _Lie(features * channels, channels, 1)
    return _by_blocks(grad, turn_runs(taps), lie, None, result, geometry)
