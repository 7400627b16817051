"""Resampling, sliding blocks and shuffles between channels and space, as operations.

All are linear and come in pairs that are each other's gradients. The sums are in ``core.kernels``;
sampling grids are in ``grid``, public functions with PyTorch's argument forms in
``nn.functional.vision``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import fold as blocks
from flambeau.core.kernels import interpolate
from flambeau.core.kernels.windows import channels_last, empty
from flambeau.core.ops.windowing import Ints
from flambeau.core.taken import refuse_dtype

__all__ = [
    "channel_shuffle",
    "col2im",
    "im2col",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
]

_WORDS = {
    ("linear", 1): "UpsampleLinear1D",
    ("linear", 2): "UpsampleBilinear2D",
    ("linear", 3): "UpsampleTrilinear3D",
    ("cubic", 2): "UpsampleBicubic2D",
    ("linear-aa", 2): "UpsampleBilinear2DAa",
    ("cubic-aa", 2): "UpsampleBicubic2DAa",
}


def _upsample_label(node: Any) -> str:
    _, mode, size, *_ = node.params or (None, "nearest", (0, 0))
    kind = "Nearest" if mode == "nearest" else "NearestExact"
    return _WORDS.get((mode, len(size)), f"Upsample{kind}{len(size)}D") + "Backward0"


@primitive(
    vjp=lambda g, input_shape, mode, size, align_corners, scales: ops.upsample_backward(
        g,
        tuple(input_shape),
        mode != "cubic" and channels_last(g._array),  # that gradient's channels come first
        mode,
        align_corners,
        scales,
    ),
    infer=lambda input, mode, size, align_corners, scales: (
        (*input.shape[:2], *size),
        input.dtype,
    ),
    node=_upsample_label,
    method=False,
    function=False,
)
def upsample(input, mode: str, size: Ints, align_corners: bool, scales: tuple[Any, ...]):
    """(N, C, *S) resampled to (N, C, *size).

    Args:
        mode: nearest, nearest-exact, linear, cubic, linear-aa or cubic-aa (one word per axis's
            kernel,
            whatever their number).
        scales: per axis the factor the user gave, or None where the sizes decide.
    """
    op = f"upsample_{mode}{len(size)}d"
    if min(size) <= 0 or 0 in input.shape[1:]:
        raise fail(
            RuntimeError,
            op,
            f"Input and output sizes should be greater than 0, but got input {list(input.shape)} "
            f"and output {list(size)}.",
        )
    refuse_dtype(op, input.dtype, "f", ("uint8",) if len(size) > 1 or "nearest" in mode else ())
    return interpolate.resample(input, mode, size, align_corners, scales)


@primitive(
    vjp=lambda g, shape, mode, align_corners, scales: ops.upsample(
        g, mode, tuple(shape[2:]), align_corners, scales
    ),
    infer=lambda grad, size, last, mode, align_corners, scales: (size, grad.dtype),
    method=False,
    function=False,
)
def upsample_backward(
    grad, size: Ints, last: bool, mode: str, align_corners: bool, scales: tuple[Any, ...]
):
    """The gradient of :func:`upsample`."""
    return interpolate.resample(grad, mode, grad.shape[2:], align_corners, scales, size[2:], last)


def _checked_blocks(op: str, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> None:
    for name, value in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(value) <= 0:
            raise fail(
                RuntimeError, op, f"{name} should be greater than zero, but got {list(value)}."
            )
    if min(padding) < 0:
        raise fail(RuntimeError, op, f"padding should be non-negative, but got {list(padding)}.")


def _block_shape(
    input: Any, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> tuple[Ints, Ints]:
    _checked_blocks("unfold", kernel, dilation, padding, stride)
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise fail(
            IndexError if input.ndim < 3 else RuntimeError,
            "unfold",
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            "dimensions for input, "
            f"but got: {list(input.shape)}.",
        )
    size = input.shape[-2:]
    counts = blocks.block_counts(size, kernel, dilation, padding, stride)
    if min(counts) < 1:
        raise fail(
            RuntimeError,
            "unfold",
            f"Given input with spatial size {tuple(size)}, kernel_size={kernel}, "
            f"dilation={dilation}, padding={padding}, "
            f"stride={stride}, calculated shape of the array of sliding blocks as {counts}, but "
            "its components must be "
            "at least one.",
        )
    return (*input.shape[:-3], input.shape[-3] * prod(kernel), prod(counts)), counts


@primitive(
    vjp=lambda g, shape, kernel, dilation, padding, stride: ops.col2im(
        g, tuple(shape[-2:]), kernel, dilation, padding, stride
    ),
    infer=lambda input, kernel, dilation, padding, stride: (
        _block_shape(input, kernel, dilation, padding, stride)[0],
        input.dtype,
    ),
    method=False,
    function=False,
    node="Im2Col",
)
def im2col(input, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints):
    """Sliding blocks of (N, C, H, W) or (C, H, W) as columns (N, C * kh * kw, L)."""
    shape, _ = _block_shape(input, kernel, dilation, padding, stride)
    refuse_dtype("unfold", input.dtype, "fcb")
    array = input if input.ndim == 4 else input[None]
    return blocks.unfold(array, kernel, dilation, padding, stride).reshape(shape)


@primitive(
    vjp=lambda g, kernel, dilation, padding, stride: ops.im2col(
        g, kernel, dilation, padding, stride
    ),
    infer=lambda input, size, kernel, dilation, padding, stride: (
        (*input.shape[:-2], input.shape[-2] // prod(kernel), *size),
        input.dtype,
    ),
    method=False,
    function=False,
    node="Col2Im",
)
def col2im(input, size: Ints, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints):
    """Columns (N, C * kh * kw, L) or without N added back into (N, C, *size)."""
    _checked_blocks("fold", kernel, dilation, padding, stride)
    if min(size) <= 0:
        raise fail(
            RuntimeError, "fold", f"output_size should be greater than zero, but got {list(size)}."
        )
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise fail(
            RuntimeError,
            "fold",
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            "non-zero dimensions, but "
            f"got: {list(input.shape)}.",
        )
    if input.shape[-2] % prod(kernel):
        raise fail(
            RuntimeError,
            "fold",
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            "but got "
            f"input.size(1)={input.shape[-2]} and kernel_size={kernel}.",
        )
    counts = blocks.block_counts(size, kernel, dilation, padding, stride)
    if min(counts) < 1 or input.shape[-1] != prod(counts):
        raise fail(
            RuntimeError,
            "fold",
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, "
            "expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {counts[0]} * "
            f"{counts[1]} = {prod(counts)}, but got input.size(2)={input.shape[-1]}.",
        )
    refuse_dtype("fold", input.dtype, "fcb")
    array = input if input.ndim == 3 else input[None]
    result = blocks.fold(array, size, kernel, dilation, padding, stride)
    return result if input.ndim == 3 else result[0]


def _rearranged(input: np.ndarray, split: Ints, order: Ints, shape: Ints) -> np.ndarray:
    """Reshape, permute, reshape in one copy, in the input's memory format."""
    parts = input.reshape(split).transpose(order)
    result = empty(shape, input.dtype, channels_last(input))
    if result.flags.c_contiguous:
        result.reshape(parts.shape)[...] = parts
    else:
        result[...] = parts.reshape(shape)
    return result


@primitive(
    vjp=lambda g, upscale_factor: ops.pixel_unshuffle(g, upscale_factor),
    infer=lambda input, upscale_factor: (_shuffled(input, upscale_factor), input.dtype),
    method=False,
)
def pixel_shuffle(input, upscale_factor: int):
    """(*, C r^2, H, W) to (*, C, H r, W r): channels become finer pixels.

    Reference: W. Shi et al., Real-time single image and video super-resolution, 2016,
        arXiv:1609.05158.
    """
    shape = _shuffled(input, upscale_factor)
    r = upscale_factor
    *lead, channels, height, width = input.shape
    k = len(lead)
    split = (*lead, channels // (r * r), r, r, height, width)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return _rearranged(input, split, order, shape)


def _shuffled(input: Any, r: int) -> Ints:
    if input.ndim < 3:
        raise fail(
            RuntimeError,
            "pixel_shuffle",
            f"expects input to have at least 3 dimensions, but got input with {input.ndim} "
            "dimension(s).",
        )
    if r <= 0:
        raise fail(
            RuntimeError, "pixel_shuffle", f"expects a positive upscale_factor, but got {r}."
        )
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise fail(
            RuntimeError,
            "pixel_shuffle",
            "expects its input's 'channel' dimension to be divisible by the square of "
            "upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}.",
        )
    return (*lead, channels // (r * r), height * r, width * r)


@primitive(
    vjp=lambda g, downscale_factor: ops.pixel_shuffle(g, downscale_factor),
    infer=lambda input, downscale_factor: (_unshuffled(input, downscale_factor), input.dtype),
    method=False,
)
def pixel_unshuffle(input, downscale_factor: int):
    """(*, C, H r, W r) to (*, C r^2, H, W): the inverse of :func:`pixel_shuffle`."""
    shape = _unshuffled(input, downscale_factor)
    r = downscale_factor
    *lead, channels, height, width = input.shape
    k = len(lead)
    split = (*lead, channels, height // r, r, width // r, r)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return _rearranged(input, split, order, shape)


def _unshuffled(input: Any, r: int) -> Ints:
    if input.ndim < 3:
        raise fail(
            RuntimeError,
            "pixel_unshuffle",
            f"expects input to have at least 3 dimensions, but got input with {input.ndim} "
            "dimension(s).",
        )
    if r <= 0:
        raise fail(
            RuntimeError, "pixel_unshuffle", f"expects a positive downscale_factor, but got {r}."
        )
    *lead, channels, height, width = input.shape
    if height % r or width % r:
        raise fail(
            RuntimeError,
            "pixel_unshuffle",
            f"expects height and width to be divisible by downscale_factor, but {height} x "
            f"{width} is not divisible by {r}.",
        )
    return (*lead, channels * r * r, height // r, width // r)


@primitive(
    vjp=lambda g, shape, groups: ops.channel_shuffle(g, shape[1] // groups),
    infer=lambda input, groups: (input.shape, input.dtype),
    method=False,
    alias=("native_channel_shuffle",),
)
def channel_shuffle(input, groups: int):
    """(N, C, *S) with the channels of ``groups`` interleaved.

    Reference: X. Zhang et al., ShuffleNet, 2017, arXiv:1707.01083.
    """
    if input.ndim <= 2:
        raise fail(
            RuntimeError,
            "channel_shuffle",
            f"expects input with > 2 dims, but got input with sizes {list(input.shape)}.",
        )
    if groups <= 0:
        raise fail(
            RuntimeError,
            "channel_shuffle",
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}.",
        )
    count, channels, *rest = input.shape
    if channels % groups:
        raise fail(
            RuntimeError,
            "channel_shuffle",
            f"Number of channels must be divisible by groups. Got {channels} channels and "
            f"{groups} groups.",
        )
    split = (count, groups, channels // groups, *rest)
    return _rearranged(input, split, (0, 2, 1, *range(3, input.ndim + 1)), input.shape)
