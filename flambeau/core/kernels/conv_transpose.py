"""Transposed convolution: the adjoint of ``conv`` read forward, and its two gradients.

Its weight is (C, K / groups, *kernel), as PyTorch lays it out, which is the weight of the
convolution it is the adjoint of. Everything is one of the three sums in ``conv``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import conv
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import Ints, Pairs, channels_last, empty, is_half

__all__ = ["convolve", "input_gradient", "output_sizes", "weight_gradient"]


def output_sizes(
    size: Ints, kernel: Ints, stride: Ints, padding: Ints, output_padding: Ints, dilation: Ints
) -> Ints:
    """``(size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1`` per
    axis.
    """
    return tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, k, s, p, e, d in zip(
            size, kernel, stride, padding, output_padding, dilation, strict=True
        )
    )


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    output_padding: Ints,
    groups: int,
) -> np.ndarray:
    """(N, C, *S) to (N, K, *O): every input element spreads ``weight`` over the output."""
    if is_half(input.dtype) and any(e >= s for e, s in zip(output_padding, stride, strict=True)):
        size = output_sizes(
            input.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation
        )
        return _by_columns(input, weight, bias, size, stride, padding, dilation, groups)
    if is_half(input.dtype):
        x, w = recast(input, "f4"), recast(weight, "f4")
        b = None if bias is None else recast(bias, "f4")
        result = convolve(x, w, b, stride, padding, dilation, output_padding, groups)
        return recast(result, input.dtype)
    size = output_sizes(
        input.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation
    )
    result = conv.input_gradient(
        input, weight, size, stride, _pairs(padding), dilation, groups, _last(input, weight)
    )
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    return result


def _by_columns(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> np.ndarray:
    """What PyTorch does where its library refuses, at an output padding of a stride or more: 16-bit
    products, added up in 16 bits, kernel position by kernel position.
    """
    N, C, *lengths = input.shape
    K, kernel, dtype = weight.shape[1], weight.shape[2:], input.dtype
    x = recast(input, "f4").reshape(N, groups, C // groups, -1)
    w = recast(weight, "f4").reshape(groups, C // groups, -1)
    columns = (w.swapaxes(1, 2) @ x).astype(dtype).reshape(N, groups * K, *kernel, *lengths)
    reach = [
        max(n + p, (m - 1) * s + d * (k - 1) + 1)
        for n, p, m, s, d, k in zip(size, padding, lengths, stride, dilation, kernel, strict=True)
    ]
    total = np.zeros((N, groups * K, *reach), dtype)
    for place in np.ndindex(*kernel):
        cuts: list[Any] = [
            slice(at * d, at * d + (m - 1) * s + 1, s)
            for at, d, m, s in zip(place, dilation, lengths, stride, strict=True)
        ]
        total[:, :, *cuts] += columns[:, :, *place]
    inner: list[Any] = [slice(p, p + n) for p, n in zip(padding, size, strict=True)]
    found = total[:, :, *inner]
    if bias is not None:
        found = found + bias.reshape(-1, *(1,) * len(size))
    result = empty(found.shape, dtype, _last(input, weight))
    result[...] = found
    return result


def input_gradient(
    grad: np.ndarray,
    weight: np.ndarray,
    size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
    last: bool | None = None,
) -> np.ndarray:
    """The adjoint of :func:`convolve` in its input: a convolution, cut to ``size`` positions."""
    pads = [
        (p, (n - 1) * s + d * (k - 1) + 1 - o - p)
        for p, n, s, d, k, o in zip(
            padding, size, stride, dilation, weight.shape[2:], grad.shape[2:], strict=True
        )
    ]
    return conv.convolve(grad, weight, None, stride, pads, dilation, groups, last)


def weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
    last: bool = False,
) -> np.ndarray:
    """The adjoint of :func:`convolve` in its weight: the roles of input and grad change places."""
    pads = [
        (p, (n - 1) * s + d * (k - 1) + 1 - o - p)
        for p, n, s, d, k, o in zip(
            padding, input.shape[2:], stride, dilation, kernel, grad.shape[2:], strict=True
        )
    ]
    return conv.weight_gradient(input, grad, kernel, stride, pads, dilation, groups, last)


def _pairs(padding: Ints) -> Pairs:
    return [(p, p) for p in padding]


def _last(input: np.ndarray, weight: np.ndarray) -> bool:
    return channels_last(input) or channels_last(weight)
