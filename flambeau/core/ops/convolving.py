"""``conv1d`` to ``conv3d`` and their transposes: PyTorch's argument forms over
``conv.convolved``.

Unbatched inputs, ints for tuples and ``padding='same'`` are resolved here; the operations, their
rules and their checks are in ``conv``.
"""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.ops import conv as _conv  # noqa: F401  (declares what is called through ops)
from flambeau.core.ops.windowing import Ints, require_tensor, sizes
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def _convolve(
    name: str,
    count: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    require_tensor(name, "input", input)
    require_tensor(name, "weight", weight)
    ndim = input.ndim
    if ndim != count + 2:
        if ndim != count + 1:
            raise fail(
                RuntimeError,
                name,
                f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input to {name}, "
                "but got input of size: "
                f"{list(input.shape)}. Add the channel dimension with "
                f"input.unsqueeze({-count - 1}) where it is missing.",
            )
        input = ops.unsqueeze(input, 0)
    stride = sizes(name, "stride", stride, count)
    dilation = sizes(name, "dilation", dilation, count)
    if type(padding) is str:
        input, padding = _named_padding(name, input, weight, padding, stride, dilation)
    else:
        padding = sizes(name, "padding", padding, count)
    zeros = (0,) * count
    out = ops.convolved(input, weight, bias, stride, padding, dilation, False, zeros, groups)
    return out if ndim == count + 2 else ops.squeeze(out, 0)


def _named_padding(
    name: str, input: Tensor, weight: Tensor, padding: str, stride: Ints, dilation: Ints
) -> tuple[Tensor, Ints]:
    """'valid' pads nothing; 'same' keeps the size, the odd element going to the end."""
    count = len(stride)
    if padding == "valid":
        return input, (0,) * count
    if padding != "same":
        raise fail(
            RuntimeError, name, f"Invalid padding string: '{padding}'. Use 'same' or 'valid'."
        )
    if max(stride) > 1:
        raise fail(
            RuntimeError,
            name,
            f"padding='same' is not supported for strided convolutions (stride={stride}). Give "
            "the padding in numbers.",
        )
    if weight.ndim != count + 2:
        raise fail(
            RuntimeError,
            name,
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight "
            f"{list(weight.shape)}, but got {input.ndim}-dimensional input of size "
            f"{list(input.shape)} instead.",
        )
    totals = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    if any(total % 2 for total in totals):
        warnings.warn(
            "Using padding='same' with even kernel lengths and odd dilation may require a "
            "zero-padded copy of the "
            "input be created",
            UserWarning,
            stacklevel=stack_level(),
        )
        extra = [n for total in reversed(totals) for n in (0, total % 2)]
        input = ops.constant_pad_nd(input, extra, 0)
    return input, tuple(total // 2 for total in totals)


def _turn(
    name: str,
    count: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    require_tensor(name, "input", input)
    require_tensor(name, "weight", weight)
    ndim = input.ndim
    if ndim != count + 2:
        if ndim != count + 1:
            raise fail(
                RuntimeError,
                name,
                f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input to {name}, "
                "but got input of size: "
                f"{list(input.shape)}.",
            )
        input = ops.unsqueeze(input, 0)
    out = ops.convolved(
        input,
        weight,
        bias,
        sizes(name, "stride", stride, count),
        sizes(name, "padding", padding, count),
        sizes(name, "dilation", dilation, count),
        True,
        sizes(name, "output_padding", output_padding, count),
        groups,
    )
    return out if ndim == count + 2 else ops.squeeze(out, 0)


@composite()
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """1-D convolution: ``out[n, k, o] = bias[k] + sum_{c, t} input[n, c, o * stride - padding + t
    * dilation] * weight[k, c, t]``.

    Args:
        input: (N, C, L) or (C, L).
        weight: (K, C / groups, kernel).
        padding: an int, or 'valid' (none), or 'same' (keeps L; stride 1 only).

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composite()
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """2-D convolution of (N, C, H, W) or (C, H, W) with weight (K, C / groups, kh, kw); see
    :func:`conv1d`.

    Example:
        >>> import flambeau as torch
        >>> torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2)).tolist()
        [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composite()
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """3-D convolution of (N, C, D, H, W) or (C, D, H, W); see :func:`conv1d`."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@composite()
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of :func:`conv1d`: every input element spreads the weight over the output.

    Args:
        input: (N, C, L) or (C, L).
        weight: (C, K / groups, kernel).
        output_padding: added to one side of the output's size, less than stride or dilation.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
    """
    return _turn(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


@composite()
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of :func:`conv2d` on (N, C, H, W) or (C, H, W); see
    :func:`conv_transpose1d`.
    """
    return _turn(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


@composite()
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of :func:`conv3d` on (N, C, D, H, W) or (C, D, H, W); see
    :func:`conv_transpose1d`.
    """
    return _turn(
        "conv_transpose3d",
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


@composite()
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """1-D convolution of (time, batch, C) with weight (kernel, C, K) to (time, batch, K)."""
    if input.ndim != 3 or weight.ndim != 3 or bias.ndim != 1:
        raise fail(
            RuntimeError,
            "conv_tbc",
            f"expected input and weight of 3 dimensions and bias of 1, got {list(input.shape)}, "
            f"{list(weight.shape)} "
            f"and {list(bias.shape)}.",
        )
    out = conv1d(ops.permute(input, (1, 2, 0)), ops.permute(weight, (2, 1, 0)), bias, 1, pad)
    return ops.permute(out, (2, 0, 1)).contiguous()
