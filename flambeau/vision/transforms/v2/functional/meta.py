"""What is asked of inputs: channels, sizes, frames. Stands on ``dispatch``."""

from __future__ import annotations

from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.vision.transforms.functional import convert as v1
from flambeau.vision.transforms.v2.functional.dispatch import functional

__all__ = ["get_dimensions", "get_num_channels", "get_num_frames", "get_size"]


def get_dimensions_image(image: Tensor) -> list[int]:
    """[channels, height, width]."""
    if image.ndim < 2:
        raise TypeError(f"get_dimensions: Input tensor should have at least two dimensions, got "
                        f"{image.ndim}.")  # fmt: skip
    return [1 if image.ndim == 2 else image.shape[-3], *image.shape[-2:]]


def get_num_channels_image(image: Tensor) -> int:
    """The number of channels."""
    return get_dimensions_image(image)[0]


def get_size_image(image: Tensor) -> list[int]:
    """[height, width]."""
    return get_dimensions_image(image)[1:]


def get_num_frames_video(video: Tensor) -> int:
    """The number of frames."""
    return video.shape[-4]


def _canvas(places: Tensor, canvas_size: Any) -> list[int]:
    """[height, width] of the canvas."""
    return list(canvas_size)


get_dimensions = functional("get_dimensions", get_dimensions_image, picture=v1.get_dimensions)
get_num_channels = functional(
    "get_num_channels", get_num_channels_image, picture=v1.get_image_num_channels
)
get_size = functional(
    "get_size",
    get_size_image,
    picture=lambda image: [image.height, image.width],
    mask=get_size_image,
    boxes=_canvas,
    points=_canvas,
)
get_num_frames = functional("get_num_frames", get_num_frames_video)
get_image_num_channels = get_num_channels


def get_image_size(inpt: Any) -> list[int]:
    """[width, height]."""
    return get_size(inpt)[::-1]  # type: ignore[no-any-return]
