"""The vision transformer.

Reference: A. Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020, arXiv:2010.11929; the
convolutional stem: T. Xiao et al., "Early Convolutions Help Transformers See Better", 2021,
arXiv:2106.14881.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flambeau as torch
from flambeau import empty, fx, nn, zeros
from flambeau.core.tensor import Tensor
from flambeau.vision.models.registry import register_model
from flambeau.vision.ops.misc import MLP, Conv2dNormActivation

__all__ = [
    "VisionTransformer",
    "interpolate_embeddings",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]

Layer = Callable[..., nn.Module]
NORM = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution of a convolutional stem."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """The two-layer network of a block."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(
            in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout
        )
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        if (local_metadata.get("version") or 1) < 2:  # layers had names once
            for old, new in (("linear_1", "0"), ("linear_2", "3")):
                for kind in ("weight", "bias"):
                    if (key := f"{prefix}{old}.{kind}") in state_dict:
                        state_dict[f"{prefix}{new}.{kind}"] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class EncoderBlock(nn.Module):
    """Attention and a two-layer network, each around a normalized input: (N, L, E) to the same."""

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = NORM,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(
            hidden_dim, num_heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Positions added, then the blocks: (N, L, E) to the same."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = NORM,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        sizes = (num_heads, hidden_dim, mlp_dim, dropout, attention_dropout)
        self.layers = nn.Sequential(
            OrderedDict(
                (f"encoder_layer_{i}", EncoderBlock(*sizes, norm_layer)) for i in range(num_layers)
            )
        )
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


@fx.wrap  # the images' size is not known while the model is traced
def _check_sides(x: Tensor, size: int) -> None:
    if tuple(x.shape[2:]) != (size, size):
        raise AssertionError(
            f"VisionTransformer: expected images of {size} by {size}, got {tuple(x.shape[2:])}."
        )


class VisionTransformer(nn.Module):
    """Patches as words, a class token, an encoder, a linear head on the token.

    Shape: (N, 3, image_size, image_size) to (N, num_classes).
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Layer = NORM,
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise AssertionError(
                f"VisionTransformer: expected image_size to be a multiple of patch_size, got "
                f"{image_size} and {patch_size}."
            )
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        self.conv_proj: nn.Module
        if conv_stem_configs is None:
            self.conv_proj = nn.Conv2d(3, hidden_dim, patch_size, patch_size)
        else:
            self.conv_proj, channels = nn.Sequential(), 3
            for i, (out, kernel, stride, norm, activation) in enumerate(conv_stem_configs):
                layer = Conv2dNormActivation(
                    channels, out, kernel, stride, norm_layer=norm, activation_layer=activation
                )
                self.conv_proj.add_module(f"conv_bn_relu_{i}", layer)
                channels = out
            self.conv_proj.add_module("conv_last", nn.Conv2d(channels, hidden_dim, 1))
        self.class_token = nn.Parameter(zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length,
            num_layers,
            num_heads,
            hidden_dim,
            mlp_dim,
            dropout,
            attention_dropout,
            norm_layer,
        )
        heads: OrderedDict[str, nn.Module] = OrderedDict()
        if representation_size is not None:
            heads["pre_logits"] = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
        heads["head"] = nn.Linear(representation_size or hidden_dim, num_classes)
        self.heads = nn.Sequential(heads)
        self._draw()

    def _draw(self) -> None:
        """The first weights of the stem and the head, which starts at zero."""
        if isinstance(self.conv_proj, nn.Conv2d):
            fan_in = self.conv_proj.in_channels * self.patch_size**2
            nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
            if self.conv_proj.bias is not None:
                nn.init.zeros_(self.conv_proj.bias)
        else:
            last = self.conv_proj.conv_last
            nn.init.normal_(last.weight, mean=0.0, std=math.sqrt(2.0 / last.out_channels))
            nn.init.zeros_(last.bias)
        if self.representation_size is not None:
            first = self.heads.pre_logits
            nn.init.trunc_normal_(first.weight, std=math.sqrt(1 / first.in_features))
            nn.init.zeros_(first.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def _process_input(self, x: Tensor) -> Tensor:
        _check_sides(x, self.image_size)
        return self.conv_proj(x).flatten(2).permute(0, 2, 1)  # N, patches, E

    def forward(self, x: Tensor) -> Tensor:
        x = self._process_input(x)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)  # N, 1 + patches, E
        return self.heads(self.encoder(x)[:, 0])


# Patch, layers, heads, hidden, two-layer network's hidden.
SIZES = {
    "vit_b_16": (16, 12, 12, 768, 3072),
    "vit_b_32": (32, 12, 12, 768, 3072),
    "vit_l_16": (16, 24, 16, 1024, 4096),
    "vit_l_32": (32, 24, 16, 1024, 4096),
    "vit_h_14": (14, 32, 16, 1280, 5120),
}


def _builder(name: str) -> Callable[..., VisionTransformer]:
    def build(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
        return VisionTransformer(image_size, *SIZES[name], **kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: patches of {SIZES[name][0]}, {SIZES[name][1]} blocks."
    return register_model()(build)


vit_b_16 = _builder("vit_b_16")
vit_b_32 = _builder("vit_b_32")
vit_h_14 = _builder("vit_h_14")
vit_l_16 = _builder("vit_l_16")
vit_l_32 = _builder("vit_l_32")


def interpolate_embeddings(
    image_size: int,
    patch_size: int,
    model_state: OrderedDict[str, Tensor],
    interpolation_mode: str = "bicubic",
    reset_heads: bool = False,
) -> OrderedDict[str, Tensor]:
    """The state dict of a trained model for images of another size: its embeddings of positions are
    a picture, which is resized; that of the class stays.

    Args:
        image_size: side of the new model's images in pixels.
        patch_size: side of its patches in pixels.
        model_state: the trained model's state dict, square images'; given back, with the new entry.
        interpolation_mode: as ``nn.functional.interpolate``'s, with aligned corners.
        reset_heads: leave out the heads' entries where the size differs.

    Raises:
        ValueError: embeddings of more than one batch or of images that are no squares.
    """
    key, side = "encoder.pos_embedding", image_size // patch_size
    batch, length, width = model_state[key].shape
    if batch != 1:
        raise ValueError(f"Unexpected position embedding shape: {model_state[key].shape}")
    if length == side**2 + 1:
        return model_state
    old = math.isqrt(length - 1)
    if old**2 != length - 1:
        raise ValueError(
            f"interpolate_embeddings: {length - 1} positions are not a perfect square of patches."
        )
    first, places = model_state[key][:, :1], model_state[key][:, 1:]
    picture = places.permute(0, 2, 1).reshape(1, width, old, old)
    picture = nn.functional.interpolate(
        picture, size=side, mode=interpolation_mode, align_corners=True
    )
    found = picture.reshape(1, width, side**2).permute(0, 2, 1)
    model_state[key] = torch.cat([first, found], dim=1)
    if not reset_heads:
        return model_state
    return OrderedDict((k, v) for k, v in model_state.items() if not k.startswith("heads"))
