"""Rotations, affine maps, perspective, elastic deformation and blur.

Tensors are sampled on a grid of the output's pixels; Pillow images are transformed by Pillow.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.pillow import is_pillow, pillow
from flambeau.vision.transforms.functional.convert import (
    as_float,
    fill_color,
    get_dimensions,
    pil_to_tensor,
    require_image,
    restore,
    to_pil_image,
)
from flambeau.vision.transforms.modes import InterpolationMode, as_mode, pillow_number

__all__ = ["affine", "elastic_transform", "gaussian_blur", "perspective", "rotate"]


def inverse_affine(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> list[float]:
    """Where an output's pixel comes from: the 2 x 3 matrix's six numbers, row by row.

    Forward: centre to the origin, shear, rotate (degrees) and scale, back and translate.
    """
    turn, shear_x, shear_y = (math.radians(v) for v in (angle, *shear))
    cos, sin = (
        math.cos(turn - shear_y) / math.cos(shear_y),
        math.sin(turn - shear_y) / math.cos(shear_y),
    )
    a, b = cos, -cos * math.tan(shear_x) - math.sin(turn)
    c, d = sin, -sin * math.tan(shear_x) + math.cos(turn)
    rows = [(d / scale, -b / scale), (-c / scale, a / scale)]
    x, y = (-at - by for at, by in zip(center, translate))
    matrix: list[float] = []
    for (p, q), at in zip(rows, center):
        matrix += [p, q, p * x + q * y + at]
    return matrix


def _sample(img: Tensor, grid: Tensor, mode: InterpolationMode, fill: Any) -> Tensor:
    """Read ``img`` at a grid (1, H, W, 2) of places in [-1, 1]; ``fill`` is what lies outside."""
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(
            f"interpolation: tensors are sampled by nearest or bilinear, got {mode.value}."
        )
    source = as_float(img)
    grid = grid.to(source.dtype).expand(source.shape[0], -1, -1, -1)
    channels = source.shape[1]
    if fill is not None:
        colors = list(fill) if isinstance(fill, (tuple, list)) else [fill]
        if len(colors) not in (1, channels):
            raise ValueError(
                f"fill: {channels} channels need as many numbers or one, got {len(colors)}."
            )
        # One more channel tells how much of each pixel was inside.
        source = torch.cat((source, torch.ones_like(source[:, :1])), dim=1)
    out = F.grid_sample(source, grid, mode=mode.value, align_corners=False)
    if fill is not None:
        inside, out = out[:, -1:], out[:, :-1]
        color = torch.tensor([float(v) for v in colors], dtype=out.dtype).view(1, -1, 1, 1)
        if mode is InterpolationMode.NEAREST:
            out = torch.where(inside < 0.5, color, out)
        else:
            out = out * inside + (1.0 - inside) * color
    return restore(out, img)


def _pixels(height: int, width: int, kind: Any, *, center: bool) -> Tensor:
    """Homogeneous coordinates (H * W, 3) of pixels' middles, from the centre or the corner."""
    x = torch.arange(width, dtype=kind) + (0.5 - width * 0.5 if center else 0.5)
    y = torch.arange(height, dtype=kind) + (0.5 - height * 0.5 if center else 0.5)
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack((columns, rows, torch.ones_like(rows)), dim=-1).view(-1, 3)


def _sample_affine(
    img: Tensor, matrix: list[float], size: tuple[int, int], mode: InterpolationMode, fill: Any
) -> Tensor:
    kind = img.dtype if img.is_floating_point() else torch.float32
    height, width = size
    half = torch.tensor([0.5 * img.shape[-1], 0.5 * img.shape[-2]], dtype=kind)
    theta = torch.tensor(matrix, dtype=kind).view(2, 3).T / half
    grid = _pixels(height, width, kind, center=True) @ theta
    return _sample(img, grid.view(1, height, width, 2), mode, fill)


def _expanded(matrix: list[float], height: int, width: int) -> tuple[int, int]:
    """(height, width) that hold every corner of the turned image."""
    x, y = width * 0.5, height * 0.5
    corners = torch.tensor([[-x, -y, 1.0], [-x, y, 1.0], [x, y, 1.0], [x, -y, 1.0]])
    places = corners @ torch.tensor(matrix).view(2, 3).T + torch.tensor((x, y))
    # Cut to 1e-4: rounding must not add a pixel.
    top = ((places.amax(0) / 1e-4).trunc() * 1e-4).ceil()
    bottom = ((places.amin(0) / 1e-4).trunc() * 1e-4).floor()
    wide, tall = (top - bottom).tolist()
    return int(tall), int(wide)


def _from_center(center: Any, height: int, width: int) -> list[float]:
    if center is None:
        return [0.0, 0.0]
    if len(center) != 2:
        raise ValueError(f"center: expected (x, y), got {list(center)}.")
    return [center[0] - width * 0.5, center[1] - height * 0.5]


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    """The image turned counter-clockwise.

    Args:
        angle: in degrees.
        expand: make the result large enough to hold the whole image.
        center: (x, y) in pixels; default: the middle.
        fill: of what lies outside: a number, or one for each channel.
    """
    mode = as_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError(f"rotate: angle is a number, got {type(angle).__name__}.")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(f"rotate: center is a sequence (x, y), got {type(center).__name__}.")
    require_image(img, "rotate")
    _, height, width = get_dimensions(img)
    if is_pillow(img):
        return img.rotate(
            angle, pillow_number(mode), expand, center, fillcolor=fill_color(img, fill)
        )
    middle = _from_center(center, height, width)
    matrix = inverse_affine(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    size = _expanded(matrix, height, width) if expand else (height, width)
    return _sample_affine(img, matrix, size, mode, fill)


def affine(
    img: Any,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Any:
    """The image sheared, turned clockwise, scaled and moved, keeping its size.

    Args:
        angle: in degrees.
        translate: (x, y) in pixels.
        scale: positive.
        shear: in degrees, along x or (x, y).
        fill, center: as ``rotate``'s.
    """
    mode = as_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError(f"affine: angle is a number, got {type(angle).__name__}.")
    for name, value in (("translate", translate), ("center", center or (0, 0))):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"affine: {name} is a sequence (x, y), got {type(value).__name__}.")
        if len(value) != 2:
            raise ValueError(f"affine: {name} is (x, y), got {list(value)}.")
    if scale <= 0.0:
        raise ValueError(f"affine: scale is positive, got {scale}.")
    if not isinstance(shear, (numbers.Number, list, tuple)):
        raise TypeError(f"affine: shear is a number or (x, y), got {type(shear).__name__}.")
    slant: list[Any] = list(shear) if isinstance(shear, (list, tuple)) else [shear, 0.0]
    slant = slant * 2 if len(slant) == 1 else slant
    if len(slant) != 2:
        raise ValueError(f"affine: shear is a number or (x, y), got {slant}.")
    require_image(img, "affine")
    _, height, width = get_dimensions(img)
    if is_pillow(img):
        middle = [width * 0.5, height * 0.5] if center is None else center
        matrix = inverse_affine(middle, angle, translate, scale, slant)
        return img.transform(
            (width, height),
            pillow().Transform.AFFINE,
            matrix,
            pillow_number(mode),
            fillcolor=fill_color(img, fill),
        )
    middle = _from_center(center, height, width)
    matrix = inverse_affine(middle, angle, translate, scale, slant)
    return _sample_affine(img, matrix, (height, width), mode, fill)


def _perspective_coefficients(startpoints: Any, endpoints: Any) -> list[float]:
    """The eight numbers that map ``endpoints`` (of the output) to ``startpoints``."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"perspective: four corners each, got {len(startpoints)} and {len(endpoints)}."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    target = np.array(startpoints, dtype=np.float64).reshape(8)
    solved = np.linalg.lstsq(np.array(rows, dtype=np.float64), target, rcond=None)[0]
    return solved.astype(np.float32).tolist()


def perspective(
    img: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """The image so that the corners at ``startpoints`` come to ``endpoints``.

    Args:
        startpoints, endpoints: four (x, y): top left, top right, bottom right, bottom left.
        fill: as ``rotate``'s.
    """
    require_image(img, "perspective")
    mode = as_mode(interpolation)
    return perspective_by(img, _perspective_coefficients(startpoints, endpoints), mode, fill)


def perspective_by(img: Any, numbers_: list[float], mode: InterpolationMode, fill: Any) -> Any:
    """``perspective`` by its eight numbers."""
    _, height, width = get_dimensions(img)
    if is_pillow(img):
        return img.transform(
            (width, height),
            pillow().Transform.PERSPECTIVE,
            numbers_,
            pillow_number(mode),
            fillcolor=fill_color(img, fill),
        )
    kind = img.dtype if img.is_floating_point() else torch.float32
    matrix = torch.tensor([*numbers_, 1.0], dtype=kind).view(3, 3)
    pixels = _pixels(height, width, kind, center=False)
    half = torch.tensor([0.5 * width, 0.5 * height], dtype=kind)
    grid = (pixels @ (matrix[:2].T / half)) / (pixels @ matrix[2:].T) - 1.0
    return _sample(img, grid.view(1, height, width, 2), mode, fill)


def elastic_transform(
    img: Any,
    displacement: Tensor,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """The image read at places moved by ``displacement``, in halves of its size.

    Shape: displacement (1, H, W, 2), (x, y) last.
    """
    mode = as_mode(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError(
            f"elastic_transform: displacement is a tensor, got {type(displacement).__name__}."
        )
    require_image(img, "elastic_transform")
    image = pil_to_tensor(img) if is_pillow(img) else img
    height, width = image.shape[-2:]
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(
            f"elastic_transform: displacement has shape {(1, height, width, 2)}, "
            f"got {tuple(displacement.shape)}."
        )
    y, x = (torch.linspace((1 - n) / n, (n - 1) / n, n) for n in (height, width))
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack((columns, rows), dim=-1)[None] + displacement
    out = _sample(image, grid, mode, fill)
    return to_pil_image(out, mode=img.mode) if is_pillow(img) else out


def _bell(size: int, sigma: float, kind: Any) -> Tensor:
    """A Gaussian's weights on ``size`` pixels."""
    x = torch.linspace(-(size - 1) * 0.5, (size - 1) * 0.5, steps=size, dtype=kind)
    weights = torch.exp(-0.5 * (x / sigma).pow(2))
    return weights / weights.sum()


def _pair(value: Any, name: str, kinds: tuple[type, ...]) -> list[Any]:
    if isinstance(value, kinds):
        return [value, value]
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"gaussian_blur: {name} is a number or a pair, got {type(value).__name__}.")
    pair = list(value) * 2 if len(value) == 1 and float in kinds else list(value)
    if len(pair) != 2:
        raise ValueError(f"gaussian_blur: {name} is a number or a pair, got {pair}.")
    return pair


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """The image smoothed by a Gaussian, its border reflected.

    Args:
        kernel_size: (along x, along y), odd.
        sigma: likewise, or one alone; default: 0.15 * kernel_size + 0.35.
    """
    sizes = _pair(kernel_size, "kernel_size", (int,))
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(f"gaussian_blur: kernel_size is odd and positive, got {sizes}.")
    spreads = (
        [size * 0.15 + 0.35 for size in sizes]
        if sigma is None
        else [float(s) for s in _pair(sigma, "sigma", (int, float))]
    )
    if any(s <= 0.0 for s in spreads):
        raise ValueError(f"gaussian_blur: sigma is positive, got {spreads}.")
    require_image(img, "gaussian_blur")
    image = pil_to_tensor(img) if is_pillow(img) else img
    source = as_float(image)
    along_x, along_y = (_bell(n, s, source.dtype) for n, s in zip(sizes, spreads))
    kernel = torch.outer(along_y, along_x).expand(source.shape[-3], 1, -1, -1)
    x, y = (size // 2 for size in sizes)
    source = F.pad(source, [x, x, y, y], mode="reflect")
    out = restore(F.conv2d(source, kernel, groups=source.shape[-3]), image)
    return to_pil_image(out, mode=img.mode) if is_pillow(img) else out
