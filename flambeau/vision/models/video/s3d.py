"""S3D: Inception for videos, its convolutions over space and time one after the other.

Reference: S. Xie et al., "Rethinking Spatiotemporal Feature Learning", 2017, arXiv:1712.04851.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.registry import register_model
from flambeau.vision.ops.misc import Conv3dNormActivation

__all__ = ["S3D", "s3d"]

Norm = Callable[..., nn.Module]


class TemporalSeparableConv(nn.Sequential):
    """1xKxK, then Kx1x1."""

    def __init__(
        self,
        in_planes: int,
        out_planes: int,
        kernel_size: int,
        stride: int,
        padding: int,
        norm_layer: Norm,
    ) -> None:
        k, s, p = kernel_size, stride, padding
        super().__init__(
            Conv3dNormActivation(
                in_planes,
                out_planes,
                kernel_size=(1, k, k),
                stride=(1, s, s),
                padding=(0, p, p),
                bias=False,
                norm_layer=norm_layer,
            ),
            Conv3dNormActivation(
                out_planes,
                out_planes,
                kernel_size=(k, 1, 1),
                stride=(s, 1, 1),
                padding=(p, 0, 0),
                bias=False,
                norm_layer=norm_layer,
            ),
        )


class SepInceptionBlock3D(nn.Module):
    """Four branches side by side; ``widths`` are theirs, middles of the second and third first."""

    def __init__(self, in_planes: int, widths: tuple[int, ...], norm_layer: Norm) -> None:
        super().__init__()
        b0, b1_mid, b1, b2_mid, b2, b3 = widths

        def point(out: int) -> nn.Module:
            return Conv3dNormActivation(in_planes, out, 1, stride=1, norm_layer=norm_layer)

        def branch(middle: int, out: int) -> nn.Module:
            first = point(middle)
            return nn.Sequential(first, TemporalSeparableConv(middle, out, 3, 1, 1, norm_layer))

        self.branch0 = point(b0)
        self.branch1 = branch(b1_mid, b1)
        self.branch2 = branch(b2_mid, b2)
        self.branch3 = nn.Sequential(nn.MaxPool3d((3, 3, 3), stride=1, padding=1), point(b3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)), 1)


# Of each stage after the stem the pooling before it, and the widths of its blocks.
STAGES: list[tuple[tuple[Any, Any, Any], list[tuple[int, ...]]]] = [
    (((1, 3, 3), (1, 2, 2), (0, 1, 1)), [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)]),
    (
        ((3, 3, 3), (2, 2, 2), (1, 1, 1)),
        [
            (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64),
            (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128),
        ],
    ),
    (
        ((2, 2, 2), (2, 2, 2), (0, 0, 0)),
        [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
    ),
]


class S3D(nn.Module):
    """Shape: (N, 3, T, H, W), at least 14 frames of 224, to (N, num_classes)."""

    def __init__(
        self, num_classes: int = 400, dropout: float = 0.2, norm_layer: Norm | None = None
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm3d, eps=0.001, momentum=0.001)
        layers: list[nn.Module] = [
            TemporalSeparableConv(3, 64, 7, 2, 3, norm),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            Conv3dNormActivation(64, 64, kernel_size=1, stride=1, norm_layer=norm),
            TemporalSeparableConv(64, 192, 3, 1, 1, norm),
        ]
        channels = 192
        for (kernel, stride, padding), blocks in STAGES:
            layers.append(nn.MaxPool3d(kernel, stride=stride, padding=padding))
            for widths in blocks:
                layers.append(SepInceptionBlock3D(channels, widths, norm))
                channels = widths[0] + widths[2] + widths[4] + widths[5]
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Conv3d(channels, num_classes, 1, stride=1, bias=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@register_model()
def s3d(**kwargs: Any) -> S3D:
    """S3D."""
    return S3D(**kwargs)
