"""Windows over two axes of images whose channels lie last, by generated code: pooling, and
convolution of each channel by itself.

Every function gives None (or False) where it does not take the call. The code is in
``generate.windows_last``; all channels together are in ``conv_last``, planes side by side in
``pool_native`` and ``conv_native``.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels.generate import windows_last as generated
from flambeau.core.kernels.generate.call import tiled
from flambeau.core.kernels.native.prepared import launch
from flambeau.core.kernels.windows import Ints, Pairs, empty, to_last

__all__ = [
    "Geometry",
    "depthwise",
    "depthwise_input",
    "depthwise_weight",
    "geometry_of",
    "maximum",
    "maximum_with_taps",
    "mean",
    "spread",
    "spread_mean",
    "takes",
]

ALONE = 1 << 16
"""Numbers seen that one more thread is worth."""
UNLOCKED = 1 << 13
"""From so many on the interpreter's lock is free."""

Geometry = tuple[Ints, Ints, Ints, Ints]
"""Kernel, stride, padding (before the first pixel), dilation."""


@once
def _functions(dtype: np.dtype[Any]) -> dict[str, int] | None:
    return tiled(dtype, generated.module)


def takes(*arrays: np.ndarray) -> bool:
    """Whether arrays are images of one number type that has code, their channels last."""
    dtype = arrays[0].dtype
    return all(
        a.ndim == 4
        and a.size > 0
        and a.dtype is dtype
        and a.flags.aligned
        and to_last(a).flags.c_contiguous
        for a in arrays
    ) and _functions(dtype) is not None  # fmt: skip


@lru_cache(maxsize=1024)
def _words(
    name: str, dtype: np.dtype[Any], input: Ints, out: Ints, geometry: Geometry, limit: int
) -> np.ndarray:
    """What `launch` is given: the header, room for the arrays' addresses, the context."""
    functions = _functions(dtype)
    assert functions is not None
    work = prod(out) * prod(geometry[0])
    shares = min(limit, 1 + work // ALONE)
    context = (*input[:2], *input[2:], *out[2:], *(n for pair in geometry for n in pair))
    return np.array([functions[name], shares, work >= UNLOCKED, 0, *(0,) * 7, *context], np.int64)


def _run(
    name: str, input: np.ndarray, out: np.ndarray, geometry: Geometry, *more: np.ndarray | None
) -> None:
    words = _words(name, input.dtype, input.shape, out.shape, geometry, threads.count())
    launch()(words, input, out, *more, *(None,) * (5 - len(more)))


def maximum(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> np.ndarray | None:
    """The maximum of every window."""
    if not takes(input):
        return None
    result = empty((*input.shape[:2], *out), input.dtype, True)
    _run("maximum", input, result, (kernel, stride, padding, dilation))
    return result


def maximum_with_taps(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> tuple[np.ndarray, np.ndarray] | None:
    """The maximum of every window and the number of its tap, a byte."""
    if not takes(input) or prod(kernel) > 256:
        return None
    shape = (*input.shape[:2], *out)
    result, taps = empty(shape, input.dtype, True), empty(shape, np.dtype(np.uint8), True)
    _run("maximum_with_taps", input, result, (kernel, stride, padding, dilation), taps)
    return result, taps


def mean(
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    out: Ints,
    counts: tuple[np.ndarray, ...],
) -> np.ndarray | None:
    """The sum of every window over the product of its axes' counts."""
    if not takes(input):
        return None
    result = empty((*input.shape[:2], *out), input.dtype, True)
    divisors = (np.ascontiguousarray(c, input.dtype) for c in counts)
    _run("mean", input, result, (kernel, stride, padding, (1, 1)), None, *divisors)
    return result


def spread(
    grad: np.ndarray,
    taps: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
) -> np.ndarray | None:
    """The adjoint of the maximum: every gradient goes to the tap that won."""
    if taps.dtype != np.uint8 or not takes(grad) or not to_last(taps).flags.c_contiguous:
        return None
    result = empty((*grad.shape[:2], *size), grad.dtype, True)
    _run("spread", result, grad, (kernel, stride, padding, dilation), taps)
    return result


def spread_mean(
    grad: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    counts: tuple[np.ndarray, ...],
) -> np.ndarray | None:
    """The adjoint of the mean: every window's share goes to each number it saw."""
    if not takes(grad):
        return None
    result = empty((*grad.shape[:2], *size), grad.dtype, True)
    divisors = (np.ascontiguousarray(c, grad.dtype) for c in counts)
    _run("spread_mean", result, grad, (kernel, stride, padding, (1, 1)), None, *divisors)
    return result


def _each(weight: np.ndarray, groups: int, *arrays: np.ndarray) -> bool:
    """Whether each channel is convolved by itself into one feature."""
    return weight.shape[1] == 1 and len(weight) == groups and takes(*arrays)


def geometry_of(kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints) -> Geometry:
    """What words are made of."""
    return kernel, stride, tuple(low for low, _ in pads), dilation


def _tap_by_tap(weight: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(weight.reshape(len(weight), -1).T)


def depthwise(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the convolution of each channel. Whether that was done."""
    if weight.dtype is not input.dtype or not _each(weight, groups, input, result):
        return False
    geometry = geometry_of(weight.shape[2:], stride, pads, dilation)
    bias = None if bias is None else np.ascontiguousarray(bias, input.dtype)
    _run("depthwise", input, result, geometry, None, None, None, _tap_by_tap(weight), bias)
    return True


def depthwise_input(
    grad: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the adjoint in the input. Whether that was done."""
    if weight.dtype is not grad.dtype or not _each(weight, groups, grad, result):
        return False
    kernel = weight.shape[2:]
    if max(stride) == 1:  # a convolution with the kernel turned about
        reach = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        padding = tuple(r - low for r, (low, _) in zip(reach, pads, strict=True))
        turned = _tap_by_tap(weight[:, :, ::-1, ::-1])
        geometry = (kernel, stride, padding, dilation)
        _run("depthwise", grad, result, geometry, None, None, None, turned)
        return True
    geometry = geometry_of(kernel, stride, pads, dilation)
    _run("depthwise_input", result, grad, geometry, None, None, None, _tap_by_tap(weight))
    return True


def depthwise_weight(
    grad: np.ndarray,
    input: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the adjoint in the weight. Whether that was done."""
    if not _each(result, groups, grad, input):
        return False
    found = np.empty((prod(result.shape[2:]), len(result)), grad.dtype)
    geometry = geometry_of(result.shape[2:], stride, pads, dilation)
    _run("depthwise_weight", input, grad, geometry, None, None, None, found)
    result[...] = found.T.reshape(result.shape)
    return True
