"""Convolution of (N, C, *S) arrays with any number of spatial axes: the sum and its two gradients.

float32 and float64 go to generated code first (``conv_native``). What it leaves has three forms of
the same sum in NumPy: *pointwise* (kernel 1: a product and nothing else), *pixels* (windows
copied as rows of (*kernel, C) from a channels-last copy: long runs when C is large) and *rows*
(windows copied as columns of (C, *kernel) straight from NCHW: long runs when C is small, and the
form that groups use). Columns are made for a block of images at a time, small enough to stay in the
second-level cache, and met by one matrix product. Depthwise convolution adds shifted slices
instead.
Transposed convolution is in ``conv_transpose``; argument checking is above, in ``core.ops.conv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import conv_native, conv_tiled
from flambeau.core.kernels.generate.plane_sums import plane_sums
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.product import matrices
from flambeau.core.kernels.windows import (
    Ints,
    Pairs,
    channels_last,
    empty,
    full,
    is_half,
    output_size,
    pad,
    scratch,
    tap_slices,
    to_last,
    windows,
)

__all__ = ["bias_gradient", "convolve", "input_gradient", "weight_gradient"]

BLOCK = 1 << 20  # bytes of columns made at once: half a second-level cache


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
    last: bool | None = None,
) -> np.ndarray:
    """``out[n, k, o] = bias[k] + sum_{c, t} input[n, c, o * stride + t * dilation] * weight[k, c,
    t]``.

    Args:
        input: (N, C, *S), padded by ``pads`` (pairs low, high; negative crops).
        weight: (K, C / groups, *kernel).
        last: order the result's memory as channels_last (default: where input or weight is).
    """
    key = conv_native.key("sum", input, weight, stride, tuple(pads), dilation, groups, last)
    found = conv_native.again(key, input, weight, bias)
    if found is not None:
        return found
    if last is None:
        last = channels_last(input) or channels_last(weight)
    if is_half(input.dtype):
        found = (
            None
            if last
            else conv_tiled.convolve(input, weight, bias, stride, pads, dilation, groups)
        )
        if found is not None:
            return found
        x, w = recast(input, "f4"), recast(weight, "f4")
        b = None if bias is None else recast(bias, "f4")
        return _narrow(convolve(x, w, b, stride, pads, dilation, groups, last), input.dtype)
    count, channels = input.shape[:2]
    kernel, features = weight.shape[2:], weight.shape[0]
    out = _sizes(input.shape[2:], kernel, stride, pads, dilation)
    result = empty((count, features, *out), input.dtype, last)
    if result.size == 0:
        return result
    if channels * prod(kernel) == 0:
        result[...] = 0
    elif done := conv_native.convolve(input, weight, bias, result, stride, pads, dilation, groups):
        conv_native.remember(key, done, result, weight)
        return result
    elif groups > 1 and channels == groups:
        _depthwise(input, weight, result, stride, pads, dilation)
    elif groups == 1 and prod(kernel) == 1:
        _pointwise(input, weight, result, stride, pads, last)
    elif _prefers_pixels(channels, groups, kernel, dilation, out):
        _by_pixels(input, weight, bias, result, stride, pads, dilation)
        return result
    else:
        _by_rows(input, weight, result, stride, pads, dilation, groups)
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(kernel))
    return result


def input_gradient(
    grad: np.ndarray,
    weight: np.ndarray,
    size: Ints,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
    last: bool | None = None,
) -> np.ndarray:
    """The adjoint of :func:`convolve` in its input: (N, K, *O) to (N, C, *size).

    With stride 1 this is a convolution of ``grad`` with the flipped, transposed weight; with other
    strides a product followed by adding each kernel tap's slice where it came from.
    """
    key = conv_native.key("input", grad, weight, size, stride, tuple(pads), dilation, groups, last)
    found = conv_native.again(key, grad, weight)
    if found is not None:
        return found
    if last is None:
        last = channels_last(grad) or channels_last(weight)
    if is_half(grad.dtype):
        if not last and max(stride) == 1 == groups:
            found = _mirrored(grad, weight, size, pads, dilation, 1, conv_tiled.convolve)
            if found is not None:
                return found
        wide = (recast(grad, "f4"), recast(weight, "f4"))
        return _narrow(
            input_gradient(*wide, size, stride, pads, dilation, groups, last), grad.dtype
        )
    channels = weight.shape[1] * groups
    result = empty((len(grad), channels, *size), grad.dtype, last)
    if done := conv_native.input_gradient(grad, weight, result, stride, pads, dilation, groups):
        conv_native.remember(key, done, result, weight)
        return result
    if max(stride) == 1:
        by = partial(convolve, last=last)
        return _mirrored(grad, weight, size, pads, dilation, groups, by)  # type: ignore[no-any-return]
    return _scatter_columns(grad, weight, size, stride, pads, dilation, groups, last)


def _mirrored(
    grad: np.ndarray, weight: np.ndarray, size: Ints, pads: Pairs, dilation: Ints, groups: int,
    by: Callable[..., Any],
) -> Any:  # fmt: skip
    """The input's gradient at stride 1: a convolution by the weight mirrored and turned."""
    features, per_group = weight.shape[:2]
    kernel = weight.shape[2:]
    flip: Any = (Ellipsis, *(slice(None, None, -1) for _ in kernel))
    turned = weight.reshape(groups, features // groups, per_group, *kernel).swapaxes(1, 2)[flip]
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    mirrored = [
        (r - low, n - o + low)
        for r, n, o, (low, _) in zip(reach, size, grad.shape[2:], pads, strict=True)
    ]
    turned = turned.reshape(per_group * groups, features // groups, *kernel)
    return by(grad, turned, None, (1,) * len(kernel), mirrored, dilation, groups)


def weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
    last: bool = False,
) -> np.ndarray:
    """The adjoint of :func:`convolve` in its weight: (N, K, *O) and (N, C, *S) to (K, C/groups,
    *kernel), its memory ordered as channels_last if `last`.
    """
    key = conv_native.key(
        "weight", grad, input, kernel, stride, tuple(pads), dilation, groups, last
    )
    found = conv_native.again(key, grad, input)
    if found is not None:
        return found
    if is_half(grad.dtype):
        found = conv_tiled.weight_gradient(grad, input, kernel, stride, pads, dilation, groups)
        if found is not None:
            return found
        wide = (recast(grad, "f4"), recast(input, "f4"))
        return _narrow(
            weight_gradient(*wide, kernel, stride, pads, dilation, groups, last), grad.dtype
        )
    count, features, *out = grad.shape
    channels = input.shape[1]
    per_group = channels // groups
    if grad.size == 0 or input.size == 0:
        return full((features, per_group, *kernel), 0, grad.dtype, last)
    result = empty((features, per_group, *kernel), grad.dtype, last)
    if done := conv_native.weight_gradient(grad, input, result, stride, pads, dilation, groups):
        conv_native.remember(key, done, result, grad)
        return result
    if last:
        result[...] = weight_gradient(grad, input, kernel, stride, pads, dilation, groups)
        return result
    if groups > 1:
        return _grouped_weight_gradient(grad, input, kernel, stride, pads, dilation, groups)
    taps, places = prod(kernel), prod(out)
    pixels = _prefers_pixels(channels, 1, kernel, dilation, tuple(out))
    padded = _padded_last(input, pads) if pixels else pad(input, pads)
    view = windows(padded, 1 if pixels else 2, kernel, stride, dilation, tuple(out))
    if not pixels:  # (N, C, *O, *kernel) -> (C, *kernel, N, *O)
        d = len(kernel)
        view = view.transpose(1, *range(2 + d, 2 + 2 * d), 0, *range(2, 2 + d))
    total = np.zeros((features, taps * channels), grad.dtype)
    for images, rows in _blocks(count, out[0], taps * channels * places * grad.itemsize):
        part = grad[images][:, :, rows]
        cells = part.shape[0] * prod(part.shape[2:])
        left = scratch("grad", (features, part.shape[0], *part.shape[2:]), grad.dtype)
        np.copyto(left, part.swapaxes(0, 1))
        left = left.reshape(features, cells)
        if pixels:
            part = view[images, rows]
            columns = scratch("columns", part.shape, grad.dtype)
            np.copyto(columns, part)
            total += left @ columns.reshape(cells, -1)
        else:
            cut: Any = (Ellipsis, images, rows, *(slice(None),) * (len(kernel) - 1))
            part = view[cut]
            columns = scratch("columns", part.shape, grad.dtype)
            np.copyto(columns, part)
            total += left @ columns.reshape(-1, cells).T
    if not pixels:
        return total.reshape(features, channels, *kernel)
    result[...] = np.moveaxis(total.reshape(features, *kernel, channels), -1, 1)
    return result


def bias_gradient(grad: np.ndarray) -> np.ndarray:
    """The sum of (N, K, *O) over everything but K."""
    if grad.size == 0:
        return np.zeros(grad.shape[1], grad.dtype)
    if grad.dtype.kind not in "fc" or is_half(grad.dtype):
        wide = recast(grad, "f4") if is_half(grad.dtype) else grad
        return wide.sum(axis=(0, *range(2, grad.ndim))).astype(grad.dtype)
    if channels_last(grad):
        flat = to_last(grad).reshape(-1, grad.shape[1])
        return np.ones(len(flat), grad.dtype) @ flat
    found = plane_sums(grad.reshape(*grad.shape[:2], -1))
    if found is not None:
        return found
    flat = grad.reshape(*grad.shape[:2], -1)  # a product with ones: six times as fast as np.sum
    return (flat @ np.ones(flat.shape[-1], grad.dtype)).sum(0)


def _sizes(size: Ints, kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints) -> Ints:
    return tuple(
        output_size(n, k, s, low, high, d)
        for n, k, s, (low, high), d in zip(size, kernel, stride, pads, dilation, strict=True)
    )


def _narrow(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return recast(array, dtype)


def _prefers_pixels(channels: int, groups: int, kernel: Ints, dilation: Ints, out: Ints) -> bool:
    run = channels * (kernel[-1] if dilation[-1] == 1 else 1)  # contiguous elements a copy moves
    return groups == 1 and run >= max(16, out[-1])


def _blocks(count: int, rows: int, image_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Cut (N, O[0]) into blocks whose columns fill BLOCK: whole images, or rows of one image."""
    step = BLOCK // max(image_bytes, 1)
    if step >= 1:
        step = -(-count // -(-count // step))  # equal blocks
        for start in range(0, count, step):
            yield slice(start, start + step), slice(None)
        return
    step = max(1, rows * BLOCK // image_bytes)
    for image in range(count):
        for start in range(0, rows, step):
            yield slice(image, image + 1), slice(start, start + step)


def _padded_last(input: np.ndarray, pads: Pairs) -> np.ndarray:
    """A contiguous (N, *S, C) array of the padded input."""
    padded = pad(to_last(input), pads, first=1)
    return np.ascontiguousarray(padded)


def _depthwise(
    input: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> None:
    """One filter (or several) per channel: a multiply and an add of a shifted slice per tap.

    With stride 1 whole padded planes are multiplied and the flat block is added shifted: two runs
    without inner loops (a third of the time of slices at 14x14). What crosses from plane to plane
    lands in the columns beyond the output, which are left behind.
    """
    count, groups = input.shape[:2]
    kernel, out = weight.shape[2:], result.shape[2:]
    padded = np.ascontiguousarray(pad(input, pads))[:, :, None]  # (N, G, 1, *S)
    slices = tap_slices(kernel, stride, dilation, out)
    filters = weight.reshape(groups, -1, prod(kernel)).transpose(2, 0, 1)
    filters = np.ascontiguousarray(filters.reshape(*filters.shape, *(1,) * len(out)))
    flat = max(stride) == 1
    shape = (groups, result.shape[1] // groups, *(padded.shape[3:] if flat else out))
    step = max(1, min(count, BLOCK // max(1, 2 * prod(shape) * result.itemsize)))
    total = scratch("total", (step, *shape), result.dtype)
    term = scratch("term", (step, *shape), result.dtype)
    strides = term.strides[3:]
    for start in range(0, count, step):
        source, place = padded[start : start + step], result[start : start + step]
        held, added = total[: len(place)], term[: len(place)]
        whole, shifted = held.reshape(-1), added.reshape(-1)
        np.multiply(source if flat else source[:, :, :, *slices[0]], filters[0], out=held)
        for taken, factor in zip(slices[1:], filters[1:], strict=True):
            np.multiply(source if flat else source[:, :, :, *taken], factor, out=added)
            if flat:
                bytes_in = sum(c.start * n for c, n in zip(taken, strides, strict=True))
                shift = bytes_in // result.itemsize
                whole[: whole.size - shift] += shifted[shift:]
            else:
                held += added
        held = held.reshape(len(place), result.shape[1], *shape[2:])
        place[...] = held[:, :, *(slice(o) for o in out)]


def _pointwise(
    input: np.ndarray, weight: np.ndarray, result: np.ndarray, stride: Ints, pads: Pairs, last: bool
) -> None:
    count, features, *out = result.shape
    taken = pad(input, pads)
    if max(stride) > 1:
        taken = taken[
            :, :, *(slice(0, (o - 1) * s + 1, s) for o, s in zip(out, stride, strict=True))
        ]
    matrix = weight.reshape(features, -1)
    if last:
        rows = to_last(taken).reshape(-1, matrix.shape[1])
        matrices(rows, matrix.T, None, to_last(result).reshape(-1, features))
    elif prod(out) == 1:
        matrices(taken.reshape(count, -1), matrix.T, None, result.reshape(count, features))
    else:
        taken = taken.reshape(count, matrix.shape[1], -1)
        for image, target in zip(taken, result.reshape(count, features, -1), strict=True):
            matrices(matrix, image, None, target)


def _by_pixels(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
) -> None:
    count, features, *out = result.shape
    kernel = weight.shape[2:]
    matrix = np.moveaxis(weight, (0, 1), (-1, -2)).reshape(-1, features)  # (*kernel * C, K)
    view = windows(_padded_last(input, pads), 1, kernel, stride, dilation, tuple(out))
    target = to_last(result)  # (N, *O, K)
    in_place = target.flags.c_contiguous
    for images, rows in _blocks(count, out[0], len(matrix) * prod(out) * result.itemsize):
        part = view[images, rows]  # (n, *o, *kernel, C)
        place = target[images, rows]
        columns = scratch("columns", part.shape, result.dtype)
        np.copyto(columns, part)
        columns = columns.reshape(-1, len(matrix))
        product = place if in_place else scratch("product", place.shape, result.dtype)
        matrices(columns, matrix, bias, product.reshape(-1, features))
        if not in_place:
            place[...] = product


def _by_rows(
    input: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> None:
    count, features, *out = result.shape
    view, length = _row_windows(pad(input, pads), weight.shape[2:], stride, dilation, out, groups)
    matrix = weight.reshape(groups, features // groups, length)
    for images, rows in _blocks(count, out[0], groups * length * prod(out) * result.itemsize):
        cut: Any = (images, Ellipsis, rows, *(slice(None),) * (len(out) - 1))
        part = view[cut]
        columns = scratch("columns", part.shape, result.dtype)
        np.copyto(columns, part)
        place = result[images][:, :, rows]
        product = matrix @ columns.reshape(len(part), groups, length, -1)
        place[...] = product.reshape(place.shape)


def _row_windows(
    padded: np.ndarray, kernel: Ints, stride: Ints, dilation: Ints, out: list[int], groups: int
) -> tuple[np.ndarray, int]:
    """The view (N, groups, C / groups, *kernel, *O) and the length of its columns."""
    d = len(kernel)
    per_group = padded.shape[1] // groups
    padded = padded.reshape(padded.shape[0], groups, per_group, *padded.shape[2:])
    view = windows(padded, 3, kernel, stride, dilation, tuple(out))
    order = (0, 1, 2, *range(3 + d, 3 + 2 * d), *range(3, 3 + d))
    return view.transpose(order), per_group * prod(kernel)


def _grouped_weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> np.ndarray:
    count, features, *out = grad.shape
    view, length = _row_windows(pad(input, pads), kernel, stride, dilation, out, groups)
    left = grad.reshape(count, groups, features // groups, -1)
    total = np.zeros((groups, features // groups, length), grad.dtype)
    step = max(1, BLOCK // (groups * length * prod(out) * grad.itemsize))
    for start in range(0, count, step):
        part = view[start : start + step]
        columns = scratch("columns", part.shape, grad.dtype)
        np.copyto(columns, part)
        columns = columns.reshape(len(part), groups, length, -1)
        total += (left[start : start + step] @ columns.swapaxes(2, 3)).sum(0)
    return total.reshape(features, -1, *kernel)


def _scatter_columns(
    grad: np.ndarray,
    weight: np.ndarray,
    size: Ints,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
    last: bool,
) -> np.ndarray:
    count, features, *out = grad.shape
    kernel = weight.shape[2:]
    channels = weight.shape[1] * groups
    reach = [
        max(low + n, (o - 1) * s + d * (k - 1) + 1)
        for n, o, s, d, k, (low, _) in zip(size, out, stride, dilation, kernel, pads, strict=True)
    ]
    pixels = groups == 1 and channels >= 16
    if grad.size == 0 or weight.size == 0:
        return np.zeros((count, channels, *size), grad.dtype)
    total = np.zeros((count, *reach, channels) if pixels else (count, channels, *reach), grad.dtype)
    slices = tap_slices(kernel, stride, dilation, tuple(out))
    step = max(1, BLOCK // (channels * prod(kernel) * prod(out) * grad.itemsize))
    matrix: np.ndarray
    if pixels:
        matrix = np.moveaxis(weight, 1, -1).reshape(features, -1)  # (K, *kernel * C)
        grad = to_last(grad)
    else:
        matrix = weight.reshape(groups, features // groups, -1).swapaxes(1, 2)
        grad = grad.reshape(count, groups, features // groups, -1)
    for start in range(0, count, step):
        block = slice(start, start + step)
        part = grad[block]
        place = total[block]
        if pixels:
            columns = (part.reshape(-1, features) @ matrix).reshape(
                len(part), *out, len(slices), channels
            )
            for tap, taken in enumerate(slices):
                place[:, *taken] += columns[..., tap, :]
        else:
            columns = (matrix @ part).reshape(len(part), channels, len(slices), *out)
            for tap, taken in enumerate(slices):
                place[:, :, *taken] += columns[:, :, tap]
    if pixels:
        total = np.moveaxis(total, -1, 1)
    inner = (slice(max(low, 0), low + n) for n, (low, _) in zip(size, pads, strict=True))
    seen = (slice(max(-low, 0), None) for low, _ in pads)  # what was cropped has no gradient
    result = full((count, channels, *size), 0, grad.dtype, last)
    result[:, :, *seen] = total[:, :, *inner]
    return result
