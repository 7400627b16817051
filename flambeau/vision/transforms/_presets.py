"""What trained weights want of images: resize, crop, convert, normalize."""

from __future__ import annotations

from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.modes import InterpolationMode

__all__ = ["ImageClassification", "SemanticSegmentation"]

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
