"""Flips, crops, padding and sizes: what moves pixels along the axes."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.pillow import is_pillow, pillow
from flambeau.vision.transforms.functional.convert import (
    as_float,
    fill_color,
    get_dimensions,
    require_image,
    restore,
)
from flambeau.vision.transforms.modes import InterpolationMode, as_mode, pillow_number

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "hflip",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vflip",
]

_PAD_MODES = ("constant", "edge", "reflect", "symmetric")


def hflip(img: Any) -> Any:
    """Left and right exchanged."""
    require_image(img, "hflip")
    if is_pillow(img):
        return img.transpose(pillow().Transpose.FLIP_LEFT_RIGHT)
    return img.flip(-1)


def vflip(img: Any) -> Any:
    """Top and bottom exchanged."""
    require_image(img, "vflip")
    if is_pillow(img):
        return img.transpose(pillow().Transpose.FLIP_TOP_BOTTOM)
    return img.flip(-2)


def _borders(padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one, two or four numbers."""
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise TypeError(f"pad: padding is an int or a sequence, got {type(padding).__name__}.")
    if isinstance(padding, numbers.Number):
        padding = [padding]
    if len(padding) not in (1, 2, 4):
        raise ValueError(f"pad: padding is one, two or four numbers, got {len(padding)}.")
    left, top, right, bottom = tuple(padding) * (4 // len(padding))
    return left, top, right, bottom


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with a border.

    Args:
        padding: of all sides, of (left and right, top and bottom), or of
            (left, top, right, bottom); negative numbers crop.
        fill: the border's value in the mode ``constant``; for Pillow also one for each channel.
        padding_mode: ``constant``, ``edge``, ``reflect`` (without the edge) or ``symmetric``.
    """
    require_image(img, "pad")
    borders = _borders(padding)
    if not isinstance(padding_mode, str):
        raise TypeError(f"pad: padding_mode is a string, got {type(padding_mode).__name__}.")
    if padding_mode not in _PAD_MODES:
        raise ValueError(
            f"pad: padding_mode is one of {', '.join(_PAD_MODES)}, got {padding_mode!r}."
        )
    if is_pillow(img):
        if not isinstance(fill, (numbers.Number, tuple, list, type(None))):
            raise TypeError(f"pad: fill is a number or a sequence, got {type(fill).__name__}.")
        return _pad_picture(img, borders, fill, padding_mode)
    if not isinstance(fill, (int, float, type(None))):
        raise TypeError(f"pad: fill is a number for tensors, got {type(fill).__name__}.")
    left, top, right, bottom = borders
    sides = [left, right, top, bottom]
    if padding_mode == "constant":
        return F.pad(img, sides, value=float(fill or 0))
    if padding_mode == "symmetric":
        rows = _mirrored(img.shape[-2], top, bottom)
        columns = _mirrored(img.shape[-1], left, right)
        return img[..., rows[:, None], columns]
    how = "replicate" if padding_mode == "edge" else "reflect"
    return restore(F.pad(as_float(img), sides, mode=how), img)


def _mirrored(size: int, before: int, after: int) -> Tensor:
    """Indices of one axis, mirrored with the edge on both sides or cropped."""
    inner = range(max(-before, 0), size - max(-after, 0))
    ends = [*reversed(inner[: max(before, 0)])], [*reversed(inner)][: max(after, 0)]
    return torch.tensor([*ends[0], *inner, *ends[1]])


def _pad_picture(img: Any, borders: tuple[int, int, int, int], fill: Any, mode: Any) -> Any:
    if mode == "constant":
        out = pillow("ImageOps").expand(img, border=borders, fill=fill_color(img, fill))
    else:
        left, top, right, bottom = (max(side, 0) for side in borders)
        cut = [max(-side, 0) for side in borders]
        inner = img.crop((cut[0], cut[1], img.width - cut[2], img.height - cut[3]))
        edges = ((top, bottom), (left, right), (0, 0))
        array = np.asarray(inner)
        array = np.pad(array, edges[: array.ndim], mode=mode)
        out = pillow().fromarray(array)
    if img.mode == "P":
        out.putpalette(img.getpalette())
    return out


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A rectangle of the image; what lies outside is 0."""
    require_image(img, "crop")
    if is_pillow(img):
        return img.crop((left, top, left + width, top + height))
    h, w = img.shape[-2:]
    right, bottom = left + width, top + height
    if left >= 0 and top >= 0 and right <= w and bottom <= h:
        return img[..., top:bottom, left:right]
    inner = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return pad(
        inner,
        [
            max(-left + min(0, right), 0),
            max(-top + min(0, bottom), 0),
            max(right - max(w, left), 0),
            max(bottom - max(h, top), 0),
        ],
    )


def _height_width(size: Any) -> tuple[int, int]:
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(f"size: expected one number or (height, width), got {size}.")
    return size[0], size[1]


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of the image, padded with 0 first where the image is smaller."""
    height, width = _height_width(output_size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        wide, tall = max(width - w, 0), max(height - h, 0)
        img = pad(img, [wide // 2, tall // 2, (wide + 1) // 2, (tall + 1) // 2])
        _, h, w = get_dimensions(img)
        if (width, height) == (w, h):
            return img
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def five_crop(img: Any, size: Any) -> tuple[Any, ...]:
    """The four corners (top left, top right, bottom left, bottom right) and the middle."""
    height, width = _height_width(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(f"five_crop: size {(height, width)} is larger than the image {(h, w)}.")
    corners = [(0, 0), (0, w - width), (h - height, 0), (h - height, w - width)]
    return (*(crop(img, *at, height, width) for at in corners), center_crop(img, [height, width]))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """``five_crop`` of the image, then of its mirror image."""
    flipped = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(flipped, size)


def _resized(h: int, w: int, size: Any, max_size: int | None) -> list[int]:
    """[height, width] after ``resize``: one number is the shorter edge's."""
    if isinstance(size, Sequence) and len(size) not in (1, 2):
        raise ValueError(f"resize: size is one number or (height, width), got {list(size)}.")
    if isinstance(size, Sequence) and len(size) == 2:
        if max_size is not None:
            raise ValueError("resize: max_size goes with a size of one number.")
        return list(size)
    short = size if isinstance(size, int) else size[0]
    long = int(short * max(h, w) / min(h, w))
    if max_size is not None:
        if max_size <= short:
            raise ValueError(
                f"resize: max_size {max_size} has to be larger than the shorter edge {short}."
            )
        if long > max_size:
            short, long = int(max_size * short / long), max_size
    return [long, short] if w <= h else [short, long]


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Args:
        size: (height, width), or the shorter edge's length, the other keeping proportion.
        max_size: the longer edge's limit; with a size of one number.
        antialias: for tensors, bilinear and bicubic; Pillow always does.
    """
    require_image(img, "resize")
    mode = as_mode(interpolation)
    if not isinstance(size, (int, Sequence)):
        raise TypeError(f"resize: size is an int or a sequence, got {type(size).__name__}.")
    _, h, w = get_dimensions(img)
    height, width = _resized(h, w, size, max_size)
    if (h, w) == (height, width):
        return img
    if is_pillow(img):
        if antialias is False:
            warnings.warn("resize: Pillow always antialiases; antialias=False is ignored.")
        return img.resize((width, height), pillow_number(mode))
    smooth = mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
    out = F.interpolate(
        as_float(img),
        size=[height, width],
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=bool(antialias) and smooth,
    )
    if mode is InterpolationMode.BICUBIC and img.dtype == torch.uint8:
        out = out.clamp(min=0, max=255)
    return restore(out, img)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A rectangle of the image, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)
