"""A batch of images of several sizes: one tensor, and where each image ends in it."""

from __future__ import annotations

from typing import Any

from flambeau.core.tensor import Tensor

__all__ = ["ImageList"]


class ImageList:
    """Images padded to one size.

    Args:
        tensors: the batch, (N, C, H, W).
        image_sizes: (height, width) of each image before it was padded.
    """

    def __init__(self, tensors: Tensor, image_sizes: list[tuple[int, int]]) -> None:
        self.tensors = tensors
        self.image_sizes = image_sizes

    def to(self, device: Any) -> ImageList:
        """The same on a device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
