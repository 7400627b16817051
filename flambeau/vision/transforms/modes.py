"""How pixels between pixels are read: torchvision's names and Pillow's numbers for them."""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = ["InterpolationMode"]


class InterpolationMode(Enum):
    """Interpolations; BOX, HAMMING and LANCZOS are for Pillow images alone."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_NUMBERS = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}
_MODES = {number: mode for mode, number in reversed(_NUMBERS.items())}
_MODES[0] = InterpolationMode.NEAREST


def as_mode(value: Any) -> InterpolationMode:
    """An InterpolationMode, also from Pillow's number.

    Raises:
        TypeError: neither.
    """
    if isinstance(value, InterpolationMode):
        return value
    if isinstance(value, int):
        return _MODES[value]
    raise TypeError(
        "interpolation: expected an InterpolationMode or Pillow's number of one, got "
        f"{type(value).__name__}."
    )


def pillow_number(mode: InterpolationMode) -> int:
    """Pillow's constant of a mode."""
    return _NUMBERS[mode]
