"""Keypoint R-CNN: Faster R-CNN that also finds each person's key points.

Reference: K. He et al., "Mask R-CNN", 2017, arXiv:1703.06870.
"""

from __future__ import annotations

from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection.faster_rcnn import (
    FasterRCNN,
    init_convolutions,
    registered,
    resnet50_fpn,
)
from flambeau.vision.ops.poolers import MultiScaleRoIAlign

__all__ = ["KeypointRCNN", "keypointrcnn_resnet50_fpn"]


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN with a third head for key points; targets have ``keypoints`` (N, K, 3) too."""

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        min_size: Any = None,
        *args: Any,
        keypoint_roi_pool: Any = None,
        keypoint_head: Any = None,
        keypoint_predictor: Any = None,
        num_keypoints: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(keypoint_roi_pool, (MultiScaleRoIAlign, type(None))):
            raise TypeError("keypoint_roi_pool should be of type MultiScaleRoIAlign or None "
                            f"instead of {type(keypoint_roi_pool)}")  # fmt: skip
        if num_classes is not None and keypoint_predictor is not None:
            raise ValueError("num_classes should be None when keypoint_predictor is specified")
        pool = keypoint_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, (512,) * 8)
        predictor = keypoint_predictor or KeypointRCNNPredictor(512, num_keypoints or 17)
        sizes = (640, 672, 704, 736, 768, 800) if min_size is None else min_size
        super().__init__(backbone, num_classes, sizes, *args, **kwargs)
        heads: Any = self.roi_heads
        heads.keypoint_roi_pool = pool
        heads.keypoint_head = head
        heads.keypoint_predictor = predictor


class KeypointRCNNHeads(nn.Sequential):
    """3x3 convolutions over a region's features."""

    def __init__(self, in_channels: int, layers: Any) -> None:
        blocks: list[nn.Module] = []
        for width in layers:
            blocks += [nn.Conv2d(in_channels, width, 3, 1, 1), nn.ReLU(inplace=True)]
            in_channels = width
        super().__init__(*blocks)
        init_convolutions(self)


class KeypointRCNNPredictor(nn.Module):
    """A heatmap for each key point, four times the size."""

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(
            in_channels, num_keypoints, 4, stride=2, padding=1
        )
        layer = self.kps_score_lowres
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        assert layer.bias is not None
        nn.init.constant_(layer.bias, 0)
        self.up_scale = 2
        self.out_channels = num_keypoints

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(
            self.kps_score_lowres(x),
            scale_factor=float(self.up_scale),
            mode="bilinear",
            align_corners=False,
            recompute_scale_factor=False,
        )


@registered(old=True)
def keypointrcnn_resnet50_fpn(
    *,
    num_classes: int | None = None,
    num_keypoints: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> KeypointRCNN:
    """Keypoint R-CNN over ResNet-50."""
    backbone = resnet50_fpn(weights_backbone, trainable_backbone_layers, trained)
    return KeypointRCNN(
        backbone, num_classes=num_classes or 2, num_keypoints=num_keypoints or 17, **kwargs
    )
