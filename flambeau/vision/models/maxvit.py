"""MaxViT: convolutions, attention within windows, and attention across a grid of them.

Reference: Z. Tu et al., "MaxViT: Multi-Axis Vision Transformer", 2022, arXiv:2204.01697.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import fx, nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.swin_attention import relative_index
from flambeau.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation
from flambeau.vision.ops.stochastic_depth import StochasticDepth

__all__ = ["MaxVit", "maxvit_t"]

Layer = Callable[..., nn.Module]
Size = tuple[int, int]


def _halved(size: Size) -> Size:
    """What a convolution of kernel 3, stride 2 and padding 1 leaves of a size."""
    return (size[0] - 1) // 2 + 1, (size[1] - 1) // 2 + 1


class MBConv(nn.Module):
    """Widen, convolve each channel, gate, narrow; and the way around, pooled where strided."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion_ratio: float,
        squeeze_ratio: float,
        stride: int,
        activation_layer: Layer,
        norm_layer: Layer,
        p_stochastic_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.proj: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            pool = [nn.AvgPool2d(3, stride, 1)] if stride == 2 else []
            self.proj = nn.Sequential(*pool, nn.Conv2d(in_channels, out_channels, 1))
        wide, narrow = int(out_channels * expansion_ratio), int(out_channels * squeeze_ratio)
        drop = p_stochastic_dropout
        self.stochastic_depth = StochasticDepth(drop, "row") if drop else nn.Identity()
        common: dict[str, Any] = {
            "activation_layer": activation_layer,
            "norm_layer": norm_layer,
            "inplace": None,
        }
        self.layers = nn.Sequential(
            OrderedDict(
                pre_norm=norm_layer(in_channels),
                conv_a=Conv2dNormActivation(in_channels, wide, 1, **common),
                conv_b=Conv2dNormActivation(wide, wide, 3, stride, groups=wide, **common),
                squeeze_excitation=SqueezeExcitation(wide, narrow, activation=nn.SiLU),
                conv_c=nn.Conv2d(wide, out_channels, 1),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class RelativePositionalMultiHeadAttention(nn.Module):
    """Attention within groups of places, with a bias by distance: (N, groups, places, C)."""

    def __init__(self, feat_dim: int, head_dim: int, max_seq_len: int) -> None:
        super().__init__()
        if feat_dim % head_dim != 0:
            raise ValueError(
                f"MaxVit: feat_dim must be divisible by head_dim, got {feat_dim} and {head_dim}."
            )
        self.n_heads = feat_dim // head_dim
        self.head_dim = head_dim
        self.size = int(max_seq_len**0.5)
        self.max_seq_len = max_seq_len
        self.to_qkv = nn.Linear(feat_dim, 3 * feat_dim)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(feat_dim, feat_dim)
        rows = (2 * self.size - 1) ** 2
        self.relative_position_bias_table = nn.Parameter(torch.empty(rows, self.n_heads))
        index = relative_index([self.size, self.size]).view(max_seq_len, max_seq_len)
        self.register_buffer("relative_position_index", index)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def get_relative_positional_bias(self) -> Tensor:
        """(1, 1, heads, places, places)."""
        bias = self.relative_position_bias_table[self.relative_position_index]
        return bias.permute(2, 0, 1).contiguous()[None, None]

    def forward(self, x: Tensor) -> Tensor:
        batch, groups, places, channels = x.shape
        qkv = self.to_qkv(x).view(batch, groups, places, 3, self.n_heads, self.head_dim)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # N, groups, heads, places, head
        scores = q.matmul((k * self.scale_factor).transpose(-2, -1))
        attn = F.softmax(scores + self.get_relative_positional_bias(), dim=-1)
        x = attn.matmul(v).transpose(2, 3).reshape(batch, groups, places, channels)
        return self.merge(x)


@fx.wrap  # the features' size is not known while the model is traced
def _check_grid(x: Tensor, size: tuple[int, int], divides: bool) -> None:
    if tuple(x.shape[2:]) != size or not divides:
        raise ValueError(
            f"MaxVit: expected features of size {size}, a multiple of the partitions, got "
            f"{tuple(x.shape[2:])}. Give the model its input_size."
        )


class PartitionAttentionLayer(nn.Module):
    """Attention and a two-layer network over windows, or over the places of a grid.

    Args:
        partition_type: "window": ``partition_size`` neighbours each way attend to each other;
            "grid": as many places evenly far apart do.
    """

    def __init__(
        self,
        in_channels: int,
        head_dim: int,
        partition_size: int,
        partition_type: str,
        grid_size: Size,
        mlp_ratio: int,
        activation_layer: Layer,
        norm_layer: Layer,
        attention_dropout: float,
        mlp_dropout: float,
        p_stochastic_dropout: float,
    ) -> None:
        super().__init__()
        if partition_type not in ("grid", "window"):
            raise ValueError(
                f"MaxVit: partition_type must be 'grid' or 'window', got {partition_type!r}."
            )
        self.partition_type = partition_type
        self.grid_size = grid_size
        apart = grid_size[0] // partition_size
        self.p, self.g = (
            (partition_size, apart) if partition_type == "window" else (apart, partition_size)
        )
        self.attn_layer = nn.Sequential(
            norm_layer(in_channels),
            RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size**2),
            nn.Dropout(attention_dropout),
        )
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, in_channels * mlp_ratio),
            activation_layer(),
            nn.Linear(in_channels * mlp_ratio, in_channels),
            nn.Dropout(mlp_dropout),
        )
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, "row")

    def forward(self, x: Tensor) -> Tensor:
        batch, channels = x.shape[0], x.shape[1]
        p, (high, wide) = self.p, (n // self.p for n in self.grid_size)
        _check_grid(x, self.grid_size, high == self.g and wide == self.g)
        x = x.reshape(batch, channels, high, p, wide, p).permute(0, 2, 4, 3, 5, 1)
        x = x.reshape(batch, high * wide, p * p, channels)
        if self.partition_type == "grid":
            x = x.swapaxes(1, 2)
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        if self.partition_type == "grid":
            x = x.swapaxes(1, 2)
        x = x.reshape(batch, high, wide, p, p, channels).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(batch, channels, high * p, wide * p)


class MaxVitLayer(nn.Module):
    """A gated convolution, attention within windows, attention across them."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        grid_size: Size,
        p_stochastic_dropout: float,
        options: dict[str, Any],
    ) -> None:
        super().__init__()
        act, drop = options["activation_layer"], p_stochastic_dropout
        self.layers = nn.Sequential()
        self.layers.add_module(
            "MBconv",
            MBConv(
                in_channels,
                out_channels,
                options["expansion_ratio"],
                options["squeeze_ratio"],
                stride,
                act,
                options["norm_layer"],
                drop,
            ),
        )
        for kind in ("window", "grid"):
            attention = PartitionAttentionLayer(
                out_channels,
                options["head_dim"],
                options["partition_size"],
                kind,
                grid_size,
                options["mlp_ratio"],
                act,
                nn.LayerNorm,
                options["attention_dropout"],
                options["mlp_dropout"],
                drop,
            )
            self.layers.add_module(f"{kind}_attention", attention)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """A stage: layers of which the first halves the size."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        grid_size: Size,
        p_stochastic: Sequence[float],
        options: dict[str, Any],
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for i, p in enumerate(p_stochastic):
            before, stride = (out_channels, 1) if i else (in_channels, 2)
            self.layers.append(MaxVitLayer(before, out_channels, stride, grid_size, p, options))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class MaxVit(nn.Module):
    """A stem of two convolutions, four stages, a mean and a classifier.

    Shape: (N, 3, *input_size) to (N, num_classes).
    """

    def __init__(
        self,
        input_size: Size,
        stem_channels: int,
        partition_size: int,
        block_channels: list[int],
        block_layers: list[int],
        head_dim: int,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
        activation_layer: Layer = nn.GELU,
        squeeze_ratio: float = 0.25,
        expansion_ratio: float = 4,
        mlp_ratio: int = 4,
        mlp_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        options = {
            "activation_layer": activation_layer,
            "attention_dropout": attention_dropout,
            "expansion_ratio": expansion_ratio,
            "head_dim": head_dim,
            "mlp_dropout": mlp_dropout,
            "mlp_ratio": mlp_ratio,
            "norm_layer": norm,
            "partition_size": partition_size,
            "squeeze_ratio": squeeze_ratio,
        }
        common: dict[str, Any] = {"norm_layer": norm, "activation_layer": activation_layer}
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, stem_channels, stride=2, bias=False, inplace=None, **common),
            Conv2dNormActivation(
                stem_channels, stem_channels, norm_layer=None, activation_layer=None, bias=True
            ),
        )
        self.partition_size = partition_size
        drops = torch.linspace(0, stochastic_depth_prob, sum(block_layers), device="cpu").tolist()
        self.blocks = nn.ModuleList()
        size, width = _halved(input_size), stem_channels
        for channels, depth in zip(block_channels, block_layers, strict=True):
            size = _halved(size)
            if size[0] % partition_size or size[1] % partition_size:
                raise ValueError(
                    f"MaxVit: input size {input_size} gives a stage of size {size}, which is no "
                    f"multiple of partition_size={partition_size}. Change one of them."
                )
            now, drops = drops[:depth], drops[depth:]
            self.blocks.append(MaxVitBlock(width, channels, size, now, options))
            width = channels
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, num_classes, bias=False),
        )
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


@register_model()
def maxvit_t(input_size: Size = (224, 224), **kwargs: Any) -> MaxVit:
    """MaxViT, tiny."""
    kwargs.setdefault("stochastic_depth_prob", 0.2)
    return MaxVit(input_size, 64, 7, [64, 128, 256, 512], [2, 2, 5, 2], 32, **kwargs)
