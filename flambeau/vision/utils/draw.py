"""Boxes, masks and keypoints on an image. Shapes are Pillow's; masks are arithmetic."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.dtypes import dtype
from flambeau.core.tensor import Tensor
from flambeau.vision.pillow import pillow
from flambeau.vision.utils.colors import Color, parse_colors

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks"]


def _check_image(image: Any, operation: str, channels: tuple[int, ...] = (3,)) -> None:
    if not isinstance(image, Tensor):
        raise TypeError(f"{operation}: image is a tensor, got {type(image).__name__}.")
    if not (image.dtype == torch.uint8 or image.is_floating_point()):
        raise ValueError(f"{operation}: image is uint8 or floating point, got {image.dtype}.")
    if image.dim() != 3:
        raise ValueError(f"{operation}: image has shape (C, H, W), got {tuple(image.shape)}.")
    if image.size(0) not in channels:
        raise ValueError(
            f"{operation}: image has {' or '.join(map(str, channels))} channels, "
            f"got {image.size(0)}."
        )


def _to_picture(image: Tensor) -> Any:
    """The image as Pillow's; [0, 1] is cut into 256 equal bins."""
    if image.is_floating_point():
        image = image.mul(256 - 1e-3).to(torch.uint8)
    return pillow().fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


def _to_tensor(picture: Any, like: dtype) -> Tensor:
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    return image.to(like) / 255 if like.is_floating_point else image


@torch.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: list[str] | None = None,
    colors: list[Color] | Color | None = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: list[Color] | Color | None = None,
    label_background_colors: list[Color] | Color | None = None,
    fill_labels: bool = False,
) -> Tensor:
    """Draw boxes, with their labels, on a copy of an image.

    Args:
        image: uint8, or floating point in [0, 1].
        boxes: corners (xmin, ymin, xmax, ymax) in pixels.
        labels: a text for each box, or None where there is none.
        colors: of the outlines; default: a palette.
        fill: fill the boxes, nearly transparent.
        font: a TrueType file; default: Pillow's own font.
        label_colors: of the text; default: the outlines', or black on a filled background.
        label_background_colors: default: the outlines'; used with ``fill_labels``.

    Shape: image (3, H, W) or (1, H, W), boxes (N, 4), the result (3, H, W).
    """
    _check_image(image, "draw_bounding_boxes", (1, 3))
    if boxes.size(-1) != 4:
        raise NotImplementedError(
            "draw_bounding_boxes: rotated boxes (N, 8) are not built; pass the corners (N, 4)."
        )
    if (boxes[:, 0] > boxes[:, 2]).any() or (boxes[:, 1] > boxes[:, 3]).any():
        raise ValueError(
            "draw_bounding_boxes: boxes are (xmin, ymin, xmax, ymax) with xmin <= xmax and "
            "ymin <= ymax; some are not. box_convert makes them from other formats."
        )
    count = boxes.size(0)
    if count == 0:
        warnings.warn("draw_bounding_boxes: boxes is empty, nothing was drawn.")
        return image
    texts: list[str | None] = [None] * count if labels is None else list(labels)
    if len(texts) != count:
        raise ValueError(f"draw_bounding_boxes: {count} boxes have {len(texts)} labels.")
    outlines = parse_colors(colors, count)
    inks = outlines if label_colors is None else parse_colors(label_colors, count)
    if label_colors is None and fill_labels:
        inks = parse_colors("black", count)
    grounds = parse_colors(label_background_colors, count) if label_background_colors else outlines
    letters = None
    if font is not None:
        letters = pillow("ImageFont").truetype(font=font, size=font_size or 10)
    elif font_size is not None:
        warnings.warn("draw_bounding_boxes: font_size says nothing without font; it is ignored.")

    picture = _to_picture(image.expand(3, -1, -1))
    pen = pillow("ImageDraw").Draw(picture, "RGBA" if fill else None)
    for box, outline, text, ink, ground in zip(
        boxes.to(torch.int64).tolist(), outlines, texts, inks, grounds
    ):
        pen.rectangle(box, width=width, outline=outline, fill=(*outline, 100) if fill else None)
        if text is None:
            continue
        corner = (box[0] + width + 1, box[1] + width + 1)
        if fill_labels:
            left, top, right, bottom = pen.textbbox(corner, text, font=letters)
            pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=ground)
        pen.text(corner, text, fill=ink, font=letters)
    return _to_tensor(picture, image.dtype)


@torch.no_grad()
def draw_segmentation_masks(
    image: Tensor,
    masks: Tensor,
    alpha: float = 0.8,
    colors: list[Color] | Color | None = None,
) -> Tensor:
    """Blend a colour over each mask; where masks overlap, black.

    Args:
        image: uint8, or floating point in [0, 1].
        masks: of bool.
        alpha: the colour's share: 0 leaves the image, 1 hides it.

    Shape: image (3, H, W), masks (N, H, W) or (H, W), the result (3, H, W).
    """
    _check_image(image, "draw_segmentation_masks")
    if masks.dim() == 2:
        masks = masks[None]
    if masks.dim() != 3 or masks.shape[-2:] != image.shape[-2:]:
        raise ValueError(
            f"draw_segmentation_masks: masks have shape (N, H, W) with the image's "
            f"{tuple(image.shape[-2:])}, got {tuple(masks.shape)}."
        )
    if masks.dtype != torch.bool:
        raise ValueError(f"draw_segmentation_masks: masks are of bool, got {masks.dtype}.")
    if masks.size(0) == 0:
        warnings.warn("draw_segmentation_masks: masks is empty, nothing was drawn.")
        return image
    layer = image.detach().clone()
    triples = parse_colors(colors, masks.size(0), unit=image.is_floating_point())
    for mask, color in zip(masks, triples):
        layer[:, mask] = torch.tensor(color, dtype=image.dtype)[:, None]
    layer[:, masks.sum(dim=0) > 1] = 0
    return (image * (1 - alpha) + layer * alpha).to(image.dtype)


@torch.no_grad()
def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: list[tuple[int, int]] | None = None,
    colors: Color | None = None,
    radius: int = 2,
    width: int = 3,
    visibility: Tensor | None = None,
) -> Tensor:
    """Draw the keypoints of each instance, and lines between those that are connected.

    Args:
        image: uint8, or floating point in [0, 1].
        keypoints: (x, y) in pixels.
        connectivity: pairs of keypoints' indices.
        visibility: which keypoints are drawn; default: all.

    Shape: image (3, H, W), keypoints (N, K, 2), visibility (N, K), the result (3, H, W).
    """
    _check_image(image, "draw_keypoints")
    if keypoints.dim() != 3:
        raise ValueError(
            f"draw_keypoints: keypoints have shape (N, K, 2), got {tuple(keypoints.shape)}."
        )
    if visibility is None:
        visibility = torch.ones(keypoints.shape[:-1], dtype=torch.bool)
    if visibility.dim() == 3:  # (N, K, 1), as cut from a prediction
        visibility = visibility.squeeze(-1)
    if visibility.shape != keypoints.shape[:-1]:
        raise ValueError(
            f"draw_keypoints: visibility has the keypoints' shape {tuple(keypoints.shape[:-1])}, "
            f"got {tuple(visibility.shape)}."
        )
    picture = _to_picture(image)
    pen = pillow("ImageDraw").Draw(picture)
    for points, seen in zip(keypoints.to(torch.int64).tolist(), visibility.bool().tolist()):
        for (x, y), shown in zip(points, seen):
            if shown:
                disc = [x - radius, y - radius, x + radius, y + radius]
                pen.ellipse(disc, fill=colors, outline=None, width=0)
        for start, end in connectivity or ():
            if seen[start] and seen[end]:
                pen.line((tuple(points[start]), tuple(points[end])), width=width)
    return _to_tensor(picture, image.dtype)
