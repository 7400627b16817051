"""Padding whose new elements repeat the input's own: reflect, replicate, circular; and the adjoint.

Amounts are pairs (low, high) per padded axis, first padded axis first; negative amounts crop.
Constant padding is ``windows.pad``. Each axis is filled in turn from the array being built, so
corners come out as PyTorch's.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels.windows import Pairs, channels_last, empty, is_half

__all__ = ["border", "border_gradient"]


def border(input: np.ndarray, pads: Pairs, mode: str) -> np.ndarray:
    """``input`` with its last ``len(pads)`` axes extended as ``mode`` says."""
    first = input.ndim - len(pads)
    pads = _kept(input.shape[first:], pads) if mode == "replicate" else pads
    shape = list(input.shape)
    source, target = [slice(None)] * input.ndim, [slice(None)] * input.ndim
    for axis, (low, high) in enumerate(pads, first):
        shape[axis] += low + high
        source[axis] = slice(max(-low, 0), input.shape[axis] - max(-high, 0))
        target[axis] = slice(max(low, 0), shape[axis] - max(high, 0))
    last = mode != "circular" and channels_last(input)  # circular padding loses the format
    result = empty(tuple(shape), input.dtype, last)
    result[tuple(target)] = input[tuple(source)]
    for axis, (low, high) in enumerate(pads, first):
        for place, origin in _sides(shape[axis], max(low, 0), max(high, 0), mode):
            lead = (slice(None),) * axis
            result[(*lead, place)] = result[(*lead, origin)]
    return result


def border_gradient(
    grad: np.ndarray, shape: tuple[int, ...], pads: Pairs, mode: str, last: bool = False
) -> np.ndarray:
    """The adjoint of :func:`border`: what was repeated is added where it came from."""
    first = grad.ndim - len(pads)
    pads = _kept(shape[first:], pads) if mode == "replicate" else pads
    if is_half(grad.dtype) and mode != "circular":
        return _half_gradient(grad, shape, pads, mode, last)
    total = grad.copy(order="K")
    source, target = [slice(None)] * grad.ndim, [slice(None)] * grad.ndim
    axes = list(enumerate(pads, first))
    # PyTorch fills the last axis first where it goes round, and adds in the opposite order.
    for axis, (low, high) in axes if mode == "circular" else reversed(axes):
        size = grad.shape[axis]
        lead = (slice(None),) * axis
        for place, origin in reversed(_sides(size, max(low, 0), max(high, 0), mode)):
            share = total[(*lead, place)]
            if mode == "replicate":
                share = share.sum(axis, keepdims=True)
            total[(*lead, origin)] += share
        source[axis] = slice(max(low, 0), size - max(high, 0))
        target[axis] = slice(max(-low, 0), shape[axis] - max(-high, 0))
    result = empty(tuple(shape), grad.dtype, last)
    if any(low < 0 or high < 0 for low, high in pads):
        result[...] = 0
    result[tuple(target)] = total[tuple(source)]
    return result


def _half_gradient(
    grad: np.ndarray, shape: tuple[int, ...], pads: Pairs, mode: str, last: bool
) -> np.ndarray:
    """Of 16-bit floats: element by element in order, rounded at every sum, as in PyTorch."""
    first = grad.ndim - len(pads)
    area = prod(shape[first:])
    place: Any = 0
    for axis, (low, high) in enumerate(pads, first):
        line = border(np.arange(shape[axis]), ((low, high),), mode)
        place = np.add.outer(place * shape[axis], line)
    planes = prod(shape[:first])
    where = (np.arange(planes) * area)[:, None] + np.ravel(place)
    flat = np.zeros(planes * area, grad.dtype)
    np.add.at(flat, where.ravel(), np.ascontiguousarray(grad).ravel())
    result = empty(tuple(shape), grad.dtype, last)
    result[...] = flat.reshape(shape)
    return result


def _kept(sizes: tuple[int, ...], pads: Pairs) -> Pairs:
    """The same padding where one side crops all there is: its last element stays to be repeated."""
    result = []
    for n, (low, high) in zip(sizes, pads, strict=True):
        out = n + low + high
        if low <= -n and high > 0:
            low, high = 1 - n, out - 1
        elif high <= -n and low > 0:
            low, high = out - 1, 1 - n
        result.append((low, high))
    return result


def _sides(size: int, low: int, high: int, mode: str) -> list[tuple[slice, slice]]:
    """(where, from where) along one axis of the built array, of length ``size``."""
    end = size - high  # one past the last own element
    pairs = []
    if low:
        origin = {
            "reflect": slice(2 * low, low, -1),
            "replicate": slice(low, low + 1),
            "circular": slice(end - low, end),
        }[mode]
        pairs.append((slice(0, low), origin))
    if high:
        origin = {
            "reflect": slice(end - 2, end - 2 - high if end - 2 - high >= 0 else None, -1),
            "replicate": slice(end - 1, end),
            "circular": slice(low, low + high),
        }[mode]
        pairs.append((slice(end, size), origin))
    return pairs
