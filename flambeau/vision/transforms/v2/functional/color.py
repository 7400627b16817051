"""What changes values and leaves pixels in their places. Stands on the functions of v1."""

from __future__ import annotations

from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms.functional import color as v1
from flambeau.vision.transforms.functional.convert import max_value, require_channels
from flambeau.vision.transforms.v2.functional.convert import to_dtype_image
from flambeau.vision.transforms.v2.functional.dispatch import functional, over_frames

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "erase",
    "grayscale_to_rgb",
    "invert",
    "permute_channels",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
]


def rgb_to_grayscale_image(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """Luma, in one channel or repeated in three."""
    if num_output_channels not in (1, 3):
        raise ValueError(
            f"rgb_to_grayscale: num_output_channels must be 1 or 3, got {num_output_channels}."
        )
    out: Tensor = v1.rgb_to_grayscale(image)
    return out.expand(*image.shape[:-3], 3, -1, -1) if num_output_channels == 3 else out


def grayscale_to_rgb_image(image: Tensor) -> Tensor:
    """One channel repeated in three; what has three stays."""
    return image if image.shape[-3] >= 3 else image.expand(*image.shape[:-3], 3, -1, -1)


def adjust_brightness_image(image: Tensor, brightness_factor: float) -> Tensor:
    """0 gives black, 1 the image, 2 twice its brightness."""
    return v1.adjust_brightness(image, brightness_factor)  # type: ignore[no-any-return]


def _plus(first: Tensor, second: Tensor, share: float) -> Tensor:
    """first + share * second, rounded once: bytes that come to whole numbers stay those."""
    exact = first.double() + second.double() * float(np.float32(share))
    return exact.to(first.dtype)


def _within(values: Tensor, like: Tensor) -> Tensor:
    """Values cut to the dtype's range."""
    return values.clamp(0, max_value(like.dtype)).to(like.dtype)


def adjust_saturation_image(image: Tensor, saturation_factor: float) -> Tensor:
    """0 gives grey, 1 the image, 2 twice its saturation."""
    if saturation_factor < 0:
        raise ValueError(f"adjust_saturation: saturation_factor is not negative, got "
                         f"{saturation_factor}.")  # fmt: skip
    require_channels(image, "adjust_saturation")
    if image.shape[-3] == 1:
        return image
    grey = v1.rgb_to_grayscale(image)
    return _within(_plus(image * saturation_factor, grey, 1.0 - saturation_factor), image)


def adjust_contrast_image(image: Tensor, contrast_factor: float) -> Tensor:
    """0 gives the mean grey, 1 the image, 2 twice its contrast."""
    return v1.adjust_contrast(image, contrast_factor)  # type: ignore[no-any-return]


@over_frames
def adjust_sharpness_image(image: Tensor, sharpness_factor: float) -> Tensor:
    """0 gives a smoothed image, 1 the image, 2 twice its sharpness."""
    smooth: Tensor = v1.adjust_sharpness(image, 0.0)
    if sharpness_factor < 0:
        raise ValueError(f"adjust_sharpness: sharpness_factor is not negative, got "
                         f"{sharpness_factor}.")  # fmt: skip
    if min(image.shape[-2:]) <= 2:
        return image
    smooth = smooth if smooth.is_floating_point() else smooth.to(torch.float32)
    return _within(_plus(smooth, image - smooth, sharpness_factor), image)


def adjust_hue_image(image: Tensor, hue_factor: float) -> Tensor:
    """The hue turned by a share of the circle, in [-0.5, 0.5]."""
    return v1.adjust_hue(image, hue_factor)  # type: ignore[no-any-return]


def adjust_gamma_image(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor:
    """gain * image ** gamma, for white at 1."""
    if gamma < 0:
        raise ValueError(f"adjust_gamma: gamma is not negative, got {gamma}.")
    light = image if image.is_floating_point() else to_dtype_image(image, torch.float32, scale=True)
    return to_dtype_image((light**gamma * gain).clamp(0, 1), image.dtype, scale=True)


def posterize_image(image: Tensor, bits: int) -> Tensor:
    """The leading ``bits`` of each value."""
    if image.is_floating_point():
        levels = 1 << bits
        return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)
    wide = torch.iinfo(image.dtype).bits - (image.dtype != torch.uint8)
    return image if bits >= wide else image & (((1 << bits) - 1) << (wide - bits))


def invert_image(image: Tensor) -> Tensor:
    """White minus the image."""
    return max_value(image.dtype) - image


def solarize_image(image: Tensor, threshold: float) -> Tensor:
    """Values from ``threshold`` on inverted."""
    if threshold > max_value(image.dtype):
        raise TypeError(
            f"solarize: threshold is at most {max_value(image.dtype)} for {image.dtype}, got "
            f"{threshold}."
        )
    return torch.where(image >= threshold, invert_image(image), image)


def autocontrast_image(image: Tensor) -> Tensor:
    """Each channel stretched from black to white."""
    require_channels(image, "autocontrast")
    if image.numel() == 0:
        return image
    kind = image.dtype if image.is_floating_point() else torch.float32
    low, high = (f(dim=(-2, -1), keepdim=True).to(kind) for f in (image.amin, image.amax))
    flat = low == high
    low = torch.where(flat, 0.0, low)
    scale = torch.where(flat, 1.0, (high - low) * (1.0 / max_value(image.dtype)))
    return _within((image - low) / scale, image)


def equalize_image(image: Tensor) -> Tensor:
    """Each channel with as many pixels at every level as can be."""
    if image.numel() == 0:
        return image
    levels = to_dtype_image(image, torch.uint8, scale=True)
    return to_dtype_image(v1.equalize(levels), image.dtype, scale=True)


def erase_image(
    image: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False
) -> Tensor:
    """The rectangle of height h and width w at row i, column j, set to v."""
    return v1.erase(image, i, j, h, w, v, inplace)


def _erase_picture(
    image: Any, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False
) -> Any:
    from flambeau.vision.transforms.functional.convert import pil_to_tensor, to_pil_image

    out = erase_image(pil_to_tensor(image), i, j, h, w, v)
    return to_pil_image(out, mode=image.mode)


def permute_channels_image(image: Tensor, permutation: list[int]) -> Tensor:
    """The channels in another order."""
    channels = image.shape[-3]
    if len(permutation) != channels:
        raise ValueError(
            f"permute_channels: Length of permutation {len(permutation)} does not match the "
            f"{channels} channels."
        )
    return image[..., permutation, :, :]


def _permute_picture(image: Any, permutation: list[int]) -> Any:
    from flambeau.vision.transforms.functional.convert import pil_to_tensor, to_pil_image

    return to_pil_image(permute_channels_image(pil_to_tensor(image), permutation))


def _to_rgb(image: Any) -> Any:
    return image.convert("RGB")


adjust_brightness = functional(
    "adjust_brightness", adjust_brightness_image, picture=v1.adjust_brightness
)
adjust_contrast = functional("adjust_contrast", adjust_contrast_image, picture=v1.adjust_contrast)
adjust_gamma = functional("adjust_gamma", adjust_gamma_image, picture=v1.adjust_gamma)
adjust_hue = functional("adjust_hue", adjust_hue_image, picture=v1.adjust_hue)
adjust_saturation = functional(
    "adjust_saturation", adjust_saturation_image, picture=v1.adjust_saturation
)
adjust_sharpness = functional(
    "adjust_sharpness", adjust_sharpness_image, picture=v1.adjust_sharpness
)
autocontrast = functional("autocontrast", autocontrast_image, picture=v1.autocontrast)
equalize = functional("equalize", equalize_image, picture=v1.equalize)
erase = functional("erase", erase_image, picture=_erase_picture)
grayscale_to_rgb = functional(
    "grayscale_to_rgb", grayscale_to_rgb_image, picture=_to_rgb, video=False
)
invert = functional("invert", invert_image, picture=v1.invert)
permute_channels = functional("permute_channels", permute_channels_image, picture=_permute_picture)
posterize = functional("posterize", posterize_image, picture=v1.posterize)
rgb_to_grayscale = functional(
    "rgb_to_grayscale", rgb_to_grayscale_image, picture=v1.rgb_to_grayscale, video=False
)
solarize = functional("solarize", solarize_image, picture=v1.solarize)
