"""What every sliding-window kernel shares: padding, window views, memory formats, scratch memory.

Arrays come as (N, C, *S) with any number of spatial axes S. Nothing here knows convolution or
pooling; nothing here knows Tensors. Stands on NumPy and memory.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from flambeau.core.kernels import copies
from flambeau.core.kernels import memory as kept

__all__ = [
    "channels_last",
    "empty",
    "full",
    "is_half",
    "output_size",
    "pad",
    "scratch",
    "tap_slices",
    "to_last",
    "windows",
]

Ints = tuple[int, ...]
Pairs = Sequence[tuple[int, int]]

_local = threading.local()
_HALVES = {"float16", "bfloat16"}


def is_half(dtype: np.dtype) -> bool:
    """Whether ``dtype`` is a 16-bit float, whose kernels compute in float32."""
    return dtype.itemsize == 2 and dtype.name in _HALVES


def output_size(size: int, kernel: int, stride: int, low: int, high: int, dilation: int) -> int:
    """Number of window positions: ``(size + low + high - dilation * (kernel - 1) - 1) // stride +
    1``.
    """
    return (size + low + high - dilation * (kernel - 1) - 1) // stride + 1


def channels_last(array: np.ndarray) -> bool:
    """Whether the strides of a (N, C, *S) array suggest channels_last, as PyTorch decides it.

    Only 4 and 5 axes know the format. The channel stride must be the smallest, and the strides must
    grow through W, H, (D,) N; where N or C alone would make it ambiguous, the contiguous format
    wins.
    """
    ndim = array.ndim
    if ndim != 4 and ndim != 5:
        return False
    strides, shape = array.strides, array.shape
    if strides[1] == 0:
        return False
    least = 0
    for axis in (1, *range(ndim - 1, 1, -1), 0):
        if shape[axis] == 0 or strides[axis] < least:
            return False
        if axis == 0 and least == strides[1]:
            return False
        least = strides[axis]
        if shape[axis] > 1:
            least *= shape[axis]
    return True


def to_last(array: np.ndarray) -> np.ndarray:
    """The view (N, *S, C) of a (N, C, *S) array."""
    return array.transpose(0, *range(2, array.ndim), 1)


def empty(shape: Ints, dtype: np.dtype, last: bool = False) -> np.ndarray:
    """An uninitialised (N, C, *S) array, its memory ordered (N, *S, C) when ``last``."""
    if not last:
        return kept.empty(shape, dtype)
    memory = kept.empty((shape[0], *shape[2:], shape[1]), dtype)
    return memory.transpose(0, memory.ndim - 1, *range(1, memory.ndim - 1))


def full(shape: Ints, value: object, dtype: np.dtype, last: bool = False) -> np.ndarray:
    """As :func:`empty`, filled with ``value``."""
    result = empty(shape, dtype, last)
    if last:
        result[...] = value
    else:
        copies.fill(result, value)
    return result


def scratch(slot: str, shape: Ints, dtype: np.dtype) -> np.ndarray:
    """A contiguous work array reused by this thread from call to call (contents undefined).

    Fresh pages cost more than the copy that fills them (measured three times as much above 1 MB).
    Two arrays alive at once need two slots; nothing returned to a caller may live here.
    """
    size = prod(shape) * dtype.itemsize
    buffer = _local.__dict__.get(slot)
    if buffer is None or buffer.size < size:
        if size > 1 << 26:  # one giant image must not be kept for ever
            return np.empty(shape, dtype)
        buffer = _local.__dict__[slot] = np.empty(max(size, 1 << 16), np.uint8)
    return buffer[:size].view(dtype).reshape(shape)


def pad(array: np.ndarray, pads: Pairs, value: object = 0, first: int = 2) -> np.ndarray:
    """``array`` padded by (low, high) on each axis from ``first`` on; negative amounts crop.

    Returns ``array`` itself or a view where nothing is to be added.
    """
    end = first + len(pads)
    if any(low < 0 or high < 0 for low, high in pads):
        crop = tuple(
            slice(max(-low, 0), n - max(-high, 0))
            for n, (low, high) in zip(array.shape[first:end], pads, strict=True)
        )
        array = array[(slice(None),) * first + crop]
        pads = [(max(low, 0), max(high, 0)) for low, high in pads]
    if not any(low or high for low, high in pads):
        return array
    inner = tuple(
        slice(low, low + n) for n, (low, _) in zip(array.shape[first:end], pads, strict=True)
    )
    sizes = (cut.stop + high for cut, (_, high) in zip(inner, pads, strict=True))
    shape = (*array.shape[:first], *sizes, *array.shape[end:])
    result = full(shape, value, array.dtype, first == 2 and channels_last(array))
    copies.copy_into(result[(slice(None),) * first + inner], array)
    return result


def windows(
    array: np.ndarray, first: int, kernel: Ints, stride: Ints, dilation: Ints, out: Ints
) -> np.ndarray:
    """The view (..., *out, *kernel, ...) of all windows over the axes ``first : first +
    len(kernel)``.

    The axes before and after stay: (N, C, H, W) with first=2 gives (N, C, OH, OW, kh, kw),
    (N, H, W, C) with first=1 gives (N, OH, OW, kh, kw, C).
    """
    end = first + len(kernel)
    steps = array.strides[first:end]
    shape = (*array.shape[:first], *out, *kernel, *array.shape[end:])
    strides = (
        *array.strides[:first],
        *(a * b for a, b in zip(steps, stride, strict=True)),
        *(a * b for a, b in zip(steps, dilation, strict=True)),
        *array.strides[end:],
    )
    # The constructor costs a tenth of as_strided, but extension dtypes lend no buffer.
    if array.flags.c_contiguous and array.dtype.kind != "V":
        return np.ndarray(shape, array.dtype, array, 0, strides)
    return as_strided(array, shape, strides, writeable=False)


def tap_slices(kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> list[tuple[slice, ...]]:
    """For each kernel tap, in row-major order, the slices of the padded input that it meets."""
    return [
        tuple(
            slice(k * d, k * d + (o - 1) * s + 1, s)
            for k, d, s, o in zip(tap, dilation, stride, out, strict=True)
        )
        for tap in product(*map(range, kernel))
    ]
