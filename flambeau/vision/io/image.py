"""Reading, writing, decoding and encoding images: uint8 tensors of (C, H, W), uint16 of deep PNGs.

Files are written whole or not at all. Stands on Pillow and on ``serialization``'s writing.
"""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.serialization.writing import replacing
from flambeau.vision.pillow import pillow

__all__ = [
    "ImageReadMode",
    "decode_avif",
    "decode_gif",
    "decode_heic",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]


class ImageReadMode(Enum):
    """The channels that a decoded image has."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
_LUMA = np.array([9794, 19234, 3740])  # libpng's weights of red, green, blue, in 1 / 2^15
_KINDS = ("PNG", "JPEG", "GIF", "WEBP")


def read_file(path: Any) -> Tensor:
    """A file's bytes.

    Raises:
        RuntimeError: there is no such file, or it is empty.
    """
    try:
        with open(path, "rb") as file:
            body = bytearray(file.read())
    except OSError as error:
        raise RuntimeError(f"read_file: {error}") from None
    if not body:
        raise RuntimeError(f"read_file: Expected a non empty file, got {os.fspath(path)}.")
    return torch.frombuffer(body, dtype=torch.uint8)


def _bytes(op: str, data: Any) -> bytes:
    if not isinstance(data, Tensor) or data.dtype != torch.uint8:
        found = data.dtype if isinstance(data, Tensor) else type(data).__name__
        raise RuntimeError(f"{op}: Input tensor dtype should be torch.uint8, got {found}.")
    if data.dim() != 1 or data.numel() == 0:
        raise RuntimeError(
            f"{op}: expected a non empty 1-dimensional tensor of bytes, got {tuple(data.shape)}."
        )
    return data.numpy().tobytes()


def write_file(filename: Any, data: Tensor) -> None:
    """Write bytes; the file appears whole or not at all."""
    body = _bytes("write_file", data)
    with replacing(filename) as file:
        file.write(body)


def _mode(mode: Any) -> ImageReadMode:
    """A mode, also from its name in any case."""
    return ImageReadMode[mode.upper()] if isinstance(mode, str) else mode


def _array(image: Any, mode: ImageReadMode) -> np.ndarray:
    """A Pillow image as an array of the mode's channels."""
    if image.mode.startswith("I"):  # 16 bits of grey: converted here, Pillow would cut them
        gray = np.asarray(image).astype(np.uint16)
        full = np.full_like(gray, 0xFFFF)
        planes = {1: [gray], 2: [gray, full], 3: [gray] * 3, 4: [gray] * 3 + [full]}
        return np.stack(planes[mode.value or 1], axis=-1)
    if mode is ImageReadMode.UNCHANGED:
        if image.format == "PNG" and image.mode in ("1", "P"):
            return np.array(image.convert("L") if image.mode == "1" else image)
        known = image.mode in (*_MODES.values(), "CMYK")
        return np.array(image if known else image.convert("RGB"))
    wanted = _MODES[mode]
    if image.format == "PNG" and wanted in ("L", "LA") and image.mode in ("RGB", "RGBA"):
        colors = np.array(image)
        gray = (colors[..., :3] @ _LUMA >> 15).astype(np.uint8)
        alpha = colors[..., 3] if image.mode == "RGBA" else np.full_like(gray, 255)
        return gray if wanted == "L" else np.stack([gray, alpha], axis=-1)
    if image.format == "JPEG" and wanted == "L":
        image.draft("L", image.size)  # the luma that the file holds
    return np.array(image if image.mode == wanted else image.convert(wanted))


def _decoded(
    op: str, input: Tensor, mode: Any, kinds: tuple[str, ...], apply_exif_orientation: bool
) -> Tensor:
    body = _bytes(op, input)
    library = pillow()
    try:
        image = library.open(io.BytesIO(body), formats=kinds)
        if apply_exif_orientation:
            kind = image.format
            image = pillow("ImageOps").exif_transpose(image)
            image.format = kind
        array = _array(image, _mode(mode))
    except (library.UnidentifiedImageError, OSError, SyntaxError) as error:
        raise RuntimeError(
            f"{op}: Unsupported or broken image ({error}). Expected {', '.join(kinds)}."
        ) from None
    array = array[..., None] if array.ndim == 2 else array
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def decode_image(
    input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """An image from its bytes, or from a file's name.

    Args:
        mode: the channels, an ImageReadMode or its name.
        apply_exif_orientation: turn the image as its camera was held.

    Raises:
        RuntimeError: no PNG, JPEG, GIF or WebP.
    """
    data = input if isinstance(input, Tensor) else read_file(input)
    return _decoded("decode_image", data, mode, _KINDS, apply_exif_orientation)


def read_image(
    path: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """``decode_image`` of a file."""
    return decode_image(read_file(path), mode, apply_exif_orientation)


def decode_png(
    input: Tensor, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """A PNG from its bytes."""
    return _decoded("decode_png", input, mode, ("PNG",), apply_exif_orientation)


def decode_jpeg(
    input: Any,
    mode: Any = ImageReadMode.UNCHANGED,
    device: Any = "cpu",
    apply_exif_orientation: bool = False,
) -> Any:
    """A JPEG from its bytes, or a list of them."""
    if isinstance(input, list):
        return [decode_jpeg(each, mode, device, apply_exif_orientation) for each in input]
    return _decoded("decode_jpeg", input, mode, ("JPEG",), apply_exif_orientation)


def decode_webp(input: Tensor, mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """A WebP from its bytes."""
    return _decoded("decode_webp", input, mode, ("WEBP",), False)


def decode_avif(input: Tensor, mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """An AVIF from its bytes.

    Raises:
        RuntimeError: Pillow is built without AVIF (before 11.3 it is).
    """
    if not pillow("features").check("avif"):
        raise RuntimeError("decode_avif: this Pillow does not read AVIF; 11.3 and newer do.")
    return _decoded("decode_avif", input, mode, ("AVIF",), False)


def decode_heic(input: Tensor, mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """HEIC is not read: torchvision needs another package for it, and Pillow cannot.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "decode_heic: HEIC is not read here. Open the file with pillow-heif and pass its image to "
        "pil_to_tensor."
    )


def decode_gif(input: Tensor) -> Tensor:
    """A GIF from its bytes: (C, H, W), or (frames, C, H, W) where it moves."""
    try:
        image = pillow().open(io.BytesIO(_bytes("decode_gif", input)), formats=("GIF",))
        frames = []
        for i in range(image.n_frames):
            image.seek(i)
            frames.append(np.array(image.convert("RGB")).transpose(2, 0, 1))
    except (OSError, SyntaxError) as error:
        raise RuntimeError(f"decode_gif: broken image ({error}).") from None
    return torch.from_numpy(np.stack(frames) if len(frames) > 1 else frames[0].copy())


def _encoded(op: str, input: Tensor, **options: Any) -> Tensor:
    if input.dtype != torch.uint8:
        raise RuntimeError(f"{op}: Input tensor dtype should be uint8, got {input.dtype}.")
    if input.dim() != 3:
        raise RuntimeError(
            f"{op}: Input data should be a 3-dimensional tensor, got {tuple(input.shape)}."
        )
    if input.shape[0] not in (1, 3):
        raise RuntimeError(f"{op}: The number of channels should be 1 or 3, got {input.shape[0]}.")
    array = input.numpy().transpose(1, 2, 0)
    image = pillow().fromarray(np.ascontiguousarray(array[..., 0] if len(input) == 1 else array))
    out = io.BytesIO()
    image.save(out, **options)
    return torch.frombuffer(bytearray(out.getvalue()), dtype=torch.uint8)


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a PNG of (C, H, W), C one or three.

    Raises:
        RuntimeError: another dtype than uint8 or another shape.
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError(
            f"encode_png: Compression level should be between 0 and 9, got {compression_level}."
        )
    return _encoded("encode_png", input, format="PNG", compress_level=compression_level)


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """The bytes of a JPEG of (C, H, W), C one or three; or of each of a list.

    Raises:
        ValueError: a quality that is not 1 to 100.
        RuntimeError: another dtype than uint8 or another shape.
    """
    if not 1 <= quality <= 100:
        raise ValueError(
            f"encode_jpeg: Image quality should be a positive number between 1 and 100, got "
            f"{quality}."
        )
    if isinstance(input, list):
        return [encode_jpeg(each, quality) for each in input]
    return _encoded("encode_jpeg", input, format="JPEG", quality=quality)


def write_png(input: Tensor, filename: Any, compression_level: int = 6) -> None:
    """Write a PNG."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: Any, quality: int = 75) -> None:
    """Write a JPEG."""
    write_file(filename, encode_jpeg(input, quality))
