"""The Swin transformer, first and second version: attention within windows that move.

The attention itself is in ``swin_attention``.

Reference: Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted
Windows", 2021, arXiv:2103.14030, and "Swin Transformer V2: Scaling Up Capacity and Resolution",
2021, arXiv:2111.09883.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import fx, nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.swin_attention import ShiftedWindowAttention, ShiftedWindowAttentionV2
from flambeau.vision.ops.misc import MLP, Permute
from flambeau.vision.ops.stochastic_depth import StochasticDepth

__all__ = [
    "SwinTransformer",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
]

Layer = Callable[..., nn.Module]


@fx.wrap  # what it pads depends on the image's size
def _neighbours(x: Tensor) -> Tensor:
    """Each square of four places side by side: (..., H, W, C) to (..., H/2, W/2, 4 C)."""
    height, width = x.shape[-3:-1]
    x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
    corners = ((0, 0), (1, 0), (0, 1), (1, 1))
    return torch.cat([x[..., i::2, j::2, :] for i, j in corners], -1)


class PatchMerging(nn.Module):
    """Half the height and width, twice the channels; normalization before."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduction(self.norm(_neighbours(x)))


class PatchMergingV2(nn.Module):
    """Half the height and width, twice the channels; normalization after."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.reduction(_neighbours(x)))


class SwinTransformerBlock(nn.Module):
    """Attention within windows and a two-layer network, each on a normalized input."""

    attention: Layer = ShiftedWindowAttention

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: list[int],
        shift_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = (attn_layer or self.attention)(
            dim,
            window_size,
            shift_size,
            num_heads,
            attention_dropout=attention_dropout,
            dropout=dropout,
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, dropout=dropout)
        for m in self.mlp.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """The same with the outputs normalized, not the inputs, and scaled cosine attention."""

    attention = ShiftedWindowAttentionV2

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


def stages(
    make: Layer,
    downsample: Layer,
    norm: Layer,
    dim: int,
    depths: list[int],
    heads: list[int],
    window_size: list[int],
    stochastic_depth_prob: float,
    **options: Any,
) -> tuple[list[nn.Module], int]:
    """Stages of blocks with every other one's windows moved, a merging of patches between two, and
    the channels at the end. Blocks are dropped more often the later they stand.
    """
    layers: list[nn.Module] = []
    made, total = 0, sum(depths)
    for i, (depth, count) in enumerate(zip(depths, heads, strict=True)):
        if i:
            layers.append(downsample(dim, norm))
            dim *= 2
        stage = []
        for j in range(depth):
            stage.append(
                make(
                    dim,
                    count,
                    window_size=window_size,
                    shift_size=[0 if j % 2 == 0 else w // 2 for w in window_size],
                    stochastic_depth_prob=stochastic_depth_prob * made / (total - 1),
                    norm_layer=norm,
                    **options,
                )
            )
            made += 1
        layers.append(nn.Sequential(*stage))
    return layers, dim


class SwinTransformer(nn.Module):
    """Patches, stages of blocks with every other one's windows moved, a mean, a classifier.

    Shape: (N, 3, H, W) to (N, num_classes).
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
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-5)
        make = block or SwinTransformerBlock
        patch = (patch_size[0], patch_size[1])
        first = nn.Sequential(
            nn.Conv2d(3, embed_dim, patch, patch), Permute([0, 2, 3, 1]), norm(embed_dim)
        )
        parts, dim = stages(
            make, downsample_layer, norm, embed_dim, depths, num_heads, window_size,
            stochastic_depth_prob, mlp_ratio=mlp_ratio, dropout=dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.features = nn.Sequential(first, *parts)
        self.norm = norm(dim)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(dim, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.permute(self.norm(self.features(x)))  # N, E, H/32, W/32
        return self.head(self.flatten(self.avgpool(x)))


# Embedding, depths, heads, window, stochastic depth.
SIZES: dict[str, tuple[int, list[int], list[int], int, float]] = {
    "swin_b": (128, [2, 2, 18, 2], [4, 8, 16, 32], 7, 0.5),
    "swin_s": (96, [2, 2, 18, 2], [3, 6, 12, 24], 7, 0.3),
    "swin_t": (96, [2, 2, 6, 2], [3, 6, 12, 24], 7, 0.2),
    "swin_v2_b": (128, [2, 2, 18, 2], [4, 8, 16, 32], 8, 0.5),
    "swin_v2_s": (96, [2, 2, 18, 2], [3, 6, 12, 24], 8, 0.3),
    "swin_v2_t": (96, [2, 2, 6, 2], [3, 6, 12, 24], 8, 0.2),
}


def _builder(name: str) -> Callable[..., SwinTransformer]:
    embed_dim, depths, heads, window, drop = SIZES[name]
    second: dict[str, Any] = {}
    if "_v2_" in name:
        second = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}

    def build(**kwargs: Any) -> SwinTransformer:
        return SwinTransformer(
            [4, 4],
            embed_dim,
            depths,
            heads,
            [window, window],
            **{"stochastic_depth_prob": drop, **second, **kwargs},
        )

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: stages of {depths} blocks, windows of {window}."
    return register_model()(build)


swin_b = _builder("swin_b")
swin_s = _builder("swin_s")
swin_t = _builder("swin_t")
swin_v2_b = _builder("swin_v2_b")
swin_v2_s = _builder("swin_v2_s")
swin_v2_t = _builder("swin_v2_t")
