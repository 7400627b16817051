"""Flips, crops, padding and sizes, of images, masks, boxes and key points."""

from __future__ import annotations

import functools
from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.transforms.functional import geometry as v1
from flambeau.vision.transforms.modes import InterpolationMode
from flambeau.vision.transforms.v2.functional.dispatch import functional, over_frames
from flambeau.vision.transforms.v2.functional.places import (
    Format,
    Size,
    as_corners,
    clamped,
    from_corners,
)
from flambeau.vision.tv_tensors import is_rotated_bounding_format

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "horizontal_flip",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vertical_flip",
]

BILINEAR, NEAREST = InterpolationMode.BILINEAR, InterpolationMode.NEAREST


def as_mode(interpolation: Any) -> InterpolationMode:
    """An InterpolationMode, also from its name or Pillow's number."""
    if isinstance(interpolation, str):
        return InterpolationMode(interpolation.lower().replace("_", "-"))
    return v1.as_mode(interpolation)


def on_masks(kernel: Any) -> Any:
    """A kernel of (..., C, H, W) for masks, which may be (H, W)."""

    @functools.wraps(kernel)
    def wrapped(mask: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if mask.ndim > 2:
            return kernel(mask, *args, **kwargs)  # type: ignore[no-any-return]
        return kernel(mask[None], *args, **kwargs)[0]  # type: ignore[no-any-return]

    return wrapped


def horizontal_flip_image(image: Tensor) -> Tensor:
    """Left and right exchanged."""
    return image.flip(-1)


def vertical_flip_image(image: Tensor) -> Tensor:
    """Top and bottom exchanged."""
    return image.flip(-2)


def _mirrored(boxes: Tensor, format: Format, canvas_size: Size, axis: int) -> Tensor:
    """Boxes of any format mirrored along x (0) or y (1)."""
    edge = canvas_size[1 - axis]
    if is_rotated_bounding_format(format):
        corners = as_corners(boxes, format).clone()
        corners[..., axis] = edge - corners[..., axis]
        out = from_corners(corners[..., [1, 0, 3, 2], :], format)
        if format is not Format.XYXYXYXY:
            out[..., 4] = 180 * axis - boxes[..., 4]
        return out
    out = boxes.clone()
    if format is Format.XYXY:
        out[..., axis], out[..., axis + 2] = edge - boxes[..., axis + 2], edge - boxes[..., axis]
    elif format is Format.XYWH:
        out[..., axis] = edge - boxes[..., axis] - boxes[..., axis + 2]
    else:
        out[..., axis] = edge - boxes[..., axis]
    return out


def horizontal_flip_bounding_boxes(
    bounding_boxes: Tensor, format: Format, canvas_size: Size
) -> Tensor:
    """Left and right exchanged."""
    return _mirrored(bounding_boxes, format, canvas_size, 0)


def vertical_flip_bounding_boxes(
    bounding_boxes: Tensor, format: Format, canvas_size: Size
) -> Tensor:
    """Top and bottom exchanged."""
    return _mirrored(bounding_boxes, format, canvas_size, 1)


def horizontal_flip_keypoints(keypoints: Tensor, canvas_size: Size) -> Tensor:
    """Left and right exchanged."""
    x, y = keypoints.unbind(-1)
    return torch.stack((canvas_size[1] - 1 - x, y), dim=-1)


def vertical_flip_keypoints(keypoints: Tensor, canvas_size: Size) -> Tensor:
    """Top and bottom exchanged."""
    x, y = keypoints.unbind(-1)
    return torch.stack((x, canvas_size[0] - 1 - y), dim=-1)


def resized_size(canvas_size: Any, size: Any, max_size: int | None) -> list[int]:
    """[height, width] after ``resize``; a size of None gives the longer edge ``max_size``."""
    height, width = canvas_size
    if size is None:
        if max_size is None:
            raise ValueError("resize: max_size must be an integer when size is None.")
        short, long = int(max_size * min(canvas_size) / max(canvas_size)), max_size
        return [long, short] if width <= height else [short, long]
    return v1._resized(height, width, size, max_size)


def resize_image(
    image: Tensor,
    size: Any,
    interpolation: Any = BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Tensor:
    """The image in another size.

    Args:
        size: (height, width), the shorter edge's length, or None: the longer is ``max_size``.
        antialias: of bilinear and bicubic; Pillow always does.
    """
    new = resized_size(image.shape[-2:], size, max_size)
    if image.numel() == 0:
        return image.new_empty((*image.shape[:-2], *new))
    out: Tensor = over_frames(_resized)(image, new, as_mode(interpolation), antialias)
    return out


def _resized(
    image: Tensor, size: list[int], mode: InterpolationMode, antialias: bool | None
) -> Tensor:
    if image.dtype != torch.uint8 or mode not in (BILINEAR, InterpolationMode.BICUBIC):
        return v1.resize(image, size, mode, antialias=antialias)  # type: ignore[no-any-return]
    if list(image.shape[-2:]) == size:
        return image
    # Bytes are weighed as such, in whole numbers: neither rounded once nor slower.
    four = image if image.ndim == 4 else image[None]
    out = F.interpolate(
        four, size=size, mode=mode.value, align_corners=False, antialias=bool(antialias)
    )
    return out if image.ndim == 4 else out[0]


def _resize_picture(
    image: Any,
    size: Any,
    interpolation: Any = BILINEAR,
    max_size: Any = None,
    antialias: Any = True,
) -> Any:
    new = resized_size((image.height, image.width), size, max_size)
    return v1.resize(image, new, as_mode(interpolation), antialias=antialias)


@on_masks
def resize_mask(
    mask: Tensor, size: Any, interpolation: Any = NEAREST, max_size: int | None = None
) -> Tensor:
    """The mask in another size, by its nearest pixels."""
    return resize_image(mask, size, NEAREST, max_size)


def _scaled(values: Tensor, old: Any, new: Any) -> Tensor:
    ratios = torch.tensor([new[1] / old[1], new[0] / old[0]])
    return (values * ratios).to(values.dtype)


def resize_bounding_boxes(
    bounding_boxes: Tensor,
    canvas_size: Size,
    size: Any,
    max_size: int | None = None,
    format: Format = Format.XYXY,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes on a canvas of another size, and its size."""
    new = resized_size(canvas_size, size, max_size)
    if is_rotated_bounding_format(format):
        # Turned boxes stay right-angled: corners 1, 2 and the height decide.
        corners = _scaled(as_corners(bounding_boxes, format), canvas_size, new)
        return from_corners(corners, format).to(bounding_boxes.dtype), tuple(new)  # type: ignore[return-value]
    pairs = bounding_boxes.unflatten(-1, (2, 2))
    return _scaled(pairs, canvas_size, new).flatten(-2), tuple(new)  # type: ignore[return-value]


def resize_keypoints(
    keypoints: Tensor, size: Any, canvas_size: Size, max_size: int | None = None
) -> tuple[Tensor, Size]:
    """The points on a canvas of another size, and its size."""
    new = resized_size(canvas_size, size, max_size)
    return _scaled(keypoints, canvas_size, new), tuple(new)  # type: ignore[return-value]


def crop_image(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """A rectangle of the image; what lies outside is 0."""
    return v1.crop(image, top, left, height, width)  # type: ignore[no-any-return]


def _moved(boxes: Tensor, format: Format, x: int, y: int) -> Tensor:
    """Boxes of any format moved."""
    whole = {Format.XYXY: 2, Format.XYXYXYXY: 4}.get(format, 1)
    steps = [x, y] * whole
    steps += [0] * (boxes.shape[-1] - len(steps))
    return boxes + torch.tensor(steps, dtype=boxes.dtype)


def crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    top: int,
    left: int,
    height: int,
    width: int,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes cut to a rectangle, and its size."""
    moved = _moved(bounding_boxes, format, -left, -top)
    return clamped(moved, format, (height, width), clamping_mode), (height, width)


def crop_keypoints(
    keypoints: Tensor, top: int, left: int, height: int, width: int
) -> tuple[Tensor, Size]:
    """The points seen from a rectangle's corner, and its size."""
    moved = keypoints - torch.tensor([left, top], dtype=keypoints.dtype)
    return moved, (height, width)


def pad_image(
    image: Tensor, padding: Any, fill: Any = None, padding_mode: str = "constant"
) -> Tensor:
    """The image with a border; ``fill`` is a number or one for each channel."""
    colors = list(fill) if isinstance(fill, (list, tuple)) else [fill]
    frames: Any = over_frames(v1.pad)
    if len(colors) == 1:
        return frames(image, padding, colors[0], padding_mode)  # type: ignore[no-any-return]
    if padding_mode != "constant":
        raise ValueError(f"pad: padding_mode {padding_mode!r} does not take several fills.")
    inside = frames(torch.ones_like(image, dtype=torch.bool), padding)
    color = torch.tensor(colors, dtype=image.dtype).view(-1, 1, 1)
    return torch.where(inside, frames(image, padding), color)


@on_masks
def pad_mask(
    mask: Tensor, padding: Any, fill: Any = None, padding_mode: str = "constant"
) -> Tensor:
    """The mask with a border."""
    if isinstance(fill, (list, tuple)):
        raise ValueError("pad: Non-scalar fill value is not supported for masks.")
    return pad_image(mask, padding, fill, padding_mode)


def _grown(canvas_size: Size, padding: Any, padding_mode: str) -> tuple[int, int, Size]:
    """Left, top, and the canvas after padding."""
    if padding_mode not in ("constant",):
        raise ValueError(
            f"pad: Padding mode '{padding_mode}' is not supported with bounding boxes or key "
            "points; 'constant' is."
        )
    left, top, right, bottom = v1._borders(padding)
    return left, top, (canvas_size[0] + top + bottom, canvas_size[1] + left + right)


def pad_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    padding: Any,
    padding_mode: str = "constant",
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes on the canvas with a border, and its size."""
    left, top, size = _grown(canvas_size, padding, padding_mode)
    return clamped(_moved(bounding_boxes, format, left, top), format, size, clamping_mode), size


def pad_keypoints(
    keypoints: Tensor, canvas_size: Size, padding: Any, padding_mode: str = "constant"
) -> tuple[Tensor, Size]:
    """The points on the canvas with a border, and its size."""
    left, top, size = _grown(canvas_size, padding, padding_mode)
    return keypoints + torch.tensor([left, top], dtype=keypoints.dtype), size


def _middle(canvas_size: Any, output_size: Any) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the middle, outside too where the canvas is smaller."""
    height, width = v1._height_width(output_size)
    h, w = canvas_size
    top = round((h - height) / 2.0) if h >= height else -((height - h) // 2)
    left = round((w - width) / 2.0) if w >= width else -((width - w) // 2)
    return top, left, height, width


def _rounded_middle(canvas_size: Any, output_size: Any) -> tuple[int, int, int, int]:
    """``_middle`` as places see it: half a pixel goes to the even side on smaller canvases too."""
    height, width = v1._height_width(output_size)
    h, w = canvas_size
    return round((h - height) / 2.0), round((w - width) / 2.0), height, width


def center_crop_image(image: Tensor, output_size: Any) -> Tensor:
    """The middle of the image, with 0 around where the image is smaller."""
    return crop_image(image, *_middle(image.shape[-2:], output_size))


def center_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    output_size: Any,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes cut to the middle, and its size."""
    where = _rounded_middle(canvas_size, output_size)
    return crop_bounding_boxes(bounding_boxes, format, *where, clamping_mode=clamping_mode)


def center_crop_keypoints(inpt: Tensor, canvas_size: Size, output_size: Any) -> tuple[Tensor, Size]:
    """The points seen from the middle's corner, and its size."""
    return crop_keypoints(inpt, *_rounded_middle(canvas_size, output_size))


def resized_crop_image(
    image: Tensor,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = BILINEAR,
    antialias: bool | None = True,
) -> Tensor:
    """A rectangle of the image, resized."""
    cut = crop_image(image, top, left, height, width)
    return resize_image(cut, size, interpolation, antialias=antialias)


def _resized_crop_picture(
    image: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = BILINEAR,
    antialias: bool | None = True,
) -> Any:
    cut = v1.crop(image, top, left, height, width)
    return _resize_picture(cut, size, interpolation, antialias=antialias)


def resized_crop_mask(
    mask: Tensor, top: int, left: int, height: int, width: int, size: Any
) -> Tensor:
    """A rectangle of the mask, resized by its nearest pixels."""
    return resize_mask(crop_image(mask, top, left, height, width), size)  # type: ignore[no-any-return]


def resized_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes cut to a rectangle that is resized, and its size."""
    cut, canvas = crop_bounding_boxes(
        bounding_boxes, format, top, left, height, width, clamping_mode
    )
    return resize_bounding_boxes(cut, canvas, size, None, format, clamping_mode)


def resized_crop_keypoints(
    keypoints: Tensor, top: int, left: int, height: int, width: int, size: Any
) -> tuple[Tensor, Size]:
    """The points seen from a rectangle's corner that is resized, and its size."""
    cut, canvas = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(cut, size, canvas)


def five_crop_image(image: Tensor, size: Any) -> tuple[Any, ...]:
    """The four corners and the middle."""
    return v1.five_crop(image, size)


def ten_crop_image(image: Tensor, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """``five_crop`` of the image, then of its mirror image."""
    return v1.ten_crop(image, size, vertical_flip)


def _pad_picture(image: Any, padding: Any, fill: Any = None, padding_mode: str = "constant") -> Any:
    if isinstance(fill, (list, tuple)):
        fill = [int(v) for v in fill]
    return v1.pad(image, padding, fill or 0, padding_mode)


horizontal_flip = functional(
    "horizontal_flip",
    horizontal_flip_image,
    picture=v1.hflip,
    mask=horizontal_flip_image,
    boxes=horizontal_flip_bounding_boxes,
    points=horizontal_flip_keypoints,
)
vertical_flip = functional(
    "vertical_flip",
    vertical_flip_image,
    picture=v1.vflip,
    mask=vertical_flip_image,
    boxes=vertical_flip_bounding_boxes,
    points=vertical_flip_keypoints,
)
resize = functional(
    "resize",
    resize_image,
    picture=_resize_picture,
    mask=resize_mask,
    boxes=resize_bounding_boxes,
    points=resize_keypoints,
)
crop = functional(
    "crop",
    crop_image,
    picture=v1.crop,
    mask=crop_image,
    boxes=crop_bounding_boxes,
    points=crop_keypoints,
)
pad = functional(
    "pad",
    pad_image,
    picture=_pad_picture,
    mask=pad_mask,
    boxes=pad_bounding_boxes,
    points=pad_keypoints,
)
center_crop = functional(
    "center_crop",
    center_crop_image,
    picture=v1.center_crop,
    mask=center_crop_image,
    boxes=center_crop_bounding_boxes,
    points=center_crop_keypoints,
)
resized_crop = functional(
    "resized_crop",
    resized_crop_image,
    picture=_resized_crop_picture,
    mask=resized_crop_mask,
    boxes=resized_crop_bounding_boxes,
    points=resized_crop_keypoints,
)
five_crop = functional("five_crop", five_crop_image, picture=v1.five_crop)
ten_crop = functional("ten_crop", ten_crop_image, picture=v1.ten_crop)
