"""From Pillow and NumPy to tensors and back, between dtypes, and what an image's size is."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.dtypes import dtype
from flambeau.core.tensor import Tensor
from flambeau.vision.pillow import is_pillow, pillow

__all__ = [
    "convert_image_dtype",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "pil_to_tensor",
    "to_pil_image",
    "to_tensor",
]

# What the pixels of Pillow's wider modes are in NumPy.
_WIDE = {"I": np.int32, "I;16": np.uint16, "F": np.float32}


def require_image(img: Any, operation: str) -> None:
    """Refuse what is neither a Pillow image nor a tensor of at least two dimensions."""
    if is_pillow(img):
        return
    if not isinstance(img, Tensor):
        raise TypeError(
            f"{operation}: img is a tensor or a Pillow image, got {type(img).__name__}. "
            "to_tensor makes a tensor of an array."
        )
    if img.dim() < 2:
        raise TypeError(f"{operation}: an image has shape (..., H, W), got {tuple(img.shape)}.")


def require_channels(img: Tensor, operation: str, least: int = 2) -> None:
    """Refuse tensors that are not of one channel (grey) or three (RGB)."""
    require_image(img, operation)
    channels = get_dimensions(img)[0]
    if img.dim() < least or channels not in (1, 3):
        raise TypeError(
            f"{operation}: img has one or three channels, (..., C, H, W), got {tuple(img.shape)}."
        )


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width] of a tensor or a Pillow image."""
    require_image(img, "get_dimensions")
    if isinstance(img, Tensor):
        return [1 if img.dim() == 2 else img.shape[-3], *img.shape[-2:]]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: Any) -> list[int]:
    """[width, height] of a tensor or a Pillow image."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of a tensor or a Pillow image."""
    return get_dimensions(img)[0]


def fill_color(img: Any, fill: Any) -> Any:
    """What Pillow fills with: a number for each band, whole but in the mode F."""
    bands = len(img.getbands())
    fill = 0 if fill is None else fill
    colors: Any = [fill] if isinstance(fill, numbers.Number) else fill
    if len(colors) not in (1, bands):
        raise ValueError(f"fill: {bands} channels need as many numbers or one, got {len(colors)}.")
    found = [int(v) if img.mode != "F" else v for v in colors]
    return tuple(found * bands if len(found) == 1 else found) if bands > 1 else found[0]


def _pixels(pic: Any) -> np.ndarray:
    """A Pillow image as an array (C, H, W) of its own."""
    array = np.array(pic, dtype=_WIDE.get(pic.mode), copy=True)
    if array.ndim == 2:
        array = array[..., None]
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image's values, as they are, as a tensor (C, H, W)."""
    if not is_pillow(pic):
        raise TypeError(f"pil_to_tensor: pic is a Pillow image, got {type(pic).__name__}.")
    return torch.from_numpy(_pixels(pic))


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (H, W, C) as a tensor (C, H, W); bytes become [0, 1].

    Raises:
        TypeError: something else.
        ValueError: an array that is not of two or three dimensions.
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"to_tensor: an array has 2 or 3 dimensions, got {pic.ndim}.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
        image = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
    elif is_pillow(pic):
        array = _pixels(pic)
        if pic.mode == "I;16":  # as torchvision, whose tensors had no unsigned kind
            array = array.view(np.int16)
        image = torch.from_numpy(array * np.uint8(255) if pic.mode == "1" else array)
        if pic.mode == "1":
            image = image.to(torch.uint8)
    else:
        raise TypeError(f"to_tensor: pic is a Pillow image or an array, got {type(pic).__name__}.")
    if image.dtype == torch.uint8:
        return image.to(torch.get_default_dtype()).div(255)
    return image


# Pillow's mode of an array: (channels, dtype) -> the mode, and those that may be asked for.
_PICTURES = {
    (1, "uint8"): ("L", ("L",)),
    (1, "int16"): ("I;16", ("I;16",)),
    (1, "uint16"): ("I;16", ("I;16",)),
    (1, "int32"): ("I", ("I",)),
    (1, "float32"): ("F", ("F",)),
    (2, "uint8"): ("LA", ("LA",)),
    (3, "uint8"): ("RGB", ("RGB", "YCbCr", "HSV")),
    (4, "uint8"): ("RGBA", ("RGBA", "CMYK", "RGBX")),
}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or an array (H, W, C) as a Pillow image; [0, 1] becomes bytes.

    Args:
        mode: Pillow's mode; default: by the number of channels and the dtype.

    Raises:
        TypeError: something else, or a dtype that Pillow has no mode for.
        ValueError: dimensions, channels or a mode that do not go together.
    """
    if isinstance(pic, Tensor):
        if pic.dim() not in (2, 3):
            raise ValueError(f"to_pil_image: pic has 2 or 3 dimensions, got {pic.dim()}.")
        image = pic if pic.dim() == 3 else pic[None]
        if image.shape[0] > 4:
            raise ValueError(f"to_pil_image: pic has at most 4 channels, got {image.shape[0]}.")
        if image.is_floating_point() and mode != "F":
            image = image.mul(255).byte()
        array = image.detach().permute(1, 2, 0).numpy()
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"to_pil_image: pic has 2 or 3 dimensions, got {pic.ndim}.")
        array = pic if pic.ndim == 3 else pic[:, :, None]
        if array.shape[-1] > 4:
            raise ValueError(f"to_pil_image: pic has at most 4 channels, got {array.shape[-1]}.")
    else:
        raise TypeError(f"to_pil_image: pic is a tensor or an array, got {type(pic).__name__}.")
    found = _PICTURES.get((array.shape[2], array.dtype.name))
    if found is None:
        raise TypeError(
            f"to_pil_image: no mode of Pillow holds {array.shape[2]} channels of {array.dtype}."
        )
    usual, allowed = found
    if mode is not None and mode not in allowed:
        raise ValueError(
            f"to_pil_image: {array.shape[2]} channels of {array.dtype} are of mode "
            f"{' or '.join(allowed)}, got {mode}."
        )
    array = np.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array)
    size = (array.shape[1], array.shape[0])
    return pillow().frombytes(mode or usual, size, array.tobytes())


def max_value(kind: dtype) -> int:
    """The value of white: an integer type's largest, 1 of the others."""
    if kind.is_floating_point or kind.is_complex or kind == torch.bool:
        return 1
    return torch.iinfo(kind).max


def convert_image_dtype(image: Tensor, dtype: dtype = torch.float32) -> Tensor:
    """The image in another dtype, white staying white.

    Raises:
        RuntimeError: the integer type is too fine for the floating-point one.
    """
    source = image.dtype
    if source == dtype:
        return image
    if source.is_floating_point:
        if dtype.is_floating_point:
            return image.to(dtype)
        if dtype == torch.int64 or (source == torch.float32 and dtype == torch.int32):
            raise RuntimeError(
                f"convert_image_dtype: {source} is too coarse for {dtype}; convert to a "
                "narrower integer type."
            )
        # 2**bits equal bins: only just below, or 1.0 would fall into one of its own.
        return image.mul(max_value(dtype) + 1.0 - 1e-3).to(dtype)
    old = max_value(source)
    if dtype.is_floating_point:
        return image.to(dtype) / old
    new = max_value(dtype)
    if old > new:
        return torch.div(image, (old + 1) // (new + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((new + 1) // (old + 1))


def as_float(img: Tensor) -> Tensor:
    """(N, C, H, W) of floating point, for operations that compute between the values."""
    img = img if img.dim() >= 4 else img[None]
    return img if img.dtype in (torch.float32, torch.float64) else img.to(torch.float32)


def restore(img: Tensor, like: Tensor) -> Tensor:
    """``as_float`` undone: the dimensions and the dtype of ``like``, integers rounded."""
    img = img if like.dim() >= 4 else img.squeeze(0)
    if img.dtype == like.dtype:
        return img
    return (img if like.is_floating_point() else img.round()).to(like.dtype)
