"""Convolution of images whose channels lie last, and its adjoint in the input, by generated code:
weights become one matrix, which rows of pixels meet where they lie, or as blocks of what they see.

Every function says whether it did the work. The code is in ``generate.conv_last`` and
``generate.conv_blocks``; each channel by itself is in ``windows_native``.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

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


@lru_cache(maxsize=1024)
def _block_words(
    function: int, input: Ints, out: Ints, geometry: Geometry, panel: int, limit: int
) -> tuple[np.ndarray, int]:
    """What `launch` is given, and numbers of scratch memory."""
    kernel, *options = geometry
    channels, features = input[1], out[1]
    pixels, taps = out[0] * prod(out[2:]), prod(kernel)
    work = pixels * features * taps * channels
    shares = min(limit, 1 + work // ALONE)
    side_by_side = geometry[3][1] == 1 and kernel[1] * channels <= DEPTH
    together = kernel[1] if side_by_side else 1
    groups = taps // together
    groups_each = max(1, min(groups, DEPTH // (together * channels)))
    wanted = 4 * shares if shares > 1 else 1
    block = -(-pixels // -(-pixels // BLOCK))
    if -(-pixels // block) < wanted:
        block = max(min(block, 24), -(-pixels // wanted))
    blocks = -(-pixels // block)
    panels = -(-features // panel)
    split = -(-panels // min(panels, -(-wanted // blocks))) * panel
    each = -(-block * groups_each * together * channels // 64) * 64
    context = (
        *input[1:], *out[1:], kernel[1], *(n for pair in options for n in pair), pixels, block,
        split, -(-features // split), groups, together, groups_each, each, 0,
    )  # fmt: skip
    words = np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 5, *context], np.int64)
    return words, shares * each


def _convolve(
    input: np.ndarray, matrix: np.ndarray, bias: Any, result: np.ndarray, geometry: Geometry
) -> bool:
    """The sum with weights as (taps, channels, features)."""
    rows, blocks = _rows(input.dtype), _blocks(input.dtype)
    if rows is None or blocks is None:
        return False
    bias = None if bias is None else np.ascontiguousarray(bias, input.dtype)
    shapes = input.shape, result.shape, geometry
    if result.shape[3] >= WIDE and input.shape[1] >= THIN and matrix.nbytes <= NEAR:
        launch()(_row_words(rows, *shapes, threads.count()), input, matrix, bias, result)
        return True
    panel = 4 * lanes_of(input.dtype)
    words, room = _block_words(blocks, *shapes, panel, threads.count())
    launch()(words, input, matrix, bias, result, scratch("pixels", (room,), input.dtype))
    return True


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
    features = np.ascontiguousarray(to_last(weight)).reshape(1, len(weight), -1)
    matrix = memory.empty((1, features.shape[2], features.shape[1]), weight.dtype)
    turn(features, matrix)
    geometry = geometry_of(weight.shape[2:], stride, pads, dilation)
    return _convolve(input, matrix, bias, result, geometry)


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
    back = tuple(-low for low, _ in pads), tuple(-d for d in dilation)
    geometry = (tuple(kernel), (1, 1), *back)
    return _convolve(grad, turn_runs(taps), None, result, geometry)
