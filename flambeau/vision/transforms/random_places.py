"""Transforms that draw where pixels go: crops, flips, rotations, affine maps, erasing.

Draws come from the default generator in torchvision's order, so that a seed gives its images.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.base import (
    Chance,
    channel_fill,
    check_fill,
    check_pair,
    integer,
    size_pair,
    symmetric,
    uniform,
)
from flambeau.vision.transforms.modes import InterpolationMode, as_mode

__all__ = [
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
]


class RandomHorizontalFlip(Chance):
    """Left and right exchanged with probability p."""

    def apply_to(self, img: Any) -> Any:
        return F.hflip(img)


class RandomVerticalFlip(Chance):
    """Top and bottom exchanged with probability p."""

    def apply_to(self, img: Any) -> Any:
        return F.vflip(img)


class RandomCrop(nn.Module):
    """A rectangle of a fixed size at a place that is drawn; the image may be padded first."""

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(size_pair(size, "RandomCrop"))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(top, left, height, width) of the crop."""
        _, h, w = F.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(
                f"RandomCrop: size {(height, width)} is larger than the image {(h, w)}. "
                "pad_if_needed=True enlarges it first."
            )
        if (h, w) == (height, width):
            return 0, 0, h, w
        return integer(0, h - height + 1), integer(0, w - width + 1), height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = F.get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            img = F.pad(img, [self.size[1] - width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = F.pad(img, [0, self.size[0] - height], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def _check_scale_and_ratio(name: str, scale: Any, ratio: Any) -> None:
    for which, value in (("scale", scale), ("ratio", ratio)):
        if not isinstance(value, Sequence):
            raise TypeError(f"{name}: {which} is a pair, got {type(value).__name__}.")
        if value[0] > value[1]:
            warnings.warn(f"{name}: {which} is (min, max), got {tuple(value)}.")


def _draw_extent(area: float, scale: Any, ratio: Any) -> tuple[float, float]:
    """Two edges: of an area drawn in ``scale``, their ratio drawn evenly in its logarithm."""
    part = area * uniform(scale[0], scale[1])
    low, high = torch.log(torch.tensor(ratio)).tolist()
    aspect = torch.exp(torch.empty(1).uniform_(low, high)).item()
    return math.sqrt(part * aspect), math.sqrt(part / aspect)


def resized_crop_of(size: tuple[int, int], scale: Any, ratio: Any) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a crop of drawn area and aspect ratio."""
    height, width = size
    for _ in range(10):
        w, h = map(round, _draw_extent(height * width, scale, ratio))
        if 0 < w <= width and 0 < h <= height:
            return integer(0, height - h + 1), integer(0, width - w + 1), h, w
    w, h = width, height
    if width / height < min(ratio):
        h = round(width / min(ratio))
    elif width / height > max(ratio):
        w = round(height * max(ratio))
    return (height - h) // 2, (width - w) // 2, h, w


class RandomResizedCrop(nn.Module):
    """A crop of drawn area and aspect ratio, resized to a fixed size."""

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = size_pair(size, "RandomResizedCrop")
        _check_scale_and_ratio("RandomResizedCrop", scale, ratio)
        self.interpolation = as_mode(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
        """(top, left, height, width) of the crop; the middle if ten draws do not fit."""
        _, height, width = F.get_dimensions(img)
        return resized_crop_of((height, width), scale, ratio)

    def forward(self, img: Any) -> Any:
        where = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *where, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(v, 4) for v in pair) for pair in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


class RandomRotation(nn.Module):
    """A rotation by an angle drawn in ``degrees``."""

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = symmetric(degrees, "RandomRotation: degrees")
        if center is not None:
            check_pair(center, "RandomRotation: center")
        self.interpolation = as_mode(interpolation)
        self.expand = expand
        self.center = center
        self.fill = check_fill(fill, "RandomRotation")

    @staticmethod
    def get_params(degrees: Any) -> float:
        """The angle."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        angle = self.get_params(self.degrees)
        fill = channel_fill(self.fill, img)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        fill = "" if self.fill is None else f", fill={self.fill}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, "
            f"interpolation={self.interpolation.value}, expand={self.expand}{center}{fill})"
        )


class RandomAffine(nn.Module):
    """An affine map whose angle, translation, scale and shear are drawn."""

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        self.degrees = symmetric(degrees, "RandomAffine: degrees")
        for name, value in (("translate", translate), ("scale", scale), ("center", center)):
            if value is not None:
                check_pair(value, f"RandomAffine: {name}")
        if translate is not None and not all(0.0 <= t <= 1.0 for t in translate):
            raise ValueError(f"RandomAffine: translate is in [0, 1], got {translate}.")
        if scale is not None and min(scale) <= 0:
            raise ValueError(f"RandomAffine: scale is positive, got {scale}.")
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else symmetric(shear, "RandomAffine: shear", (2, 4))
        self.interpolation = as_mode(interpolation)
        self.fill = check_fill(fill, "RandomAffine")
        self.center = center

    @staticmethod
    def get_params(
        degrees: Any, translate: Any, scale_ranges: Any, shears: Any, img_size: Any
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """(angle, translation, scale, shear), as ``functional.affine`` takes them."""
        angle = uniform(degrees[0], degrees[1])
        move = (0, 0)
        if translate is not None:
            x, y = (float(share * edge) for share, edge in zip(translate, img_size))
            move = (round(uniform(-x, x)), round(uniform(-y, y)))
        scale = 1.0 if scale_ranges is None else uniform(*scale_ranges)
        shear = (0.0, 0.0)
        if shears is not None:
            along_x = uniform(shears[0], shears[1])
            shear = (along_x, uniform(shears[2], shears[3]) if len(shears) == 4 else 0.0)
        return angle, move, scale, shear

    def forward(self, img: Any) -> Any:
        _, height, width = F.get_dimensions(img)
        drawn = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, [width, height]
        )
        fill = channel_fill(self.fill, img)
        return F.affine(
            img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center
        )

    def __repr__(self) -> str:
        usual = self.interpolation is InterpolationMode.NEAREST
        said = {
            "translate": self.translate,
            "scale": self.scale,
            "shear": self.shear,
            "interpolation": None if usual else self.interpolation.value,
            "fill": self.fill if self.fill != 0 else None,
            "center": self.center,
        }
        rest = "".join(f", {name}={value}" for name, value in said.items() if value is not None)
        return f"{type(self).__name__}(degrees={self.degrees}{rest})"


class RandomPerspective(Chance):
    """With probability p, the corners moved inwards by up to ``distortion_scale`` of a half."""

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__(p)
        self.interpolation = as_mode(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = check_fill(fill, "RandomPerspective")

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners, clockwise from the top left, and the places they come to."""
        x, y = (int(distortion_scale * (edge // 2)) for edge in (width, height))
        left, right = (0, x + 1), (width - x - 1, width)
        top, bottom = (0, y + 1), (height - y - 1, height)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        ends = [[integer(*across), integer(*down)] for across, down in corners]
        starts = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        return starts, ends

    def apply_to(self, img: Any) -> Any:
        _, height, width = F.get_dimensions(img)
        starts, ends = self.get_params(width, height, self.distortion_scale)
        return F.perspective(img, starts, ends, self.interpolation, channel_fill(self.fill, img))


def erased_of(
    dimensions: tuple[int, int, int], scale: Any, ratio: Any, value: list[float] | None
) -> tuple[int, int, int, int, Tensor] | None:
    """(row, column, height, width, values) of a rectangle; None if ten draws do not fit."""
    channels, height, width = dimensions
    for _ in range(10):
        h, w = map(round, _draw_extent(height * width, scale, ratio))
        if h >= height or w >= width:
            continue
        if value is None:
            v = torch.empty([channels, h, w], dtype=torch.float32).normal_()
        else:
            v = torch.tensor(value)[:, None, None]
        return integer(0, height - h + 1), integer(0, width - w + 1), h, w, v
    return None


class RandomErasing(Chance):
    """With probability p, a rectangle of drawn area and aspect ratio overwritten.

    Args:
        value: a number, one for each channel, or ``"random"`` for normal noise.

    Reference: Zhong et al., "Random Erasing Data Augmentation", 2017, arXiv:1708.04896.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p)
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError(f"RandomErasing: value is a number, one for each channel, or "
                            f"'random', got {type(value).__name__}.")  # fmt: skip
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value as a string is 'random', got {value!r}.")
        _check_scale_and_ratio("RandomErasing", scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"RandomErasing: scale is in [0, 1], got {tuple(scale)}.")
        if p < 0 or p > 1:
            raise ValueError(f"RandomErasing: p is in [0, 1], got {p}.")
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Any, ratio: Any, value: list[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """(row, column, height, width, values); the image itself if ten draws do not fit."""
        channels, height, width = img.shape[-3:]
        drawn = erased_of((channels, height, width), scale, ratio, value)
        return drawn or (0, 0, height, width, img)

    def apply_to(self, img: Any) -> Any:
        value = None
        if not isinstance(self.value, str):
            each: Any = self.value if isinstance(self.value, (list, tuple)) else [self.value]
            value = [float(v) for v in each]
            if len(value) not in (1, img.shape[-3]):
                raise ValueError(f"RandomErasing: value has one number or {img.shape[-3]}, one "
                                 f"for each channel, got {len(value)}.")  # fmt: skip
        i, j, h, w, v = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, i, j, h, w, v, self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, "
            f"value={self.value}, inplace={self.inplace})"
        )
