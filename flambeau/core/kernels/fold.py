"""Sliding blocks as columns (unfold, im2col) and back by addition (fold, col2im): adjoint pairs.

(N, C, *S) to (N, C * prod(kernel), L) with L window positions, channel-major as PyTorch orders it.
"""

from __future__ import annotations

from math import prod

import numpy as np

from flambeau.core.kernels.windows import (
    Ints,
    output_size,
    pad,
    tap_slices,
    windows,
)

__all__ = ["block_counts", "fold", "unfold"]


def block_counts(size: Ints, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Ints:
    """Window positions per axis."""
    return tuple(
        output_size(n, k, s, p, p, d)
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    )


def unfold(
    input: np.ndarray, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> np.ndarray:
    """``out[n, c * taps + t, l] = input[n, c, l * stride + t * dilation - padding]``."""
    d = len(kernel)
    out = block_counts(input.shape[2:], kernel, dilation, padding, stride)
    view = windows(pad(input, [(p, p) for p in padding]), 2, kernel, stride, dilation, out)
    order = (0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d))
    result = np.empty((*input.shape[:2], *kernel, *out), input.dtype)
    np.copyto(result, view.transpose(order))
    return result.reshape(input.shape[0], input.shape[1] * prod(kernel), prod(out))


def fold(
    columns: np.ndarray, size: Ints, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> np.ndarray:
    """The adjoint of :func:`unfold`: overlapping blocks add, 16-bit floats tap by tap as in
    PyTorch.
    """
    count = columns.shape[0]
    channels = columns.shape[1] // prod(kernel)
    out = block_counts(size, kernel, dilation, padding, stride)
    blocks = columns.reshape(count, channels, prod(kernel), *out)
    padded = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    total = np.zeros((count, channels, *padded), columns.dtype)
    for tap, places in enumerate(tap_slices(kernel, stride, dilation, out)):
        total[:, :, *places] += blocks[:, :, tap]
    inner = tuple(slice(p, p + n) for p, n in zip(padding, size, strict=True))
    result = np.empty((count, channels, *size), columns.dtype)
    result[...] = total[:, :, *inner]
    return result
