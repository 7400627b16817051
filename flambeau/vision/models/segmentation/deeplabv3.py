"""DeepLab v3 over ResNet and MobileNet v3.

Reference: L.-C. Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation",
2017, arXiv:1706.05587.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models._utils import IntermediateLayerGetter
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.segmentation.base import (
    SimpleSegmentationModel,
    dilated_mobilenet,
    dilated_resnet,
    resized,
    stages,
)
from flambeau.vision.models.segmentation.fcn import FCNHead

__all__ = [
    "DeepLabV3",
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet101",
    "deeplabv3_resnet50",
]


class DeepLabV3(SimpleSegmentationModel):
    """DeepLab v3: a dilated backbone and convolutions of several rates side by side."""


def _conv(in_channels: int, out_channels: int, rate: int | None) -> list[nn.Module]:
    """1x1 without a rate, else 3x3 of it; normalization, activation."""
    size, pad, step = (1, 0, 1) if rate is None else (3, rate, rate)
    return [
        nn.Conv2d(in_channels, out_channels, size, padding=pad, dilation=step, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    ]


class ASPPConv(nn.Sequential):
    """A dilated 3x3 convolution."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        super().__init__(*_conv(in_channels, out_channels, dilation))


class ASPPPooling(nn.Sequential):
    """The mean of the image, convolved, at every place."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *_conv(in_channels, out_channels, None))

    def forward(self, x: Tensor) -> Tensor:
        return resized(super().forward(x), x)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, dilated 3x3s and the mean, projected to one."""

    def __init__(
        self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256
    ) -> None:
        super().__init__()
        branches: list[nn.Module] = [nn.Sequential(*_conv(in_channels, out_channels, None))]
        branches += [ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates]
        branches.append(ASPPPooling(in_channels, out_channels))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(
            *_conv(len(branches) * out_channels, out_channels, None), nn.Dropout(0.5)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.project(torch.cat([conv(x) for conv in self.convs], dim=1))


class DeepLabHead(nn.Sequential):
    """The pyramid, a 3x3 convolution, the classes."""

    def __init__(
        self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)
    ) -> None:
        super().__init__(
            ASPP(in_channels, atrous_rates), *_conv(256, 256, 1), nn.Conv2d(256, num_classes, 1)
        )


def _build(
    features: nn.Module,
    out: tuple[str, int],
    aux: tuple[str, int],
    num_classes: int | None,
    aux_loss: bool | None,
) -> DeepLabV3:
    classes = 21 if num_classes is None else num_classes
    layers = {out[0]: "out"} | ({aux[0]: "aux"} if aux_loss else {})
    body = IntermediateLayerGetter(features, layers)
    head = FCNHead(aux[1], classes) if aux_loss else None
    return DeepLabV3(body, DeepLabHead(out[1], classes), head)


@register_model(backbone="resnet50", fixed={"aux_loss": True})
def deeplabv3_resnet50(
    *, num_classes: int | None = None, aux_loss: bool | None = None, weights_backbone: Any = None
) -> DeepLabV3:
    """DeepLab v3 over ResNet-50."""
    features = dilated_resnet("resnet50", weights_backbone)
    return _build(features, ("layer4", 2048), ("layer3", 1024), num_classes, aux_loss)


@register_model(backbone="resnet101", fixed={"aux_loss": True})
def deeplabv3_resnet101(
    *, num_classes: int | None = None, aux_loss: bool | None = None, weights_backbone: Any = None
) -> DeepLabV3:
    """DeepLab v3 over ResNet-101."""
    features = dilated_resnet("resnet101", weights_backbone)
    return _build(features, ("layer4", 2048), ("layer3", 1024), num_classes, aux_loss)


@register_model(backbone="mobilenet_v3_large", fixed={"aux_loss": True})
def deeplabv3_mobilenet_v3_large(
    *, num_classes: int | None = None, aux_loss: bool | None = None, weights_backbone: Any = None
) -> DeepLabV3:
    """DeepLab v3 over MobileNet v3, large."""
    features = dilated_mobilenet(weights_backbone)
    out, aux = ((str(i), features[i].out_channels) for i in (stages(features)[k] for k in (-1, -4)))
    return _build(features, out, aux, num_classes, aux_loss)
