"""Tensors that know what they are: images, videos, masks, boxes, key points.

``transforms.v2`` chooses its kernel by these types. Operations on them give plain tensors, but for
``clone``, ``to``, ``detach`` and ``requires_grad_``; ``set_return_type`` changes that.
"""

from flambeau.vision.tv_tensors.base import TVTensor, set_return_type
from flambeau.vision.tv_tensors.pixels import Image, Mask, Video
from flambeau.vision.tv_tensors.places import (
    BoundingBoxes,
    BoundingBoxFormat,
    KeyPoints,
    is_rotated_bounding_format,
    wrap,
)

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "Image",
    "KeyPoints",
    "Mask",
    "TVTensor",
    "Video",
    "is_rotated_bounding_format",
    "set_return_type",
    "wrap",
]
