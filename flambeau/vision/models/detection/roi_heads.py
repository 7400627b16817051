"""What is done with proposals: classes, better boxes, and where asked masks and key points."""

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
from flambeau.vision.models.detection.masks import (
    heatmaps_to_keypoints,
    keypointrcnn_inference,
    keypointrcnn_loss,
    keypoints_to_heatmap,
    maskrcnn_inference,
    maskrcnn_loss,
    paste_masks_in_image,
    project_masks_on_boxes,
)
from flambeau.vision.ops.boxes import (
    batched_nms,
    box_iou,
    clip_boxes_to_image,
    remove_small_boxes,
)

__all__ = [
    "RoIHeads",
    "fastrcnn_loss",
    "heatmaps_to_keypoints",
    "keypointrcnn_inference",
    "keypointrcnn_loss",
    "keypoints_to_heatmap",
    "maskrcnn_inference",
    "maskrcnn_loss",
    "paste_masks_in_image",
    "project_masks_on_boxes",
]

Target = dict[str, Any]
Sizes = list[tuple[int, int]]


def fastrcnn_loss(
    class_logits: Tensor, box_regression: Tensor, labels: Any, regression_targets: Any
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the classes, and smooth L1 of the true classes' boxes."""
    label, truth = torch.cat(labels, dim=0), torch.cat(regression_targets, dim=0)
    class_loss = F.cross_entropy(class_logits, label)
    (objects,) = torch.where(label > 0)
    boxes = box_regression.reshape(len(class_logits), -1, 4)[objects, label[objects]]
    box_loss = F.smooth_l1_loss(boxes, truth[objects], beta=1 / 9, reduction="sum")
    return class_loss, box_loss / label.numel()


class RoIHeads(nn.Module):
    """Heads over regions of feature maps; each is a pool, a head and a predictor.

    Args:
        fg_iou_thresh, bg_iou_thresh: overlaps from which a proposal is an object, below which it
            is background.
        batch_size_per_image, positive_fraction: how many proposals are trained on, and the share
            of objects among them.
        bbox_reg_weights: factors of the regressed boxes; default: (10, 10, 5, 5).
        score_thresh, nms_thresh, detections_per_img: which detections are kept.
    """

    def __init__(
        self,
        box_roi_pool: Any,
        box_head: Any,
        box_predictor: Any,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        bbox_reg_weights: Any,
        score_thresh: float,
        nms_thresh: float,
        detections_per_img: int,
        mask_roi_pool: Any = None,
        mask_head: Any = None,
        mask_predictor: Any = None,
        keypoint_roi_pool: Any = None,
        keypoint_head: Any = None,
        keypoint_predictor: Any = None,
    ) -> None:
        super().__init__()
        self.box_similarity = box_iou
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self.box_coder = BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self) -> bool:
        """Whether masks are found too."""
        return None not in (self.mask_roi_pool, self.mask_head, self.mask_predictor)

    def has_keypoint(self) -> bool:
        """Whether key points are found too."""
        return None not in (self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor)

    def assign_targets_to_proposals(
        self, proposals: list[Tensor], gt_boxes: list[Tensor], gt_labels: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The index of each proposal's true box, and its class (0 background, -1 neither)."""
        matched, labels = [], []
        for boxes, truth, kinds in zip(proposals, gt_boxes, gt_labels):
            if truth.numel() == 0:
                matched.append(torch.zeros((len(boxes),), dtype=torch.int64))
                labels.append(torch.zeros((len(boxes),), dtype=torch.int64))
                continue
            index = self.proposal_matcher(self.box_similarity(truth, boxes))
            label = kinds[index.clamp(min=0)].to(torch.int64)
            label[index == Matcher.BELOW_LOW_THRESHOLD] = 0
            label[index == Matcher.BETWEEN_THRESHOLDS] = -1
            matched.append(index.clamp(min=0))
            labels.append(label)
        return matched, labels

    def check_targets(self, targets: list[Target] | None) -> None:
        """Refuse targets that lack something."""
        if targets is None:
            raise ValueError("targets should not be None")
        for key in ("boxes", "labels", *(["masks"] if self.has_mask() else [])):
            if not all(key in target for target in targets):
                raise ValueError(f"Every element of targets should have a {key} key")

    def select_training_samples(
        self, proposals: list[Tensor], targets: list[Target] | None
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor], Any]:
        """The proposals that are trained on: they, their true boxes' indices, classes, targets."""
        self.check_targets(targets)
        assert targets is not None
        truth = [target["boxes"].to(proposals[0].dtype) for target in targets]
        proposals = [torch.cat(pair) for pair in zip(proposals, truth)]
        matched, labels = self.assign_targets_to_proposals(
            proposals, truth, [target["labels"] for target in targets]
        )
        boxes = []
        for i, (good, bad) in enumerate(zip(*self.fg_bg_sampler(labels))):
            (drawn,) = torch.where(good | bad)
            proposals[i], labels[i], matched[i] = (
                values[i][drawn] for values in (proposals, labels, matched)
            )
            known = truth[i] if truth[i].numel() else torch.zeros((1, 4), dtype=truth[i].dtype)
            boxes.append(known[matched[i]])
        return proposals, matched, labels, self.box_coder.encode(boxes, proposals)

    def postprocess_detections(
        self,
        class_logits: Tensor,
        box_regression: Tensor,
        proposals: list[Tensor],
        image_shapes: Sizes,
    ) -> list[Target]:
        """Boxes, labels and scores of each image: likely, and not overlapping better ones."""
        counts = [len(each) for each in proposals]
        every = self.box_coder.decode(box_regression, proposals).split(counts, 0)
        probable = F.softmax(class_logits, -1).split(counts, 0)
        found = []
        for boxes, scores, size in zip(every, probable, image_shapes):
            labels = torch.arange(class_logits.shape[-1]).view(1, -1).expand_as(scores)
            # Each class of a region is a detection by itself; the first is the background.
            boxes = clip_boxes_to_image(boxes, size)[:, 1:].reshape(-1, 4)
            scores, labels = scores[:, 1:].reshape(-1), labels[:, 1:].reshape(-1)
            (keep,) = torch.where(scores > self.score_thresh)
            boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
            keep = remove_small_boxes(boxes, min_size=1e-2)
            boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
            keep = batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
            found.append({"boxes": boxes[keep], "labels": labels[keep], "scores": scores[keep]})
        return found

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: Sizes,
        targets: list[Target] | None = None,
    ) -> tuple[list[Target], dict[str, Tensor]]:
        self._check_dtypes(targets)
        matched: list[Tensor] = []
        labels: list[Tensor] = []
        if self.training:
            proposals, matched, labels, truth = self.select_training_samples(proposals, targets)
        logits, moves = self.box_predictor(
            self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        )
        result: list[Target] = []
        losses = {}
        if self.training:
            losses["loss_classifier"], losses["loss_box_reg"] = fastrcnn_loss(
                logits, moves, labels, truth
            )
        else:
            result = self.postprocess_detections(logits, moves, proposals, image_shapes)
        if not (self.has_mask() or self.has_keypoint()):
            return result, losses
        if self.training:  # only objects have masks and key points
            chosen = [torch.where(label > 0)[0] for label in labels]
            regions = [each[index] for each, index in zip(proposals, chosen)]
            indices = [each[index] for each, index in zip(matched, chosen)]
        else:
            regions, indices = [each["boxes"] for each in result], []
        if self.has_mask():
            out = self._through("mask", features, regions, image_shapes)
            if self.training:
                assert targets is not None
                losses["loss_mask"] = maskrcnn_loss(
                    out,
                    regions,
                    [target["masks"] for target in targets],
                    [target["labels"] for target in targets],
                    indices,
                )
            else:
                masks = maskrcnn_inference(out, [each["labels"] for each in result])
                for each, mask in zip(result, masks):
                    each["masks"] = mask
        if self.has_keypoint():
            out = self._through("keypoint", features, regions, image_shapes)
            if self.training:
                assert targets is not None
                losses["loss_keypoint"] = keypointrcnn_loss(
                    out, regions, [target["keypoints"] for target in targets], indices
                )
            else:
                for each, points, scores in zip(result, *keypointrcnn_inference(out, regions)):
                    each["keypoints"], each["keypoints_scores"] = points, scores
        return result, losses

    def _through(self, kind: str, features: Any, regions: list[Tensor], sizes: Sizes) -> Tensor:
        pool, head, predictor = (
            getattr(self, f"{kind}_{part}") for part in ("roi_pool", "head", "predictor")
        )
        return predictor(head(pool(features, regions, sizes)))  # type: ignore[no-any-return]

    def _check_dtypes(self, targets: list[Target] | None) -> None:
        for target in targets or ():
            if not target["boxes"].is_floating_point():
                raise TypeError(f"target boxes must be of float type, got {target['boxes'].dtype}")
            if target["labels"].dtype != torch.int64:
                raise TypeError(
                    f"target labels must be of int64 type, got {target['labels'].dtype}"
                )
            if self.has_keypoint() and target["keypoints"].dtype != torch.float32:
                raise TypeError(
                    f"target keypoints must be of float type, got {target['keypoints'].dtype}"
                )
