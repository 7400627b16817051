"""Dtypes and types, normalization, blur, noise, JPEG and frames."""

from __future__ import annotations

from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.transforms.functional import color as v1_color
from flambeau.vision.transforms.functional import convert as v1
from flambeau.vision.transforms.functional import warp as v1_warp
from flambeau.vision.transforms.v2.functional.dispatch import functional, over_frames

__all__ = [
    "convert_image_dtype",
    "gaussian_blur",
    "gaussian_noise",
    "jpeg",
    "normalize",
    "pil_to_tensor",
    "to_dtype",
    "to_image",
    "to_pil_image",
    "uniform_temporal_subsample",
]


def to_dtype_image(image: Tensor, dtype: Any = torch.float32, scale: bool = False) -> Tensor:
    """The image in another dtype; with ``scale`` white stays white.

    Raises:
        RuntimeError: ``scale``, and the integer type is too fine for the floating-point one.
    """
    if image.dtype == dtype:
        return image
    if not scale:
        return image.to(dtype)
    if not image.is_floating_point() and dtype.is_floating_point:
        return image.to(dtype) * (1.0 / v1.max_value(image.dtype))
    return v1.convert_image_dtype(image, dtype)


def convert_image_dtype(image: Tensor, dtype: Any = torch.float32) -> Tensor:
    """``to_dtype_image`` with ``scale``."""
    return to_dtype_image(image, dtype, scale=True)


def normalize_image(image: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(image - mean) / std, channel by channel."""
    return v1_color.normalize(image, mean, std, inplace)


@over_frames
def gaussian_blur_image(image: Tensor, kernel_size: Any, sigma: Any = None) -> Tensor:
    """The image smoothed by a Gaussian, its border reflected; sizes are (along x, along y)."""
    out: Tensor = image if image.numel() == 0 else v1_warp.gaussian_blur(image, kernel_size, sigma)
    return out


def gaussian_noise_image(
    image: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True
) -> Tensor:
    """The image with normal noise; bytes count as [0, 1] times 255.

    Raises:
        ValueError: a dtype that is neither uint8 nor floating point, or a negative sigma.
    """
    whole = image.dtype == torch.uint8
    if not whole and not image.is_floating_point():
        raise ValueError(
            f"gaussian_noise: Input tensor is expected to be in uint8 or float dtype, got "
            f"dtype={image.dtype}."
        )
    if sigma < 0:
        raise ValueError(f"gaussian_noise: sigma shouldn't be negative. Got {sigma}.")
    if whole:
        noise = (mean * 255 + torch.randn_like(image, dtype=torch.float32) * sigma * 255).to(
            torch.int32
        )
        out = image.to(torch.int32) + noise
        return (out.clamp(0, 255) if clip else out).to(torch.uint8)
    out = image + (mean + torch.randn_like(image) * sigma)
    return out.clamp(0, 1) if clip else out


def jpeg_image(image: Tensor, quality: int) -> Tensor:
    """The image after JPEG's compression at ``quality``, 1 to 100. Needs Pillow."""
    from flambeau.vision.io import ImageReadMode, decode_jpeg, encode_jpeg

    def one(each: Tensor) -> Tensor:
        mode = ImageReadMode.GRAY if each.shape[0] == 1 else ImageReadMode.RGB
        return decode_jpeg(encode_jpeg(each, quality=quality), mode=mode)

    if image.numel() == 0:
        return image
    frames = [one(each) for each in image.flatten(0, -4)] if image.ndim > 3 else [one(image)]
    return torch.stack(frames).view(image.shape)


def _jpeg_picture(image: Any, quality: int) -> Any:
    return v1.to_pil_image(jpeg_image(v1.pil_to_tensor(image), quality), mode=image.mode)


def _blur_picture(image: Any, kernel_size: Any, sigma: Any = None) -> Any:
    out = gaussian_blur_image(v1.pil_to_tensor(image), kernel_size, sigma)
    return v1.to_pil_image(out, mode=image.mode)


def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """``num_samples`` frames, evenly apart."""
    last = video.shape[-4] - 1
    return torch.index_select(video, -4, torch.linspace(0, last, num_samples).long())


def to_image(inpt: Any) -> tv_tensors.Image:
    """An Image of an array (H, W, C), a Pillow image or a tensor (C, H, W).

    Raises:
        TypeError: something else.
    """
    if isinstance(inpt, np.ndarray):
        array = np.atleast_3d(inpt)
        out = torch.from_numpy(array).permute(2, 0, 1).contiguous()
    elif is_pillow(inpt):
        out = v1.pil_to_tensor(inpt)
    elif isinstance(inpt, Tensor):
        out = inpt
    else:
        raise TypeError(
            f"to_image: Input can either be a pure Tensor, a numpy array, or a PIL image, but got "
            f"{type(inpt)} instead."
        )
    return tv_tensors.Image(out)


pil_to_tensor = v1.pil_to_tensor
to_pil_image = v1.to_pil_image


def _as_dtype(inpt: Tensor, dtype: Any = torch.float32) -> Tensor:
    return inpt.to(dtype)


def _noise_picture(image: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    out = gaussian_noise_image(v1.pil_to_tensor(image), mean, sigma, clip)
    return v1.to_pil_image(out, mode=image.mode)


to_dtype = functional("to_dtype", to_dtype_image, mask=_as_dtype, boxes=_as_dtype, points=_as_dtype)
normalize = functional("normalize", normalize_image)
gaussian_blur = functional("gaussian_blur", gaussian_blur_image, picture=_blur_picture)
gaussian_noise = functional("gaussian_noise", gaussian_noise_image, picture=_noise_picture)
jpeg = functional("jpeg", jpeg_image, picture=_jpeg_picture)
uniform_temporal_subsample = functional(
    "uniform_temporal_subsample", uniform_temporal_subsample_video
)
