"""What segmentation models share: a backbone, heads, outputs of the image's size.

Also how ResNet and MobileNet v3 become backbones. Stands on the models.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.mobilenetv3 import mobilenet_v3_large
from flambeau.vision.models.registry import get_model

__all__ = ["SimpleSegmentationModel", "dilated_mobilenet", "dilated_resnet", "resized", "stages"]


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear, to the height and width of another tensor."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class SimpleSegmentationModel(nn.Module):
    """A head over the backbone's last features, and an auxiliary one over earlier ones.

    Shape: (N, 3, H, W) to a dict of ``out`` (and ``aux``): (N, num_classes, H, W).
    """

    def __init__(
        self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.backbone(x)
        result = OrderedDict(out=resized(self.classifier(features["out"]), x))
        if self.aux_classifier is not None:
            result["aux"] = resized(self.aux_classifier(features["aux"]), x)
        return result


def dilated_resnet(name: str, weights: Any) -> nn.Module:
    """A ResNet whose last two stages are dilated instead of strided."""
    return get_model(name, weights=weights, replace_stride_with_dilation=[False, True, True])


def dilated_mobilenet(weights: Any) -> nn.Sequential:
    """The features of MobileNet v3, large, with a dilated tail."""
    features: nn.Sequential = mobilenet_v3_large(weights=weights, dilated=True).features
    return features


def stages(features: nn.Sequential) -> list[int]:
    """Where the sizes of MobileNet's features change: the first, each strided block, the last."""
    strided = [i for i, block in enumerate(features) if getattr(block, "_is_cn", False)]
    return [0, *strided, len(features) - 1]
