"""Masks and key points of detected regions: their losses, and their way back into the image.

Reference: K. He et al., "Mask R-CNN", 2017, arXiv:1703.06870.
"""

from __future__ import annotations

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.ops.roi import roi_align

__all__ = [
    "heatmaps_to_keypoints",
    "keypointrcnn_inference",
    "keypointrcnn_loss",
    "keypoints_to_heatmap",
    "maskrcnn_inference",
    "maskrcnn_loss",
    "paste_masks_in_image",
    "project_masks_on_boxes",
]


def maskrcnn_inference(x: Tensor, labels: list[Tensor]) -> list[Tensor]:
    """Probabilities of the masks of the found classes, for each image (N, 1, M, M)."""
    every = torch.cat(labels)
    chosen = x.sigmoid()[torch.arange(len(every)), every][:, None]
    return list(chosen.split([len(each) for each in labels], dim=0))


def project_masks_on_boxes(gt_masks: Tensor, boxes: Tensor, matched_idxs: Tensor, M: int) -> Tensor:
    """What of the true masks lies in boxes, (N, M, M)."""
    rois = torch.cat([matched_idxs.to(boxes)[:, None], boxes], dim=1)
    return roi_align(gt_masks[:, None].to(rois), rois, (M, M), 1.0)[:, 0]


def maskrcnn_loss(
    mask_logits: Tensor,
    proposals: list[Tensor],
    gt_masks: list[Tensor],
    gt_labels: list[Tensor],
    mask_matched_idxs: list[Tensor],
) -> Tensor:
    """Binary cross-entropy of the true classes' masks."""
    labels = torch.cat([each[idxs] for each, idxs in zip(gt_labels, mask_matched_idxs)])
    size = mask_logits.shape[-1]
    targets = torch.cat([
        project_masks_on_boxes(m, p, i, size)
        for m, p, i in zip(gt_masks, proposals, mask_matched_idxs)
    ])  # fmt: skip
    if targets.numel() == 0:
        return mask_logits.sum() * 0
    chosen = mask_logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(chosen, targets)


def keypoints_to_heatmap(
    keypoints: Tensor, rois: Tensor, heatmap_size: int
) -> tuple[Tensor, Tensor]:
    """The cell of each key point in its region's heatmap, and whether it lies there visibly."""
    cells, inside = [], keypoints[..., 2] > 0
    for axis in (1, 0):
        low, high = rois[:, axis, None], rois[:, axis + 2, None]
        at = keypoints[..., axis]
        cell = ((at - low) * (heatmap_size / (high - low))).floor().long()
        cell[at == high] = heatmap_size - 1
        inside = inside & (cell >= 0) & (cell < heatmap_size)
        cells.append(cell)
    valid = inside.long()
    return (cells[0] * heatmap_size + cells[1]) * valid, valid


def keypointrcnn_loss(
    keypoint_logits: Tensor,
    proposals: list[Tensor],
    gt_keypoints: list[Tensor],
    keypoint_matched_idxs: list[Tensor],
) -> Tensor:
    """Cross-entropy over the cells of the heatmaps of visible key points."""
    rows, points, height, width = keypoint_logits.shape
    if height != width:
        raise ValueError(
            "keypoint_logits height and width (last two elements of shape) should be equal, got "
            f"{height} and {width}."
        )
    pairs = [
        keypoints_to_heatmap(truth[index], boxes, height)
        for boxes, truth, index in zip(proposals, gt_keypoints, keypoint_matched_idxs)
    ]
    targets = torch.cat([cells.view(-1) for cells, _ in pairs])
    (valid,) = torch.where(torch.cat([seen.view(-1) for _, seen in pairs]) > 0)
    if keypoint_logits.numel() == 0 or len(valid) == 0:
        return keypoint_logits.sum() * 0
    logits = keypoint_logits.view(rows * points, height * width)
    return F.cross_entropy(logits[valid], targets[valid])


def heatmaps_to_keypoints(maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
    """Where each heatmap, enlarged to its region, is highest: (N, K, 3), and how high: (N, K)."""
    count = maps.shape[1]
    found = torch.zeros((len(rois), 3, count), dtype=torch.float32)
    scores = torch.zeros((len(rois), count), dtype=torch.float32)
    edges = (rois[:, 2:] - rois[:, :2]).clamp(min=1)
    for i, (width, height) in enumerate(edges.ceil().int().tolist()):
        enlarged = F.interpolate(
            maps[i][:, None], size=(height, width), mode="bicubic", align_corners=False
        )[:, 0]
        place = enlarged.reshape(count, -1).argmax(dim=1)
        x, y = place % width, torch.div(place, width, rounding_mode="floor")
        found[i, 0] = (x.float() + 0.5) * (edges[i, 0] / width) + rois[i, 0]
        found[i, 1] = (y.float() + 0.5) * (edges[i, 1] / height) + rois[i, 1]
        found[i, 2] = 1
        scores[i] = enlarged[torch.arange(count), y, x]
    return found.permute(0, 2, 1), scores


def keypointrcnn_inference(x: Tensor, boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Key points and their scores, for each image."""
    parts = x.split([len(each) for each in boxes], dim=0)
    pairs = [heatmaps_to_keypoints(maps, each) for maps, each in zip(parts, boxes)]
    return [points for points, _ in pairs], [scores for _, scores in pairs]


def _paste(mask: Tensor, box: list[int], height: int, width: int) -> Tensor:
    """One mask, stretched over its box, in an image of 0."""
    left, top, right, bottom = box
    size = (max(bottom - top + 1, 1), max(right - left + 1, 1))
    mask = F.interpolate(mask[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    image = torch.zeros((height, width), dtype=mask.dtype)
    x, y = max(left, 0), max(top, 0)
    x_end, y_end = min(right + 1, width), min(bottom + 1, height)
    image[y:y_end, x:x_end] = mask[y - top : y_end - top, x - left : x_end - left]
    return image


def paste_masks_in_image(
    masks: Tensor, boxes: Tensor, img_shape: tuple[int, int], padding: int = 1
) -> Tensor:
    """Masks (N, 1, M, M) of boxes as masks of the image, (N, 1, H, W)."""
    height, width = img_shape
    if len(masks) == 0:
        return masks.new_empty((0, 1, height, width))
    size = masks.shape[-1]
    scale = float(size + 2 * padding) / size  # a border of 0, which the box grows by
    masks = F.pad(masks, (padding,) * 4)
    middle = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale
    grown = torch.cat((middle - half, middle + half), dim=1).to(torch.int64).tolist()
    return torch.stack([_paste(m[0], b, height, width) for m, b in zip(masks, grown)])[:, None]
