"""``torchvision``'s names over flambeau: models, the operations they are built of, images.

Rooms load at first use (PEP 562). A room of the floor of tools: it stands on ``nn`` and ``hub``.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.28.0+flambeau"
_ROOMS = frozenset(("datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"))


def disable_beta_transforms_warning() -> None:
    """There is nothing to switch off: transforms.v2 is no beta any more."""


def get_image_backend() -> str:
    """What reads images: "PIL"."""
    return "PIL"


def set_image_backend(backend: str) -> None:
    """Choose what reads images.

    Raises:
        ValueError: anything but "PIL".
    """
    if backend != "PIL":
        raise ValueError(
            f"set_image_backend: Invalid backend '{backend}'. Images are read by 'PIL' alone."
        )


def get_video_backend() -> str:
    """The name of torchvision's only reader of videos, "pyav"; none is here."""
    return "pyav"


def set_video_backend(backend: str) -> None:
    """Has no effect: videos are not read here, frames are given as tensors."""


def __getattr__(name: str) -> _Any:
    if name in _ROOMS:
        return _import_module(f"flambeau.vision.{name}")
    raise AttributeError(f"module 'torchvision' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
