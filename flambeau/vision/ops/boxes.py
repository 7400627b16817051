"""Boxes: formats, areas, overlaps, and the choice among those that overlap (NMS).

A box is (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2 unless a format is named. Losses over
overlaps are in ``losses``.
"""

from __future__ import annotations

import math

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes in another format: ``xyxy``, ``xywh`` (corner and size), ``cxcywh`` (middle and size).

    Raises:
        ValueError: another format.
    """
    for name in (in_fmt, out_fmt):
        if name not in ("xyxy", "xywh", "cxcywh"):
            raise ValueError(f"box_convert: formats are xyxy, xywh and cxcywh, got {name!r}.")
    if in_fmt == out_fmt:
        return boxes.clone()
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    if out_fmt == "xywh":
        a, b, c, d = a, b, c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return torch.stack((a, b, c, d), dim=-1)


def _wide(values: Tensor) -> Tensor:
    """In a dtype whose products do not overflow: float32 at least, int64 of integers."""
    if values.is_floating_point():
        return values if values.dtype in (torch.float32, torch.float64) else values.float()
    return values if values.dtype in (torch.int32, torch.int64) else values.int()


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """Areas. Shape: (..., 4) to (...)."""
    boxes = _wide(boxes if fmt == "xyxy" else box_convert(boxes, fmt, "xyxy"))
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _overlap(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Intersections and unions of every pair, (N, M)."""
    low = torch.max(boxes1[..., :, None, :2], boxes2[..., None, :, :2])
    high = torch.min(boxes1[..., :, None, 2:], boxes2[..., None, :, 2:])
    edges = _wide(high - low).clamp(min=0)
    shared = edges[..., 0] * edges[..., 1]
    return shared, box_area(boxes1)[..., :, None] + box_area(boxes2)[..., None, :] - shared


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Intersection over union of every pair. Shape: (N, 4), (M, 4) to (N, M)."""
    if fmt != "xyxy":
        boxes1, boxes2 = (box_convert(boxes, fmt, "xyxy") for boxes in (boxes1, boxes2))
    shared, union = _overlap(boxes1, boxes2)
    return shared / union


def _hull(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Edges of the smallest box around every pair, (N, M, 2)."""
    low = torch.min(boxes1[..., :, None, :2], boxes2[..., None, :, :2])
    high = torch.max(boxes1[..., :, None, 2:], boxes2[..., None, :, 2:])
    return _wide(high - low).clamp(min=0)


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU minus the share of the pair's hull that neither covers.

    Reference: Rezatofighi et al., "Generalized Intersection over Union", 2019, arXiv:1902.09630.
    """
    shared, union = _overlap(boxes1, boxes2)
    edges = _hull(boxes1, boxes2)
    hull = edges[..., 0] * edges[..., 1]
    return shared / union - (hull - union) / hull


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """IoU minus the squared distance of the middles over the hull's squared diagonal.

    Reference: Zheng et al., "Distance-IoU Loss", 2019, arXiv:1911.08287.
    """
    boxes1, boxes2 = _wide(boxes1), _wide(boxes2)
    edges = _hull(boxes1, boxes2)
    diagonal = edges[..., 0] ** 2 + edges[..., 1] ** 2 + eps
    middles1, middles2 = ((b[..., :2] + b[..., 2:]) / 2 for b in (boxes1, boxes2))
    apart = middles1[..., :, None, :] - middles2[..., None, :, :]
    return box_iou(boxes1, boxes2) - (apart[..., 0] ** 2 + apart[..., 1] ** 2) / diagonal


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """``distance_box_iou`` minus a term for the difference of the aspect ratios.

    Reference: Zheng et al., "Enhancing Geometric Factors", 2020, arXiv:2005.03572.
    """
    boxes1, boxes2 = _wide(boxes1), _wide(boxes2)
    iou = box_iou(boxes1, boxes2)
    angles1, angles2 = (
        torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (boxes1, boxes2)
    )
    v = 4 / math.pi**2 * (angles1[..., :, None] - angles2[..., None, :]) ** 2
    with torch.no_grad():
        alpha = v / (1 - iou + v + eps)
    return distance_box_iou(boxes1, boxes2, eps) - alpha * v


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Indices of the boxes whose edges are both at least ``min_size``."""
    edges = boxes[:, 2:] - boxes[:, :2]
    return torch.where((edges >= min_size).all(dim=1))[0]


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes cut to an image of (height, width)."""
    height, width = size
    x = boxes[..., 0::2].clamp(min=0, max=width)
    y = boxes[..., 1::2].clamp(min=0, max=height)
    return torch.stack((x, y), dim=-1).reshape(boxes.shape)


def masks_to_boxes(masks: Tensor) -> Tensor:
    """The box around each mask's nonzero pixels. Shape: (N, H, W) to (N, 4), float32."""
    if masks.numel() == 0:
        return torch.zeros((0, 4), dtype=torch.float)
    out = torch.zeros((masks.shape[0], 4), dtype=torch.float)
    for box, mask in zip(out, masks):
        y, x = torch.where(mask != 0)
        box[0], box[1], box[2], box[3] = x.min(), y.min(), x.max(), y.max()
    return out


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: of boxes that overlap more than the threshold, the best.

    Returns:
        Indices of those kept, by falling score.

    Shape: boxes (N, 4), scores (N,).
    """
    if boxes.dim() != 2 or boxes.shape[1] != 4:
        raise RuntimeError(f"nms: boxes have shape (N, 4), got {tuple(boxes.shape)}.")
    if scores.dim() != 1 or len(scores) != len(boxes):
        raise RuntimeError(
            f"nms: scores have shape ({len(boxes)},) as there are boxes, got {tuple(scores.shape)}."
        )
    if boxes.dtype != scores.dtype:
        raise RuntimeError(
            f"nms: boxes are {boxes.dtype} and scores {scores.dtype}; make them one."
        )
    if boxes.is_quantized:
        boxes, scores = boxes.dequantize(), scores.dequantize()
    order = np.argsort(-scores.detach().numpy(), kind="stable")
    corners = boxes.detach().numpy()[order]
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    alive = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        if not alive[i]:
            continue
        low = np.maximum(corners[i, :2], corners[i + 1 :, :2])
        edges = np.maximum(np.minimum(corners[i, 2:], corners[i + 1 :, 2:]) - low, 0)
        shared = edges[:, 0] * edges[:, 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            alive[i + 1 :] &= ~(shared / (area[i] + area[i + 1 :] - shared) > iou_threshold)
    return torch.from_numpy(order[alive].astype(np.int64))


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """``nms`` among the boxes of each category by itself."""
    if boxes.numel() == 0:
        return torch.empty((0,), dtype=torch.int64)
    if boxes.numel() > 4000:  # category by category: nms looks at every pair
        keep = torch.zeros_like(scores, dtype=torch.bool)
        for each in torch.unique(idxs):
            (index,) = torch.where(idxs == each)
            keep[index[nms(boxes[index], scores[index], iou_threshold)]] = True
        (kept,) = torch.where(keep)
        return kept[scores[kept].sort(descending=True).indices]
    # Categories are moved apart so far that boxes of two never meet.
    offsets = idxs.to(boxes) * (boxes.max() + 1)
    return nms(boxes + offsets[:, None], scores, iou_threshold)
