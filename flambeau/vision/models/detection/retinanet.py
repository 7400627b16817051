"""RetinaNet over ResNet-50.

Reference: T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.detection._utils import BoxCoder, Matcher, box_loss
from flambeau.vision.models.detection.anchor_utils import AnchorGenerator
from flambeau.vision.models.detection.dense import (
    DenseDetector,
    Outputs,
    Target,
    best_of_levels,
    gaussian_init,
)
from flambeau.vision.models.detection.faster_rcnn import MEAN, STD, registered, resnet50_fpn
from flambeau.vision.models.detection.image_list import ImageList
from flambeau.vision.models.detection.rpn import by_anchor, renamed
from flambeau.vision.models.detection.transform import GeneralizedRCNNTransform
from flambeau.vision.ops.boxes import box_iou
from flambeau.vision.ops.losses import sigmoid_focal_loss
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["RetinaNet", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2"]

Norm = Callable[..., nn.Module]


def default_anchors() -> AnchorGenerator:
    """Three sizes, a third of an octave apart, for each of five maps."""
    sizes = tuple(
        (x, int(x * 2 ** (1.0 / 3)), int(x * 2 ** (2.0 / 3))) for x in (32, 64, 128, 256, 512)
    )
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


def mean_over(losses: list[Tensor], images: int) -> Tensor:
    """The sum of the images' losses by their number."""
    total = losses[0]
    for each in losses[1:]:
        total = total + each
    return total / max(1, images)


class _Tower(nn.Module):
    """Four convolutions; what follows is the subclasses'. First checkpoints had no norms."""

    _version = 2

    def __init__(self, in_channels: int, norm_layer: Norm | None) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer) for _ in "four")
        )

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        names = {f"conv.{2 * i}": f"conv.{i}.0" for i in range(4)}
        renamed(state_dict, prefix, names, local_metadata)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class RetinaNetClassificationHead(_Tower):
    """Logits of every anchor and class."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        prior_probability: float = 0.01,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__(in_channels, norm_layer)
        gaussian_init(self.conv)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, 1, 1)
        nn.init.normal_(self.cls_logits.weight, std=0.01)
        assert self.cls_logits.bias is not None
        nn.init.constant_(
            self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability)
        )
        self.num_classes = num_classes
        self.num_anchors = num_anchors

    def compute_loss(
        self, targets: list[Target], head_outputs: Outputs, matched_idxs: list[Tensor]
    ) -> Tensor:
        """Focal loss, by the number of objects."""
        losses = []
        for target, logits, matched in zip(targets, head_outputs["cls_logits"], matched_idxs):
            objects = matched >= 0
            truth = torch.zeros_like(logits)
            truth[objects, target["labels"][matched[objects]]] = 1.0
            valid = matched != Matcher.BETWEEN_THRESHOLDS
            loss = sigmoid_focal_loss(logits[valid], truth[valid], reduction="sum")
            losses.append(loss / max(1, int(objects.sum())))
        return mean_over(losses, len(targets))

    def forward(self, x: list[Tensor]) -> Tensor:
        every = (self.cls_logits(self.conv(features)) for features in x)
        return torch.cat([by_anchor(each, self.num_classes) for each in every], dim=1)


class RetinaNetRegressionHead(_Tower):
    """Boxes of every anchor."""

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Norm | None = None) -> None:
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, 1, 1)
        gaussian_init(self.bbox_reg)
        gaussian_init(self.conv)
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: Outputs,
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> Tensor:
        """The loss of the objects' boxes, by their number."""
        losses = []
        for target, moves, each, matched in zip(
            targets, head_outputs["bbox_regression"], anchors, matched_idxs
        ):
            (objects,) = torch.where(matched >= 0)
            truth = target["boxes"][matched[objects]]
            loss = box_loss(self._loss_type, self.box_coder, each[objects], truth, moves[objects])
            losses.append(loss / max(1, objects.numel()))
        return mean_over(losses, len(targets))

    def forward(self, x: list[Tensor]) -> Tensor:
        every = (self.bbox_reg(self.conv(features)) for features in x)
        return torch.cat([by_anchor(each, 4) for each in every], dim=1)


class RetinaNetHead(nn.Module):
    """A tower for classes and one for boxes."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer=norm_layer
        )
        self.regression_head = RetinaNetRegressionHead(
            in_channels, num_anchors, norm_layer=norm_layer
        )

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: Outputs,
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> Outputs:
        """Both losses."""
        regression = self.regression_head
        return {
            "classification": self.classification_head.compute_loss(
                targets, head_outputs, matched_idxs
            ),
            "bbox_regression": regression.compute_loss(
                targets, head_outputs, anchors, matched_idxs
            ),
        }

    def forward(self, x: list[Tensor]) -> Outputs:
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": self.regression_head(x),
        }


def check_backbone(backbone: Any, anchor_generator: Any) -> None:
    """Refuse what is no backbone of known width, or no generator of anchors."""
    if not hasattr(backbone, "out_channels"):
        raise ValueError(
            "backbone should contain an attribute out_channels specifying the number of output "
            "channels (assumed to be the same for all the levels)"
        )
    if not isinstance(anchor_generator, (AnchorGenerator, type(None))):
        raise TypeError(
            "anchor_generator should be of type AnchorGenerator or None instead of "
            f"{type(anchor_generator)}"
        )


class RetinaNet(DenseDetector):
    """RetinaNet over a backbone that says its ``out_channels``."""

    def __init__(
        self,
        backbone: Any,
        num_classes: int,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        anchor_generator: Any = None,
        head: Any = None,
        proposal_matcher: Any = None,
        score_thresh: float = 0.05,
        nms_thresh: float = 0.5,
        detections_per_img: int = 300,
        fg_iou_thresh: float = 0.5,
        bg_iou_thresh: float = 0.4,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        check_backbone(backbone, anchor_generator)
        self.backbone = backbone
        self.anchor_generator = anchor_generator or default_anchors()
        self.head = head or RetinaNetHead(
            backbone.out_channels, self.anchor_generator.num_anchors_per_location()[0], num_classes
        )
        self.proposal_matcher = proposal_matcher or Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.transform = GeneralizedRCNNTransform(
            min_size, max_size, image_mean or list(MEAN), image_std or list(STD), **kwargs
        )
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    def losses(
        self, targets: list[Target], outputs: Outputs, anchors: list[Tensor], per_level: list[int]
    ) -> Outputs:
        matched = [
            self.proposal_matcher(box_iou(target["boxes"], each))
            if target["boxes"].numel()
            else torch.full((len(each),), -1, dtype=torch.int64)
            for each, target in zip(anchors, targets)
        ]
        head: Any = self.head
        return head.compute_loss(targets, outputs, anchors, matched)  # type: ignore[no-any-return]

    def found(
        self, outputs: Outputs, anchors: list[Tensor], images: ImageList, per_level: list[int]
    ) -> list[Target]:
        return [
            best_of_levels(
                self,
                [torch.sigmoid(level) for level in logits.split(per_level)],
                list(boxes.split(per_level)),
                list(each.split(per_level)),
                size,
                self.box_coder.decode_single,
            )
            for logits, boxes, each, size in zip(
                outputs["cls_logits"], outputs["bbox_regression"], anchors, images.image_sizes
            )
        ]


@registered(old=True)
def retinanet_resnet50_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> RetinaNet:
    """RetinaNet over ResNet-50."""
    backbone = resnet50_fpn(
        weights_backbone,
        trainable_backbone_layers,
        trained,
        returned_layers=[2, 3, 4],
        further=(256, 256),
    )
    return RetinaNet(backbone, num_classes or 91, **kwargs)


@registered(first=None)
def retinanet_resnet50_fpn_v2(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> RetinaNet:
    """RetinaNet over ResNet-50, with normalized towers and a loss of overlaps.

    Reference: S. Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection",
    2019, arXiv:1912.02424.
    """
    backbone = resnet50_fpn(
        weights_backbone,
        trainable_backbone_layers,
        trained,
        nn.BatchNorm2d,
        returned_layers=[2, 3, 4],
        further=(2048, 256),
    )
    anchors = default_anchors()
    head = RetinaNetHead(
        backbone.out_channels,
        anchors.num_anchors_per_location()[0],
        num_classes or 91,
        norm_layer=partial(nn.GroupNorm, 32),
    )
    head.regression_head._loss_type = "giou"
    return RetinaNet(backbone, num_classes or 91, anchor_generator=anchors, head=head, **kwargs)
