"""Swin for videos: attention within windows over time, height and width.

Reference: Z. Liu et al., "Video Swin Transformer", 2021, arXiv:2106.13230.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.swin_transformer import PatchMerging, SwinTransformerBlock, stages

__all__ = ["SwinTransformer3d", "swin3d_b", "swin3d_s", "swin3d_t"]

Layer = Callable[..., nn.Module]
_PLACE = (0, 1, 3, 5, 2, 4, 6, 7)
_BACK = (0, 1, 4, 2, 5, 3, 6, 7)


def _windows(x: Tensor, window: list[int]) -> Tensor:
    """(N, T, H, W, C) to (N * windows, places, C)."""
    n, *sizes, channels = x.shape
    parts = [edge for size, w in zip(sizes, window) for edge in (size // w, w)]
    return x.view(n, *parts, channels).permute(_PLACE).reshape(-1, math.prod(window), channels)


def _video(x: Tensor, window: list[int], n: int, sizes: list[int]) -> Tensor:
    """The way back of ``_windows``."""
    counts = [size // w for size, w in zip(sizes, window)]
    x = x.view(n, *counts, *window, x.shape[-1])
    return x.permute(_BACK).reshape(n, *sizes, x.shape[-1])


def _regions(sizes: list[int], window: list[int], shift: list[int], like: Tensor) -> Tensor:
    """-100 between places that only the roll made neighbours, else 0: (windows, places, places)."""
    number = like.new_zeros(sizes)
    edges = [
        list(pairwise((0, size - w, size - s, size)))
        for size, w, s in zip(sizes, window, shift, strict=True)
    ]
    for count, spans in enumerate(product(*edges)):
        number[tuple(slice(*span) for span in spans)] = count
    number = _windows(number[None, ..., None], window)[..., 0]
    apart = number[:, None, :] - number[:, :, None]
    return apart.masked_fill(apart != 0, -100.0)


class ShiftedWindowAttention3d(nn.Module):
    """Multi-head attention within windows of (N, T, H, W, C), moved by ``shift_size``.

    A window is no larger than the video, and is not moved along an axis that it fills.
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
        if len(window_size) != 3 or len(shift_size) != 3:
            raise ValueError("window_size and shift_size must be of length 3, got "
                             f"{window_size} and {shift_size}")  # fmt: skip
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        rows = math.prod(2 * w - 1 for w in window_size)
        table = nn.Parameter(torch.zeros(rows, num_heads))
        self.relative_position_bias_table = nn.init.trunc_normal_(table, std=0.02)
        self.register_buffer("relative_position_index", self._index())

    def _index(self) -> Tensor:
        """For each pair of a window's places the row of the table of biases."""
        axes = torch.meshgrid(*(torch.arange(w) for w in self.window_size), indexing="ij")
        index = torch.zeros(1, dtype=torch.int64)
        for axis, w in zip(axes, self.window_size):
            flat = axis.flatten()
            index = index * (2 * w - 1) + (flat[:, None] - flat + w - 1)
        return index

    def forward(self, x: Tensor) -> Tensor:
        n, *sizes, channels = x.shape
        window = [min(w, size) for w, size in zip(self.window_size, sizes)]
        shift = [0 if w >= size else s for w, s, size in zip(window, self.shift_size, sizes)]
        over = [(w - size % w) % w for w, size in zip(window, sizes)]
        x = F.pad(x, (0, 0, 0, over[2], 0, over[1], 0, over[0]))
        padded = list(x.shape[1:4])
        moved = any(shift)
        if moved:
            x = torch.roll(x, shifts=tuple(-s for s in shift), dims=(1, 2, 3))
        x = _windows(x, window)  # N * windows, places, C
        places = x.shape[1]
        qkv = self.qkv(x).reshape(len(x), places, 3, self.num_heads, channels // self.num_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # N * windows, heads, places, head
        scores = (q * (channels // self.num_heads) ** -0.5).matmul(k.transpose(-2, -1))
        index: Any = self.relative_position_index
        bias = self.relative_position_bias_table[index[:places, :places].flatten()]
        scores = scores + bias.view(places, places, -1).permute(2, 0, 1)[None]
        if moved:
            mask = _regions(padded, window, shift, x)
            by_window = scores.view(n, -1, *scores.shape[1:]) + mask[None, :, None]
            scores = by_window.view(scores.shape)
        scores = F.dropout(F.softmax(scores, dim=-1), self.attention_dropout, self.training)
        x = scores.matmul(v).transpose(1, 2).reshape(x.shape)
        x = _video(F.dropout(self.proj(x), self.dropout, self.training), window, n, padded)
        if moved:
            x = torch.roll(x, shifts=tuple(shift), dims=(1, 2, 3))
        return x[:, : sizes[0], : sizes[1], : sizes[2]].contiguous()


class PatchEmbed3d(nn.Module):
    """Patches of the video as vectors: (N, 3, T, H, W) to (N, T', H', W', E)."""

    def __init__(
        self,
        patch_size: list[int],
        in_channels: int = 3,
        embed_dim: int = 96,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        patch = (patch_size[0], patch_size[1], patch_size[2])
        self.tuple_patch_size = patch
        self.proj = nn.Conv3d(in_channels, embed_dim, kernel_size=patch, stride=patch)
        self.norm: nn.Module = nn.Identity() if norm_layer is None else norm_layer(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        over = [(-size) % patch for size, patch in zip(x.shape[-3:], self.tuple_patch_size)]
        x = F.pad(x, (0, over[2], 0, over[1], 0, over[0]))
        return self.norm(self.proj(x).permute(0, 2, 3, 4, 1))


class SwinTransformer3d(nn.Module):
    """Patches, stages of blocks with every other one's windows moved, a mean, a classifier.

    Shape: (N, 3, T, H, W) to (N, num_classes).
    """

    def __init__(
        self,
        patch_size: list[int],
        embed_dim: int,
        depths: list[int],
        num_heads: list[int],
        window_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.1,
        num_classes: int = 400,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
        patch_embed: Layer | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-5)
        make = block or partial(SwinTransformerBlock, attn_layer=ShiftedWindowAttention3d)
        embed = patch_embed or PatchEmbed3d
        self.patch_embed = embed(patch_size=patch_size, embed_dim=embed_dim, norm_layer=norm)
        self.pos_drop = nn.Dropout(p=dropout)
        parts, dim = stages(
            make, downsample_layer, norm, embed_dim, depths, num_heads, window_size,
            stochastic_depth_prob, mlp_ratio=mlp_ratio, dropout=dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.features = nn.Sequential(*parts)
        self.num_features = dim
        self.norm = norm(dim)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.head = nn.Linear(dim, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.features(self.pos_drop(self.patch_embed(x))))
        return self.head(self.avgpool(x.permute(0, 4, 1, 2, 3)).flatten(1))


# Embedding, depths, heads.
SIZES: dict[str, tuple[int, list[int], list[int]]] = {
    "swin3d_b": (128, [2, 2, 18, 2], [4, 8, 16, 32]),
    "swin3d_s": (96, [2, 2, 18, 2], [3, 6, 12, 24]),
    "swin3d_t": (96, [2, 2, 6, 2], [3, 6, 12, 24]),
}


def _builder(name: str) -> Callable[..., SwinTransformer3d]:
    embed_dim, depths, heads = SIZES[name]

    def build(**kwargs: Any) -> SwinTransformer3d:
        options = {"stochastic_depth_prob": 0.1, **kwargs}
        return SwinTransformer3d([2, 4, 4], embed_dim, depths, heads, [8, 7, 7], **options)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: stages of {depths} blocks, windows of 8 x 7 x 7."
    return register_model()(build)


swin3d_b = _builder("swin3d_b")
swin3d_s = _builder("swin3d_s")
swin3d_t = _builder("swin3d_t")
