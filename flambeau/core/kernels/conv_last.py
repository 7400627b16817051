"""Convolution of images whose channels lie last, and its adjoint in the input, by generated code:
weights become one matrix, which rows of pixels meet where they lie, or as blocks of what they see.

Every public function gives None where it does not take the call, else what does the same for other
arrays that lie alike. The code is in ``generate.conv_last`` and
``generate.conv_blocks``; each channel by itself is in ``windows_native``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from functools import lru_cache, partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import conv_last
from flambeau.core.kernels.generate.call import TYPES, tiled
from flambeau.core.kernels.generate.gemm import shape_of
from flambeau.core.kernels.generate.turn import turn, turn_runs
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.launch import launcher
from flambeau.core.kernels.native.prepared import launch
from flambeau.core.kernels.phases import UNLOCKED, lanes_of, reached
from flambeau.core.kernels.windows import Ints, Pairs, empty, scratch, to_last
from flambeau.core.kernels.windows_native import Geometry, geometry_of, takes

__all__ = ["Done", "convolve", "input_gradient", "taps_of", "thin", "weight_gradient"]

Done = Callable[[np.ndarray, np.ndarray, Any, np.ndarray], None]
"""``run(one, other, bias, result)``: arrays as the functions here take them."""

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
PARTS, PART, SUMS, LEAST = 8, 1 << 10, 1 << 20, 12
"""Parts that the sum of a weight's gradient has at most, their pixels at least, bytes of all of
them at most; features of a unit of work at least, as pixels are copied again for each.
"""
HELD = 24 << 10
"""Bytes of copied pixels that stay in the first cache beside what they meet."""
LONG = 128
"""Numbers of a group of taps from which on its weights are packed into panels."""
BLOCK, DEPTH = 96, 512
"""Pixels of a block, and numbers that are copied of what each sees, at most but for one group."""


@once
def _functions(dtype: np.dtype[Any]) -> dict[str, int]:
    found = tiled(dtype, conv_last.module)
    assert found is not None, "asked for images that `takes` refuses"
    return found


@lru_cache(maxsize=1024)
def _row_words(
    function: int, input: Ints, out: Ints, steps: Ints, geometry: Geometry, size: int, limit: int
) -> tuple[np.ndarray, int]:
    """What `launch` is given, and numbers of scratch memory. `steps` are the result's strides along
    images, rows and columns, in bytes.
    """
    kernel, stride, _, dilation = geometry
    channels, rows, columns = input[1], *out[2:]
    work = prod(out) * prod(kernel) * channels
    shares = min(limit, 1 + work // ALONE)
    pitch = ((columns - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1) * channels
    seen = (kernel[0] - 1) * dilation[0] + 1
    band = max(1, min(rows, (HELD // (pitch * size) - seen) // stride[0] + 1))
    if shares > 1:
        band = min(band, max(1, out[0] * rows // (4 * shares)))
    bands = -(-rows // band)
    band = -(-rows // bands)
    each = -(-((band - 1) * stride[0] + seen) * pitch // 64) * 64
    context = (
        *input, *out[1:], *(n for pair in geometry for n in pair), band, -(-rows // band),
        kernel[1] if dilation[1] == 1 else 1, pitch, *(n // size for n in steps), each, 0,
    )  # fmt: skip
    words = np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 5, *context], np.int64)
    return words, shares * each + 16


class _Lie(NamedTuple):
    """How weights lie, in numbers: from tap to tap, from channel to channel, from feature to
    feature.
    """

    tap: int
    channel: int
    feature: int


def _panels(weight: np.ndarray, groups: int, lie: _Lie) -> tuple[np.ndarray, _Lie]:
    """Groups of taps, one matrix in panels each, and how they lie: a tile reads one line after the
    other (0.8 of the time of rows that lie apart, where there are many).

    Args:
        weight: (features, groups, depth) or, as it is for an adjoint, (depth, groups, features).
        lie: of the weights given, `tap` of a whole group.
    """
    (first, _, last), lanes = weight.shape, lanes_of(weight.dtype)
    depth, features = (last, first) if lie.channel == 1 else (first, last)
    each = -(-features // lanes) * lanes * depth
    found = memory.empty((groups * each,), weight.dtype)
    launcher()(
        _functions(weight.dtype)["pack"], weight.size, weight, lie.channel, lie.feature, lie.tap,
        found, each, features, depth, groups,
    )  # fmt: skip
    return found, _Lie(each, 0, 0)


def _together(geometry: Geometry, channels: int) -> int:
    """Taps that lie side by side in images as in weights of all taps, and are copied at once."""
    columns = geometry[0][1]
    return columns if geometry[3][1] == 1 and columns * channels <= DEPTH else 1


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
    packed = lie.feature == 0
    together = _together(geometry, channels) if dense or packed else 1
    groups = taps // together
    groups_each = max(1, min(groups, DEPTH // (together * channels))) if dense else 1
    wanted = 4 * shares if shares > 1 else 1
    block = -(-pixels // -(-pixels // BLOCK))
    if lie.feature <= 1 and -(-pixels // block) < wanted:
        block = max(min(block, 24), -(-pixels // wanted))
    blocks = -(-pixels // block)
    panels = -(-features // panel)
    split = -(-panels // min(panels, -(-wanted // blocks))) * panel
    depth = groups_each * together * channels
    room = -(-block * depth // 64) * 64
    each = room + (panel * depth if lie.feature > 1 else 0)
    step = lie.tap if packed else together * lie.tap
    context = (
        *input[1:], *out[1:], kernel[1], *(n for pair in options for n in pair), pixels, block,
        split, -(-features // split), groups, together, groups_each, step,
        lie.channel, lie.feature, room, each, 0,
    )  # fmt: skip
    words = np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 5, *context], np.int64)
    return words, shares * each + 16


@once
def _panel(dtype: Any) -> int:
    """Columns of a panel of products."""
    host = build.host()
    return shape_of(TYPES[dtype], host.bits, host.masked).panel


def _by_blocks(
    input: np.ndarray, weight: np.ndarray, lie: _Lie, bias: Any, result: np.ndarray,
    geometry: Geometry,
) -> None:  # fmt: skip
    function = _functions(input.dtype)["blocks"]
    words, room = _block_words(
        function, input.shape, result.shape, geometry, lie, _panel(input.dtype),
        threads.count(),
    )  # fmt: skip
    launch()(words, input, weight, bias, result, scratch("pixels", (room,), input.dtype))


def _by_rows(
    input: np.ndarray, matrix: np.ndarray, bias: Any, result: np.ndarray, geometry: Geometry
) -> None:
    """With weights as (taps, channels, features)."""
    function = _functions(input.dtype)["convolve"]
    steps = (result.strides[0], *result.strides[2:])
    words, room = _row_words(
        function, input.shape, result.shape, steps, geometry, input.itemsize, threads.count()
    )
    launch()(words, input, matrix, bias, result, scratch("pixels", (room,), input.dtype))


def _fill_tiles(input: np.ndarray, weight: np.ndarray, result: np.ndarray) -> bool:
    """Whether rows of pixels are better met where they lie."""
    return result.shape[3] >= WIDE and input.shape[1] >= THIN and weight.nbytes <= NEAR


def thin(result: np.ndarray) -> bool:
    """Whether a result's channels leave half of a register empty: planes are quicker then."""
    return 2 * result.shape[1] <= lanes_of(result.dtype)


def taps_of(weight: np.ndarray) -> np.ndarray:
    """Weights as a contiguous (features, *kernel, channels)."""
    behind = to_last(weight)
    if behind.flags.c_contiguous or not weight.flags.c_contiguous:
        return np.ascontiguousarray(behind)
    features, channels, *kernel = weight.shape
    found = memory.empty(behind.shape, weight.dtype)
    turn(weight.reshape(features, channels, -1), found.reshape(features, -1, channels))
    return found


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> Done | None:
    """Fill `result` with the convolution of all channels; what does it once more."""
    if weight.dtype is not input.dtype or not takes(input, result) or thin(result):
        return None
    run = partial(_sum, geometry_of(weight.shape[2:], stride, pads, dilation))
    run(input, weight, bias, result)
    return run


def _sum(
    geometry: Geometry,
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
) -> None:
    features, channels = weight.shape[:2]
    rows = taps_of(weight).reshape(1, features, -1)
    bias = None if bias is None else np.ascontiguousarray(bias, input.dtype)
    if result.size <= FEW * features:
        lie = _Lie(channels, 1, rows.shape[2])
        _by_blocks(input, rows, lie, bias, result, geometry)
        return
    fills = _fill_tiles(input, weight, result)
    depth = rows.shape[2]
    run = _together(geometry, channels) * channels
    if run >= LONG and not fills:
        groups = depth // run
        panels, lie = _panels(rows.reshape(features, groups, run), groups, _Lie(run, 1, depth))
        _by_blocks(input, panels, lie, bias, result, geometry)
        return
    matrix = memory.empty((1, depth, features), weight.dtype)
    turn(rows, matrix)
    if fills:
        _by_rows(input, matrix, bias, result, geometry)
    else:
        lie = _Lie(channels * features, features, 1)
        _by_blocks(input, matrix, lie, bias, result, geometry)


def input_gradient(
    grad: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> Done | None:
    """Fill `result` with the adjoint in the input: each phase of the strides is a convolution with
    the taps that reach it. What does it once more.
    """
    if weight.dtype is not grad.dtype or not takes(grad, result) or thin(result):
        return None
    kernel, size = weight.shape[2:], result.shape[2:]
    work = reached(kernel, stride, tuple(low for low, _ in pads), dilation, size)
    run = partial(_adjoints, work, stride)
    run(grad, weight, None, result)
    return run


def _adjoints(
    work: Any, stride: Ints, grad: np.ndarray, weight: np.ndarray, _: None, result: np.ndarray
) -> None:
    if len(work) < prod(min(s, n) for s, n in zip(stride, result.shape[2:], strict=True)):
        result[...] = 0
    taps = taps_of(weight)
    for phase, places, chosen in work:
        cut: Any = (slice(p, None, s) for p, s in zip(phase, stride, strict=True))
        _adjoint(grad, taps[:, *chosen], places, result[:, :, *cut])


def _adjoint(grad: np.ndarray, taps: np.ndarray, places: Any, result: np.ndarray) -> None:
    """What taps (F, *kernel, C) make of a gradient, where they stand at `places` of rows and of
    columns, in falling order.
    """
    features, *kernel, channels = taps.shape
    steps = tuple(at[0] - at[1] if len(at) > 1 else 1 for at in places)
    rows = _fill_tiles(grad, taps, result)
    if rows or features < DEEP:  # taps in the order of the pixels that they meet
        runs = np.ascontiguousarray(taps[:, ::-1, ::-1]).reshape(1, features, -1, channels)
        lows = tuple(-at[-1] for at in places)
        matrix, geometry = turn_runs(runs), (tuple(kernel), (1, 1), lows, steps)
        if rows:
            _by_rows(grad, matrix, None, result, geometry)
            return
        lie = _Lie(features * channels, channels, 1)
    else:
        matrix = np.ascontiguousarray(taps)
        lows = tuple(-at[0] for at in places)
        geometry = (tuple(kernel), (1, 1), lows, tuple(-n for n in steps))
        lie = _Lie(channels, prod(kernel) * channels, 1)
        if result.size > FEW * channels and features >= LONG:
            matrix = matrix.reshape(features, -1, channels)
            lie = _Lie(channels, prod(kernel) * channels, 1)
            matrix, lie = _panels(matrix, matrix.shape[1], lie)
        elif result.size > FEW * channels:
            matrix = turn_runs(matrix.reshape(1, features, -1, channels))
            lie = _Lie(features * channels, channels, 1)
    if to_last(result).flags.c_contiguous:
        _by_blocks(grad, matrix, lie, None, result, geometry)
        return
    dense = empty(result.shape, result.dtype, True)
    _by_blocks(grad, matrix, lie, None, dense, geometry)
    result[...] = dense


@lru_cache(maxsize=1024)
def _weight_words(
    function: int,
    input: Ints,
    out: Ints,
    geometry: Geometry,
    size: int,
    panel: int,
    limit: int,
) -> tuple[np.ndarray, int, int]:
    """What `launch` is given, parts of the sum, and numbers of scratch memory."""
    kernel, *options = geometry
    channels, features = input[1], out[1]
    pixels, taps = out[0] * prod(out[2:]), prod(kernel)
    work = pixels * features * taps * channels
    shares = min(limit, 1 + work // ALONE)
    parts = max(1, min(PARTS, pixels // PART, SUMS // (features * taps * channels * size)))
    part = -(-pixels // parts)
    parts = -(-pixels // part)
    together = kernel[1] if geometry[3][1] == 1 and kernel[1] * channels <= panel else 1
    groups = taps // together
    groups_each = max(1, min(groups, panel // (together * channels)))
    row = groups_each * together * channels
    block = min(BLOCK, max(BLOCK // 2, HELD // (row * size)))
    block = -(-part // -(-part // block))
    wanted = 4 * shares if shares > 1 else 1
    rows = -(-groups // groups_each)
    chunk = groups_each * -(-rows // min(rows, -(-wanted // parts)))
    chunks = -(-groups // chunk)
    split = -(-features // min(-(-wanted // (parts * chunks)), -(-features // LEAST)))
    each = -(-block * row // 64) * 64
    context = (
        *input[1:], *out[1:], kernel[1], *(n for pair in options for n in pair), pixels, block,
        part, parts, groups, together, groups_each, chunk, chunks, split, -(-features // split),
        each, 0,
    )  # fmt: skip
    words = np.array([function, shares, work >= UNLOCKED, 0, *(0,) * 4, *context], np.int64)
    return words, parts, shares * each + 16


def weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> Done | None:
    """Fill `result` with the adjoint in the weight; what does it once more."""
    if not takes(grad, input):
        return None
    run = partial(_weight_sum, geometry_of(result.shape[2:], stride, pads, dilation))
    run(grad, input, None, result)
    return run


def _weight_sum(
    geometry: Geometry, grad: np.ndarray, input: np.ndarray, _: None, result: np.ndarray
) -> None:
    function = _functions(input.dtype)["weight_gradient"]
    features, channels, *kernel = result.shape
    words, parts, room = _weight_words(
        function, input.shape, grad.shape, geometry, input.itemsize, _panel(input.dtype),
        threads.count(),
    )  # fmt: skip
    behind = to_last(result)
    shape = (parts, features, prod(kernel), channels)
    if parts == 1 and behind.flags.c_contiguous:
        sums = behind.reshape(shape)
    else:
        sums = memory.empty(shape, input.dtype)
    launch()(words, input, grad, sums, scratch("pixels", (room,), input.dtype))
    total = sums[0]
    for more in sums[1:]:
        total += more
    if not behind.flags.c_contiguous:
        turn(total, result.reshape(features, channels, -1))
    elif parts > 1:
        behind[...] = total.reshape(behind.shape)
