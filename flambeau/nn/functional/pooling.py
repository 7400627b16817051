"""Pooling functions with PyTorch's signatures, in one to three dimensions.

Each is a line over ``core.ops.pooling``, which resolves sizes; the sums are in ``core.kernels``.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.ops import pooling as forms
from flambeau.core.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window in one dimension: ``out[o] = max_t input[o * stride - padding +
    t * dilation]``.

    Args:
        input: (N, C, L) or (C, L).
        stride: defaults to ``kernel_size``.
        ceil_mode: let a last window stick out, as long as it starts inside.
        return_indices: also return the flat positions of the maxima, as ``max_unpool1d`` takes
            them.

    Raises:
        RuntimeError: a window that does not fit, padding above half of it.
    """
    return forms.maximum(
        1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """:func:`max_pool1d` with the positions of the maxima, always."""
    return forms.maximum(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window in one dimension.

    Args:
        input: (N, C, L) or (C, L).
        stride: defaults to ``kernel_size``.
        count_include_pad: whether the padding's zeros count in the divisor.
    """
    return forms.average(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of bins that give ``output_size`` in one dimension (None: as the input)."""
    return forms.adaptive_average(1, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of bins that give ``output_size`` in one dimension (None: as the input)."""
    return forms.adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool1d` with the positions of the maxima, always."""
    return forms.adaptive_max(1, input, output_size, True)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window in one dimension: ``(sum x^p)^(1/p)``."""
    return forms.lp(1, input, norm_type, kernel_size, stride, ceil_mode)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Maxima back to where ``max_pool1d(..., return_indices=True)`` found them, zeros elsewhere.

    Raises:
        ValueError: an ``output_size`` that the pooling cannot have come from.
    """
    return forms.unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window in two dimensions: ``out[o] = max_t input[o * stride - padding +
    t * dilation]``.

    Args:
        input: (N, C, H, W) or (C, H, W).
        stride: defaults to ``kernel_size``.
        ceil_mode: let a last window stick out, as long as it starts inside.
        return_indices: also return the flat positions of the maxima, as ``max_unpool2d`` takes
            them.

    Raises:
        RuntimeError: a window that does not fit, padding above half of it.
    """
    return forms.maximum(
        2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """:func:`max_pool2d` with the positions of the maxima, always."""
    return forms.maximum(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of every window in two dimensions.

    Args:
        input: (N, C, H, W) or (C, H, W).
        stride: defaults to ``kernel_size``.
        count_include_pad: whether the padding's zeros count in the divisor.
        divisor_override: divide by this instead of the number of elements.
        out: where the result is written.
    """
    return forms.average(
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
        out,
    )


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of bins that give ``output_size`` in two dimensions (None: as the input)."""
    return forms.adaptive_average(2, input, output_size)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of bins that give ``output_size`` in two dimensions (None: as the input)."""
    return forms.adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool2d` with the positions of the maxima, always."""
    return forms.adaptive_max(2, input, output_size, True)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window in two dimensions: ``(sum x^p)^(1/p)``."""
    return forms.lp(2, input, norm_type, kernel_size, stride, ceil_mode)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Maxima back to where ``max_pool2d(..., return_indices=True)`` found them, zeros elsewhere.

    Raises:
        ValueError: an ``output_size`` that the pooling cannot have come from.
    """
    return forms.unpool(2, input, indices, kernel_size, stride, padding, output_size)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling at pseudo-random steps.

    Reference: B. Graham, Fractional max-pooling, 2014, arXiv:1412.6071.
    """
    return forms.fractional_max(
        2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling at pseudo-random steps, with the positions of the maxima.

    Reference: B. Graham, Fractional max-pooling, 2014, arXiv:1412.6071.
    """
    return forms.fractional_max(
        2, input, kernel_size, output_size, output_ratio, True, _random_samples
    )


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window in three dimensions: ``out[o] = max_t input[o * stride - padding
    + t * dilation]``.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        stride: defaults to ``kernel_size``.
        ceil_mode: let a last window stick out, as long as it starts inside.
        return_indices: also return the flat positions of the maxima, as ``max_unpool3d`` takes
            them.

    Raises:
        RuntimeError: a window that does not fit, padding above half of it.
    """
    return forms.maximum(
        3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """:func:`max_pool3d` with the positions of the maxima, always."""
    return forms.maximum(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of every window in three dimensions.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        stride: defaults to ``kernel_size``.
        count_include_pad: whether the padding's zeros count in the divisor.
        divisor_override: divide by this instead of the number of elements.
        out: where the result is written.
    """
    return forms.average(
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
        out,
    )


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of bins that give ``output_size`` in three dimensions (None: as the input)."""
    return forms.adaptive_average(3, input, output_size)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of bins that give ``output_size`` in three dimensions (None: as the input)."""
    return forms.adaptive_max(3, input, output_size, return_indices)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool3d` with the positions of the maxima, always."""
    return forms.adaptive_max(3, input, output_size, True)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window in three dimensions: ``(sum x^p)^(1/p)``."""
    return forms.lp(3, input, norm_type, kernel_size, stride, ceil_mode)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Maxima back to where ``max_pool3d(..., return_indices=True)`` found them, zeros elsewhere.

    Raises:
        ValueError: an ``output_size`` that the pooling cannot have come from.
    """
    return forms.unpool(3, input, indices, kernel_size, stride, padding, output_size)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling at pseudo-random steps.

    Reference: B. Graham, Fractional max-pooling, 2014, arXiv:1412.6071.
    """
    return forms.fractional_max(
        3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling at pseudo-random steps, with the positions of the maxima.

    Reference: B. Graham, Fractional max-pooling, 2014, arXiv:1412.6071.
    """
    return forms.fractional_max(
        3, input, kernel_size, output_size, output_ratio, True, _random_samples
    )
