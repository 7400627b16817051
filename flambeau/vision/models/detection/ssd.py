"""SSD300 over VGG-16.

Reference: W. Liu et al., "SSD: Single Shot MultiBox Detector", 2015, arXiv:1512.02325.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection._utils import BoxCoder, SSDMatcher, retrieve_out_channels
from flambeau.vision.models.detection.anchor_utils import DefaultBoxGenerator
from flambeau.vision.models.detection.backbone_utils import freeze, trainable
from flambeau.vision.models.detection.dense import DenseDetector, Outputs, Target
from flambeau.vision.models.detection.faster_rcnn import MEAN, STD, registered
from flambeau.vision.models.detection.image_list import ImageList
from flambeau.vision.models.detection.rpn import by_anchor
from flambeau.vision.models.detection.transform import GeneralizedRCNNTransform
from flambeau.vision.models.registry import get_model
from flambeau.vision.ops.boxes import batched_nms, box_iou, clip_boxes_to_image

__all__ = ["SSD", "ssd300_vgg16"]


def _xavier(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.0)


class SSDScoringHead(nn.Module):
    """A layer for each feature map; outputs as rows of boxes."""

    def __init__(self, module_list: nn.ModuleList, num_columns: int) -> None:
        super().__init__()
        self.module_list = module_list
        self.num_columns = num_columns

    def forward(self, x: list[Tensor]) -> Tensor:
        every = (layer(features) for layer, features in zip(self.module_list, x))
        return torch.cat([by_anchor(each, self.num_columns) for each in every], dim=1)


def _layers(in_channels: list[int], num_anchors: list[int], columns: int) -> nn.ModuleList:
    made = nn.ModuleList(
        nn.Conv2d(width, columns * anchors, kernel_size=3, padding=1)
        for width, anchors in zip(in_channels, num_anchors)
    )
    _xavier(made)
    return made


class SSDClassificationHead(SSDScoringHead):
    """Logits of every box and class."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__(_layers(in_channels, num_anchors, num_classes), num_classes)


class SSDRegressionHead(SSDScoringHead):
    """How every box is moved."""

    def __init__(self, in_channels: list[int], num_anchors: list[int]) -> None:
        super().__init__(_layers(in_channels, num_anchors, 4), 4)


class SSDHead(nn.Module):
    """Classes and boxes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x: list[Tensor]) -> Outputs:
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


class SSD(DenseDetector):
    """A single-shot detector.

    Args:
        size: (width, height) that every image is resized to.
        positive_fraction: of the boxes that are trained on, the share of objects; the others are
            those background boxes that are hardest.
    """

    def __init__(
        self,
        backbone: Any,
        anchor_generator: DefaultBoxGenerator,
        size: tuple[int, int],
        num_classes: int,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        head: Any = None,
        score_thresh: float = 0.01,
        nms_thresh: float = 0.45,
        detections_per_img: int = 200,
        iou_thresh: float = 0.5,
        topk_candidates: int = 400,
        positive_fraction: float = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.anchor_generator = anchor_generator
        self.box_coder = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        if head is None:
            widths = getattr(backbone, "out_channels", None) or retrieve_out_channels(
                backbone, size
            )
            head = SSDHead(widths, anchor_generator.num_anchors_per_location(), num_classes)
        self.head = head
        self.proposal_matcher = SSDMatcher(iou_thresh)
        self.transform = GeneralizedRCNNTransform(
            min(size),
            max(size),
            image_mean or list(MEAN),
            image_std or list(STD),
            size_divisible=1,
            fixed_size=size,
            **kwargs,
        )
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def losses(
        self, targets: list[Target], outputs: Outputs, anchors: list[Tensor], per_level: list[int]
    ) -> Outputs:
        logits = outputs["cls_logits"]
        box_losses, kinds, count = [], [], 0
        for target, moves, places in zip(targets, outputs["bbox_regression"], anchors):
            if target["boxes"].numel() == 0:
                matched = torch.full((len(places),), -1, dtype=torch.int64)
            else:
                matched = self.proposal_matcher(box_iou(target["boxes"], places))
            (objects,) = torch.where(matched >= 0)
            truth = matched[objects]
            count += truth.numel()
            moved = self.box_coder.encode_single(target["boxes"][truth], places[objects])
            box_losses.append(F.smooth_l1_loss(moves[objects], moved, reduction="sum"))
            kind = torch.zeros((logits.shape[1],), dtype=target["labels"].dtype)
            kind[objects] = target["labels"][truth]
            kinds.append(kind)
        label = torch.stack(kinds)
        flat = logits.view(-1, logits.shape[-1])
        class_loss = F.cross_entropy(flat, label.view(-1), reduction="none").view(label.shape)
        objects = label > 0
        wanted = self.neg_to_pos_ratio * objects.sum(1, keepdim=True)
        hardness = class_loss.clone()
        hardness[objects] = -float("inf")
        order = hardness.sort(1, descending=True).indices
        hardest = order.sort(1).indices < wanted
        count = max(1, count)
        return {
            "bbox_regression": torch.stack(box_losses).sum() / count,
            "classification": (class_loss[objects].sum() + class_loss[hardest].sum()) / count,
        }

    def found(
        self, outputs: Outputs, anchors: list[Tensor], images: ImageList, per_level: list[int]
    ) -> list[Target]:
        result = []
        probable = F.softmax(outputs["cls_logits"], dim=-1)
        for moves, scores, places, size in zip(
            outputs["bbox_regression"], probable, anchors, images.image_sizes
        ):
            boxes = clip_boxes_to_image(self.box_coder.decode_single(moves, places), size)
            parts = []
            for label in range(1, scores.shape[-1]):  # the first is the background
                score = scores[:, label]
                (index,) = torch.where(score > self.score_thresh)
                best, order = score[index].topk(min(len(index), self.topk_candidates))
                kind = torch.full_like(best, label, dtype=torch.int64)
                parts.append((boxes[index[order]], best, kind))
            box, score, kind = (torch.cat(each, dim=0) for each in zip(*parts))
            keep = batched_nms(box, score, kind, self.nms_thresh)[: self.detections_per_img]
            result.append({"boxes": box[keep], "scores": score[keep], "labels": kind[keep]})
        return result


def _further(channels: int, narrow: int, wide: int, **options: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, narrow, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(narrow, wide, **options),  # type: ignore[arg-type]
        nn.ReLU(inplace=True),
    )


class SSDFeatureExtractorVGG(nn.Module):
    """VGG's features at two depths, and four or five smaller maps behind them."""

    def __init__(self, backbone: Any, highres: bool) -> None:
        super().__init__()
        pools = [i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d)]
        third, fourth = pools[2:4]
        backbone[third].ceil_mode = True
        self.scale_weight = nn.Parameter(torch.ones(512) * 20)
        self.features = nn.Sequential(*backbone[:fourth])
        extra = nn.ModuleList([
            _further(1024, 256, 512, kernel_size=3, padding=1, stride=2),
            _further(512, 128, 256, kernel_size=3, padding=1, stride=2),
            _further(256, 128, 256, kernel_size=3),
            _further(256, 128, 256, kernel_size=3),
        ])  # fmt: skip
        if highres:
            extra.append(_further(256, 128, 256, kernel_size=4))
        _xavier(extra)
        # VGG's first two linear layers as convolutions, the first with holes.
        linear = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=False),
            nn.Conv2d(512, 1024, kernel_size=3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, kernel_size=1),
            nn.ReLU(inplace=True),
        )
        _xavier(linear)
        extra.insert(0, nn.Sequential(*backbone[fourth:-1], linear))
        self.extra = extra

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.features(x)
        maps = [self.scale_weight.view(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), each) for i, each in enumerate(maps))


def _vgg_extractor(backbone: Any, highres: bool, trainable_layers: int) -> SSDFeatureExtractorVGG:
    features = backbone.features
    pools = [i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    freeze(features, trainable_layers, [0, *pools][:-1])
    return SSDFeatureExtractorVGG(features, highres)


def fixed_size(name: str, size: int, kwargs: dict[str, Any]) -> tuple[int, int]:
    """The size of a model that has but one.

    Warns:
        UserWarning: another is asked for.
    """
    if kwargs.pop("size", None) is not None:
        warnings.warn(
            f"{name}: The size of the model is already fixed; ignoring the parameter.",
            stacklevel=3,
        )
    return size, size


@registered(backbone="vgg16", first="IMAGENET1K_FEATURES")
def ssd300_vgg16(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> SSD:
    """SSD over VGG-16, for images of 300 pixels."""
    size = fixed_size("ssd300_vgg16", 300, kwargs)
    is_trained = trained or weights_backbone is not None
    count = trainable(is_trained, trainable_backbone_layers, 5, 4)
    backbone = _vgg_extractor(get_model("vgg16", weights=weights_backbone), False, count)
    anchors = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        steps=[8, 16, 32, 64, 100, 300],
    )
    options = {
        "image_mean": [0.48235, 0.45882, 0.40784],
        "image_std": [1.0 / 255.0] * 3,  # of the checkpoint's first framework
        **kwargs,
    }
    return SSD(backbone, anchors, size, num_classes or 91, **options)
