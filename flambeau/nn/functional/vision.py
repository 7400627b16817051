"""Images: resampling, sampling grids, sliding blocks, shuffles between channels and pixels.

PyTorch's signatures, modes and warnings; the operations and their rules are in ``core.ops.vision``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.ops import grid as _grid  # noqa: F401  (declares what is called through ops)
from flambeau.core.ops.vision import channel_shuffle, pixel_shuffle, pixel_unshuffle
from flambeau.core.ops.windowing import require_tensor, sizes
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.functional import pooling

__all__ = [
    "affine_grid",
    "channel_shuffle",
    "fold",
    "grid_sample",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

_KERNELS = {
    ("linear", 1): "linear",
    ("bilinear", 2): "linear",
    ("trilinear", 3): "linear",
    ("bicubic", 2): "cubic",
}
_MODES = (
    "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact", "lanczos",
)  # fmt: skip


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=stack_level())


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``input`` resampled to ``size``, or by ``scale_factor``.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        mode: nearest, nearest-exact, area (any), linear (3-D input), bilinear, bicubic (4-D),
            trilinear (5-D).
        align_corners: align the centres of the corner pixels, not their outer edges.
        recompute_scale_factor: use the ratio of the sizes instead of ``scale_factor`` for
            coordinates.
        antialias: widen the filter when shrinking (bilinear and bicubic).

    Raises:
        ValueError: options that contradict each other. NotImplementedError: a mode for another
            rank.
    """
    require_tensor("interpolate", "input", input)
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise fail(
                ValueError,
                "interpolate",
                "align_corners option can only be set with the interpolating modes: linear | "
                "bilinear | bicubic | "
                f"trilinear, but mode is '{mode}'. Leave it away.",
            )
    elif align_corners is None:
        align_corners = False
    count = input.ndim - 2
    size, factors = _target(input, count, size, scale_factor)
    if recompute_scale_factor is not None and recompute_scale_factor and size is not None:
        raise fail(
            ValueError,
            "interpolate",
            "recompute_scale_factor is not meaningful with an explicit size.",
        )
    if mode == "area" and size is None:
        recompute_scale_factor = True
    if size is None:
        own = input.shape[2:]
        size = tuple(math.floor(float(n) * f) for n, f in zip(own, factors, strict=True))
        if recompute_scale_factor:
            factors = (None,) * count
    if antialias and not (mode in ("bilinear", "bicubic") and input.ndim == 4):
        raise fail(
            ValueError,
            "interpolate",
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D "
            "tensor as input.",
        )
    if mode == "area" and 1 <= count <= 3:
        return getattr(pooling, f"adaptive_avg_pool{count}d")(input, size)
    kernel = mode if mode in ("nearest", "nearest-exact") and 1 <= count <= 3 else None
    kernel = kernel or _KERNELS.get((mode, count))
    if kernel is None:
        raise _wrong_mode(input, mode)
    if antialias:
        kernel += "-aa"
    return ops.upsample(input, kernel, size, bool(align_corners), factors)


def _target(
    input: Tensor, count: int, size: Any, scale_factor: Any
) -> tuple[tuple[int, ...] | None, tuple[Any, ...]]:
    """The output size or None, and the factor per axis (None where the size decides)."""
    if (size is None) == (scale_factor is None):
        words = "either size or scale_factor should be defined"
        raise fail(
            ValueError,
            "interpolate",
            f"only one of size or scale_factor should be defined, not both: {size=}, "
            f"{scale_factor=}."
            if size is not None
            else f"{words}, got neither.",
        )
    name, value = ("size", size) if size is not None else ("scale_factor", scale_factor)
    if type(value) not in (int, float) and isinstance(value, Sequence):
        if len(value) != count:
            raise fail(
                ValueError,
                "interpolate",
                "Input and output must have the same number of spatial dimensions, but got input "
                "with spatial dimensions "
                f"of {list(input.shape[2:])} and {name} of {list(value)}. Please provide input "
                "tensor in (N, C, d1, d2, "
                f"...,dK) format and {name} in (d1, d2, ...,dK) format.",
            )
        values = tuple(value)
    else:
        values = (value,) * count
    if size is None:
        return None, tuple(float(f) for f in values)
    for n in values:
        if isinstance(n, float):
            raise fail(
                TypeError,
                "interpolate",
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, "
                "int, int], but got size "
                f"with types {[type(n) for n in values]}. Use scale_factor= for ratios.",
            )
    return tuple(int(n) for n in values), (None,) * count


def _wrong_mode(input: Tensor, mode: str) -> Exception:
    right = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
    if mode in right and 3 <= input.ndim <= 5:
        return fail(
            NotImplementedError,
            "interpolate",
            f"Got {input.ndim}D input, but {mode} mode needs {right[mode]}D input (N, C, and one "
            "size per spatial axis).",
        )
    return fail(
        NotImplementedError,
        "interpolate",
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the "
        "modes: "
        f"{' | '.join(_MODES[:-1])} (got {mode}).",
    )


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Deprecated name of :func:`interpolate`."""
    _warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Deprecated: :func:`interpolate` with ``mode='nearest'``."""
    _warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead."
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Deprecated: :func:`interpolate` with ``mode='bilinear', align_corners=True``."""
    _warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead."
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """``input`` read at the coordinates ``grid``: -1 and 1 are the edges, (x, y) or (x, y, z) last.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2) or (N, D', H', W', 3).
        mode: bilinear, nearest or bicubic (4-D input only).
        padding_mode: what lies outside: zeros, border or reflection.
        align_corners: whether -1 and 1 mean the centres of the corner pixels (default: their
            edges).
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise fail(
            ValueError,
            "grid_sample",
            f"expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'.",
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise fail(
            ValueError,
            "grid_sample",
            "expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'.",
        )
    if align_corners is None:
        _warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False "
            "since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of "
            "grid_sample for details."
        )
    return ops.grid_sample(input, grid, mode, padding_mode, bool(align_corners))


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The grid for :func:`grid_sample` of affine maps ``theta``.

    Args:
        theta: (N, 2, 3) or (N, 3, 4), floating.
        size: (N, C, H, W) or (N, C, D, H, W), of the output.

    Raises:
        ValueError: theta is not floating or has another shape. NotImplementedError: another rank
            of size.
    """
    if align_corners is None:
        _warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False "
            "since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of "
            "grid_sample for details."
        )
    if not theta.is_floating_point():
        raise fail(
            ValueError,
            "affine_grid",
            f"Expected theta to have floating point type, but got {theta.dtype}.",
        )
    size = tuple(size)
    if len(size) not in (4, 5):
        raise fail(
            NotImplementedError,
            "affine_grid",
            "only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got "
            f"size {list(size)}.",
        )
    rows = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[-2:]) != (rows, rows + 1):
        raise fail(
            ValueError,
            "affine_grid",
            f"Expected a batch of {rows}D affine matrices of shape Nx{rows}x{rows + 1} for size "
            f"{list(size)}. Got "
            f"{list(theta.shape)}.",
        )
    if min(size) <= 0:
        raise fail(
            ValueError, "affine_grid", f"Expected non-zero, positive output size. Got {list(size)}."
        )
    if theta.shape[0] != size[0]:
        raise fail(
            RuntimeError,
            "affine_grid",
            f"Expected a batch of {size[0]} affine matrices, but got {list(theta.shape)}.",
        )
    if align_corners and min(size[2:]) == 1:
        _warn(
            "affine_grid: a side of one pixel has its only place in the middle with "
            "align_corners=True since 1.3.0, where it was at -1 before. See the documentation of "
            "affine_grid for details."
        )
    return ops.affine_grid_generator(theta, size, bool(align_corners))


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Sliding blocks of (N, C, H, W) as columns (N, C kh kw, L).

    Raises:
        RuntimeError: no block fits.
    """
    require_tensor("unfold", "input", input)
    named = (
        ("kernel_size", kernel_size),
        ("dilation", dilation),
        ("padding", padding),
        ("stride", stride),
    )
    return ops.im2col(input, *(sizes("unfold", name, value, 2) for name, value in named))


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Columns (N, C kh kw, L) added back into (N, C, *output_size): overlapping blocks sum.

    Raises:
        RuntimeError: a number of columns or rows that does not belong to these sizes.
    """
    require_tensor("fold", "input", input)
    named = (
        ("output_size", output_size),
        ("kernel_size", kernel_size),
        ("dilation", dilation),
        ("padding", padding),
        ("stride", stride),
    )
    return ops.col2im(input, *(sizes("fold", name, value, 2) for name, value in named))
