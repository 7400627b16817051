"""Convolutions and transposed convolutions in 1 to 3 dimensions. Stands on ``F.conv*``.

The lazy forms are in ``lazyconv``; they are named here too, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn import init
from flambeau.nn.common_types import _size_1_t, _size_2_t, _size_3_t
from flambeau.nn.modules.module import Module
from flambeau.nn.modules.utils import _pair, _reverse_repeat_tuple, _single, _triple
from flambeau.nn.parameter import Parameter

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """The settings, the weights and the text of all convolutions."""

    __constants__ = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None
    _function: str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        self._check(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._pad_argument()
        if transposed:
            channels = (in_channels, out_channels // groups)
        else:
            channels = (out_channels, in_channels // groups)
        self.weight = Parameter(flambeau.empty((*channels, *kernel_size), **factory))
        if bias:
            self.bias = Parameter(flambeau.empty(out_channels, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(
        self, inside: int, outside: int, stride: Any, padding: Any, groups: int, mode: str
    ) -> None:
        name = type(self).__name__
        if groups <= 0:
            raise fail(ValueError, name, f"groups must be a positive integer, got {groups}.")
        if inside % groups != 0:
            raise fail(
                ValueError, name, f"in_channels must be divisible by groups: {inside} by {groups}."
            )
        if outside % groups != 0:
            raise fail(
                ValueError,
                name,
                f"out_channels must be divisible by groups: {outside} by {groups}.",
            )
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise fail(
                    ValueError,
                    name,
                    f"Invalid padding string {padding!r}, should be one of 'same', 'valid'",
                )
            if padding == "same" and any(step != 1 for step in stride):
                raise fail(
                    ValueError, name, "padding='same' is not supported for strided convolutions"
                )
        if mode not in _MODES:
            raise fail(
                ValueError,
                name,
                f"padding_mode must be one of {_MODES}, but got padding_mode='{mode}'",
            )

    def _pad_argument(self) -> Any:
        """The padding as ``F.pad`` takes it, for the modes that pad before convolving."""
        if not isinstance(self.padding, str):
            return _reverse_repeat_tuple(self.padding, 2)
        sides: list[int] = []
        for dilation, size in zip(reversed(self.dilation), reversed(self.kernel_size)):
            total = dilation * (size - 1) if self.padding == "same" else 0
            sides += [total // 2, total - total // 2]
        return sides

    def reset_parameters(self) -> None:
        """Draw the weight, then the bias, from U(-k, k), k = 1 / sqrt(fan_in)."""
        with flambeau.no_grad():
            if self.weight.is_contiguous():
                init.kaiming_uniform_(self.weight, a=math.sqrt(5))
            else:
                # Draws go in the order of indices, whatever the weight's memory format.
                plain = flambeau.empty_like(self.weight, memory_format=flambeau.contiguous_format)
                self.weight.copy_(init.kaiming_uniform_(plain, a=math.sqrt(5)))
            if self.bias is not None:
                fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
                bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
                init.uniform_(self.bias, -bound, bound)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with given weights; subclasses of layers call it with their own."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * len(self.kernel_size)
        return getattr(F, self._function)(  # looked up now: modes cover it
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )

    def forward(self, input: Tensor) -> Tensor:
        """The convolution."""
        own = self._parameters
        try:  # as in Linear
            weight, bias = own["weight"], own["bias"]
        except KeyError:
            weight, bias = self.weight, self.bias
        return self._conv_forward(input, weight, bias)

    def extra_repr(self) -> str:
        """The settings that differ from the defaults."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class Conv1d(_ConvNd):
    """Cross-correlation: y_o = b_o + sum_c w_oc * x_c over sliding windows.

    Arguments as Conv2d's.

    Shape:
        input (N, C_in, L) or (C_in, L), output (N, C_out, L_out); each output size is
        floor((size + 2 padding - dilation (kernel - 1) - 1) / stride + 1).
    """

    _function = "conv1d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_1_t,
        stride: _size_1_t = 1,
        padding: str | _size_1_t = 0,
        dilation: _size_1_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _single(kernel_size),
            _single(stride),
            padding if isinstance(padding, str) else _single(padding),
            _single(dilation),
            False,
            _single(0),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


class Conv2d(_ConvNd):
    """Cross-correlation: y_o = b_o + sum_c w_oc * x_c over sliding windows.

    Args:
        in_channels, out_channels: channels before and after.
        kernel_size, stride, dilation: the window's size, its steps, the gaps in it.
        padding: zeros on both sides, or 'same' or 'valid'.
        groups: blocks of channels that do not mix.
        bias: whether an offset for each output channel is learned.
        padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.

    Shape:
        input (N, C_in, H, W) or (C_in, H, W), output (N, C_out, H_out, W_out); each output size is
        floor((size + 2 padding - dilation (kernel - 1) - 1) / stride + 1).
    """

    _function = "conv2d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_2_t,
        stride: _size_2_t = 1,
        padding: str | _size_2_t = 0,
        dilation: _size_2_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _pair(kernel_size),
            _pair(stride),
            padding if isinstance(padding, str) else _pair(padding),
            _pair(dilation),
            False,
            _pair(0),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


class Conv3d(_ConvNd):
    """Cross-correlation: y_o = b_o + sum_c w_oc * x_c over sliding windows.

    Arguments as Conv2d's.

    Shape:
        input (N, C_in, D, H, W) or (C_in, D, H, W), output (N, C_out, D_out, H_out, W_out);
        each output size is
        floor((size + 2 padding - dilation (kernel - 1) - 1) / stride + 1).
    """

    _function = "conv3d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_3_t,
        stride: _size_3_t = 1,
        padding: str | _size_3_t = 0,
        dilation: _size_3_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _triple(kernel_size),
            _triple(stride),
            padding if isinstance(padding, str) else _triple(padding),
            _triple(dilation),
            False,
            _triple(0),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


class _ConvTransposeNd(_ConvNd):
    """What transposed convolutions add: the choice among possible output sizes."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            name = type(self).__name__
            raise fail(ValueError, name, f'Only "zeros" padding mode is supported for {name}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            transposed,
            output_padding,
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: list[int] | None,
        stride: Any,
        padding: Any,
        kernel_size: Any,
        num_spatial_dims: int,
        dilation: Any = None,
    ) -> Any:
        """The padding at the end that gives ``output_size``; the layer's own without one."""
        if output_size is None:
            return _single(self.output_padding)
        leading = 2 if input.dim() == num_spatial_dims + 2 else 1
        wanted = list(output_size)
        if len(wanted) == leading + num_spatial_dims:
            wanted = wanted[leading:]
        name = type(self).__name__
        if len(wanted) != num_spatial_dims:
            raise fail(
                ValueError,
                name,
                f"for {input.dim()}D input, output_size must have {num_spatial_dims} or "
                f"{leading + num_spatial_dims} elements (got {len(wanted)})",
            )
        smallest, largest = [], []
        for d in range(num_spatial_dims):
            step = dilation[d] if dilation is not None else 1
            size = (input.size(d + leading) - 1) * stride[d] - 2 * padding[d]
            smallest.append(size + step * (kernel_size[d] - 1) + 1)
            largest.append(smallest[d] + stride[d] - 1)
        if any(not low <= w <= high for low, w, high in zip(smallest, wanted, largest)):
            raise fail(
                ValueError,
                name,
                f"requested an output size of {wanted}, but valid sizes range from {smallest} to "
                f"{largest} (for an input of {input.size()[2:]})",
            )
        return [w - low for w, low in zip(wanted, smallest)]

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The transposed convolution; ``output_size`` picks among sizes that strides allow."""
        if self.padding_mode != "zeros":
            name = type(self).__name__
            raise fail(ValueError, name, f"Only `zeros` padding mode is supported for {name}")
        output_padding = self._output_padding(
            input,
            output_size,
            self.stride,
            self.padding,
            self.kernel_size,
            len(self.kernel_size),
            self.dilation,
        )
        return getattr(F, self._function)(  # looked up now: modes cover it
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of Conv1d with respect to its input, as a layer.

    ``output_padding`` adds to one side of the output's size; other arguments as Conv2d's.

    Shape:
        input (N, C_in, L) or (C_in, L), output (N, C_out, L_out); each output size is
        (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    """

    _function = "conv_transpose1d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_1_t,
        stride: _size_1_t = 1,
        padding: _size_1_t = 0,
        output_padding: _size_1_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_1_t = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _single(kernel_size),
            _single(stride),
            _single(padding),
            _single(dilation),
            True,
            _single(output_padding),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of Conv2d with respect to its input, as a layer.

    ``output_padding`` adds to one side of the output's size; other arguments as Conv2d's.

    Shape:
        input (N, C_in, H, W) or (C_in, H, W), output (N, C_out, H_out, W_out); each output size is
        (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    """

    _function = "conv_transpose2d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_2_t,
        stride: _size_2_t = 1,
        padding: _size_2_t = 0,
        output_padding: _size_2_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_2_t = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _pair(kernel_size),
            _pair(stride),
            _pair(padding),
            _pair(dilation),
            True,
            _pair(output_padding),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of Conv3d with respect to its input, as a layer.

    ``output_padding`` adds to one side of the output's size; other arguments as Conv2d's.

    Shape:
        input (N, C_in, D, H, W) or (C_in, D, H, W), output (N, C_out, D_out, H_out, W_out);
        each output size is
        (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    """

    _function = "conv_transpose3d"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_3_t,
        stride: _size_3_t = 1,
        padding: _size_3_t = 0,
        output_padding: _size_3_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_3_t = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            _triple(kernel_size),
            _triple(stride),
            _triple(padding),
            _triple(dilation),
            True,
            _triple(output_padding),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )


# At the end: lazyconv derives its classes from those above.
from flambeau.nn.modules.lazyconv import (  # noqa: E402
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
)
