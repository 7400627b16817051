"""Deformable convolution: each tap reads at its own offset, and may have its own weight.

Reference: J. Dai et al., "Deformable Convolutional Networks", 2017, arXiv:1703.06211; X. Zhu et
al., "Deformable ConvNets v2", 2018, arXiv:1811.11168.
"""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor

__all__ = ["DeformConv2d", "deform_conv2d"]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _read(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values between pixels, 0 beyond the edge: image (B, C, H, W), places (B, P) to (B, C, P)."""
    batch, channels, height, width = image.shape
    top, left = y.detach().floor(), x.detach().floor()
    down, right = y - top, x - left
    flat = image.flatten(2)
    out = image.new_zeros((batch, channels, y.shape[1]))
    for i, wy in ((0, 1 - down), (1, down)):
        for j, wx in ((0, 1 - right), (1, right)):
            row, column = (top + i).long(), (left + j).long()
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            index = index[:, None].expand(batch, channels, -1)
            out = out + flat.gather(2, index) * (wy * wx * inside)[:, None]
    return out


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    mask: Tensor | None = None,
) -> Tensor:
    """A convolution whose taps are moved by ``offset`` and weighed by ``mask``.

    Args:
        offset: (N, 2 * G * taps, OH, OW), y and x of each tap in turn; input channels in G groups
            share theirs.
        mask: (N, G * taps, OH, OW); None: ones.

    Shape: input (N, C, H, W), weight (O, C / groups, KH, KW), to (N, O, OH, OW).
    """
    batch, channels, height, width = input.shape
    out_channels, inner, high, wide = weight.shape
    (sy, sx), (py, px), (dy, dx) = _pair(stride), _pair(padding), _pair(dilation)
    taps = high * wide
    rows = (height + 2 * py - dy * (high - 1) - 1) // sy + 1
    columns = (width + 2 * px - dx * (wide - 1) - 1) // sx + 1
    parts = offset.shape[1] // (2 * taps)
    if parts == 0 or offset.shape[1] != 2 * taps * parts or channels % parts:
        raise RuntimeError(
            f"deform_conv2d: offset has {offset.shape[1]} channels, expected a multiple of "
            f"2 * {high} * {wide}, whose groups divide the {channels} channels of the input."
        )
    if tuple(offset.shape) != (batch, 2 * taps * parts, rows, columns):
        raise RuntimeError(
            f"deform_conv2d: offset has shape {tuple(offset.shape)}, expected "
            f"{(batch, 2 * taps * parts, rows, columns)}, the output's height and width."
        )
    if mask is not None and tuple(mask.shape) != (batch, taps * parts, rows, columns):
        raise RuntimeError(
            f"deform_conv2d: mask has shape {tuple(mask.shape)}, expected "
            f"{(batch, taps * parts, rows, columns)}."
        )

    def places(size: int, count: int, step: int, pad: int, apart: int) -> Tensor:
        taken = torch.arange(size, dtype=input.dtype) * apart
        return taken[:, None] + torch.arange(count, dtype=input.dtype) * step - pad

    moved = offset.reshape(batch, parts, high, wide, 2, rows, columns)
    y = moved[:, :, :, :, 0] + places(high, rows, sy, py, dy)[:, None, :, None]
    x = moved[:, :, :, :, 1] + places(wide, columns, sx, px, dx)[:, None, :]
    image = input.reshape(batch * parts, channels // parts, height, width)
    flat = (batch * parts, taps * rows * columns)
    read = _read(image, y.reshape(flat), x.reshape(flat))
    read = read.view(batch, parts, channels // parts, taps, rows, columns)
    if mask is not None:
        read = read * mask.reshape(batch, parts, 1, taps, rows, columns)
    groups = channels // inner
    read = read.reshape(batch, groups, inner * taps, rows * columns)
    out = weight.reshape(groups, out_channels // groups, inner * taps).matmul(read)
    out = out.view(batch, out_channels, rows, columns)
    return out if bias is None else out + bias.view(1, -1, 1, 1)


class DeformConv2d(nn.Module):
    """``deform_conv2d`` as a layer: ``forward(input, offset, mask=None)``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value % groups:
                raise ValueError(
                    f"DeformConv2d: {name} must be divisible by groups, got {value} and {groups}."
                )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels // groups, *self.kernel_size)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as ``nn.Conv2d`` does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        return deform_conv2d(
            input,
            offset,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            mask,
        )

    def __repr__(self) -> str:
        told = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        told += [f"padding={self.padding}"] if self.padding != (0, 0) else []
        told += [f"dilation={self.dilation}"] if self.dilation != (1, 1) else []
        told += [f"groups={self.groups}"] if self.groups != 1 else []
        told += ["bias=False"] if self.bias is None else []
        return f"{type(self).__name__}({', '.join(told)})"
