"""A batch of images as one grid, in memory or as a file.

A file is written whole or not at all (``serialization.writing``).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, BinaryIO

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.serialization.writing import replacing
from flambeau.vision.pillow import pillow

__all__ = ["make_grid", "save_image"]


def _as_batch(tensor: Any) -> Tensor:
    """Images in any of the accepted forms as (N, C, H, W); one channel becomes three."""
    if isinstance(tensor, list) and all(isinstance(each, Tensor) for each in tensor):
        tensor = torch.stack(tensor)
    elif not isinstance(tensor, Tensor):
        raise TypeError(
            f"make_grid: expected a tensor or a list of tensors, got {type(tensor).__name__}."
        )
    if tensor.dim() == 2:
        tensor = tensor[None]
    if tensor.dim() == 3:
        tensor = tensor[None]
    if tensor.dim() == 4 and tensor.size(1) == 1:
        tensor = torch.cat((tensor, tensor, tensor), 1)
    return tensor


def _stretch(image: Tensor, bounds: tuple[float, float] | None) -> None:
    """Bring ``bounds`` (default: the image's own) to [0, 1], in place."""
    low, high = bounds or (float(image.min()), float(image.max()))
    image.clamp_(min=low, max=high).sub_(low).div_(max(high - low, 1e-5))


@torch.no_grad()
def make_grid(
    tensor: Tensor | list[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[int, int] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay images out row by row in one image.

    Args:
        tensor: (N, C, H, W), a list of images of one size, or one image.
        nrow: images in a row.
        padding: pixels between images and around them.
        normalize: bring the values to [0, 1].
        value_range: the values that become 0 and 1; default: the smallest and largest.
        scale_each: normalize every image by itself.
        pad_value: what the padding holds.

    Shape: (N, C, H, W) to (C, rows * (H + padding) + padding, nrow * (W + padding) + padding);
        a single image comes back without a border.
    """
    images = _as_batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                f"make_grid: value_range is a tuple (min, max), got {type(value_range).__name__}."
            )
        images = images.clone()
        for part in images if scale_each else [images]:
            _stretch(part, value_range)
    count = images.size(0)
    if count == 1:
        return images[0]
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    height, width = images.size(2) + padding, images.size(3) + padding
    grid = images.new_full(
        (images.size(1), rows * height + padding, columns * width + padding), pad_value
    )
    for index in range(count):
        top, left = (
            padding + at * step for at, step in zip(divmod(index, columns), (height, width))
        )
        grid[:, top : top + images.size(2), left : left + images.size(3)] = images[index]
    return grid


@torch.no_grad()
def save_image(
    tensor: Tensor | list[Tensor],
    fp: str | Path | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write images, as one grid, to a file of the format that its name or ``format`` says.

    Args:
        tensor: what ``make_grid`` takes, with values in [0, 1].
        fp: a name, or a file open for writing (then ``format`` is needed).
        kwargs: ``make_grid``'s other arguments.
    """
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add_(0.5).clamp_(0, 255).permute(1, 2, 0).to("cpu", torch.uint8)
    image = pillow().fromarray(pixels.numpy())
    if not isinstance(fp, (str, os.PathLike)):
        image.save(fp, format=format)
        return
    if format is None:
        suffix = Path(fp).suffix.lower()
        format = pillow().registered_extensions().get(suffix)
        if format is None:
            raise ValueError(
                f"save_image: {str(fp)!r} does not end in an image format's suffix; "
                "rename it, or pass format=."
            )
    with replacing(fp) as file:
        image.save(file, format=format)
