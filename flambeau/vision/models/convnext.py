"""ConvNeXt.

Reference: Z. Liu et al., "A ConvNet for the 2020s", 2022, arXiv:2201.03545.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau import nn, ones
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.ops.misc import Conv2dNormActivation, Permute
from flambeau.vision.ops.stochastic_depth import StochasticDepth

__all__ = ["ConvNeXt", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny"]

Layer = Callable[..., nn.Module]


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization over the channels of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """7x7 convolution of each channel, then a two-layer network at each place."""

    def __init__(
        self,
        dim: int,
        layer_scale: float,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, 7, padding=3, groups=dim, bias=True),
            Permute([0, 2, 3, 1]),
            norm(dim),
            nn.Linear(dim, 4 * dim),
            nn.GELU(),
            nn.Linear(4 * dim, dim),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(ones(dim, 1, 1) * layer_scale)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        result = self.layer_scale * self.block(input)
        result = self.stochastic_depth(result)
        result += input
        return result


class CNBlockConfig:
    """One stage: its channels, those of the next (None for the last), its blocks."""

    def __init__(self, input_channels: int, out_channels: int | None, num_layers: int) -> None:
        self.input_channels = input_channels
        self.out_channels = out_channels
        self.num_layers = num_layers

    def __repr__(self) -> str:
        fields = ", ".join(f"{key}={value}" for key, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


class ConvNeXt(nn.Module):
    """A stem of patches, stages of blocks, a linear classifier.

    Shape: (N, 3, H, W) to (N, num_classes).
    """

    def __init__(
        self,
        block_setting: list[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("ConvNeXt: expected block_setting not to be empty.")
        if not all(isinstance(s, CNBlockConfig) for s in block_setting):
            raise TypeError(
                "ConvNeXt: expected block_setting to be a list of CNBlockConfig, got "
                f"{block_setting}."
            )
        block = block or CNBlock
        norm = norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [
            Conv2dNormActivation(
                3,
                block_setting[0].input_channels,
                kernel_size=4,
                stride=4,
                padding=0,
                norm_layer=norm,
                activation_layer=None,
                bias=True,
            )
        ]
        total, made = sum(cnf.num_layers for cnf in block_setting), 0
        for cnf in block_setting:
            stage = []
            for _ in range(cnf.num_layers):
                # The deeper a block, the more often it is dropped.
                drop = stochastic_depth_prob * made / (total - 1.0)
                stage.append(block(cnf.input_channels, layer_scale, drop))
                made += 1
            layers.append(nn.Sequential(*stage))
            if cnf.out_channels is not None:
                down = nn.Conv2d(cnf.input_channels, cnf.out_channels, 2, 2)
                layers.append(nn.Sequential(norm(cnf.input_channels), down))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        last = block_setting[-1]
        channels = last.input_channels if last.out_channels is None else last.out_channels
        self.classifier = nn.Sequential(
            norm(channels), nn.Flatten(1), nn.Linear(channels, num_classes)
        )
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


# Channels and blocks of the stages, probability of dropping the last block.
SIZES = {
    "convnext_tiny": ([96, 192, 384, 768], [3, 3, 9, 3], 0.1),
    "convnext_small": ([96, 192, 384, 768], [3, 3, 27, 3], 0.4),
    "convnext_base": ([128, 256, 512, 1024], [3, 3, 27, 3], 0.5),
    "convnext_large": ([192, 384, 768, 1536], [3, 3, 27, 3], 0.5),
}


def _builder(name: str) -> Callable[..., ConvNeXt]:
    widths, depths, drop = SIZES[name]

    def build(stochastic_depth_prob: float = drop, **kwargs: Any) -> ConvNeXt:
        rows = zip(widths, [*widths[1:], None], depths)
        return ConvNeXt([CNBlockConfig(*row) for row in rows], stochastic_depth_prob, **kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: stages of {widths} channels and {depths} blocks."
    return register_model()(build)


convnext_base = _builder("convnext_base")
convnext_large = _builder("convnext_large")
convnext_small = _builder("convnext_small")
convnext_tiny = _builder("convnext_tiny")
