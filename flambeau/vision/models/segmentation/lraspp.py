"""LR-ASPP over MobileNet v3.

Reference: A. Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models._utils import IntermediateLayerGetter
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.segmentation.base import dilated_mobilenet, resized, stages

__all__ = ["LRASPP", "lraspp_mobilenet_v3_large"]


class LRASPPHead(nn.Module):
    """Features of two depths, the deeper gated by its mean, as classes at the finer size."""

    def __init__(
        self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int
    ) -> None:
        super().__init__()
        self.cbr = nn.Sequential(
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.BatchNorm2d(inter_channels),
            nn.ReLU(inplace=True),
        )
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.Sigmoid(),
        )
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        low, high = input["low"], input["high"]
        high = resized(self.cbr(high) * self.scale(high), low)
        return self.low_classifier(low) + self.high_classifier(high)


class LRASPP(nn.Module):
    """LR-ASPP. Shape: (N, 3, H, W) to a dict of ``out``: (N, num_classes, H, W)."""

    def __init__(
        self,
        backbone: nn.Module,
        low_channels: int,
        high_channels: int,
        num_classes: int,
        inter_channels: int = 128,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        return OrderedDict(out=resized(self.classifier(self.backbone(input)), input))


@register_model(backbone="mobilenet_v3_large")
def lraspp_mobilenet_v3_large(
    *, num_classes: int | None = None, weights_backbone: Any = None, **kwargs: Any
) -> LRASPP:
    """LR-ASPP over MobileNet v3, large."""
    features = dilated_mobilenet(weights_backbone)
    low, high = (stages(features)[k] for k in (-4, -1))
    body = IntermediateLayerGetter(features, {str(low): "low", str(high): "high"})
    classes = 21 if num_classes is None else num_classes
    widths = features[low].out_channels, features[high].out_channels
    return LRASPP(body, *widths, classes, **kwargs)
