"""Multiscale vision transformers for videos: attention whose tokens become fewer and wider.

Reference: H. Fan et al., "Multiscale Vision Transformers", 2021, arXiv:2104.11227; Y. Li et al.,
"MViTv2: Improved Multiscale Vision Transformers", 2021, arXiv:2112.01526.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.ops.misc import MLP
from flambeau.vision.ops.stochastic_depth import StochasticDepth

__all__ = ["MViT", "mvit_v1_b", "mvit_v2_s"]

Layer = Callable[..., nn.Module]
Grid = tuple[int, int, int]
"""Time, height and width in tokens."""


@dataclass
class MSBlockConfig:
    """One block: its heads, widths, and how queries, keys and values are pooled ([]: not)."""

    num_heads: int
    input_channels: int
    output_channels: int
    kernel_q: list[int]
    kernel_kv: list[int]
    stride_q: list[int]
    stride_kv: list[int]


class Pool(nn.Module):
    """Tokens (N, heads, 1 + places, C) or (N, 1 + places, C) pooled on their grid.

    The first token is the class's and stays as it is, but for the normalization.
    """

    def __init__(self, pool: nn.Module, norm: nn.Module | None) -> None:
        super().__init__()
        self.pool = pool
        self.norm_act = None if norm is None else nn.Sequential(norm)

    def forward(self, x: Tensor, thw: Grid) -> tuple[Tensor, Grid]:
        headless = x.dim() == 3
        x = x[:, None] if headless else x
        first, rest = x[:, :, :1], x[:, :, 1:].transpose(2, 3)
        n, heads, channels = rest.shape[:3]
        rest = self.pool(rest.reshape(n * heads, channels, *thw).contiguous())
        new = (rest.shape[2], rest.shape[3], rest.shape[4])
        x = torch.cat((first, rest.reshape(n, heads, channels, -1).transpose(2, 3)), dim=2)
        x = x if self.norm_act is None else self.norm_act(x)
        return (x[:, 0] if headless else x), new


def _distances(queries: int, keys: int) -> Tensor:
    """The row of the table of positions of each pair, on the finer of the two grids."""
    fine_q, fine_k = max(keys / queries, 1.0), max(queries / keys, 1.0)
    q, k = torch.arange(queries)[:, None] * fine_q, torch.arange(keys)[None, :] * fine_k
    return (q - k + (keys - 1) * fine_k).long()


def _positions(table: Tensor, queries: int, keys: int) -> Tensor:
    """The vectors of each pair's distance, (queries, keys, C)."""
    rows = 2 * max(queries, keys) - 1
    if len(table) != rows:
        table = F.interpolate(table.T[None], size=rows, mode="linear")[0].T
    return table[_distances(queries, keys)]


class MultiscaleAttention(nn.Module):
    """Attention of pooled queries to pooled keys and values."""

    def __init__(
        self,
        input_size: list[int],
        embed_dim: int,
        output_dim: int,
        num_heads: int,
        kernel_q: list[int],
        kernel_kv: list[int],
        stride_q: list[int],
        stride_kv: list[int],
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        dropout: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.output_dim = output_dim
        self.num_heads = num_heads
        self.head_dim = output_dim // num_heads
        self.scaler = 1.0 / math.sqrt(self.head_dim)
        self.residual_pool = residual_pool
        self.residual_with_cls_embed = residual_with_cls_embed
        self.qkv = nn.Linear(embed_dim, 3 * output_dim)
        layers: list[nn.Module] = [nn.Linear(output_dim, output_dim)]
        if dropout > 0.0:
            layers.append(nn.Dropout(dropout, inplace=True))
        self.project = nn.Sequential(*layers)
        self.pool_q = self._pool(kernel_q, stride_q, norm_layer)
        self.pool_k = self._pool(kernel_kv, stride_kv, norm_layer)
        self.pool_v = self._pool(kernel_kv, stride_kv, norm_layer)
        tables: list[Any] = [None, None, None]
        if rel_pos_embed:
            size = max(input_size[1:])
            edges = [size // stride[1] if stride else size for stride in (stride_q, stride_kv)]
            rows = [2 * max(edges) - 1] * 2 + [2 * input_size[0] - 1]
            tables = [nn.Parameter(torch.zeros(count, self.head_dim)) for count in rows]
            for table in tables:
                nn.init.trunc_normal_(table, std=0.02)
        self.rel_pos_h, self.rel_pos_w, self.rel_pos_t = tables

    def _pool(self, kernel: list[int], stride: list[int], norm_layer: Layer) -> Pool | None:
        if math.prod(kernel) <= 1 and math.prod(stride) <= 1:
            return None
        conv = nn.Conv3d(
            self.head_dim,
            self.head_dim,
            tuple(kernel),  # type: ignore[arg-type]
            stride=tuple(stride),  # type: ignore[arg-type]
            padding=tuple(k // 2 for k in kernel),  # type: ignore[arg-type]
            groups=self.head_dim,
            bias=False,
        )
        return Pool(conv, norm_layer(self.head_dim))

    def _placed(self, attn: Tensor, q: Tensor, q_thw: Grid, k_thw: Grid) -> Tensor:
        """Scores plus what queries say of the distances along each axis."""
        queries = q[:, :, 1:].reshape(*q.shape[:2], *q_thw, q.shape[-1])
        along = []
        for axis, table, letter in (
            (0, self.rel_pos_t, "t"),
            (1, self.rel_pos_h, "h"),
            (2, self.rel_pos_w, "w"),
        ):
            vectors = _positions(table, q_thw[axis], k_thw[axis])
            along.append(torch.einsum(f"bythwc,{letter}kc->bythwk", queries, vectors))
        t, h, w = along
        total = t[..., :, None, None] + h[..., None, :, None] + w[..., None, None, :]
        total = total.reshape(*attn.shape[:2], math.prod(q_thw), math.prod(k_thw))
        return attn + F.pad(total, (1, 0, 1, 0))

    def forward(self, x: Tensor, thw: Grid) -> tuple[Tensor, Grid]:
        n, tokens, _ = x.shape
        qkv = self.qkv(x).reshape(n, tokens, 3, self.num_heads, self.head_dim)
        q, k, v = qkv.transpose(1, 3).unbind(dim=2)  # N, heads, tokens, head
        k_thw = thw
        if self.pool_k is not None:
            k, k_thw = self.pool_k(k, thw)
        if self.pool_v is not None:
            v = self.pool_v(v, thw)[0]
        if self.pool_q is not None:
            q, thw = self.pool_q(q, thw)
        attn = torch.matmul(self.scaler * q, k.transpose(2, 3))
        if self.rel_pos_h is not None:
            attn = self._placed(attn, q, thw, k_thw)
        out = torch.matmul(attn.softmax(dim=-1), v)
        if self.residual_pool:
            kept = q if self.residual_with_cls_embed else F.pad(q[:, :, 1:], (0, 0, 1, 0))
            out = out + kept
        return self.project(out.transpose(1, 2).reshape(n, -1, self.output_dim)), thw


class MultiscaleBlock(nn.Module):
    """Attention and a two-layer network; the way around them is pooled and widened with them."""

    def __init__(
        self,
        input_size: list[int],
        cnf: MSBlockConfig,
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.proj_after_attn = proj_after_attn
        self.pool_skip: Pool | None = None
        if math.prod(cnf.stride_q) > 1:
            kernel: Any = [s + 1 if s > 1 else s for s in cnf.stride_q]
            stride: Any = cnf.stride_q
            padding: Any = [k // 2 for k in kernel]
            self.pool_skip = Pool(nn.MaxPool3d(kernel, stride=stride, padding=padding), None)
        width = cnf.output_channels if proj_after_attn else cnf.input_channels
        self.norm1 = norm_layer(cnf.input_channels)
        self.norm2 = norm_layer(width)
        self.attn = MultiscaleAttention(
            input_size,
            cnf.input_channels,
            width,
            cnf.num_heads,
            kernel_q=cnf.kernel_q,
            kernel_kv=cnf.kernel_kv,
            stride_q=cnf.stride_q,
            stride_kv=cnf.stride_kv,
            rel_pos_embed=rel_pos_embed,
            residual_pool=residual_pool,
            residual_with_cls_embed=residual_with_cls_embed,
            dropout=dropout,
            norm_layer=norm_layer,
        )
        self.mlp = MLP(
            width, [4 * width, cnf.output_channels], activation_layer=nn.GELU, dropout=dropout
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.project: nn.Module | None = None
        if cnf.input_channels != cnf.output_channels:
            self.project = nn.Linear(cnf.input_channels, cnf.output_channels)

    def forward(self, x: Tensor, thw: Grid) -> tuple[Tensor, Grid]:
        normal = self.norm1(x)
        attended, new = self.attn(normal, thw)
        if self.project is not None and self.proj_after_attn:
            x = self.project(normal)
        around = x if self.pool_skip is None else self.pool_skip(x, thw)[0]
        x = around + self.stochastic_depth(attended)
        normal = self.norm2(x)
        if self.project is not None and not self.proj_after_attn:
            x = self.project(normal)
        return x + self.stochastic_depth(self.mlp(normal)), new


class PositionalEncoding(nn.Module):
    """The class's token before the others, and where attention does not say them, positions."""

    def __init__(
        self,
        embed_size: int,
        spatial_size: tuple[int, int],
        temporal_size: int,
        rel_pos_embed: bool,
    ) -> None:
        super().__init__()
        self.spatial_size = spatial_size
        self.temporal_size = temporal_size
        self.class_token = nn.Parameter(torch.zeros(embed_size))
        self.spatial_pos: Any = None
        if not rel_pos_embed:
            self.spatial_pos = nn.Parameter(torch.zeros(math.prod(spatial_size), embed_size))
            self.temporal_pos = nn.Parameter(torch.zeros(temporal_size, embed_size))
            self.class_pos = nn.Parameter(torch.zeros(embed_size))

    def forward(self, x: Tensor) -> Tensor:
        token = self.class_token.expand(len(x), -1)[:, None]
        x = torch.cat((token, x), dim=1)
        if self.spatial_pos is None:
            return x
        place = (self.temporal_pos[:, None] + self.spatial_pos).flatten(0, 1)
        return x + torch.cat((self.class_pos[None], place), dim=0)


class MViT(nn.Module):
    """Shape: (N, 3, temporal_size, *spatial_size) to (N, num_classes)."""

    def __init__(
        self,
        spatial_size: tuple[int, int],
        temporal_size: int,
        block_setting: Sequence[MSBlockConfig],
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.5,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        num_classes: int = 400,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        patch_embed_kernel: Grid = (3, 7, 7),
        patch_embed_stride: Grid = (2, 4, 4),
        patch_embed_padding: Grid = (1, 3, 3),
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("The configuration parameter can't be empty.")
        make = block or MultiscaleBlock
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        first = block_setting[0].input_channels
        self.conv_proj = nn.Conv3d(
            3, first, patch_embed_kernel, stride=patch_embed_stride, padding=patch_embed_padding
        )
        size = [
            edge // stride
            for edge, stride in zip((temporal_size, *spatial_size), patch_embed_stride)
        ]
        self.pos_encoding = PositionalEncoding(
            first, (size[1], size[2]), size[0], rel_pos_embed=rel_pos_embed
        )
        self.blocks = nn.ModuleList()
        for i, cnf in enumerate(block_setting):
            made = make(
                input_size=size,
                cnf=cnf,
                residual_pool=residual_pool,
                residual_with_cls_embed=residual_with_cls_embed,
                rel_pos_embed=rel_pos_embed,
                proj_after_attn=proj_after_attn,
                dropout=attention_dropout,
                stochastic_depth_prob=stochastic_depth_prob * i / (len(block_setting) - 1.0),
                norm_layer=norm,
            )
            self.blocks.append(made)
            if cnf.stride_q:
                size = [edge // stride for edge, stride in zip(size, cnf.stride_q)]
        last = block_setting[-1].output_channels
        self.norm = norm(last)
        self.head = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes))
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.constant_(m.bias, 0.0)
            elif isinstance(m, nn.LayerNorm):
                nn.init.constant_(m.weight, 1.0)
                nn.init.constant_(m.bias, 0.0)
            elif isinstance(m, PositionalEncoding):
                for parameter in m.parameters():
                    nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = self.pos_encoding(x)
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.head(self.norm(x)[:, 0])


_STARTS = (1, 3, 14)  # blocks at which there are half the places and twice the heads
_DEPTH = 16


def _setting(pools_all: bool, widens_before: bool) -> list[MSBlockConfig]:
    """Of 16 blocks in four stages.

    Args:
        pools_all: queries are pooled in every block, not only where a stage starts.
        widens_before: the last block of a stage widens, not the first of the next.
    """
    setting, width = [], 96
    for i in range(_DEPTH):
        stage = sum(i >= start for start in _STARTS)
        first = i in _STARTS
        out = 96 * 2 ** sum(i + widens_before >= start for start in _STARTS)
        pooled = first or pools_all
        keep = 8 // 2**stage
        setting.append(
            MSBlockConfig(
                num_heads=2**stage,
                input_channels=width,
                output_channels=out,
                kernel_q=[3, 3, 3] if pooled else [],
                kernel_kv=[3, 3, 3],
                stride_q=([1, 2, 2] if first else [1, 1, 1]) if pooled else [],
                stride_kv=[1, keep, keep],
            )
        )
        width = out
    return setting


@register_model()
def mvit_v1_b(**kwargs: Any) -> MViT:
    """MViT, base, of 16 frames of 224."""
    return MViT(
        **{
            "spatial_size": (224, 224),
            "temporal_size": 16,
            "block_setting": _setting(False, True),
            "residual_pool": False,
            "residual_with_cls_embed": False,
            "rel_pos_embed": False,
            "proj_after_attn": False,
            "stochastic_depth_prob": 0.2,
            **kwargs,
        }
    )


@register_model()
def mvit_v2_s(**kwargs: Any) -> MViT:
    """MViT, second version, small, of 16 frames of 224."""
    return MViT(
        **{
            "spatial_size": (224, 224),
            "temporal_size": 16,
            "block_setting": _setting(True, False),
            "residual_pool": True,
            "residual_with_cls_embed": False,
            "rel_pos_embed": True,
            "proj_after_attn": True,
            "stochastic_depth_prob": 0.2,
            **kwargs,
        }
    )
