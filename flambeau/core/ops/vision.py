"""Resampling, sampling grids, sliding blocks and shuffles between channels and space, as operations.

Linear ones (resampling, unfold and fold, the shuffles) come in pairs that are each other's
gradients. Sampling on a grid is linear in its input only; when a graph of the gradient is wanted,
its rule is written in smaller operations. The sums are in ``core.kernels``; public functions with
PyTorch's argument forms are in ``nn.functional.vision``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import fold as blocks
from flambeau.core.kernels import grid as grids
from flambeau.core.kernels import interpolate
from flambeau.core.kernels.windows import channels_last, empty
from flambeau.core.ops.windowing import Ints, refuse_dtype
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor, wrap

__all__ = [
    "affine_grid_generator",
    "channel_shuffle",
    "col2im",
    "grid_sampler",
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
    vjp=lambda g, input, mode, size, align_corners, scales: ops.upsample_backward(
        g, tuple(input.shape), channels_last(input._array), mode, align_corners, scales
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
        mode: nearest, nearest-exact, linear, cubic, linear-aa or cubic-aa (one word per axis's kernel,
            whatever their number).
        scales: per axis the factor the user gave, or None where the sizes decide.
    """
    op = f"upsample_{mode}{len(size)}d"
    if min(size) <= 0 or 0 in input.shape[1:]:
        raise fail(
            RuntimeError,
            op,
            f"Input and output sizes should be greater than 0, but got input {list(input.shape)} and output {list(size)}.",
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
    return interpolate.resample(
        grad, mode, grad.shape[2:], align_corners, scales, size[2:], last
    )


def _checked_blocks(
    op: str, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> None:
    for name, value in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(value) <= 0:
            raise fail(RuntimeError, op, f"{name} should be greater than zero, but got {list(value)}.")
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
            f"Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input.shape)}.",
        )
    size = input.shape[-2:]
    counts = blocks.block_counts(size, kernel, dilation, padding, stride)
    if min(counts) < 1:
        raise fail(
            RuntimeError,
            "unfold",
            f"Given input with spatial size {tuple(size)}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, calculated shape of the array of sliding blocks as {counts}, but its components must be "
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
        raise fail(RuntimeError, "fold", f"output_size should be greater than zero, but got {list(size)}.")
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise fail(
            RuntimeError,
            "fold",
            f"Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions, but "
            f"got: {list(input.shape)}.",
        )
    if input.shape[-2] % prod(kernel):
        raise fail(
            RuntimeError,
            "fold",
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={input.shape[-2]} and kernel_size={kernel}.",
        )
    counts = blocks.block_counts(size, kernel, dilation, padding, stride)
    if min(counts) < 1 or input.shape[-1] != prod(counts):
        raise fail(
            RuntimeError,
            "fold",
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, "
            f"expected size of input's dimension 2 to match the calculated number of sliding blocks {counts[0]} * "
            f"{counts[1]} = {prod(counts)}, but got input.size(2)={input.shape[-1]}.",
        )
    refuse_dtype("fold", input.dtype, "fcb")
    array = input if input.ndim == 3 else input[None]
    result = blocks.fold(array, size, kernel, dilation, padding, stride)
    return result if input.ndim == 3 else result[0]


def _grid_rule(
    g: Tensor,
    input: Tensor,
    grid: Tensor,
    mode: str,
    padding: str,
    align_corners: bool,
    needs: tuple[bool, bool],
) -> tuple[Any, Any]:
    if grad_enabled():
        return _grid_gradients(g, input, grid, mode, padding, align_corners, needs)
    back = grids.sample_gradient(
        g._array, input._array, grid._array, mode, padding, align_corners
    )
    return tuple(wrap(array) if needed else None for array, needed in zip(back, needs, strict=True))


def _grid_gradients(
    g: Tensor,
    input: Tensor,
    grid: Tensor,
    mode: str,
    padding: str,
    align_corners: bool,
    needs: tuple[bool, bool],
) -> tuple[Any, Any]:
    """Both gradients in differentiable operations: what is read where is fixed, the weights are not.

    Per axis the weight of a tap is a polynomial of the fraction ``part``, itself affine in the grid.
    """
    count, channels, *size = input.shape
    flat_grid = ops.reshape(grid, (count, -1, len(size)))
    flow = ops.reshape(g, (count, channels, -1))
    planes = ops.reshape(input, (count, channels, -1))
    axes = []
    for axis, n in enumerate(size):
        values = ops.select(flat_grid, 2, len(size) - 1 - axis)
        taps = grids.taps(values._array, n, mode, padding, align_corners)
        edge_rule = "zeros" if mode == "bicubic" else padding
        position, slope = grids.source_coordinates(values._array, n, edge_rule, align_corners)
        slope = np.zeros_like(slope) if mode == "nearest" else slope
        fraction = position - (np.rint(position) if mode == "nearest" else np.floor(position))
        constant = fraction - slope * values._array
        part = values * wrap(slope) + wrap(constant.astype(slope.dtype))
        weights, slopes = _polynomials(part, mode)
        axes.append(
            [
                (read, inside, weight, bend * wrap(slope))
                for (read, inside, *_), weight, bend in zip(taps, weights, slopes, strict=True)
            ]
        )
    total = None
    per_axis: list[Any] = [None] * len(size)
    for taps in grids.products(axes):
        index, inside = grids.places(taps, size)
        where = wrap(np.ascontiguousarray(np.broadcast_to(index[:, None], flow.shape)))
        mask = wrap(inside.astype(grid._array.dtype))
        if needs[0]:
            share = flow * ops.unsqueeze(_product(taps, None) * mask, 1)
            spread = ops.scatter_add(ops.zeros_like(planes), 2, where, share)
            total = spread if total is None else total + spread
        if needs[1]:
            seen = ops.sum(flow * ops.gather(planes, 2, where), 1) * mask
            for axis in range(len(size)):
                term = seen * _product(taps, axis)
                per_axis[axis] = term if per_axis[axis] is None else per_axis[axis] + term
    return (
        ops.reshape(total, tuple(input.shape)) if needs[0] else None,
        ops.reshape(ops.stack(per_axis[::-1], -1), tuple(grid.shape)) if needs[1] else None,
    )


def _product(taps: Any, sloped: int | None) -> Tensor:
    result = None
    for axis, (_, _, weight, slope) in enumerate(taps):
        factor = slope if axis == sloped else weight
        result = factor if result is None else result * factor
    return result


def _polynomials(part: Tensor, mode: str) -> tuple[list[Tensor], list[Tensor]]:
    """The taps' weights at ``part`` and their derivatives, as Tensors."""
    one = ops.ones_like(part)
    if mode == "nearest":
        return [one + part * 0], [part * 0]
    if mode == "bilinear":
        return [1 - part, part], [-one, one]
    a = -0.75

    def inner(x: Tensor) -> tuple[Tensor, Tensor]:
        return ((a + 2) * x - (a + 3)) * x * x + 1, (3 * (a + 2) * x - 2 * (a + 3)) * x

    def outer(x: Tensor) -> tuple[Tensor, Tensor]:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a, (3 * a * x - 10 * a) * x + 8 * a

    pairs = [outer(part + 1), inner(part), inner(1 - part), outer(2 - part)]
    signs = (1, 1, -1, -1)
    return [w for w, _ in pairs], [s * sign for (_, s), sign in zip(pairs, signs, strict=True)]


@primitive(
    vjp={("input", "grid"): _grid_rule},
    infer=lambda input, grid, mode, padding, align_corners: (
        (*input.shape[:2], *grid.shape[1:-1]),
        input.dtype,
    ),
    node=lambda node: f"GridSampler{len(node.shape) - 2}DBackward0",
    method=False,
    function=False,
)
def grid_sample(input, grid, mode: str, padding: str, align_corners: bool):
    """``out[n, :, o]``: ``input[n]`` read at the coordinates ``grid[n, o]`` in [-1, 1], last axis first."""
    count = input.ndim - 2
    if input.ndim != grid.ndim or count not in (2, 3):
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}.",
        )
    if input.shape[0] != grid.shape[0]:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected grid and input to have same batch size, but got input with sizes {list(input.shape)} and grid "
            f"with sizes {list(grid.shape)}.",
        )
    if grid.shape[-1] != count:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected grid to have size {count} in last dimension, but got grid with sizes {list(grid.shape)}.",
        )
    if input.dtype != grid.dtype:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected input and grid to have same dtype, but input has {of(input.dtype)} and grid has {of(grid.dtype)}.",
        )
    if 0 in input.shape[2:]:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected input to have non-empty spatial dimensions, but input has sizes {list(input.shape)}.",
        )
    if mode == "bicubic" and count == 3:
        raise fail(RuntimeError, "grid_sample", "bicubic interpolation only supports 4D input.")
    refuse_dtype("grid_sample", input.dtype, "f")
    return grids.sample(input, grid, mode, padding, align_corners)


_MODES = ("bilinear", "nearest", "bicubic")
_BORDERS = ("zeros", "border", "reflection")


@composite(name="grid_sampler", alias=("grid_sampler_2d", "grid_sampler_3d"))
def grid_sampler(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """:func:`grid_sample` with its modes by number, as PyTorch's native function takes them."""
    return ops.grid_sample(
        input, grid, _MODES[interpolation_mode], _BORDERS[padding_mode], bool(align_corners)
    )


@composite()
def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """The sampling grid (N, *S, d) of affine maps ``theta`` (N, d, d + 1) over ``size`` (N, C, *S)."""
    spatial = tuple(size[2:])
    base = grids.affine(spatial, bool(align_corners), theta._array.dtype)
    grid = ops.matmul(wrap(base), ops.transpose(theta, 1, 2))
    return ops.reshape(grid, (size[0], *spatial, len(spatial)))


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

    Reference: W. Shi et al., Real-time single image and video super-resolution, 2016, arXiv:1609.05158.
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
            f"expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s).",
        )
    if r <= 0:
        raise fail(RuntimeError, "pixel_shuffle", f"expects a positive upscale_factor, but got {r}.")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise fail(
            RuntimeError,
            "pixel_shuffle",
            f"expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
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
            f"expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s).",
        )
    if r <= 0:
        raise fail(RuntimeError, "pixel_unshuffle", f"expects a positive downscale_factor, but got {r}.")
    *lead, channels, height, width = input.shape
    if height % r or width % r:
        raise fail(
            RuntimeError,
            "pixel_unshuffle",
            f"expects height and width to be divisible by downscale_factor, but {height} x {width} is not divisible by {r}.",
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
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups.",
        )
    split = (count, groups, channels // groups, *rest)
    return _rearranged(input, split, (0, 2, 1, *range(3, input.ndim + 1)), input.shape)
