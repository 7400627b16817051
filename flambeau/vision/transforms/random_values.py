"""Transforms that draw how values change: colours, blur, histograms.

Draws come from the default generator in torchvision's order.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.base import Chance, size_pair, uniform

__all__ = [
    "ColorJitter",
    "GaussianBlur",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


def _range(
    value: Any, name: str, center: float, low: float, high: float
) -> tuple[float, float] | None:
    """The range of a factor around ``center``; None where it never changes anything."""
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"ColorJitter: {name} as a number is not negative, got {value}.")
        pair = [center - value, center + value]  # type: ignore[operator]
        if center == 1:
            pair[0] = max(pair[0], 0.0)
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        pair = [float(value[0]), float(value[1])]
    else:
        raise TypeError(f"ColorJitter: {name} is a number or a pair, got {value!r}.")
    if not low <= pair[0] <= pair[1] <= high:
        raise ValueError(f"ColorJitter: {name} is a range in [{low}, {high}], got {pair}.")
    return None if pair[0] == pair[1] == center else (pair[0], pair[1])


class ColorJitter(nn.Module):
    """Brightness, contrast, saturation and hue changed by drawn factors, in a drawn order."""

    def __init__(
        self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0
    ) -> None:
        super().__init__()
        most = float("inf")
        self.brightness = _range(brightness, "brightness", 1, 0, most)
        self.contrast = _range(contrast, "contrast", 1, 0, most)
        self.saturation = _range(saturation, "saturation", 1, 0, most)
        self.hue = _range(hue, "hue", 0, -0.5, 0.5)

    @staticmethod
    def get_params(
        brightness: Any, contrast: Any, saturation: Any, hue: Any
    ) -> tuple[Tensor, float | None, float | None, float | None, float | None]:
        """The order of the four changes, and their factors."""
        order = torch.randperm(4)
        b, c, s, h = (
            None if pair is None else uniform(*pair)
            for pair in (brightness, contrast, saturation, hue)
        )
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for index in order.tolist():
            factor = factors[index]
            if factor is not None:
                img = changes[index](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


class RandomGrayscale(Chance):
    """Grey with probability p, in as many channels as before."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def apply_to(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, num_output_channels=F.get_image_num_channels(img))


class GaussianBlur(nn.Module):
    """A Gaussian blur whose width is drawn in ``sigma``."""

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = size_pair(kernel_size, "GaussianBlur")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"GaussianBlur: kernel_size is odd and positive, got {kernel_size}.")
        if isinstance(sigma, numbers.Number):
            sigma = (sigma, sigma)
        if not (isinstance(sigma, Sequence) and len(sigma) == 2 and 0.0 < sigma[0] <= sigma[1]):
            raise ValueError(f"GaussianBlur: sigma is positive, (min, max), got {sigma}.")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """The width."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomInvert(Chance):
    """Inverted with probability p."""

    def apply_to(self, img: Any) -> Any:
        return F.invert(img)


class RandomAutocontrast(Chance):
    """``functional.autocontrast`` with probability p."""

    def apply_to(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomEqualize(Chance):
    """``functional.equalize`` with probability p."""

    def apply_to(self, img: Any) -> Any:
        return F.equalize(img)


class RandomPosterize(Chance):
    """``functional.posterize`` with probability p."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def apply_to(self, img: Any) -> Any:
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(Chance):
    """``functional.solarize`` with probability p."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def apply_to(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(Chance):
    """``functional.adjust_sharpness`` with probability p."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def apply_to(self, img: Any) -> Any:
        return F.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"
