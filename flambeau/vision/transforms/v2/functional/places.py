"""Boxes and key points: formats, clamping to the canvas, and what is worth keeping.

Every kernel on boxes is written for corners; ``as_corners`` and ``from_corners`` are the way there
and back.
"""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, wrap
from flambeau.vision.tv_tensors.places import as_format, is_rotated_bounding_format

__all__ = [
    "clamp_bounding_boxes",
    "clamp_keypoints",
    "convert_bounding_box_format",
    "sanitize_bounding_boxes",
    "sanitize_keypoints",
]

Size = tuple[int, int]
Format = BoundingBoxFormat


def _to_xyxy(boxes: Tensor, old: Format) -> Tensor:
    if old is Format.XYXY:
        return boxes
    low, edges = boxes[..., :2], boxes[..., 2:]
    if old is Format.CXCYWH:
        low = low - edges / 2
    return torch.cat((low, low + edges), dim=-1)


def from_xyxy(boxes: Tensor, new: Format) -> Tensor:
    if new is Format.XYXY:
        return boxes
    low, edges = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    if new is Format.CXCYWH:
        low = low + edges / 2
    return torch.cat((low, edges), dim=-1)


def _turn(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angles of turned boxes."""
    radians = boxes[..., 4] * math.pi / 180.0
    return radians.cos(), radians.sin()


def _to_points(boxes: Tensor, old: Format) -> Tensor:
    """Four corners (..., 8) of turned boxes: clockwise, from what was the top left."""
    if old is Format.XYXYXYXY:
        return boxes
    x, y, w, h = boxes[..., :4].unbind(-1)
    cos, sin = _turn(boxes)
    if old is Format.CXCYWHR:
        x, y = x - w / 2 * cos - h / 2 * sin, y + w / 2 * sin - h / 2 * cos
    right, up = w * cos, -w * sin
    along, down = h * sin, h * cos
    corners = (x, y, x + right, y + up, x + right + along, y + up + down, x + along, y + down)
    return torch.stack(corners, dim=-1)


def _from_points(points: Tensor, new: Format) -> Tensor:
    if new is Format.XYXYXYXY:
        return points
    x1, y1, x2, y2, x3, y3, _, _ = points.unbind(-1)
    angle = torch.atan2(y1 - y2, x2 - x1)
    w, h = torch.hypot(x2 - x1, y1 - y2), torch.hypot(x3 - x2, y3 - y2)
    if new is Format.CXCYWHR:
        cos, sin = angle.cos(), angle.sin()
        x1, y1 = x1 + w / 2 * cos + h / 2 * sin, y1 - w / 2 * sin + h / 2 * cos
    return torch.stack((x1, y1, w, h, angle * 180 / math.pi), dim=-1)


def converted(boxes: Tensor, old: Format, new: Format) -> Tensor:
    """Boxes in another format; whole numbers stay whole."""
    turned = is_rotated_bounding_format(old)
    if turned != is_rotated_bounding_format(new):
        raise ValueError(
            f"convert_bounding_box_format: Cannot convert between {old} and {new}: one is of "
            "turned boxes, the other is not."
        )
    if old is new:
        return boxes
    if turned:
        return _from_points(_to_points(boxes, old), new)
    corners = _to_xyxy(_floats(boxes), old).to(boxes.dtype)
    return from_xyxy(_floats(corners), new).to(boxes.dtype)


def _floats(boxes: Tensor) -> Tensor:
    """Whole numbers as float32: halves are cut where they become whole again, not before."""
    return boxes if boxes.is_floating_point() else boxes.to(torch.float32)


def as_corners(boxes: Tensor, format: Format) -> Tensor:
    """The corners (..., 4, 2) of boxes of any format, of floating point."""
    boxes = _floats(boxes)
    if is_rotated_bounding_format(format):
        return _to_points(boxes, format).unflatten(-1, (4, 2))
    corners = _to_xyxy(boxes, format)
    return corners[..., [[0, 1], [2, 1], [2, 3], [0, 3]]]


def from_corners(corners: Tensor, format: Format) -> Tensor:
    """Boxes around corners; of turned formats, with these corners."""
    if is_rotated_bounding_format(format):
        return _from_points(corners.flatten(-2), format)
    return from_xyxy(torch.cat((corners.amin(-2), corners.amax(-2)), dim=-1), format)


def convert_bounding_box_format(
    inpt: Tensor,
    old_format: Format | str | None = None,
    new_format: Format | str | None = None,
    inplace: bool = False,
) -> Any:
    """Boxes in another format.

    Args:
        old_format: of a plain tensor; BoundingBoxes know theirs.

    Raises:
        TypeError: no ``new_format``.
        ValueError: ``old_format`` is missing, or given for boxes that know it.
    """
    if new_format is None:
        raise TypeError("convert_bounding_box_format: missing required argument 'new_format'.")
    new = as_format(new_format)
    if not isinstance(inpt, BoundingBoxes):
        if old_format is None:
            raise ValueError(
                "convert_bounding_box_format: For pure tensor inputs, `old_format` has to be "
                "passed."
            )
        out = converted(inpt, as_format(old_format), new)
    elif old_format is not None:
        raise ValueError(
            "convert_bounding_box_format: For bounding box tv_tensor inputs, `old_format` must "
            "not be passed."
        )
    else:
        out = converted(inpt.as_subclass(Tensor), inpt.format, new)
    if inplace and out is not inpt and out.shape == inpt.shape:
        inpt.as_subclass(Tensor).copy_(out)
        out = inpt.as_subclass(Tensor)
    elif not inplace and out is inpt:
        out = out.clone()
    return wrap(out, like=inpt, format=new) if isinstance(inpt, BoundingBoxes) else out


def clamped(boxes: Tensor, format: Format, canvas_size: Size, clamping_mode: str | None) -> Tensor:
    """Boxes cut to the canvas.

    Raises:
        NotImplementedError: turned boxes that reach beyond it.
    """
    if clamping_mode is None:
        return boxes.clone()
    height, width = canvas_size
    if is_rotated_bounding_format(format):
        corners = as_corners(boxes, format)
        low, high = corners.amin((0, 1)).tolist(), corners.amax((0, 1)).tolist()
        if boxes.numel() and (
            min(low) < -1e-3 or high[0] > width + 1e-3 or high[1] > height + 1e-3
        ):
            raise NotImplementedError(
                "clamp_bounding_boxes: turned boxes that reach beyond the canvas are not cut yet; "
                "keep them whole with clamping_mode=None."
            )
        return boxes.clone()
    corners = _to_xyxy(_floats(boxes), format)
    x, y = corners[..., 0::2].clamp(0, width), corners[..., 1::2].clamp(0, height)
    return from_xyxy(torch.stack((x, y), dim=-1).flatten(-2), format).to(boxes.dtype)


def clamp_bounding_boxes(
    inpt: Tensor,
    format: Format | None = None,
    canvas_size: Size | None = None,
    clamping_mode: str | None = "auto",
) -> Any:
    """Boxes cut to their canvas.

    Args:
        format, canvas_size, clamping_mode: of a plain tensor; BoundingBoxes know theirs
            (``auto``: their clamping mode).
    """
    if not isinstance(inpt, BoundingBoxes):
        if format is None or canvas_size is None or clamping_mode == "auto":
            raise ValueError(
                "clamp_bounding_boxes: For pure tensor inputs, `format`, `canvas_size` and "
                "`clamping_mode` have to be passed."
            )
        return clamped(inpt, format, canvas_size, clamping_mode)
    if format is not None or canvas_size is not None:
        raise ValueError(
            "clamp_bounding_boxes: For bounding box tv_tensor inputs, `format` and `canvas_size` "
            "must not be passed."
        )
    mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
    out = clamped(inpt.as_subclass(Tensor), inpt.format, inpt.canvas_size, mode)
    return wrap(out, like=inpt)


def points_clamped(points: Tensor, canvas_size: Size) -> Tensor:
    """Points moved into the canvas."""
    height, width = canvas_size
    x, y = points[..., 0].clamp(0, width - 1), points[..., 1].clamp(0, height - 1)
    return torch.stack((x, y), dim=-1)


def clamp_keypoints(inpt: Tensor, canvas_size: Size | None = None) -> Any:
    """Points moved into their canvas.

    Args:
        canvas_size: of a plain tensor; KeyPoints know theirs.
    """
    if isinstance(inpt, KeyPoints):
        if canvas_size is not None:
            raise ValueError(
                "clamp_keypoints: For keypoints tv_tensor inputs, `canvas_size` must not be passed."
            )
        return wrap(points_clamped(inpt.as_subclass(Tensor), inpt.canvas_size), like=inpt)
    if canvas_size is None:
        raise ValueError("clamp_keypoints: For pure tensor inputs, `canvas_size` has to be passed.")
    return points_clamped(inpt, canvas_size)


def sanitize_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format | None = None,
    canvas_size: Size | None = None,
    min_size: float = 1.0,
    min_area: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """The boxes that lie within the canvas and are not too small, and which they are.

    Args:
        format, canvas_size: of a plain tensor; BoundingBoxes know theirs.
        min_size: the least edge.
        min_area: the least area.
    """
    known = isinstance(bounding_boxes, BoundingBoxes)
    if known == (format is not None or canvas_size is not None):
        raise ValueError(
            "sanitize_bounding_boxes: format and canvas_size "
            + ("must be None for BoundingBoxes." if known else "cannot be None for plain tensors.")
        )
    if isinstance(bounding_boxes, BoundingBoxes):
        format, canvas_size = bounding_boxes.format, bounding_boxes.canvas_size
    assert format is not None and canvas_size is not None
    plain = bounding_boxes.as_subclass(Tensor)
    height, width = canvas_size
    if is_rotated_bounding_format(format):
        corners = as_corners(plain, format)
        x, y = corners[..., 0], corners[..., 1]
        w, h = (
            torch.hypot(*(corners[..., i, :] - corners[..., i - 1, :]).unbind(-1)) for i in (1, 2)
        )
    else:
        xyxy = _to_xyxy(plain, as_format(format))
        x, y = xyxy[..., 0::2], xyxy[..., 1::2]
        w, h = (v[..., 1] - v[..., 0] for v in (x, y))
    valid = (w >= min_size) & (h >= min_size) & (w * h >= min_area)
    valid &= (x >= 0).all(-1) & (x <= width).all(-1) & (y >= 0).all(-1) & (y <= height).all(-1)
    kept = plain[valid]
    return (wrap(kept, like=bounding_boxes) if known else kept), valid


def sanitize_keypoints(
    key_points: Tensor, canvas_size: Size | None = None
) -> tuple[Tensor, Tensor]:
    """The points that lie within the canvas, and which they are.

    Args:
        canvas_size: of a plain tensor; KeyPoints know theirs.
    """
    known = isinstance(key_points, KeyPoints)
    if known == (canvas_size is not None):
        raise ValueError(
            "sanitize_keypoints: canvas_size "
            + ("must be None for KeyPoints." if known else "cannot be None for plain tensors.")
        )
    if isinstance(key_points, KeyPoints):
        canvas_size = key_points.canvas_size
    assert canvas_size is not None
    plain = key_points.as_subclass(Tensor)
    x, y = plain.unbind(-1)
    valid = (x >= 0) & (x < canvas_size[1]) & (y >= 0) & (y < canvas_size[0])
    while valid.ndim > 1:
        valid = valid.all(-1)
    kept = plain[valid]
    return (wrap(kept, like=key_points) if known else kept), valid
