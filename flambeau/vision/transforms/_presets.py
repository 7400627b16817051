"""What trained weights want of images: resize, crop, convert, normalize."""

from __future__ import annotations

from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.modes import InterpolationMode

__all__ = [
    "ImageClassification",
    "ObjectDetection",
    "OpticalFlow",
    "SemanticSegmentation",
    "VideoClassification",
]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


class _Preset(nn.Module):
    def __init__(
        self,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        interpolation: InterpolationMode,
        antialias: bool | None,
    ) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def normalized(self, img: Any) -> Tensor:
        """As float32 in [0, 1], less the mean, by the deviation."""
        if not isinstance(img, Tensor):
            img = F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img, torch.float), self.mean, self.std)

    def __repr__(self) -> str:
        sizes = [f"{n}={v}" for n, v in vars(self).items() if n in ("crop_size", "resize_size")]
        told = [*sizes, f"mean={self.mean}", f"std={self.std}"]
        told.append(f"interpolation={self.interpolation}")
        return "\n    ".join([f"{type(self).__name__}(", *told]) + "\n)"


class ImageClassification(_Preset):
    """Resize the shorter edge, crop the middle, normalize: an image or a batch of them."""

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(mean, std, interpolation, antialias)
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]

    def forward(self, img: Any) -> Tensor:
        img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        return self.normalized(F.center_crop(img, self.crop_size))


class SemanticSegmentation(_Preset):
    """Resize the shorter edge (None: leave it), normalize."""

    def __init__(
        self,
        *,
        resize_size: int | None,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(mean, std, interpolation, antialias)
        self.resize_size = None if resize_size is None else [resize_size]

    def forward(self, img: Any) -> Tensor:
        if self.resize_size is not None:
            img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        return self.normalized(img)


class VideoClassification(_Preset):
    """Frames resized, cropped in the middle, normalized; time goes behind the channels.

    Shape: (..., T, C, H, W) to (..., C, T, H, W).
    """

    def __init__(
        self,
        *,
        crop_size: tuple[int, int],
        resize_size: tuple[int, ...],
        mean: tuple[float, ...] = (0.43216, 0.394666, 0.37645),
        std: tuple[float, ...] = (0.22803, 0.22145, 0.216989),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    ) -> None:
        super().__init__(mean, std, interpolation, antialias=False)
        self.crop_size = list(crop_size)
        self.resize_size = list(resize_size)

    def forward(self, vid: Tensor) -> Tensor:
        frames = vid.flatten(0, -4)
        frames = F.resize(frames, self.resize_size, self.interpolation, antialias=False)
        frames = self.normalized(F.center_crop(frames, self.crop_size))
        frames = frames.view(*vid.shape[:-3], *frames.shape[-3:])
        return frames.transpose(-4, -3)


class ObjectDetection(nn.Module):
    """An image as float32 in [0, 1]; detectors do the rest."""

    def forward(self, img: Any) -> Tensor:
        image = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        return F.convert_image_dtype(image, torch.float)


class OpticalFlow(nn.Module):
    """Two images as float32 in [-1, 1]."""

    def forward(self, img1: Any, img2: Any) -> tuple[Tensor, Tensor]:
        pair = (i if isinstance(i, Tensor) else F.pil_to_tensor(i) for i in (img1, img2))
        first, second = (
            F.normalize(
                F.convert_image_dtype(image, torch.float), [0.5] * 3, [0.5] * 3
            ).contiguous()
            for image in pair
        )
        return first, second
