"""Pooling over sliding windows of (N, C, *S) arrays: maximum, average, and their adjoints.

The maximum is taken tap by tap (a tap is one position in the window, met by all windows at once as
one strided slice), remembering per window the number of the winning tap in one byte where that
suffices; flat indices as PyTorch counts them are made from it only on request. Backward passes go
tap by tap too, so overlapping windows need no scatter. Adaptive pooling is in ``adaptive_pool``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import numpy as np

from flambeau.core.kernels import pool_native
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import (
    Ints,
    channels_last,
    empty,
    full,
    is_half,
    pad,
    tap_slices,
)

__all__ = [
    "average",
    "average_gradient",
    "gather_planes",
    "max_values",
    "max_with_taps",
    "output_sizes",
    "scatter_planes",
    "spread_taps",
    "taken_by_taps",
    "taps_to_indices",
]


def output_sizes(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Ints:
    """Windows per axis; with ``ceil_mode`` a last one may stick out, but must start inside."""
    result = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1
        result.append(count)
    return tuple(result)


def max_values(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> np.ndarray:
    """The maximum of every window; NaN where the window holds one."""
    if is_half(input.dtype):
        wide = max_values(recast(input, "f4"), kernel, stride, padding, dilation, out)
        return recast(wide, input.dtype)
    found = pool_native.maximum(input, kernel, stride, padding, dilation, out)
    if found is not None:
        return found
    padded, slices = _taps(input, kernel, stride, padding, dilation, out)
    best = empty((*input.shape[:2], *out), input.dtype, channels_last(input))
    np.copyto(best, padded[:, :, *slices[0]])
    for places in slices[1:]:
        np.maximum(best, padded[:, :, *places], out=best)
    return best


def max_with_taps(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> tuple[np.ndarray, np.ndarray]:
    """The maximum of every window and the number of the tap that gave it.

    The first of equal maxima wins, the last of several NaN; a window of nothing but -inf takes its
    first tap inside the input. All as PyTorch's index does.
    """
    if is_half(input.dtype):
        wide, taps = max_with_taps(recast(input, "f4"), kernel, stride, padding, dilation, out)
        return recast(wide, input.dtype), taps
    found = pool_native.maximum_with_taps(input, kernel, stride, padding, dilation, out)
    if found is not None:
        return found
    padded, slices = _taps(input, kernel, stride, padding, dilation, out)
    last = channels_last(input)
    shape = (*input.shape[:2], *out)
    number = np.uint8 if len(slices) <= 256 else np.int32
    best, taps = empty(shape, input.dtype, last), empty(shape, np.dtype(number), last)
    np.copyto(best, padded[:, :, *slices[0]])
    taps[...] = _first_inside(kernel, stride, padding, dilation, out)
    greater = np.empty_like(best, bool)
    mark = greater.view(np.uint8) if number is np.uint8 else greater
    step = np.empty_like(taps)
    for tap, places in enumerate(slices[1:], 1):
        candidate = padded[:, :, *places]
        np.greater(candidate, best, out=greater)
        np.multiply(mark, number(tap), out=step)
        np.maximum(taps, step, out=taps)  # taps come in rising order: the last rise is the winner
        np.maximum(best, candidate, out=best)
    if best.dtype.kind == "f" and best.size and np.isnan(best.max()):
        for tap, places in enumerate(slices):
            np.copyto(taps, number(tap), where=np.isnan(padded[:, :, *places]))
    return best, taps


def taps_to_indices(
    taps: np.ndarray, size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> np.ndarray:
    """Tap numbers to int64 positions in the flattened input plane ``size``."""
    out = taps.shape[2:]
    base: np.ndarray | int = 0
    table: np.ndarray | int = 0
    for axis, n in enumerate(size):
        ones = [1] * len(size)
        ones[axis] = -1
        starts = np.arange(out[axis]) * stride[axis] - padding[axis]
        base = base * n + starts.reshape(ones)
        table = table * n + (np.arange(kernel[axis]) * dilation[axis]).reshape(ones)
    result = empty(taps.shape, np.dtype(np.int64), channels_last(taps))
    np.add(np.ravel(table)[taps], base, out=result)
    return result


def spread_taps(
    grad: np.ndarray,
    taps: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    last: bool = False,
) -> np.ndarray:
    """The adjoint of the maximum: every gradient goes to the tap that won."""
    apart = all(s > d * (k - 1) for s, d, k in zip(stride, dilation, kernel, strict=True))
    if is_half(grad.dtype) and apart:  # nothing is added up, so nothing is rounded
        wide = spread_taps(recast(grad, "f4"), taps, size, kernel, stride, padding, dilation, last)
        return recast(wide, grad.dtype)
    if not is_half(grad.dtype) and last == (channels_last(grad) and not grad.flags.c_contiguous):
        found = pool_native.spread(grad, taps, size, kernel, stride, padding, dilation)
        if found is not None:
            return found
    out = grad.shape[2:]
    slices = tap_slices(kernel, stride, dilation, out)
    tiled = kernel == stride and not any(padding) and max(dilation) == 1
    covered = tuple(map(min, size, (o * k for o, k in zip(out, kernel, strict=True))))
    inside = all(o * k <= n for o, k, n in zip(out, kernel, size, strict=True))
    if tiled and inside:  # each input element meets one window: written, not added
        result = empty((*grad.shape[:2], *size), grad.dtype, last)
        if covered != tuple(size):
            result[...] = 0
        finite = bool(np.isfinite(grad.sum()))
        for tap, places in enumerate(slices):
            if finite:
                np.multiply(grad, taps == tap, out=result[:, :, *places])
            else:
                result[:, :, *places] = np.where(taps == tap, grad, grad.dtype.type(0))
        return result
    reach = _reach(size, kernel, stride, padding, dilation, out)
    total = full((*grad.shape[:2], *reach), 0, grad.dtype, last)
    share = np.empty_like(grad)
    finite = bool(np.isfinite(grad.sum()))
    # In the order of the windows, which is that of the taps backwards: halves round at every sum.
    for tap, places in reversed(list(enumerate(slices))):
        if finite:
            np.multiply(grad, taps == tap, out=share)  # a fifth of np.where's time
        else:
            share = np.where(taps == tap, grad, grad.dtype.type(0))
        total[:, :, *places] += share
    return _cropped(total, size, padding, last)


def taken_by_taps(
    input: np.ndarray,
    taps: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
) -> np.ndarray:
    """What the winning tap of every window sees in ``input``: the adjoint of
    :func:`spread_taps`.
    """
    padded, slices = _taps(input, kernel, stride, padding, dilation, taps.shape[2:], 0)
    result = empty(taps.shape, input.dtype, channels_last(input))
    result[...] = 0
    for tap, places in enumerate(slices):
        np.copyto(result, padded[:, :, *places], where=taps == tap)
    return result


def average(
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    out: Ints,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The mean of every window: its sum over the number of its elements (or over the override)."""
    if is_half(input.dtype):
        wide = recast(input, "f4")
        wide = average(wide, kernel, stride, padding, out, count_include_pad, divisor_override)
        return recast(wide, input.dtype)
    if divisor_override is None:
        each = _counts_of_axes(input.shape[2:], kernel, stride, padding, out, count_include_pad)
        found = pool_native.mean(input, kernel, stride, padding, out, each)
        if found is not None:
            return found
    ones = (1,) * len(kernel)
    padded, slices = _taps(input, kernel, stride, padding, ones, out, 0)
    total = empty((*input.shape[:2], *out), input.dtype, channels_last(input))
    np.copyto(total, padded[:, :, *slices[0]])
    for places in slices[1:]:
        total += padded[:, :, *places]
    counts = _counts(input.shape[2:], kernel, stride, padding, out, count_include_pad)
    return _divide(total, counts if divisor_override is None else divisor_override)


def average_gradient(
    grad: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    last: bool = False,
) -> np.ndarray:
    """The adjoint of :func:`average`: every window's share goes to each of its elements."""
    out, ones = grad.shape[2:], (1,) * len(kernel)
    as_given = last == (channels_last(grad) and not grad.flags.c_contiguous)
    if divisor_override is None and as_given and not is_half(grad.dtype):
        each = _counts_of_axes(size, kernel, stride, padding, out, count_include_pad)
        found = pool_native.spread_mean(grad, size, kernel, stride, padding, each)
        if found is not None:
            return found
    counts = _counts(size, kernel, stride, padding, out, count_include_pad)
    share = _divide(grad.copy(order="K"), counts if divisor_override is None else divisor_override)
    slices = tap_slices(kernel, stride, ones, out)
    reach = _reach(size, kernel, stride, padding, ones, out)
    if kernel == stride and not any(padding) and reach == tuple(size):
        result = full((*grad.shape[:2], *size), 0, grad.dtype, last)
        for places in slices:
            result[:, :, *places] = share
        return result
    total = full((*grad.shape[:2], *reach), 0, grad.dtype, last)
    for places in reversed(slices):  # in the order of the windows
        total[:, :, *places] += share
    return _cropped(total, size, padding, last)


def gather_planes(input: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """``input[n, c].flat[indices[n, c, *o]]`` for every plane."""
    flat = np.ascontiguousarray(input).reshape(*input.shape[:2], prod(input.shape[2:]))
    picked = np.take_along_axis(
        flat, indices.reshape(*indices.shape[:2], prod(indices.shape[2:])), 2
    )
    return picked.reshape(indices.shape)


def scatter_planes(
    values: np.ndarray, indices: np.ndarray, size: Ints, add: bool, last: bool = False
) -> np.ndarray:
    """Planes of ``size`` with ``values`` at flat ``indices``; met twice: added, or the last
    stays.
    """
    lead = values.shape[:2]
    area, planes = prod(size), prod(lead)
    where = indices.reshape(planes, prod(indices.shape[2:])) + (np.arange(planes) * area)[:, None]
    if add and is_half(values.dtype):  # rounded at every sum, as in PyTorch
        flat = np.zeros(planes * area, values.dtype)
        np.add.at(flat, where.ravel(), values.ravel())
    elif add and values.dtype.kind == "f":
        flat = np.bincount(where.ravel(), values.ravel(), planes * area).astype(values.dtype)
    elif add:
        flat = np.bincount(where.ravel(), values.astype(np.float64).ravel(), planes * area)
        flat = flat.astype(values.dtype)
    else:
        flat = np.zeros(planes * area, values.dtype)
        flat[where.ravel()] = values.ravel()
    result = empty((*lead, *size), values.dtype, last)
    result[...] = flat.reshape(*lead, *size)
    return result


def _taps(
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    out: Ints,
    value: object = None,
) -> tuple[np.ndarray, list[tuple[slice, ...]]]:
    """The input padded (with its lowest value) as far as the windows reach, and each tap's
    slices.
    """
    size = input.shape[2:]
    reach = _reach(size, kernel, stride, padding, dilation, out)
    pads = [(p, r - n - p) for p, r, n in zip(padding, reach, size, strict=True)]
    if value is None:
        kind = input.dtype.kind
        value = -np.inf if kind == "f" else False if kind == "b" else np.iinfo(input.dtype).min
    return pad(input, pads, value), tap_slices(kernel, stride, dilation, out)


def _reach(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> Ints:
    return tuple(
        max(n + p, (o - 1) * s + d * (k - 1) + 1)
        for n, k, s, p, d, o in zip(size, kernel, stride, padding, dilation, out, strict=True)
    )


def _cropped(total: np.ndarray, size: Sequence[int], padding: Ints, last: bool) -> np.ndarray:
    if total.shape[2:] == tuple(size) and not any(padding):
        return total
    result = empty((*total.shape[:2], *size), total.dtype, last)
    result[...] = total[:, :, *(slice(p, p + n) for p, n in zip(padding, size, strict=True))]
    return result


def _first_inside(
    kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> np.ndarray | int:
    """Per window, the number of its first tap that lies inside the input."""
    if not any(padding):
        return 0
    result: np.ndarray | int = 0
    for axis, (k, s, p, d, o) in enumerate(
        zip(kernel, stride, padding, dilation, out, strict=True)
    ):
        outside = np.maximum(p - np.arange(o) * s, 0)
        shape = [1] * len(out)
        shape[axis] = -1
        result = result * k + (-(-outside // d)).reshape(shape)
    return result


@lru_cache(maxsize=256)
def _counts_of_axes(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, include_pad: bool
) -> tuple[np.ndarray, ...]:
    """How many elements every window has along each axis."""
    found = []
    for n, k, s, p, o in zip(size, kernel, stride, padding, out, strict=True):
        start = np.arange(o) * s - p
        end = np.minimum(start + k, n + p)
        found.append(end - start if include_pad else np.minimum(end, n) - np.maximum(start, 0))
    return tuple(found)


def _counts(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, include_pad: bool
) -> np.ndarray | int:
    result: np.ndarray | int = 1
    for axis, counts in enumerate(_counts_of_axes(size, kernel, stride, padding, out, include_pad)):
        shape = [1] * len(out)
        shape[axis] = -1
        uniform = len(counts) > 0 and (counts == counts[0]).all()
        result = result * (int(counts[0]) if uniform else counts.reshape(shape))
    return result


def _divide(total: np.ndarray, counts: np.ndarray | int) -> np.ndarray:
    if total.dtype.kind in "iu":  # integers divide as C does: towards zero
        return (np.sign(total) * np.sign(counts) * (np.abs(total) // np.abs(counts))).astype(
            total.dtype
        )
    if isinstance(counts, np.ndarray):
        counts = counts.astype(total.dtype)
    total /= counts
    return total
