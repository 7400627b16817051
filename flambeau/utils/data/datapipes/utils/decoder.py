"""File contents as values, by the ending of the file's name. Stands on the standard library; images
need pillow."""

from __future__ import annotations

import io
import json
import os.path
import pickle
import re
from collections.abc import Callable, Iterable
from typing import Any

import flambeau

__all__ = ["Decoder", "basichandlers", "extension_extract_fn", "handle_extension", "imagehandler"]

TEXT = {"txt", "text", "transcript"}
NUMBER = {"cls", "cls2", "class", "count", "index", "inx", "id"}
IMAGES = {"jpg", "jpeg", "png", "ppm", "pgm", "pbm", "pnm"}


def basichandlers(extension: str, data: bytes) -> Any:
    """Text, numbers, JSON and pickles; None for what it does not know."""
    if extension in TEXT:
        return data.decode("utf-8")
    if extension in NUMBER:
        try:
            return int(data)
        except ValueError:
            return None
    if extension in ("json", "jsn"):
        return json.loads(data)
    if extension in ("pyd", "pickle"):
        return pickle.loads(data)
    if extension == "pt":
        return flambeau.load(io.BytesIO(data))
    return None


def handle_extension(extensions: str, f: Callable[[bytes], Any]) -> Callable[[str, bytes], Any]:
    """A function of contents as a handler of some endings, separated by blanks."""
    known = extensions.lower().split()

    def decode(extension: str, data: bytes) -> Any:
        parts = extension.lower().split(".")
        fits = any(parts[-len(e.split(".")) :] == e.split(".") for e in known)
        return f(data) if fits else None

    return decode


class ImageHandler:
    """Images, as pillow's (``pil``, ``pilrgb``), arrays (``rgb8``, ``l``, ...) or tensors with the
    channels first (``torchrgb``, ...); 8 means bytes, else numbers from 0 to 1.

    Raises:
        AssertionError: there is no such form.
    """

    def __init__(self, imagespec: str) -> None:
        found = re.fullmatch(r"(pil|torch|)(l|rgb|rgba|)(8|)", imagespec.lower())
        if found is None or not imagespec:
            raise AssertionError(f"unknown image specification: {imagespec}")
        kind, mode, whole = found.groups()
        self.kind, self.mode, self.whole = kind or "numpy", mode or "rgb", bool(whole)

    def __call__(self, extension: str, data: bytes) -> Any:
        """The image; None for what is none."""
        if extension.lower() not in IMAGES:
            return None
        import numpy as np
        from PIL import Image

        image = Image.open(io.BytesIO(data)).convert(self.mode.upper())
        if self.kind == "pil":
            return image
        found = np.asarray(image) if self.whole else np.asarray(image, "float32") / 255.0
        if self.kind == "numpy":
            return found
        planes = found if found.ndim == 3 else found[:, :, None]
        return flambeau.tensor(planes.transpose(2, 0, 1).copy())


def imagehandler(imagespec: str) -> ImageHandler:
    """A handler of images."""
    return ImageHandler(imagespec)


def extension_extract_fn(pathname: str) -> str:
    """The ending of a path, without the dot."""
    return os.path.splitext(pathname)[1][1:]


class Decoder:
    """Decodes samples by the first handler that knows their key.

    Args:
        handler: functions of a key and the contents. key_fn: a path's key.
    """

    def __init__(
        self, *handler: Callable[..., Any], key_fn: Callable[[str], str] = extension_extract_fn
    ) -> None:
        self.handlers = list(handler)
        self.key_fn = key_fn

    def add_handler(self, *handler: Callable[..., Any]) -> None:
        """Handlers that are asked before those there are."""
        if handler:
            self.handlers = [*handler, *self.handlers]

    def decode1(self, key: str, data: Any) -> Any:
        """One value; itself where no handler knows it."""
        if not data:
            return data
        contents = data.read() if hasattr(data, "read") else data
        for handler in self.handlers:
            found = handler(key, contents)
            if found is not None:
                return found
        return contents

    def decode(self, data: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """The values by path. Text and lists of numbers stay as they are."""
        found: dict[str, Any] = {}
        for path, value in dict(data).items():
            if path[0] == "_":
                decoded = value.decode("utf-8") if isinstance(value, bytes) else value
            else:
                decoded = self.decode1(self.key_fn(path), value)
            found[path] = decoded
        return found

    def __call__(self, data: Any) -> Any:
        if isinstance(data, tuple):
            return data[0], self.decode([data])[data[0]]
        return self.decode(data.items() if isinstance(data, dict) else data)
