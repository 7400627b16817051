"""ShuffleNet v2.

Reference: N. Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
Design", 2018, arXiv:1807.11164.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.registry import register_model

__all__ = [
    "ShuffleNetV2",
    "channel_shuffle",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
]


def _pointwise(inp: int, oup: int) -> list[nn.Module]:
    return [nn.Conv2d(inp, oup, 1, bias=False), nn.BatchNorm2d(oup), nn.ReLU(inplace=True)]


def _depthwise(channels: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
    return [conv, nn.BatchNorm2d(channels)]


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """As ``nn.functional.channel_shuffle``, under torchvision's name."""
    return nn.functional.channel_shuffle(x, groups)


class InvertedResidual(nn.Module):
    """Half the channels pass (or are reduced), half are convolved; then both are interleaved."""

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= 3:
            raise ValueError(f"InvertedResidual: expected stride 1, 2 or 3, got {stride}.")
        half = oup // 2
        if stride == 1 and inp != half * 2:
            raise ValueError(
                f"InvertedResidual: stride 1 keeps the channels, got inp={inp}, oup={oup}."
            )
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(*_depthwise(inp, stride), *_pointwise(inp, half))
        self.branch2 = nn.Sequential(
            *_pointwise(inp if stride > 1 else half, half),
            *_depthwise(half, stride),
            *_pointwise(half, half),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            kept, other = x.chunk(2, dim=1)
            out = torch.cat((kept, self.branch2(other)), dim=1)
        else:
            out = torch.cat((self.branch1(x), self.branch2(x)), dim=1)
        return channel_shuffle(out, 2)


class ShuffleNetV2(nn.Module):
    """A stem, three stages, a mean, a linear classifier. Shape: (N, 3, H, W) to (N, classes)."""

    def __init__(
        self,
        stages_repeats: list[int],
        stages_out_channels: list[int],
        num_classes: int = 1000,
        inverted_residual: Callable[..., nn.Module] = InvertedResidual,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise ValueError(f"ShuffleNetV2: expected 3 stages_repeats, got {stages_repeats}.")
        if len(stages_out_channels) != 5:
            raise ValueError(
                f"ShuffleNetV2: expected 5 stages_out_channels, got {stages_out_channels}."
            )
        self._stage_out_channels = stages_out_channels
        first, *widths, last = stages_out_channels
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = first
        stages = []
        for repeats, width in zip(stages_repeats, widths):
            blocks = [inverted_residual(channels, width, 2)]
            blocks += [inverted_residual(width, width, 1) for _ in range(repeats - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = width
        self.stage2, self.stage3, self.stage4 = stages
        self.conv5 = nn.Sequential(*_pointwise(channels, last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))  # N, 24, H/4, W/4
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))  # N, E, H/32, W/32
        return self.fc(x.mean([2, 3]))


WIDTHS = {
    "shufflenet_v2_x0_5": [24, 48, 96, 192, 1024],
    "shufflenet_v2_x1_0": [24, 116, 232, 464, 1024],
    "shufflenet_v2_x1_5": [24, 176, 352, 704, 1024],
    "shufflenet_v2_x2_0": [24, 244, 488, 976, 2048],
}


def _builder(name: str) -> Callable[..., ShuffleNetV2]:
    def build(**kwargs: Any) -> ShuffleNetV2:
        return ShuffleNetV2([4, 8, 4], WIDTHS[name], **kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: stages of {WIDTHS[name][1:4]} channels."
    return register_model()(build)


shufflenet_v2_x0_5 = _builder("shufflenet_v2_x0_5")
shufflenet_v2_x1_0 = _builder("shufflenet_v2_x1_0")
shufflenet_v2_x1_5 = _builder("shufflenet_v2_x1_5")
shufflenet_v2_x2_0 = _builder("shufflenet_v2_x2_0")
