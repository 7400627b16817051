"""Transforms that change values and leave pixels in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau.vision.transforms import random_values as v1
from flambeau.vision.transforms.base import integer, uniform
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import (
    RandomApplyTransform,
    Transform,
    dimensions_of,
    pair,
    several_numbers,
)

__all__ = [
    "JPEG",
    "RGB",
    "ColorJitter",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomChannelPermutation",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPhotometricDistort",
    "RandomPosterize",
    "RandomSolarize",
]

Params = dict[str, Any]


class Grayscale(Transform):
    """Luma, in one channel or in three."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels
        )


class RGB(Transform):
    """Grey images in three channels."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.grayscale_to_rgb, inpt)


class RandomGrayscale(RandomApplyTransform):
    """Grey with probability p, in as many channels as before."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p=p)

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"num_input_channels": dimensions_of(flat_inputs)[0]}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.rgb_to_grayscale, inpt, num_output_channels=params["num_input_channels"]
        )


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed by drawn factors, in a drawn order."""

    get_params = staticmethod(v1.ColorJitter.get_params)

    def __init__(
        self,
        brightness: Any = None,
        contrast: Any = None,
        saturation: Any = None,
        hue: Any = None,
    ) -> None:
        super().__init__()
        most = float("inf")
        for name, value, middle, low, high in (
            ("brightness", brightness, 1, 0, most),
            ("contrast", contrast, 1, 0, most),
            ("saturation", saturation, 1, 0, most),
            ("hue", hue, 0, -0.5, 0.5),
        ):
            ranged = None if value is None else v1._range(value, name, middle, low, high)
            setattr(self, name, ranged)

    def make_params(self, flat_inputs: list[Any]) -> Params:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        return {"order": order.tolist(), "factors": factors}

    def transform(self, inpt: Any, params: Params) -> Any:
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for index in params["order"]:
            factor = params["factors"][index]
            if factor is not None:
                inpt = self._call_kernel(changes[index], inpt, factor)
        return inpt


class RandomChannelPermutation(Transform):
    """The channels in a drawn order."""

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"permutation": torch.randperm(dimensions_of(flat_inputs)[0]).tolist()}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.permute_channels, inpt, params["permutation"])


class RandomPhotometricDistort(Transform):
    """Each of ColorJitter's changes with probability p, and then perhaps other channels.

    Reference: W. Liu et al., "SSD: Single Shot MultiBox Detector", 2015, arXiv:1512.02325.
    """

    def __init__(
        self,
        brightness: tuple[float, float] = (0.875, 1.125),
        contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5),
        hue: tuple[float, float] = (-0.05, 0.05),
        p: float = 0.5,
    ) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = p

    def make_params(self, flat_inputs: list[Any]) -> Params:
        channels = dimensions_of(flat_inputs)[0]
        params: Params = {}
        for name in ("brightness", "contrast", "saturation", "hue"):
            happens = torch.rand(1) < self.p
            params[name] = uniform(*getattr(self, name)) if happens else None
        params["contrast_before"] = bool(torch.rand(()) < 0.5)
        happens = torch.rand(1) < self.p
        params["permutation"] = torch.randperm(channels).tolist() if happens else None
        return params

    def transform(self, inpt: Any, params: Params) -> Any:
        first = params["contrast_before"]
        for name, function, now in (
            ("brightness", F.adjust_brightness, True),
            ("contrast", F.adjust_contrast, first),
            ("saturation", F.adjust_saturation, True),
            ("hue", F.adjust_hue, True),
            ("contrast", F.adjust_contrast, not first),
            ("permutation", F.permute_channels, True),
        ):
            if now and params[name] is not None:
                inpt = self._call_kernel(function, inpt, params[name])
        return inpt


class GaussianBlur(Transform):
    """A Gaussian blur whose width is drawn in ``sigma``."""

    get_params = staticmethod(v1.GaussianBlur.get_params)

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, self)
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"GaussianBlur: Kernel size value should be an odd and positive "
                             f"number, got {kernel_size}.")  # fmt: skip
        self.sigma = several_numbers(sigma, "sigma")
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max), got "
                             f"{self.sigma}.")  # fmt: skip

    def make_params(self, flat_inputs: list[Any]) -> Params:
        sigma = self.get_params(*self.sigma)
        return {"sigma": [sigma, sigma]}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.gaussian_blur, inpt, list(self.kernel_size), params["sigma"])


class GaussianNoise(Transform):
    """Normal noise added to images and videos."""

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.gaussian_noise, inpt, self.mean, self.sigma, self.clip)


class JPEG(Transform):
    """JPEG's compression at a drawn quality, 1 to 100."""

    def __init__(self, quality: Any) -> None:
        super().__init__()
        if isinstance(quality, int):
            quality = [quality, quality]
        elif not isinstance(quality, Sequence) or len(quality) != 2:
            raise TypeError(f"quality should be an int or a sequence of two, got {quality!r}.")
        if not 1 <= quality[0] <= quality[1] <= 100:
            raise ValueError(f"quality must be an integer or two in 1 to 100, rising, got "
                             f"{quality}.")  # fmt: skip
        if not all(isinstance(q, int) for q in quality):
            raise ValueError(f"quality must be of integers, got {quality}.")
        self.quality = quality

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"quality": integer(self.quality[0], self.quality[1] + 1)}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.jpeg, inpt, quality=params["quality"])


class RandomEqualize(RandomApplyTransform):
    """Histograms made even with probability p."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.equalize, inpt)


class RandomInvert(RandomApplyTransform):
    """Inverted with probability p."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.invert, inpt)


class RandomAutocontrast(RandomApplyTransform):
    """Channels stretched from black to white with probability p."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.autocontrast, inpt)


class RandomPosterize(RandomApplyTransform):
    """The leading bits alone with probability p."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.bits = bits

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.posterize, inpt, bits=self.bits)


class RandomSolarize(RandomApplyTransform):
    """Bright values inverted with probability p."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.solarize, inpt, threshold=self.threshold)


class RandomAdjustSharpness(RandomApplyTransform):
    """Sharper or smoother with probability p."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.adjust_sharpness, inpt, sharpness_factor=self.sharpness_factor)
