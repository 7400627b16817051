"""SSDlite over MobileNet v3: depthwise heads, images of 320 pixels.

Reference: A. Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244; M. Sandler et
al., "MobileNetV2", 2018, arXiv:1801.04381.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.detection._utils import retrieve_out_channels
from flambeau.vision.models.detection.anchor_utils import DefaultBoxGenerator
from flambeau.vision.models.detection.backbone_utils import freeze, trainable
from flambeau.vision.models.detection.dense import Outputs, gaussian_init
from flambeau.vision.models.detection.faster_rcnn import registered
from flambeau.vision.models.detection.ssd import SSD, SSDScoringHead, fixed_size
from flambeau.vision.models.registry import get_model
from flambeau.vision.models.segmentation.base import stages
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["ssdlite320_mobilenet_v3_large"]

Norm = Callable[..., nn.Module]


def _depthwise(channels: int, norm: Norm, stride: int = 1) -> nn.Module:
    return Conv2dNormActivation(
        channels, channels, 3, stride, groups=channels, norm_layer=norm, activation_layer=nn.ReLU6
    )


def _pointwise(channels: int, out: int, norm: Norm) -> nn.Module:
    return Conv2dNormActivation(channels, out, 1, norm_layer=norm, activation_layer=nn.ReLU6)


def _prediction(channels: int, out: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(_depthwise(channels, norm), nn.Conv2d(channels, out, 1))


def _further(channels: int, out: int, norm: Norm) -> nn.Sequential:
    narrow = out // 2
    return nn.Sequential(
        _pointwise(channels, narrow, norm),
        _depthwise(narrow, norm, stride=2),
        _pointwise(narrow, out, norm),
    )


def _layers(
    in_channels: list[int], num_anchors: list[int], columns: int, norm: Norm
) -> nn.ModuleList:
    made = nn.ModuleList(
        _prediction(width, columns * anchors, norm)
        for width, anchors in zip(in_channels, num_anchors)
    )
    gaussian_init(made, std=0.03)
    return made


class SSDLiteClassificationHead(SSDScoringHead):
    """Logits of every box and class."""

    def __init__(
        self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Norm
    ) -> None:
        super().__init__(_layers(in_channels, num_anchors, num_classes, norm_layer), num_classes)


class SSDLiteRegressionHead(SSDScoringHead):
    """How every box is moved."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], norm_layer: Norm) -> None:
        super().__init__(_layers(in_channels, num_anchors, 4, norm_layer), 4)


class SSDLiteHead(nn.Module):
    """Classes and boxes."""

    def __init__(
        self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Norm
    ) -> None:
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer
        )
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: list[Tensor]) -> Outputs:
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """MobileNet's features, cut within the block at ``c4_pos``, and four smaller maps behind."""

    def __init__(
        self,
        backbone: Any,
        c4_pos: int,
        norm_layer: Norm,
        width_mult: float = 1.0,
        min_depth: int = 16,
    ) -> None:
        super().__init__()
        block = backbone[c4_pos]
        if block.use_res_connect:
            raise AssertionError("backbone[c4_pos] has a way around it and cannot be cut.")
        self.features = nn.Sequential(
            nn.Sequential(*backbone[:c4_pos], block.block[0]),
            nn.Sequential(block.block[1:], *backbone[c4_pos + 1 :]),
        )
        widths = [backbone[-1].out_channels]
        widths += [max(min_depth, int(width * width_mult)) for width in (512, 256, 256, 128)]
        self.extra = nn.ModuleList(
            _further(before, after, norm_layer) for before, after in zip(widths, widths[1:])
        )
        gaussian_init(self.extra, std=0.03)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), each) for i, each in enumerate(maps))


@registered(backbone="mobilenet_v3_large")
def ssdlite320_mobilenet_v3_large(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    norm_layer: Norm | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> SSD:
    """SSDlite over MobileNet v3, large, for images of 320 pixels."""
    size = fixed_size("ssdlite320_mobilenet_v3_large", 320, kwargs)
    is_trained = trained or weights_backbone is not None
    count = trainable(is_trained, trainable_backbone_layers, 6, 6)
    norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    model = get_model(
        "mobilenet_v3_large",
        weights=weights_backbone,
        norm_layer=norm,
        reduced_tail=weights_backbone is None,
    )
    if weights_backbone is None:
        gaussian_init(model, std=0.03)
    starts = stages(model.features)
    freeze(model.features, count, starts)
    backbone = SSDLiteFeatureExtractorMobileNet(model.features, starts[-2], norm)
    anchors = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    widths = retrieve_out_channels(backbone, size)
    per_place = anchors.num_anchors_per_location()
    options = {
        "score_thresh": 0.001,
        "nms_thresh": 0.55,
        "detections_per_img": 300,
        "topk_candidates": 300,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        **kwargs,
    }
    head = SSDLiteHead(widths, per_place, num_classes or 91, norm)
    return SSD(backbone, anchors, size, num_classes or 91, head=head, **options)
