"""Operations of the automatic augmentations, how strong they can be, and the learned policies.

Reference: E. Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data", 2018,
arXiv:1805.09501.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional

__all__ = ["COLORS", "POLICIES", "Space", "apply", "evenly", "posterized", "signed"]

Space = dict[str, tuple[Tensor, bool]]
"""Of each operation the strengths, weakest first (a scalar: it has none), and whether they may be
negative.
"""
COLORS = ("Brightness", "Color", "Contrast", "Sharpness")


def signed(largest: float, bins: int) -> tuple[Tensor, bool]:
    """Strengths from none to ``largest``, either way."""
    return torch.linspace(0.0, largest, bins), True


def evenly(first: float, last: float, bins: int) -> tuple[Tensor, bool]:
    """Strengths from ``first`` to ``last``."""
    return torch.linspace(first, last, bins), False


def posterized(most: int, lost: int, bins: int) -> tuple[Tensor, bool]:
    """Bits that are kept: from ``most`` to ``lost`` less."""
    steps = (torch.arange(bins) / ((bins - 1) / lost)).round().int()
    return most - steps, False


def _shear(F: Any, img: Any, degrees: list[float], interpolation: Any, fill: Any) -> Any:
    return F.affine(img, 0.0, [0, 0], 1.0, degrees, interpolation, fill, center=[0, 0])


def _move(F: Any, img: Any, pixels: list[int], interpolation: Any, fill: Any) -> Any:
    return F.affine(img, 0.0, pixels, 1.0, [0.0, 0.0], interpolation, fill)


def _angle(strength: float) -> float:
    return math.degrees(math.atan(strength))


_APPLY: dict[str, Callable[[Any, Any, float, Any, Any], Any]] = {
    "AutoContrast": lambda F, img, m, mode, fill: F.autocontrast(img),
    "Brightness": lambda F, img, m, mode, fill: F.adjust_brightness(img, 1.0 + m),
    "Color": lambda F, img, m, mode, fill: F.adjust_saturation(img, 1.0 + m),
    "Contrast": lambda F, img, m, mode, fill: F.adjust_contrast(img, 1.0 + m),
    "Equalize": lambda F, img, m, mode, fill: F.equalize(img),
    "Identity": lambda F, img, m, mode, fill: img,
    "Invert": lambda F, img, m, mode, fill: F.invert(img),
    "Posterize": lambda F, img, m, mode, fill: F.posterize(img, int(m)),
    "Rotate": lambda F, img, m, mode, fill: F.rotate(img, m, mode, fill=fill),
    "Sharpness": lambda F, img, m, mode, fill: F.adjust_sharpness(img, 1.0 + m),
    "ShearX": lambda F, img, m, mode, fill: _shear(F, img, [_angle(m), 0.0], mode, fill),
    "ShearY": lambda F, img, m, mode, fill: _shear(F, img, [0.0, _angle(m)], mode, fill),
    "Solarize": lambda F, img, m, mode, fill: F.solarize(img, m),
    "TranslateX": lambda F, img, m, mode, fill: _move(F, img, [int(m), 0], mode, fill),
    "TranslateY": lambda F, img, m, mode, fill: _move(F, img, [0, int(m)], mode, fill),
}


def apply(
    img: Any, name: str, strength: float, interpolation: Any, fill: Any, by: Any = functional
) -> Any:
    """One operation by name; ``by`` is the room of functions that it is made of."""
    return _APPLY[name](by, img, strength, interpolation, fill)


# What was learned for each set: pairs of (operation, probability, bin of its strength).
Policy = list[tuple[tuple[str, float, int | None], ...]]
POLICIES: dict[str, Policy] = {
    "imagenet": [
        (("Posterize", 0.4, 8), ("Rotate", 0.6, 9)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, None)),
        (("Equalize", 0.8, None), ("Equalize", 0.6, None)),
        (("Posterize", 0.6, 7), ("Posterize", 0.6, 6)),
        (("Equalize", 0.4, None), ("Solarize", 0.2, 4)),
        (("Equalize", 0.4, None), ("Rotate", 0.8, 8)),
        (("Solarize", 0.6, 3), ("Equalize", 0.6, None)),
        (("Posterize", 0.8, 5), ("Equalize", 1.0, None)),
        (("Rotate", 0.2, 3), ("Solarize", 0.6, 8)),
        (("Equalize", 0.6, None), ("Posterize", 0.4, 6)),
        (("Rotate", 0.8, 8), ("Color", 0.4, 0)),
        (("Rotate", 0.4, 9), ("Equalize", 0.6, None)),
        (("Equalize", 0.0, None), ("Equalize", 0.8, None)),
        (("Invert", 0.6, None), ("Equalize", 1.0, None)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Rotate", 0.8, 8), ("Color", 1.0, 2)),
        (("Color", 0.8, 8), ("Solarize", 0.8, 7)),
        (("Sharpness", 0.4, 7), ("Invert", 0.6, None)),
        (("ShearX", 0.6, 5), ("Equalize", 1.0, None)),
        (("Color", 0.4, 0), ("Equalize", 0.6, None)),
        (("Equalize", 0.4, None), ("Solarize", 0.2, 4)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, None)),
        (("Invert", 0.6, None), ("Equalize", 1.0, None)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Equalize", 0.8, None), ("Equalize", 0.6, None)),
    ],
    "cifar10": [
        (("Invert", 0.1, None), ("Contrast", 0.2, 6)),
        (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
        (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
        (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.5, None), ("Equalize", 0.9, None)),
        (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
        (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
        (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
        (("Equalize", 0.6, None), ("Equalize", 0.5, None)),
        (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
        (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
        (("Equalize", 0.3, None), ("AutoContrast", 0.4, None)),
        (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
        (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
        (("Solarize", 0.5, 2), ("Invert", 0.0, None)),
        (("Equalize", 0.2, None), ("AutoContrast", 0.6, None)),
        (("Equalize", 0.2, None), ("Equalize", 0.6, None)),
        (("Color", 0.9, 9), ("Equalize", 0.6, None)),
        (("AutoContrast", 0.8, None), ("Solarize", 0.2, 8)),
        (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
        (("Solarize", 0.4, 5), ("AutoContrast", 0.9, None)),
        (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.9, None), ("Solarize", 0.8, 3)),
        (("Equalize", 0.8, None), ("Invert", 0.1, None)),
        (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, None)),
    ],
    "svhn": [
        (("ShearX", 0.9, 4), ("Invert", 0.2, None)),
        (("ShearY", 0.9, 8), ("Invert", 0.7, None)),
        (("Equalize", 0.6, None), ("Solarize", 0.6, 6)),
        (("Invert", 0.9, None), ("Equalize", 0.6, None)),
        (("Equalize", 0.6, None), ("Rotate", 0.9, 3)),
        (("ShearX", 0.9, 4), ("AutoContrast", 0.8, None)),
        (("ShearY", 0.9, 8), ("Invert", 0.4, None)),
        (("ShearY", 0.9, 5), ("Solarize", 0.2, 6)),
        (("Invert", 0.9, None), ("AutoContrast", 0.8, None)),
        (("Equalize", 0.6, None), ("Rotate", 0.9, 3)),
        (("ShearX", 0.9, 4), ("Solarize", 0.3, 3)),
        (("ShearY", 0.8, 8), ("Invert", 0.7, None)),
        (("Equalize", 0.9, None), ("TranslateY", 0.6, 6)),
        (("Invert", 0.9, None), ("Equalize", 0.6, None)),
        (("Contrast", 0.3, 3), ("Rotate", 0.8, 4)),
        (("Invert", 0.8, None), ("TranslateY", 0.0, 2)),
        (("ShearY", 0.7, 6), ("Solarize", 0.4, 8)),
        (("Invert", 0.6, None), ("Rotate", 0.8, 4)),
        (("ShearY", 0.3, 7), ("TranslateX", 0.9, 3)),
        (("ShearX", 0.1, 6), ("Invert", 0.6, None)),
        (("Solarize", 0.7, 2), ("TranslateY", 0.6, 7)),
        (("ShearY", 0.8, 4), ("Invert", 0.8, None)),
        (("ShearX", 0.7, 9), ("TranslateY", 0.8, 3)),
        (("ShearY", 0.8, 5), ("AutoContrast", 0.7, None)),
        (("ShearX", 0.7, 2), ("Invert", 0.1, None)),
    ],
}
