"""FCOS over ResNet-50: one anchor at each place, boxes as distances to their sides.

Reference: Z. Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", 2019,
arXiv:1904.01355, and "A Simple and Strong Anchor-free Object Detector", 2020, arXiv:2006.09214.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection._utils import BoxLinearCoder
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
from flambeau.vision.models.detection.retinanet import check_backbone
from flambeau.vision.models.detection.rpn import by_anchor
from flambeau.vision.models.detection.transform import GeneralizedRCNNTransform
from flambeau.vision.ops.losses import generalized_box_iou_loss, sigmoid_focal_loss

__all__ = ["FCOS", "fcos_resnet50_fpn"]

Norm = Callable[..., nn.Module]


def _tower(in_channels: int, num_convs: int, norm_layer: Norm | None) -> nn.Sequential:
    norm = partial(nn.GroupNorm, 32) if norm_layer is None else norm_layer
    layers: list[nn.Module] = []
    for _ in range(num_convs):
        layers += [nn.Conv2d(in_channels, in_channels, 3, 1, 1), norm(in_channels), nn.ReLU()]
    return nn.Sequential(*layers)


class FCOSClassificationHead(nn.Module):
    """Logits of every anchor and class."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        num_convs: int = 4,
        prior_probability: float = 0.01,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.num_anchors = num_anchors
        self.conv = _tower(in_channels, num_convs, norm_layer)
        gaussian_init(self.conv)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, 1, 1)
        nn.init.normal_(self.cls_logits.weight, std=0.01)
        assert self.cls_logits.bias is not None
        nn.init.constant_(
            self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability)
        )

    def forward(self, x: list[Tensor]) -> Tensor:
        every = (self.cls_logits(self.conv(features)) for features in x)
        return torch.cat([by_anchor(each, self.num_classes) for each in every], dim=1)


class FCOSRegressionHead(nn.Module):
    """Distances to the sides, and how near to the object's middle each anchor is."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_convs: int = 4,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.conv = _tower(in_channels, num_convs, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, 1, 1)
        self.bbox_ctrness = nn.Conv2d(in_channels, num_anchors, 3, 1, 1)
        for part in (self.bbox_reg, self.bbox_ctrness, self.conv):
            gaussian_init(part)

    def forward(self, x: list[Tensor]) -> tuple[Tensor, Tensor]:
        boxes, middles = [], []
        for features in x:
            hidden = self.conv(features)
            boxes.append(by_anchor(F.relu(self.bbox_reg(hidden)), 4))
            middles.append(by_anchor(self.bbox_ctrness(hidden), 1))
        return torch.cat(boxes, dim=1), torch.cat(middles, dim=1)


class FCOSHead(nn.Module):
    """A tower for classes and one for boxes."""

    def __init__(
        self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int | None = 4
    ) -> None:
        super().__init__()
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        convs = num_convs or 4
        self.classification_head = FCOSClassificationHead(
            in_channels, num_anchors, num_classes, convs
        )
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, convs)

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: Outputs,
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> Outputs:
        """Focal loss, overlaps of boxes, and how near to the middle, by the number of objects."""
        logits, moves = head_outputs["cls_logits"], head_outputs["bbox_regression"]
        kinds, boxes = [], []
        for target, matched in zip(targets, matched_idxs):
            if len(target["labels"]) == 0:
                kind = target["labels"].new_zeros((len(matched),))
                box = target["boxes"].new_zeros((len(matched), 4))
            else:
                kind = target["labels"][matched.clip(min=0)]
                box = target["boxes"][matched.clip(min=0)]
            kind[matched < 0] = -1
            kinds.append(kind)
            boxes.append(box)
        label, truth, places = torch.stack(kinds), torch.stack(boxes), torch.stack(anchors)
        objects = label >= 0
        wanted = torch.zeros_like(logits)
        wanted[objects, label[objects]] = 1.0
        class_loss = sigmoid_focal_loss(logits, wanted, reduction="sum")
        found = self.box_coder.decode(moves, places)
        box_loss = generalized_box_iou_loss(found[objects], truth[objects], reduction="sum")
        sides = self.box_coder.encode(places, truth)
        across, down = sides[..., [0, 2]], sides[..., [1, 3]]
        near = torch.sqrt(
            (across.min(dim=-1).values / across.max(dim=-1).values)
            * (down.min(dim=-1).values / down.max(dim=-1).values)
        )
        middle = head_outputs["bbox_ctrness"].squeeze(dim=2)
        middle_loss = F.binary_cross_entropy_with_logits(
            middle[objects], near[objects], reduction="sum"
        )
        count = max(1, objects.sum().item())
        return {
            "classification": class_loss / count,
            "bbox_regression": box_loss / count,
            "bbox_ctrness": middle_loss / count,
        }

    def forward(self, x: list[Tensor]) -> Outputs:
        logits = self.classification_head(x)
        boxes, middles = self.regression_head(x)
        return {"cls_logits": logits, "bbox_regression": boxes, "bbox_ctrness": middles}


class FCOS(DenseDetector):
    """FCOS over a backbone that says its ``out_channels``.

    Args:
        center_sampling_radius: how far from an object's middle its anchors are, in their sizes.
    """

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
        center_sampling_radius: float = 1.5,
        score_thresh: float = 0.2,
        nms_thresh: float = 0.6,
        detections_per_img: int = 100,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        check_backbone(backbone, anchor_generator)
        self.backbone = backbone
        if anchor_generator is None:
            sizes = ((8,), (16,), (32,), (64,), (128,))
            anchor_generator = AnchorGenerator(sizes, ((1.0,),) * len(sizes))
        self.anchor_generator = anchor_generator
        per_place = anchor_generator.num_anchors_per_location()[0]
        if per_place != 1:
            raise AssertionError(f"FCOS: expected one anchor at each place, got {per_place}.")
        self.head = head or FCOSHead(backbone.out_channels, per_place, num_classes)
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.transform = GeneralizedRCNNTransform(
            min_size, max_size, image_mean or list(MEAN), image_std or list(STD), **kwargs
        )
        self.center_sampling_radius = center_sampling_radius
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    def _matched(self, anchors: Tensor, boxes: Tensor, per_level: list[int]) -> Tensor:
        """The smallest true box around each anchor that suits its level, -1 for none."""
        if boxes.numel() == 0:
            return torch.full((len(anchors),), -1, dtype=torch.int64)
        gt_middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        middles = (anchors[:, :2] + anchors[:, 2:]) / 2
        sizes = anchors[:, 2] - anchors[:, 0]
        apart = (middles[:, None] - gt_middles[None]).abs().max(dim=2).values
        match = apart < self.center_sampling_radius * sizes[:, None]
        sides = torch.cat((middles[:, None] - boxes[:, :2], boxes[:, 2:] - middles[:, None]), dim=2)
        match &= sides.min(dim=2).values > 0
        # Each level has boxes of four to eight times its anchors; the first and last also beyond.
        lower, upper = sizes * 4, sizes * 8
        lower[: per_level[0]] = 0
        upper[-per_level[-1] :] = float("inf")
        longest = sides.max(dim=2).values
        match &= (longest > lower[:, None]) & (longest < upper[:, None])
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        best, index = (match.to(torch.float32) * (1e8 - areas[None])).max(dim=1)
        index[best < 1e-5] = -1
        return index

    def losses(
        self, targets: list[Target], outputs: Outputs, anchors: list[Tensor], per_level: list[int]
    ) -> Outputs:
        matched = [
            self._matched(each, target["boxes"], per_level)
            for each, target in zip(anchors, targets)
        ]
        head: Any = self.head
        return head.compute_loss(targets, outputs, anchors, matched)  # type: ignore[no-any-return]

    def found(
        self, outputs: Outputs, anchors: list[Tensor], images: ImageList, per_level: list[int]
    ) -> list[Target]:
        scores = torch.sqrt(outputs["cls_logits"].sigmoid() * outputs["bbox_ctrness"].sigmoid())
        return [
            best_of_levels(
                self,
                list(score.split(per_level)),
                list(boxes.split(per_level)),
                list(each.split(per_level)),
                size,
                self.box_coder.decode,
            )
            for score, boxes, each, size in zip(
                scores, outputs["bbox_regression"], anchors, images.image_sizes
            )
        ]


@registered()
def fcos_resnet50_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> FCOS:
    """FCOS over ResNet-50."""
    backbone = resnet50_fpn(
        weights_backbone,
        trainable_backbone_layers,
        trained,
        returned_layers=[2, 3, 4],
        further=(256, 256),
    )
    return FCOS(backbone, num_classes or 91, **kwargs)
