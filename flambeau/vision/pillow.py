"""Pillow, loaded at first use: nothing of ``vision`` needs it before an image is drawn or read."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["is_pillow", "pillow"]


def pillow(name: str = "Image") -> Any:
    """One of Pillow's modules by name.

    Raises:
        ModuleNotFoundError: Pillow is not installed.
    """
    try:
        return import_module(f"PIL.{name}")
    except ModuleNotFoundError as error:
        if error.name != "PIL":
            raise
        raise ModuleNotFoundError(
            "Images are read, drawn and written through Pillow, which is not installed: "
            "pip install 'flambeau[vision]'.",
            name="PIL",
        ) from None


def is_pillow(value: Any) -> bool:
    """Whether a value is a Pillow image; asking does not load Pillow."""
    image = sys.modules.get("PIL.Image")
    return image is not None and isinstance(value, image.Image)
