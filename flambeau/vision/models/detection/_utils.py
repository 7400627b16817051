"""What detectors share: boxes as targets, matching to the truth, sampling of both kinds."""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.ops.losses import complete_box_iou_loss, generalized_box_iou_loss
from flambeau.vision.ops.misc import FrozenBatchNorm2d

__all__ = [
    "BalancedPositiveNegativeSampler",
    "BoxCoder",
    "BoxLinearCoder",
    "Matcher",
    "SSDMatcher",
    "overwrite_eps",
    "retrieve_out_channels",
]


class BalancedPositiveNegativeSampler:
    """Of each image so many anchors, a share of them positive (label 1 and more), drawn evenly."""

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Masks (uint8) of the positives and of the negatives (label 0) that were drawn."""
        positives: list[Tensor] = []
        negatives: list[Tensor] = []
        for labels in matched_idxs:
            (good,), (bad,) = torch.where(labels >= 1), torch.where(labels == 0)
            most = int(self.batch_size_per_image * self.positive_fraction)
            few = min(good.numel(), most)
            rest = min(bad.numel(), self.batch_size_per_image - few)
            for index, count, masks in ((good, few, positives), (bad, rest, negatives)):
                mask = torch.zeros_like(labels, dtype=torch.uint8)
                mask[index[torch.randperm(index.numel())[:count]]] = 1
                masks.append(mask)
        return positives, negatives


def _middle_and_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """(x, y) of the middles and (w, h), both (N, 2)."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes[:, :2] + 0.5 * size, size


class BoxCoder:
    """Boxes relative to proposals: shifts in shares of the size, logarithms of the sizes' ratios.

    Args:
        weights: factors of dx, dy, dw and dh.
        bbox_xform_clip: the most that a logarithm may be when boxes are decoded.

    Reference: R. Girshick et al., "Rich feature hierarchies", 2013, arXiv:1311.2524, appendix C.
    """

    def __init__(
        self,
        weights: tuple[float, float, float, float],
        bbox_xform_clip: float = math.log(1000.0 / 16),
    ) -> None:
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(self, reference_boxes: list[Tensor], proposals: list[Tensor]) -> tuple[Tensor, ...]:
        """The targets of each image."""
        counts = [len(each) for each in reference_boxes]
        targets = self.encode_single(torch.cat(reference_boxes), torch.cat(proposals))
        return targets.split(counts, 0)

    def encode_single(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """What takes proposals to the reference boxes. Shape: (N, 4) both, to (N, 4)."""
        weights = torch.as_tensor(self.weights, dtype=reference_boxes.dtype)
        middle, size = _middle_and_size(proposals)
        to_middle, to_size = _middle_and_size(reference_boxes)
        shift = weights[:2] * (to_middle - middle) / size
        return torch.cat((shift, weights[2:] * torch.log(to_size / size)), dim=1)

    def decode(self, rel_codes: Tensor, boxes: list[Tensor]) -> Tensor:
        """Boxes of all images, (N, classes, 4)."""
        every = torch.cat(boxes)
        if len(every):
            rel_codes = rel_codes.reshape(len(every), -1)
        found = self.decode_single(rel_codes, every)
        return found.reshape(len(every), -1, 4) if len(every) else found

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes where the codes take them. Shape: (N, 4 * classes), (N, 4) to (N, 4 * classes)."""
        middle, size = _middle_and_size(boxes.to(rel_codes.dtype))
        codes = rel_codes.unflatten(1, (-1, 4))  # N, classes, 4
        weights = torch.as_tensor(self.weights, dtype=rel_codes.dtype)
        shift = codes[..., :2] / weights[:2]
        growth = (codes[..., 2:] / weights[2:]).clamp(max=self.bbox_xform_clip)
        middle = shift * size[:, None] + middle[:, None]
        half = 0.5 * (growth.exp() * size[:, None])
        return torch.cat((middle - half, middle + half), dim=-1).flatten(1)


class BoxLinearCoder:
    """Boxes as distances from the anchor's middle to the four sides, as FCOS has them.

    Args:
        normalize_by_size: in shares of the anchor's size.
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def _frame(self, boxes: Tensor, dtype: Any) -> tuple[Tensor, Tensor | float]:
        boxes = boxes.to(dtype)
        middle = 0.5 * (boxes[..., :2] + boxes[..., 2:])
        edges = boxes[..., 2:] - boxes[..., :2]
        return middle, torch.cat((edges, edges), dim=-1) if self.normalize_by_size else 1.0

    def encode(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Distances from the middles of ``reference_boxes`` to the sides of ``proposals``."""
        middle, scale = self._frame(reference_boxes, reference_boxes.dtype)
        sides = (middle - proposals[..., :2], proposals[..., 2:] - middle)
        return torch.cat(sides, dim=-1) / scale

    def decode(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes of these distances from the middles of ``boxes``."""
        middle, scale = self._frame(boxes, rel_codes.dtype)
        codes = rel_codes * scale
        return torch.cat((middle - codes[..., :2], middle + codes[..., 2:]), dim=-1)


class Matcher:
    """Each prediction to the true box that it overlaps most.

    Args:
        high_threshold: overlaps of at least this match.
        low_threshold: below it there is background; between the two nothing is said.
        allow_low_quality_matches: each true box also gets the predictions that overlap it most.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(
        self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False
    ) -> None:
        if low_threshold > high_threshold:
            raise AssertionError(
                f"Matcher: low_threshold {low_threshold} is above high_threshold {high_threshold}."
            )
        self.high_threshold = high_threshold
        self.low_threshold = low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        """The index of each prediction's true box, or one of the two constants.

        Shape: overlaps (true, predictions) to (predictions,).
        """
        if match_quality_matrix.numel() == 0:
            what = "ground-truth boxes" if match_quality_matrix.shape[0] == 0 else "proposal boxes"
            raise ValueError(f"Matcher: No {what} available for one of the images during training.")
        best, matches = match_quality_matrix.max(dim=0)
        all_matches = matches.clone()
        matches[best < self.low_threshold] = self.BELOW_LOW_THRESHOLD
        between = (best >= self.low_threshold) & (best < self.high_threshold)
        matches[between] = self.BETWEEN_THRESHOLDS
        if self.allow_low_quality_matches:
            self.set_low_quality_matches_(matches, all_matches, match_quality_matrix)
        return matches

    def set_low_quality_matches_(
        self, matches: Tensor, all_matches: Tensor, match_quality_matrix: Tensor
    ) -> None:
        """Give each true box the predictions that overlap it most, however little."""
        highest = match_quality_matrix.max(dim=1).values
        predictions = torch.where(match_quality_matrix == highest[:, None])[1]
        matches[predictions] = all_matches[predictions]


class SSDMatcher(Matcher):
    """Matches of one threshold; each true box has its best prediction for itself."""

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold, allow_low_quality_matches=False)

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        matches = super().__call__(match_quality_matrix)
        best = match_quality_matrix.max(dim=1).indices
        matches[best] = torch.arange(len(best), dtype=torch.int64)
        return matches


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Set ``eps`` of all frozen normalizations, as old checkpoints want it."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps


def retrieve_out_channels(model: nn.Module, size: tuple[int, int]) -> list[int]:
    """The channels of a backbone's feature maps, found by running it once."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        image = torch.zeros((1, 3, size[1], size[0]), device=next(model.parameters()).device)
        features = model(image)
    model.train(was_training)
    maps = [features] if isinstance(features, Tensor) else features.values()
    return [each.shape[1] for each in maps]


def box_loss(
    kind: str,
    box_coder: BoxCoder,
    anchors_per_image: Tensor,
    matched_gt_boxes_per_image: Tensor,
    bbox_regression_per_image: Tensor,
    cnf: dict[str, float] | None = None,
) -> Tensor:
    """The summed loss of regressed boxes: ``l1``, ``smooth_l1``, ``ciou`` or ``giou``."""
    if kind in ("l1", "smooth_l1"):
        target = box_coder.encode_single(matched_gt_boxes_per_image, anchors_per_image)
        if kind == "l1":
            return F.l1_loss(bbox_regression_per_image, target, reduction="sum")
        beta = (cnf or {}).get("beta", 1.0)
        return F.smooth_l1_loss(bbox_regression_per_image, target, reduction="sum", beta=beta)
    if kind not in ("ciou", "giou"):
        raise ValueError(f"Unsupported loss {kind}; expected l1, smooth_l1, ciou or giou.")
    boxes = box_coder.decode_single(bbox_regression_per_image, anchors_per_image)
    loss = complete_box_iou_loss if kind == "ciou" else generalized_box_iou_loss
    eps = (cnf or {}).get("eps", 1e-7)
    return loss(boxes, matched_gt_boxes_per_image, reduction="sum", eps=eps)
