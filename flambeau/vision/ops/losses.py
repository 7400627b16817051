"""Detection's losses: focal loss, and those over boxes' overlaps, pair by pair."""

from __future__ import annotations

import math

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = [
    "complete_box_iou_loss",
    "distance_box_iou_loss",
    "generalized_box_iou_loss",
    "sigmoid_focal_loss",
]


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    raise ValueError(f"reduction: expected none, mean or sum, got {reduction!r}.")


def sigmoid_focal_loss(
    inputs: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> Tensor:
    """Binary cross-entropy that counts easy examples less: alpha_t (1 - p_t)^gamma BCE.

    Args:
        inputs: logits.
        targets: 0 or 1, of the inputs' shape.
        alpha: the weight of positives in [0, 1]; negative: none.

    Reference: Lin et al., "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002.
    """
    if not (0 <= alpha <= 1) and alpha != -1:
        raise ValueError(f"sigmoid_focal_loss: alpha is in [0, 1], or -1 for none, got {alpha}.")
    p = torch.sigmoid(inputs)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    loss = loss * (1 - (p * targets + (1 - p) * (1 - targets))) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return _reduce(loss, reduction)


def _wide(*boxes: Tensor) -> list[Tensor]:
    """16-bit ones and integers in single precision, where areas do not overflow."""
    return [b if b.dtype in (torch.float32, torch.float64) else b.float() for b in boxes]


def _pairs(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """(IoU, union, edges of the hull) of each box with its partner."""
    shared = (torch.min(boxes1[..., 2:], boxes2[..., 2:])
              - torch.max(boxes1[..., :2], boxes2[..., :2])).clamp(min=0).prod(-1)  # fmt: skip
    area1, area2 = ((b[..., 2:] - b[..., :2]).prod(-1) for b in (boxes1, boxes2))
    union = area1 + area2 - shared
    hull = torch.max(boxes1[..., 2:], boxes2[..., 2:]) - torch.min(boxes1[..., :2], boxes2[..., :2])
    return shared / (union + eps), union, hull


def generalized_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """1 - generalized IoU of each box with its partner. Shape: (N, 4) both, to (N,)."""
    boxes1, boxes2 = _wide(boxes1, boxes2)
    iou, union, edges = _pairs(boxes1, boxes2, eps)
    hull = edges.prod(-1)
    return _reduce(1 - (iou - (hull - union) / (hull + eps)), reduction)


def _distance(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    iou, _, edges = _pairs(boxes1, boxes2, eps)
    middles1, middles2 = ((b[..., :2] + b[..., 2:]) / 2 for b in (boxes1, boxes2))
    apart = ((middles1 - middles2) ** 2).sum(-1)
    return 1 - iou + apart / ((edges**2).sum(-1) + eps), iou


def distance_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """1 - distance IoU of each box with its partner. Shape: (N, 4) both, to (N,)."""
    boxes1, boxes2 = _wide(boxes1, boxes2)
    return _reduce(_distance(boxes1, boxes2, eps)[0], reduction)


def complete_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """1 - complete IoU of each box with its partner. Shape: (N, 4) both, to (N,)."""
    boxes1, boxes2 = _wide(boxes1, boxes2)
    loss, iou = _distance(boxes1, boxes2, eps)
    angles1, angles2 = (
        torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (boxes1, boxes2)
    )
    v = 4 / math.pi**2 * (angles2 - angles1) ** 2
    with torch.no_grad():
        alpha = v / (1 - iou + v + eps)
    return _reduce(loss + alpha * v, reduction)
