"""What changes values and leaves pixels in their places: brightness to hue, histograms, erasing."""

from __future__ import annotations

from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.pillow import is_pillow, pillow
from flambeau.vision.transforms.functional.convert import (
    as_float,
    convert_image_dtype,
    get_dimensions,
    max_value,
    require_channels,
    require_image,
    restore,
)

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
    "invert",
    "normalize",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "to_grayscale",
]


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(tensor - mean) / std, channel by channel.

    Raises:
        TypeError: not a tensor of floating point.
        ValueError: fewer than three dimensions, or a std of 0.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"normalize: tensor is a tensor, got {type(tensor).__name__}.")
    if not tensor.is_floating_point():
        raise TypeError(f"normalize: tensor is of floating point, got {tensor.dtype}. "
                        "convert_image_dtype or ToTensor makes it so.")  # fmt: skip
    if tensor.dim() < 3:
        raise ValueError(f"normalize: tensor is (..., C, H, W), got {tuple(tensor.shape)}.")
    center, spread = (torch.as_tensor(v, dtype=tensor.dtype) for v in (mean, std))
    if (spread == 0).any():
        raise ValueError(f"normalize: std is 0 in {tensor.dtype}; expected positive numbers.")
    center, spread = (v.view(-1, 1, 1) if v.dim() == 1 else v for v in (center, spread))
    return (tensor if inplace else tensor.clone()).sub_(center).div_(spread)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """The rectangle of height h and width w at row i, column j, set to v."""
    if not isinstance(img, Tensor):
        raise TypeError(f"erase: img is a tensor, got {type(img).__name__}.")
    img = img if inplace else img.clone()
    img[..., i : i + h, j : j + w] = v
    return img


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Luma, in one channel or repeated in three."""
    if num_output_channels not in (1, 3):
        raise ValueError(
            f"rgb_to_grayscale: num_output_channels is 1 or 3, got {num_output_channels}."
        )
    if is_pillow(img):
        gray = img.convert("L")
        return gray if num_output_channels == 1 else pillow().merge("RGB", (gray, gray, gray))
    require_channels(img, "rgb_to_grayscale", 3)
    if img.shape[-3] == 1:
        gray = img.clone()
    else:
        red, green, blue = img.unbind(dim=-3)
        gray = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
    return gray.expand(img.shape) if num_output_channels == 3 else gray


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``rgb_to_grayscale`` of a Pillow image."""
    if not is_pillow(img):
        raise TypeError(
            f"to_grayscale: img is a Pillow image, got {type(img).__name__}; "
            "rgb_to_grayscale takes tensors."
        )
    return rgb_to_grayscale(img, num_output_channels)


def _enhance(img: Any, kind: str, factor: float) -> Any:
    return getattr(pillow("ImageEnhance"), kind)(img).enhance(factor)


def _mix(img: Tensor, other: Any, share: float) -> Tensor:
    """``share`` of the image and the rest of ``other``, within the dtype's range."""
    mixed = float(share) * img + (1.0 - float(share)) * other
    return mixed.clamp(0, max_value(img.dtype)).to(img.dtype)


def _check_factor(factor: float, operation: str) -> None:
    if factor < 0:
        raise ValueError(f"{operation}: the factor is not negative, got {factor}.")


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """0 gives black, 1 the image, 2 twice its brightness."""
    if is_pillow(img):
        return _enhance(img, "Brightness", brightness_factor)
    _check_factor(brightness_factor, "adjust_brightness")
    require_channels(img, "adjust_brightness")
    return _mix(img, torch.zeros_like(img), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """0 gives the mean grey, 1 the image, 2 twice its contrast."""
    if is_pillow(img):
        return _enhance(img, "Contrast", contrast_factor)
    _check_factor(contrast_factor, "adjust_contrast")
    require_channels(img, "adjust_contrast")
    gray = rgb_to_grayscale(img) if get_dimensions(img)[0] == 3 else img
    gray = gray if gray.is_floating_point() else gray.to(torch.float32)
    return _mix(img, gray.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """0 gives grey, 1 the image, 2 twice its saturation."""
    if is_pillow(img):
        return _enhance(img, "Color", saturation_factor)
    _check_factor(saturation_factor, "adjust_saturation")
    require_channels(img, "adjust_saturation")
    if get_dimensions(img)[0] == 1:
        return img
    return _mix(img, rgb_to_grayscale(img), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The hue turned by a share of the circle, in [-0.5, 0.5]."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"adjust_hue: hue_factor is in [-0.5, 0.5], got {hue_factor}.")
    if is_pillow(img):
        if img.mode in ("L", "1", "I", "F"):
            return img
        hue, saturation, value = img.convert("HSV").split()
        turned = np.asarray(hue) + np.int32(hue_factor * 255).astype(np.uint8)
        hue = pillow().fromarray(turned.astype(np.uint8))
        return pillow().merge("HSV", (hue, saturation, value)).convert(img.mode)
    require_channels(img, "adjust_hue")
    if get_dimensions(img)[0] == 1:
        return img
    h, s, v = _to_hsv(convert_image_dtype(img, torch.float32))
    return convert_image_dtype(_from_hsv((h + hue_factor) % 1.0, s, v), img.dtype)


def _to_hsv(img: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, saturation and value of an RGB image."""
    r, g, b = img.unbind(dim=-3)
    high, low = img.amax(dim=-3), img.amin(dim=-3)
    span = high - low
    grey = span == 0
    safe = torch.where(grey, torch.ones_like(span), span)
    saturation = span / torch.where(grey, torch.ones_like(span), high)
    from_r, from_g, from_b = ((high - c) / safe for c in (r, g, b))
    sector = torch.where(
        high == r,
        from_b - from_g,
        torch.where(high == g, 2.0 + from_r - from_b, 4.0 + from_g - from_r),
    )
    hue = torch.fmod(sector / 6.0 + 1.0, 1.0)
    return torch.where(grey, torch.zeros_like(hue), hue), saturation, high


def _from_hsv(h: Tensor, s: Tensor, v: Tensor) -> Tensor:
    sector = torch.floor(h * 6.0)
    part = h * 6.0 - sector
    p, q, t = ((v * (1.0 - s * share)).clamp(0.0, 1.0) for share in (1.0, part, 1.0 - part))
    which = sector.to(torch.int64)[None] % 6
    red, green, blue = (
        torch.stack(six).gather(0, which)[0]
        for six in ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q))
    )
    return torch.stack((red, green, blue), dim=-3)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain * img ** gamma, for white at 1."""
    if gamma < 0:
        raise ValueError(f"adjust_gamma: gamma is not negative, got {gamma}.")
    if is_pillow(img):
        table = [int((256 - 1e-3) * gain * pow(i / 255.0, gamma)) for i in range(256)] * 3
        return img.convert("RGB").point(table).convert(img.mode)
    require_channels(img, "adjust_gamma")
    light = img if img.is_floating_point() else convert_image_dtype(img, torch.float32)
    return convert_image_dtype((gain * light.pow(gamma)).clamp(0, 1), img.dtype)


def invert(img: Any) -> Any:
    """White minus the image."""
    if is_pillow(img):
        return pillow("ImageOps").invert(img)
    require_channels(img, "invert", 3)
    return max_value(img.dtype) - img


def _require_bytes(img: Tensor, operation: str) -> None:
    require_channels(img, operation, 3)
    if img.dtype != torch.uint8:
        raise TypeError(f"{operation}: img is of uint8, got {img.dtype}.")


def posterize(img: Any, bits: int) -> Any:
    """The leading ``bits`` of each value."""
    if is_pillow(img):
        return pillow("ImageOps").posterize(img, bits)
    _require_bytes(img, "posterize")
    return img & (256 - 2 ** (8 - bits))


def solarize(img: Any, threshold: float) -> Any:
    """Values from ``threshold`` on inverted."""
    if is_pillow(img):
        return pillow("ImageOps").solarize(img, threshold)
    require_channels(img, "solarize", 3)
    if threshold > max_value(img.dtype):
        raise TypeError(
            f"solarize: threshold is at most {max_value(img.dtype)} for {img.dtype}, "
            f"got {threshold}."
        )
    return torch.where(img >= threshold, invert(img), img)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """0 gives a smoothed image, 1 the image, 2 twice its sharpness."""
    if is_pillow(img):
        return _enhance(img, "Sharpness", sharpness_factor)
    _check_factor(sharpness_factor, "adjust_sharpness")
    require_channels(img, "adjust_sharpness")
    if min(img.shape[-2:]) <= 2:
        return img
    source = as_float(img)
    kernel = torch.ones(3, 3, dtype=source.dtype)
    kernel[1, 1] = 5.0
    kernel = (kernel / kernel.sum()).expand(source.shape[-3], 1, 3, 3)
    smooth = img.clone()
    smooth[..., 1:-1, 1:-1] = restore(F.conv2d(source, kernel, groups=source.shape[-3]), img)
    return _mix(img, smooth, sharpness_factor)


def autocontrast(img: Any) -> Any:
    """Each channel stretched from black to white."""
    if is_pillow(img):
        return pillow("ImageOps").autocontrast(img)
    require_channels(img, "autocontrast", 3)
    white = max_value(img.dtype)
    kind = img.dtype if img.is_floating_point() else torch.float32
    low = img.amin(dim=(-2, -1), keepdim=True).to(kind)
    high = img.amax(dim=(-2, -1), keepdim=True).to(kind)
    flat = low == high
    low = torch.where(flat, torch.zeros_like(low), low)
    scale = torch.where(flat, torch.ones_like(low), white / (high - low))
    return ((img - low) * scale).clamp(0, white).to(img.dtype)


def equalize(img: Any) -> Any:
    """Each channel with as many pixels at every level as can be."""
    require_image(img, "equalize")
    if is_pillow(img):
        return pillow("ImageOps").equalize(img)
    _require_bytes(img, "equalize")
    array = img.numpy()
    channels = array.reshape(-1, *array.shape[-2:])
    return torch.from_numpy(np.stack([_equal(c) for c in channels]).reshape(array.shape))


def _equal(channel: np.ndarray) -> np.ndarray:
    counts = np.bincount(channel.reshape(-1), minlength=256)
    step = int(counts[counts != 0][:-1].sum()) // 255
    if step == 0:
        return channel
    table = (np.cumsum(counts) + step // 2) // step
    table = np.concatenate(([0], table[:-1])).clip(0, 255).astype(np.uint8)
    return table[channel]
