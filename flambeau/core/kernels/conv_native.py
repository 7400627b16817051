"""Convolution by generated code: its sum and its adjoints as correlations of planes.

Every function says whether it did the work; what it does not take (other dtypes, huge planes) is
left to the NumPy forms in ``conv``. Planes so small that they leave registers half empty are turned
first, so that the images of a batch lie in lanes. The plans are in ``correlate``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import conv_last, memory
from flambeau.core.kernels import correlate as made
from flambeau.core.kernels import correlate_weight as weights
from flambeau.core.kernels.generate.turn import turn, turn_runs
from flambeau.core.kernels.phases import MANY, Call, lanes_of, reached, registers
from flambeau.core.kernels.product import matrices
from flambeau.core.kernels.windows import Ints, Pairs, empty, to_last
from flambeau.core.kernels.windows_native import depthwise, depthwise_input, depthwise_weight

__all__ = ["again", "convolve", "input_gradient", "key", "remember", "weight_gradient"]

FAR = 1 << 30
"""Offsets within a plane are 32 bits wide."""
GAIN = 1.15
"""How much fuller registers must be for images to be turned into lanes."""
PIXELS, AREA = 1 << 12, 256
"""Below so many pixels in all, or in a plane, a kernel of one tap has its gradient from a product
of turned planes: sums over few registers are not worth adding up their lanes.
"""
LONELY = 1.7
"""What a register costs that is all there is of a plane: a tile of one loads as much as it
multiplies.
"""
DEEP = 32
"""Multiplications for each output from which on turning is worth its time."""


BEHIND, BROAD = 64, 36
"""Channels from which on small planes are better gone through with the channels last, and pixels
that a plane then has at least.
"""


Key = tuple[Any, ...]
_known: dict[Key, tuple[Ints, bool, Call | conv_last.Done]] = {}


def key(kind: str, one: np.ndarray, other: np.ndarray, *options: Any) -> Key:
    """What decides how arrays are gone through: kind of sum, shapes, strides, options, threads."""
    return (
        kind, one.shape, one.strides, other.shape, other.strides, options, one.dtype, other.dtype,
        threads.count(),
    )  # fmt: skip


def again(found: Key, one: np.ndarray, other: np.ndarray, bias: Any = None) -> np.ndarray | None:
    """The sum, where one like it was computed before and nothing has to be made ready."""
    known = _known.get(found)
    if known is None or not (made.available(one.dtype) and one.flags.aligned):
        return None
    shape, last, call = known
    result = empty(shape, one.dtype, last)
    if not isinstance(call, Call):
        call(one, other, bias, result)
        return result
    if found[0] == "weight":
        weights.weight_gradient(call, one, other, result)
        return result
    if found[0] == "input":
        other = _turned_weight(other, shape[1] // other.shape[1])
    elif bias is not None:
        bias = np.ascontiguousarray(bias)
    made.correlate(call, one, other, bias, result)
    return result


def remember(found: Key, done: Any, result: np.ndarray, *arrays: np.ndarray) -> None:
    """Note what computed `result`, if that was one call: of contiguous `arrays`, or one that takes
    all arrays that lie alike.
    """
    if done is not True and (
        not isinstance(done, Call) or all(a.flags.c_contiguous for a in arrays)
    ):
        if len(_known) > 4096:
            _known.clear()
        plain = empty(result.shape, result.dtype)  # where sizes are 1, both orders are contiguous
        _known[found] = result.shape, result.strides != plain.strides, done


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> Call | conv_last.Done | bool:
    """Fill `result` with the convolution, as ``conv.convolve`` has it."""
    kernel = weight.shape[2:]
    if not _fits(input, result) or weight.dtype is not input.dtype:
        return False
    if groups > 1 and depthwise(input, weight, bias, result, stride, pads, dilation, groups):
        return True
    one_window = groups == 1 and _one_window(input.shape[2:], kernel, pads, dilation)
    if one_window and result.flags.c_contiguous:
        images, filters = _whole(input, weight)
        matrices(images, filters.T, bias, result.reshape(len(input), -1))
        return True
    turns = not _is_last(input) and _better_turned(
        input, result.shape[2:], kernel, stride, dilation, weight[0].size, len(weight)
    )
    if turns and _broad(weight, result.shape[2:], groups):
        behind = _behind(result)
        if conv_last.convolve(_channels_last(input), weight, bias, behind, stride, pads, dilation):
            return behind is result or _channels_to_front(behind, result)
    if turns:
        lanes, out = _turned(input), memory.empty((1, *result.shape[1:], len(input)), input.dtype)
        lanes, turned, weight, options = _with_lanes(
            lanes, out, weight, stride, pads, dilation, len(weight)
        )
        convolve(lanes, weight, bias, turned, *options, groups)
        return _turn_back(out, result)
    if _is_last(input) or _is_last(result):
        if _pointwise(kernel, pads, groups) and not conv_last.thin(result):
            return _by_pixels(_pixels_times, input, weight, bias, result, stride)
        if groups == 1 and (
            done := conv_last.convolve(input, weight, bias, result, stride, pads, dilation)
        ):
            return done
        out = memory.empty(result.shape, result.dtype)
        convolve(_channels_first(input), weight, bias, out, stride, pads, dilation, groups)
        return _channels_back(out, result)
    if prod(kernel) == 1 and max(stride) == 1 and not any(map(any, pads)):
        if input.flags.c_contiguous and result.flags.c_contiguous:  # planes are rows
            input, result = (a.reshape(*a.shape[:2], prod(a.shape[2:])) for a in (input, result))
            kernel, stride, pads, dilation = (1,), (1,), [(0, 0)], (1,)
    weight = np.ascontiguousarray(weight)
    if bias is not None:
        bias = np.ascontiguousarray(bias)
    row, features = weight[0].size, len(weight) // groups
    lie = made.Weights(features, features * row, row, prod(kernel), tuple(range(prod(kernel))))
    return _correlate(input, weight, lie, bias, result, _taps(kernel, pads, dilation), stride)


def input_gradient(
    grad: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> Call | conv_last.Done | bool:
    """Fill `result` with the adjoint of the convolution in its input: each phase of the strides is
    a correlation with the taps that reach it.
    """
    if not _fits(grad, result) or weight.dtype is not grad.dtype:
        return False
    if groups > 1 and depthwise_input(grad, weight, result, stride, pads, dilation, groups):
        return True
    kernel, size = weight.shape[2:], result.shape[2:]
    if groups == 1 and _one_window(size, kernel, pads, dilation):
        images, filters = _whole(result, weight)
        matrices(grad.reshape(len(grad), -1), filters, None, images)
        return True
    phase = tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    depth = weight[:, 0].size // (groups * prod(stride))
    turns = not _is_last(grad) and _better_turned(
        grad, phase, kernel, stride, dilation, depth, weight.shape[1]
    )
    few = turns or (prod(phase) < BEHIND and not _is_last(grad))
    if max(stride) > 1 or few:
        wide = _broad(weight, phase, groups, max(stride) == 1)
        behind = _behind(result) if wide else result
        if wide and conv_last.input_gradient(
            _channels_last(grad), weight, behind, stride, pads, dilation
        ):
            return behind is result or _channels_to_front(behind, result)
    if turns:
        lanes, out = _turned(grad), memory.empty((1, *result.shape[1:], len(grad)), grad.dtype)
        lanes, turned, weight, options = _with_lanes(
            lanes, out, weight, stride, pads, dilation, weight.shape[1]
        )
        input_gradient(lanes, weight, turned, *options, groups)
        return _turn_back(out, result)
    if _is_last(grad) or _is_last(result):
        if _pointwise(kernel, pads, groups) and max(stride) == 1:
            return _by_pixels(_pixels_back, grad, weight, None, result, stride)
        if groups == 1 and (
            done := conv_last.input_gradient(grad, weight, result, stride, pads, dilation)
        ):
            return done
        out = memory.empty(result.shape, result.dtype)
        input_gradient(_channels_first(grad), weight, out, stride, pads, dilation, groups)
        return _channels_back(out, result)
    turned = _turned_weight(weight, groups)
    channels, features, count = weight.shape[1], turned.shape[1], prod(kernel)
    work = reached(kernel, stride, tuple(low for low, _ in pads), dilation, size)
    if len(work) < prod(min(s, n) for s, n in zip(stride, size, strict=True)):
        result[...] = 0
    for phase, taps, chosen in work:
        places = tuple(np.arange(count).reshape(kernel)[chosen].ravel().tolist())
        row = features * count
        lie = made.Weights(channels, channels * row, row, count, places)
        first = turned.reshape(-1)[places[0] :]
        cut: Any = (slice(p, None, s) for p, s in zip(phase, stride, strict=True))
        call = _correlate(grad, first, lie, None, result[:, :, *cut], taps, (1,) * len(kernel))
    return call if max(stride) == 1 else True


def weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> Call | conv_last.Done | bool:
    """Fill `result` with the adjoint of the convolution in its weight."""
    if not _fits(grad, input) or not weights.available(input.dtype):
        return False
    if groups > 1 and depthwise_weight(grad, input, result, stride, pads, dilation, groups):
        return True
    kernel = result.shape[2:]
    if groups == 1 and _one_window(input.shape[2:], kernel, pads, dilation):
        behind = to_last(result)
        if not result.flags.c_contiguous and behind.flags.c_contiguous:
            images, result = to_last(input), behind
        else:
            images = input
        images = np.ascontiguousarray(images).reshape(len(input), -1)
        matrices(grad.reshape(len(grad), -1).T, images, None, result.reshape(len(result), -1))
        return True
    if groups == 1 and _is_last(input) and not _pointwise(kernel, pads, groups):
        behind = _channels_last(grad)
        done = conv_last.weight_gradient(behind, input, result, stride, pads, dilation)
        if done is not None:
            return done if behind is grad else True
    if not result.flags.c_contiguous:
        plain = memory.empty(result.shape, result.dtype)
        weight_gradient(grad, input, plain, stride, pads, dilation, groups)
        return _channels_back(plain, result)
    turns = _better_turned(
        input, grad.shape[2:], kernel, stride, dilation, result[0].size, len(result)
    )
    area = prod(grad.shape[2:])
    if not turns and area < AREA and _broad(result, grad.shape[2:], groups, False):
        behind = _channels_last(input)
        if conv_last.weight_gradient(_channels_last(grad), behind, result, stride, pads, dilation):
            return True
    few = area < AREA or len(grad) * area < PIXELS
    if (few or _is_last(input)) and _pointwise(kernel, pads, groups):
        if max(stride) == 1:
            _pixels_across(grad, input, None, result)
            return _pixels_across
        cut: Any = (
            slice(0, (n - 1) * s + 1, s) for n, s in zip(grad.shape[2:], stride, strict=True)
        )
        _pixels_across(grad, input[:, :, *cut], None, result)
        return True
    if turns:
        left, right, result, options = _with_lanes(
            _turned(grad), _turned(input), result, stride, pads, dilation, len(result)
        )
        weight_gradient(left, right, result, *options, groups)
        return True
    copied = _is_last(input)
    input, grad = _three(_channels_first(input)), _three(_channels_first(grad))
    grad = np.ascontiguousarray(grad)
    call = weights.prepare(
        input.dtype,
        _layout(grad),
        _layout(input),
        _ahead((0,), _taps(kernel, pads, dilation)),
        _ahead(1, stride),
        groups,
        threads.count(),
    )
    weights.weight_gradient(call, grad, input, result)
    return copied or call


def _is_last(array: np.ndarray) -> bool:
    """Whether the channels of a pixel lie side by side, and its neighbours behind them."""
    return not array.flags.c_contiguous and to_last(array).flags.c_contiguous


def _channels_first(array: np.ndarray) -> np.ndarray:
    """The array itself, or a contiguous copy where channels come last."""
    if not _is_last(array):
        return array
    found = memory.empty(array.shape, array.dtype)
    _channels_to_front(array, found)
    return found


def _channels_to_front(array: np.ndarray, result: np.ndarray) -> bool:
    """Fill a contiguous `result` with an array whose channels come last."""
    count, channels = array.shape[:2]
    turn(to_last(array).reshape(count, -1, channels), result.reshape(count, channels, -1))
    return True


def _broad(weight: np.ndarray, out: Ints, groups: int, whole: bool = True) -> bool:
    """Whether channels fill registers when they come last; `out` has to be a `whole` plane."""
    return (
        groups == 1
        and len(out) == 2
        and weight.shape[1] >= BEHIND
        and weight[0, 0].size > 1
        and not (whole and prod(out) < BROAD)
    )


def _behind(result: np.ndarray) -> np.ndarray:
    """The array itself if it is not contiguous, or one with the channels last to fill it from."""
    if not result.flags.c_contiguous:
        return result
    return empty(result.shape, result.dtype, True)


def _channels_last(array: np.ndarray) -> np.ndarray:
    """The array itself, or a copy where channels come first."""
    if to_last(array).flags.c_contiguous:
        return array
    found = empty(array.shape, array.dtype, True)
    _channels_back(np.ascontiguousarray(array), found)
    return found


def _channels_back(array: np.ndarray, result: np.ndarray) -> bool:
    """Fill `result` with a contiguous array."""
    if not _is_last(result):
        result[...] = array
        return True
    count, channels = array.shape[:2]
    turn(array.reshape(count, channels, -1), to_last(result).reshape(count, -1, channels))
    return True


def _pointwise(kernel: Ints, pads: Pairs, groups: int) -> bool:
    """Whether pixels meet a matrix each: a product of rows where channels come last."""
    return groups == 1 and prod(kernel) == 1 and not any(map(any, pads))


def _one_window(size: Ints, kernel: Ints, pads: Pairs, dilation: Ints) -> bool:
    """Whether the kernel covers all there is, so that the sum is one product of matrices."""
    return size == kernel and not any(map(any, pads)) and max(dilation) == 1


def _whole(images: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images as rows of a matrix, where they lie if they can, and weights in the same order."""
    if _is_last(images):
        filters = conv_last.taps_of(weight).reshape(len(weight), -1)
        return to_last(images).reshape(len(images), -1), filters
    return np.ascontiguousarray(images).reshape(len(images), -1), weight.reshape(len(weight), -1)


def _by_pixels(
    way: conv_last.Done, input: np.ndarray, weight: np.ndarray, bias: Any, result: np.ndarray,
    stride: Ints,
) -> conv_last.Done | bool:  # fmt: skip
    """A kernel of one tap where the channels come last: one product of all pixels."""
    cut: Any = (slice(0, (n - 1) * s + 1, s) for n, s in zip(result.shape[2:], stride, strict=True))
    out = result if _is_last(result) else empty(result.shape, result.dtype, True)
    way(input if max(stride) == 1 else input[:, :, *cut], weight, bias, out)
    if out is not result:
        return _channels_to_front(out, result)
    return way if max(stride) == 1 and _is_last(input) else True


def _pixels_times(input: np.ndarray, weight: np.ndarray, bias: Any, result: np.ndarray) -> None:
    filters = weight.reshape(weight.shape[:2]).T
    matrices(_pixels(input), filters, bias, to_last(result).reshape(-1, result.shape[1]))


def _pixels_back(grad: np.ndarray, weight: np.ndarray, _: None, result: np.ndarray) -> None:
    filters = weight.reshape(weight.shape[:2])
    matrices(_pixels(grad), filters, None, to_last(result).reshape(-1, result.shape[1]))


def _pixels_across(grad: np.ndarray, input: np.ndarray, _: None, result: np.ndarray) -> None:
    matrices(_pixels(grad).T, _pixels(input), None, result.reshape(len(result), -1))


def _pixels(array: np.ndarray) -> np.ndarray:
    """(N * S, C) of (N, C, *S)."""
    if _is_last(array):
        return to_last(array).reshape(-1, array.shape[1])
    planes = np.ascontiguousarray(array).reshape(*array.shape[:2], -1)
    found = memory.empty((len(planes), planes.shape[2], planes.shape[1]), array.dtype)
    turn(planes, found)
    return found.reshape(-1, planes.shape[1])


def _fits(*arrays: np.ndarray) -> bool:
    dtype = arrays[0].dtype
    return made.available(dtype) and all(
        a.dtype is dtype
        and a.size > 0
        and a.flags.aligned
        and max(n * abs(s) for n, s in zip(a.shape[2:], a.strides[2:], strict=True)) < FAR
        for a in arrays
    )


def _taps(kernel: Ints, pads: Pairs, dilation: Ints) -> list[Ints]:
    """Where the taps of each axis stand."""
    return [
        tuple(range(-low, d * k - low, d))
        for k, d, (low, _) in zip(kernel, dilation, pads, strict=True)
    ]


def _correlate(
    input: np.ndarray,
    weight: np.ndarray,
    lie: made.Weights,
    bias: np.ndarray | None,
    result: np.ndarray,
    taps: list[Ints],
    stride: Ints,
) -> Call:
    input, result = _three(input), _three(result)
    call = made.prepare(
        input.dtype,
        _layout(input),
        lie,
        _layout(result),
        _ahead((0,), taps),
        _ahead(1, stride),
        result.shape[1] // lie.features,
        threads.count(),
    )
    made.correlate(call, input, weight, bias, result)
    return call


def _turned_weight(weight: np.ndarray, groups: int) -> np.ndarray:
    """(groups * C, M, *kernel) of (groups * M, C, *kernel), contiguous."""
    features, channels, *kernel = weight.shape
    runs = np.ascontiguousarray(weight).reshape(groups, features // groups, channels, prod(kernel))
    return turn_runs(runs).reshape(groups * channels, features // groups, *kernel)


def _three(array: np.ndarray) -> np.ndarray:
    """With three spatial axes, the first ones of length 1."""
    return array[:, :, *(None,) * (5 - array.ndim)]


def _ahead(one: Any, values: Any) -> Any:
    """Three values, the first ones `one`."""
    return (one,) * (3 - len(values)) + tuple(values)


def _layout(array: np.ndarray) -> tuple[Ints, Ints]:
    """Shape, and strides in elements; of a spatial axis of length 1, that of dense rows."""
    size = array.itemsize
    found = [s // size for s in array.strides]
    for axis in (4, 3, 2):
        if array.shape[axis] == 1:
            found[axis] = 1 if axis == 4 else found[axis + 1] * array.shape[axis + 1]
    return array.shape, tuple(found)


def _better_turned(
    array: np.ndarray,
    out: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    depth: int,
    features: int,
) -> bool:
    """Whether registers are fuller with images than with pixels in their lanes."""
    batch, lanes = len(array), lanes_of(array.dtype)
    if len(out) > 2 or batch == 1 or depth < DEEP or prod(out) >= 16 * lanes:
        return False
    taps = [tuple(range(0, k * d, d)) for k, d in zip(kernel, dilation, strict=True)]
    now = registers(_ahead((0,), taps), _ahead(1, stride), _ahead(1, out), lanes, features)
    alone = LONELY if now == 1 else 1.0
    # Pixels of a row that lie side by side.
    side = out[-1] if _in_rows(stride, features) else 1
    return batch * now * alone > GAIN * prod(out) // side * -(-batch * side // lanes)


def _in_rows(stride: Ints, features: int) -> bool:
    """Whether images lie behind the pixels of a row, or along an axis of their own."""
    return stride[-1] == 1 and features >= MANY


def _with_lanes(
    left: np.ndarray,
    right: np.ndarray,
    weight: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    features: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[Ints, Pairs, Ints]]:
    """Arrays, weight and options for images that lie behind the pixels: along columns so many times
    longer, or along one more axis.
    """
    count = left.shape[-1]
    if not _in_rows(stride, features):
        options = (*stride, 1), [*pads, (0, 0)], (*dilation, 1)
        return left, right, weight[..., None], options
    left, right = (a.reshape(*a.shape[:-2], -1) for a in (left, right))
    low, high = pads[-1]
    pads = [*pads[:-1], (low * count, high * count)]
    return left, right, weight, (stride, pads, (*dilation[:-1], dilation[-1] * count))


def _turned(array: np.ndarray) -> np.ndarray:
    """(1, C, *S, N) of (N, C, *S)."""
    found = memory.empty((1, *array.shape[1:], len(array)), array.dtype)
    rows = np.ascontiguousarray(_channels_first(array)).reshape(1, len(array), -1)
    turn(rows, found.reshape(1, rows.shape[2], rows.shape[1]))
    return found


def _turn_back(array: np.ndarray, result: np.ndarray) -> bool:
    rows = array.reshape(1, -1, array.shape[-1])
    if result.flags.c_contiguous:
        turn(rows, result.reshape(1, rows.shape[2], rows.shape[1]))
    else:
        result[...] = np.moveaxis(array[0], -1, 0)
    return True
