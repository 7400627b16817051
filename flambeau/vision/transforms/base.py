"""What the transforms' classes share: sizes and ranges as users write them, a draw against p."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms.functional import get_dimensions

__all__ = [
    "Chance",
    "channel_fill",
    "check_fill",
    "check_pair",
    "integer",
    "size_pair",
    "symmetric",
    "uniform",
]


def uniform(low: Any, high: Any) -> float:
    """One number of [low, high) from the default generator."""
    return torch.empty(1).uniform_(float(low), float(high)).item()


def integer(low: int, high: int) -> int:
    """One integer of [low, high) from the default generator."""
    return int(torch.randint(low, high, size=(1,)).item())


def size_pair(size: Any, name: str) -> Any:
    """(height, width) from one number or two."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(f"{name}: size is one number or (height, width), got {size}.")
    return size


def check_pair(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Refuse what is not a sequence of one of these lengths."""
    wanted = " or ".join(map(str, lengths))
    if not isinstance(value, Sequence):
        raise TypeError(f"{name}: expected {wanted} numbers, got {type(value).__name__}.")
    if len(value) not in lengths:
        raise ValueError(f"{name}: expected {wanted} numbers, got {len(value)}.")


def symmetric(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of degrees; one number is the range around 0."""
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"{name}: a single number is not negative, got {value}.")
        value = [-value, value]  # type: ignore[operator]
    check_pair(value, name, lengths)
    return [float(v) for v in value]


def check_fill(fill: Any, name: str) -> Any:
    """A number or a sequence of them; None is 0."""
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError(f"{name}: fill is a number or a sequence, got {type(fill).__name__}.")
    return fill


def channel_fill(fill: Any, img: Any) -> Any:
    """``fill`` as tensors want it: a float for each channel. Pillow takes it as it is."""
    if not isinstance(img, Tensor):
        return fill
    if isinstance(fill, (int, float)):
        return [float(fill)] * get_dimensions(img)[0]
    return [float(v) for v in fill]


class Chance(nn.Module):
    """A transform that happens with probability p; subclasses say which (``apply_to``)."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def apply_to(self, img: Any) -> Any:
        raise NotImplementedError

    def forward(self, img: Any) -> Any:
        return self.apply_to(img) if torch.rand(1).item() < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
