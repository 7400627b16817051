"""Region proposals: which anchors hold an object, and how they are moved to it.

Reference: S. Ren et al., "Faster R-CNN", 2015, arXiv:1506.01497.
"""

from __future__ import annotations

from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
)
from flambeau.vision.models.detection.anchor_utils import AnchorGenerator
from flambeau.vision.models.detection.image_list import ImageList
from flambeau.vision.ops.boxes import (
    batched_nms,
    box_iou,
    clip_boxes_to_image,
    remove_small_boxes,
)
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["AnchorGenerator", "RPNHead", "RegionProposalNetwork"]

Target = dict[str, Any]


def renamed(state: dict[str, Any], prefix: str, names: dict[str, str], metadata: dict) -> None:
    """Give the layers of a first version's state dict their names of today."""
    version = metadata.get("version")
    if version is not None and version >= 2:
        return
    for old, new in names.items():
        for kind in ("weight", "bias"):
            if f"{prefix}{old}.{kind}" in state:
                state[f"{prefix}{new}.{kind}"] = state.pop(f"{prefix}{old}.{kind}")


class RPNHead(nn.Module):
    """Convolutions, then a logit and a box for each anchor.

    Shape: maps (N, C, H, W) to (N, A, H, W) and (N, 4 A, H, W), for each map.
    """

    _version = 2

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(
                Conv2dNormActivation(in_channels, in_channels, 3, norm_layer=None)
                for _ in range(conv_depth)
            )
        )
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                if layer.bias is not None:
                    nn.init.constant_(layer.bias, 0)

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        renamed(state_dict, prefix, {"conv": "conv.0.0"}, local_metadata)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        hidden = [self.conv(feature) for feature in x]
        return [self.cls_logits(t) for t in hidden], [self.bbox_pred(t) for t in hidden]


def by_anchor(layer: Tensor, columns: int) -> Tensor:
    """A head's output (N, A * columns, H, W) as rows of anchors, (N, H * W * A, columns)."""
    n, _, height, width = layer.shape
    rows = layer.view(n, -1, columns, height, width).permute(0, 3, 4, 1, 2)
    return rows.reshape(n, -1, columns)


class RegionProposalNetwork(nn.Module):
    """Proposals of each image, and in training the losses.

    Args:
        fg_iou_thresh, bg_iou_thresh: overlaps from which an anchor is an object, below which it
            is background.
        batch_size_per_image, positive_fraction: how many anchors are trained on, and the share of
            objects among them.
        pre_nms_top_n, post_nms_top_n: how many proposals are kept, before and after suppression;
            dicts of ``training`` and ``testing``.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n: dict[str, int],
        post_nms_top_n: dict[str, int],
        nms_thresh: float,
        score_thresh: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.box_similarity = box_iou
        self.proposal_matcher = Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self._pre_nms_top_n = pre_nms_top_n
        self._post_nms_top_n = post_nms_top_n
        self.nms_thresh = nms_thresh
        self.score_thresh = score_thresh
        self.min_size = 1e-3

    def pre_nms_top_n(self) -> int:
        """How many are kept before suppression, of each map."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self) -> int:
        """How many are kept in the end."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(
        self, anchors: list[Tensor], targets: list[Target]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Labels (1 object, 0 background, -1 neither) and true boxes of the anchors."""
        labels, boxes = [], []
        for each, target in zip(anchors, targets):
            truth = target["boxes"]
            if truth.numel() == 0:
                boxes.append(torch.zeros(each.shape, dtype=torch.float32))
                labels.append(torch.zeros((len(each),), dtype=torch.float32))
                continue
            matched = self.proposal_matcher(self.box_similarity(truth, each))
            label = (matched >= 0).to(torch.float32)
            label[matched == Matcher.BETWEEN_THRESHOLDS] = -1.0
            boxes.append(truth[matched.clamp(min=0)])
            labels.append(label)
        return labels, boxes

    def filter_proposals(
        self,
        proposals: Tensor,
        objectness: Tensor,
        image_shapes: list[tuple[int, int]],
        num_anchors_per_level: list[int],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The best of each map, within the image, without those that overlap better ones."""
        objectness = objectness.detach().reshape(len(proposals), -1)
        levels = torch.cat([
            torch.full((n,), i, dtype=torch.int64) for i, n in enumerate(num_anchors_per_level)
        ])  # fmt: skip
        chosen, offset = [], 0
        for part in objectness.split(num_anchors_per_level, 1):
            n = part.shape[1]
            chosen.append(part.topk(min(n, self.pre_nms_top_n()), dim=1).indices + offset)
            offset += n
        best = torch.cat(chosen, dim=1)
        final_boxes, final_scores = [], []
        for i, size in enumerate(image_shapes):
            boxes = clip_boxes_to_image(proposals[i, best[i]], size)
            scores, level = torch.sigmoid(objectness[i, best[i]]), levels[best[i]]
            keep = remove_small_boxes(boxes, self.min_size)
            boxes, scores, level = boxes[keep], scores[keep], level[keep]
            (keep,) = torch.where(scores >= self.score_thresh)
            boxes, scores, level = boxes[keep], scores[keep], level[keep]
            keep = batched_nms(boxes, scores, level, self.nms_thresh)[: self.post_nms_top_n()]
            final_boxes.append(boxes[keep])
            final_scores.append(scores[keep])
        return final_boxes, final_scores

    def compute_loss(
        self,
        objectness: Tensor,
        pred_bbox_deltas: Tensor,
        labels: list[Tensor],
        regression_targets: Any,
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the drawn anchors, and smooth L1 of the objects' boxes."""
        positive, negative = (torch.cat(masks, dim=0) for masks in self.fg_bg_sampler(labels))
        (good,), (bad,) = torch.where(positive), torch.where(negative)
        drawn = torch.cat([good, bad], dim=0)
        truth = torch.cat(regression_targets, dim=0)
        box_loss = (
            F.smooth_l1_loss(pred_bbox_deltas[good], truth[good], beta=1 / 9, reduction="sum")
            / drawn.numel()
        )
        object_loss = F.binary_cross_entropy_with_logits(
            objectness.flatten()[drawn], torch.cat(labels, dim=0)[drawn]
        )
        return object_loss, box_loss

    def forward(
        self,
        images: ImageList,
        features: dict[str, Tensor],
        targets: list[Target] | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        maps = list(features.values())
        logits, deltas = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [each[0].numel() for each in logits]
        objectness = torch.cat([by_anchor(each, 1) for each in logits], dim=1).flatten(0, -2)
        moves = torch.cat([by_anchor(each, 4) for each in deltas], dim=1).reshape(-1, 4)
        proposals = self.box_coder.decode(moves.detach(), anchors).view(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        if targets is None:
            raise ValueError("targets should not be None")
        labels, truth = self.assign_targets_to_anchors(anchors, targets)
        objects, moved = self.compute_loss(
            objectness, moves, labels, self.box_coder.encode(truth, anchors)
        )
        return boxes, {"loss_objectness": objects, "loss_rpn_box_reg": moved}
