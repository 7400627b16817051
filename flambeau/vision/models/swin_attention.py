"""Swin's attention: within windows, between all places of one, with a bias by their distance.

Reference: Z. Liu et al., 2021, arXiv:2103.14030 and arXiv:2111.09883.
"""

from __future__ import annotations

import math
from itertools import pairwise

import flambeau as torch
from flambeau import fx, nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["ShiftedWindowAttention", "ShiftedWindowAttentionV2", "relative_index"]


def relative_index(window_size: list[int]) -> Tensor:
    """For each pair of a window's places the row of the table of biases, flat."""
    height, width = window_size
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    y, x = y.flatten(), x.flatten()
    down, right = y[:, None] - y + height - 1, x[:, None] - x + width - 1
    return (down * (2 * width - 1) + right).flatten()


def _windows(x: Tensor, window: list[int]) -> Tensor:
    """(N, H, W, C) to (N * windows, places, C)."""
    batch, height, width, channels = x.shape
    high, wide = window
    x = x.view(batch, height // high, high, width // wide, wide, channels)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, high * wide, channels)


def _image(x: Tensor, window: list[int], batch: int, height: int, width: int) -> Tensor:
    """The way back of ``_windows``."""
    high, wide = window
    x = x.view(batch, height // high, width // wide, high, wide, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(batch, height, width, x.shape[-1])


def _regions(height: int, width: int, window: list[int], shift: list[int], like: Tensor) -> Tensor:
    """-100 between places that only the roll made neighbours, else 0: (windows, places, places)."""
    number = like.new_zeros((height, width))
    edges = [
        pairwise((0, size - w, size - s, size))
        for size, w, s in zip((height, width), window, shift, strict=True)
    ]
    columns = list(edges[1])
    count = 0
    for top, bottom in edges[0]:
        for left, right in columns:
            number[top:bottom, left:right] = count
            count += 1
    number = _windows(number[None, :, :, None], window)[..., 0]
    apart = number[:, None, :] - number[:, :, None]
    return apart.masked_fill(apart != 0, -100.0)


@fx.wrap  # its windows depend on the image's size
def _attended(
    x: Tensor, qkv_weight: Tensor, qkv_bias: Tensor | None, proj_weight: Tensor,
    proj_bias: Tensor | None, bias: Tensor, scale: Tensor | None, window: list[int],
    shift_size: list[int], heads: int, attention_dropout: float, dropout: float, training: bool,
) -> Tensor:  # fmt: skip
    batch, height, width, channels = x.shape
    high, wide = window
    x = F.pad(x, (0, 0, 0, (wide - width % wide) % wide, 0, (high - height % high) % high))
    padded = (x.shape[1], x.shape[2])
    shift = [
        0 if side >= size else step
        for side, size, step in zip(window, padded, shift_size, strict=True)
    ]
    moved = sum(shift) > 0
    if moved:
        x = torch.roll(x, shifts=(-shift[0], -shift[1]), dims=(1, 2))
    x = _windows(x, window)  # N * windows, places, C
    qkv = F.linear(x, qkv_weight, qkv_bias)
    qkv = qkv.reshape(*x.shape[:2], 3, heads, channels // heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # N * windows, heads, places, head
    if scale is None:
        scores = (q * q.shape[-1] ** -0.5).matmul(k.transpose(-2, -1))
    else:
        scores = F.normalize(q, dim=-1).matmul(F.normalize(k, dim=-1).transpose(-2, -1)) * scale
    attn = scores + bias
    if moved:
        mask = _regions(*padded, window, shift, x)
        by_window = attn.view(batch, -1, *attn.shape[1:]) + mask[None, :, None]
        attn = by_window.view(attn.shape)
    attn = F.dropout(F.softmax(attn, dim=-1), attention_dropout, training)
    x = attn.matmul(v).transpose(1, 2).reshape(x.shape)
    x = F.dropout(F.linear(x, proj_weight, proj_bias), dropout, training)
    x = _image(x, window, batch, *padded)
    if moved:
        x = torch.roll(x, shifts=(shift[0], shift[1]), dims=(1, 2))
    return x[:, :height, :width].contiguous()


class ShiftedWindowAttention(nn.Module):
    """Multi-head attention within windows of (N, H, W, C), moved by ``shift_size``.

    Args:
        window_size, shift_size: (height, width); an image no larger than a window is not moved.
    """

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ValueError(
                f"{type(self).__name__}: expected window_size and shift_size of two numbers, got "
                f"{window_size} and {shift_size}."
            )
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self) -> None:
        """A bias for each distance and head."""
        rows = math.prod(2 * n - 1 for n in self.window_size)
        table = nn.Parameter(torch.zeros(rows, self.num_heads))
        self.relative_position_bias_table = nn.init.trunc_normal_(table, std=0.02)

    def define_relative_position_index(self) -> None:
        """Which distance each pair of places has."""
        self.register_buffer("relative_position_index", relative_index(self.window_size))

    def _spread(self, table: Tensor) -> Tensor:
        """(rows, heads) at each pair of places: (1, heads, places, places)."""
        places = math.prod(self.window_size)
        found = table[self.relative_position_index].view(places, places, -1)
        return found.permute(2, 0, 1).contiguous().unsqueeze(0)

    def get_relative_position_bias(self) -> Tensor:
        """The bias of each pair of places: (1, heads, places, places)."""
        return self._spread(self.relative_position_bias_table)

    def qkv_bias_used(self) -> Tensor | None:
        """The bias of queries, keys and values."""
        return self.qkv.bias

    def scale(self) -> Tensor | None:
        """What cosines are multiplied by; None where products are taken."""
        return None

    def forward(self, x: Tensor) -> Tensor:
        return _attended(
            x, self.qkv.weight, self.qkv_bias_used(), self.proj.weight, self.proj.bias,
            self.get_relative_position_bias(), self.scale(), self.window_size, self.shift_size,
            self.num_heads, self.attention_dropout, self.dropout, self.training,
        )  # fmt: skip


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """The same with cosines for products, and biases that a small network makes of distances."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            dim,
            window_size,
            shift_size,
            num_heads,
            qkv_bias,
            proj_bias,
            attention_dropout,
            dropout,
        )
        self.logit_scale = nn.Parameter(torch.log(10 * torch.ones((num_heads, 1, 1))))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False)
        )
        if qkv_bias:
            self.qkv.bias.data[dim : 2 * dim].zero_()

    def define_relative_position_bias_table(self) -> None:
        """Distances on a logarithmic scale, of which the network makes biases."""
        steps = [
            torch.arange(1 - n, n, dtype=torch.float32) / (n - 1) * 8 for n in self.window_size
        ]
        table = torch.stack(torch.meshgrid(*steps, indexing="ij"), dim=-1).unsqueeze(0)
        table = torch.sign(table) * torch.log2(torch.abs(table) + 1.0) / 3.0
        self.register_buffer("relative_coords_table", table)

    def get_relative_position_bias(self) -> Tensor:
        """The bias of each pair of places: (1, heads, places, places)."""
        table = self.cpb_mlp(self.relative_coords_table).view(-1, self.num_heads)
        return 16 * torch.sigmoid(self._spread(table))

    def qkv_bias_used(self) -> Tensor | None:
        """That of the keys is always 0: it would not change a softmax of cosines alone."""
        if self.qkv.bias is None:
            return None
        bias = self.qkv.bias.clone()
        length = bias.numel() // 3
        bias[length : 2 * length].zero_()
        return bias

    def scale(self) -> Tensor:
        """A learned one for each head, at most 100."""
        return torch.clamp(self.logit_scale, max=math.log(100.0)).exp()
