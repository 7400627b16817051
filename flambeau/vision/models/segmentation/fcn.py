"""Fully convolutional networks over ResNet.

Reference: J. Long, E. Shelhamer, T. Darrell, "Fully Convolutional Networks for Semantic
Segmentation", 2015, arXiv:1411.4038.
"""

from __future__ import annotations

from typing import Any

from flambeau import nn
from flambeau.vision.models._utils import IntermediateLayerGetter
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.segmentation.base import SimpleSegmentationModel, dilated_resnet

__all__ = ["FCN", "fcn_resnet101", "fcn_resnet50"]


class FCN(SimpleSegmentationModel):
    """A fully convolutional network: a backbone and a head of two convolutions."""


class FCNHead(nn.Sequential):
    """3x3 to a quarter of the channels, then 1x1 to the classes."""

    def __init__(self, in_channels: int, channels: int) -> None:
        inner = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, inner, 3, padding=1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(inner, channels, 1),
        )


def _build(name: str, num_classes: int | None, aux_loss: bool | None, backbone: Any) -> FCN:
    classes = 21 if num_classes is None else num_classes
    layers = {"layer4": "out"} | ({"layer3": "aux"} if aux_loss else {})
    body = IntermediateLayerGetter(dilated_resnet(name, backbone), layers)
    aux = FCNHead(1024, classes) if aux_loss else None
    return FCN(body, FCNHead(2048, classes), aux)


@register_model(backbone="resnet50", fixed={"aux_loss": True})
def fcn_resnet50(
    *, num_classes: int | None = None, aux_loss: bool | None = None, weights_backbone: Any = None
) -> FCN:
    """FCN over ResNet-50."""
    return _build("resnet50", num_classes, aux_loss, weights_backbone)


@register_model(backbone="resnet101", fixed={"aux_loss": True})
def fcn_resnet101(
    *, num_classes: int | None = None, aux_loss: bool | None = None, weights_backbone: Any = None
) -> FCN:
    """FCN over ResNet-101."""
    return _build("resnet101", num_classes, aux_loss, weights_backbone)
