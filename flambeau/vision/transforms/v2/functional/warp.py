"""Affine maps, rotations, perspective and elastic deformation, of all that has a place."""

from __future__ import annotations

from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms.functional import convert
from flambeau.vision.transforms.functional import warp as v1
from flambeau.vision.transforms.v2.functional.dispatch import functional, over_frames
from flambeau.vision.transforms.v2.functional.geometry import BILINEAR, NEAREST, as_mode, on_masks
from flambeau.vision.transforms.v2.functional.places import (
    Format,
    Size,
    as_corners,
    clamped,
    converted,
    from_corners,
)
from flambeau.vision.tv_tensors import is_rotated_bounding_format

__all__ = ["affine", "elastic", "elastic_transform", "perspective", "rotate"]


@over_frames
def affine_image(
    image: Tensor,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Tensor:
    """The image sheared, turned clockwise (degrees), scaled and moved, keeping its size."""
    out: Tensor = v1.affine(
        image, angle, translate, scale, shear, as_mode(interpolation), fill, center
    )
    return out


def _affine_picture(
    image: Any,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Any:
    return v1.affine(image, angle, translate, scale, shear, as_mode(interpolation), fill, center)


@on_masks
def affine_mask(
    mask: Tensor,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    fill: Any = None,
    center: Any = None,
) -> Tensor:
    """``affine_image`` by the nearest pixels."""
    return affine_image(mask, angle, translate, scale, shear, NEAREST, fill, center)  # type: ignore[no-any-return]


def _slant(shear: Any) -> list[float]:
    pair = list(shear) if isinstance(shear, (list, tuple)) else [shear, 0.0]
    return [float(v) for v in (pair * 2 if len(pair) == 1 else pair)]


def _forward(
    canvas_size: Size, angle: float, translate: Any, scale: float, shear: Any, center: Any
) -> Tensor:
    """The map of places as (2, 3): the inverse of what images are read by."""
    height, width = canvas_size
    middle = [width * 0.5, height * 0.5] if center is None else [float(c) for c in center]
    numbers = v1.inverse_affine(middle, angle, translate, scale, _slant(shear))
    square = torch.tensor([*numbers, 0.0, 0.0, 1.0], dtype=torch.float64).view(3, 3)
    return torch.linalg.inv(square)[:2].to(torch.float32)


def _mapped(places: Tensor, matrix: Tensor) -> Tensor:
    """Places (..., 2) by an affine map (2, 3)."""
    matrix = matrix.to(places.dtype)
    return places @ matrix[:, :2].T + matrix[:, 2]


def affine_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    center: Any = None,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """The boxes around what becomes of the boxes, cut to the canvas."""
    matrix = _forward(canvas_size, angle, translate, scale, shear, center)
    return _around(bounding_boxes, format, canvas_size, clamping_mode, lambda p: _mapped(p, matrix))


def _around(
    boxes: Tensor,
    format: Format,
    canvas_size: Size,
    clamping_mode: str | None,
    move: Any,
    early: bool = False,
) -> Tensor:
    """Boxes whose corners ``move`` has moved, cut to a canvas.

    Args:
        early: whole numbers are cut to such before they are clamped, not after.
    """
    corners = move(as_corners(boxes, format))
    if is_rotated_bounding_format(format):
        return clamped(from_corners(corners, format), format, canvas_size, clamping_mode)
    out = from_corners(corners, Format.XYXY)
    out = out.to(boxes.dtype) if early else out
    out = clamped(out, Format.XYXY, canvas_size, clamping_mode)
    return converted(out, Format.XYXY, format).to(boxes.dtype)


def affine_keypoints(
    keypoints: Tensor,
    canvas_size: Size,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    center: Any = None,
) -> Tensor:
    """The points moved."""
    matrix = _forward(canvas_size, angle, translate, scale, shear, center)
    return _points(keypoints, lambda p: _mapped(p, matrix))


def _points(keypoints: Tensor, move: Any) -> Tensor:
    places = keypoints if keypoints.is_floating_point() else keypoints.to(torch.float32)
    return move(places).to(keypoints.dtype)  # type: ignore[no-any-return]


@over_frames
def rotate_image(
    image: Tensor,
    angle: float,
    interpolation: Any = NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Tensor:
    """The image turned counter-clockwise (degrees); quarter turns move pixels alone."""
    angle = angle % 360
    if center is None:
        if angle in (0, 180):
            return image.clone() if angle == 0 else image.flip((-2, -1))
        if angle in (90, 270) and (expand or image.shape[-1] == image.shape[-2]):
            return torch.rot90(image, k=1 if angle == 90 else -1, dims=(-2, -1))
    out: Tensor = v1.rotate(image, angle, as_mode(interpolation), expand, center, fill)
    return out


def _rotate_picture(
    image: Any,
    angle: float,
    interpolation: Any = NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    return v1.rotate(image, angle, as_mode(interpolation), expand, center, fill)


@on_masks
def rotate_mask(
    mask: Tensor, angle: float, expand: bool = False, center: Any = None, fill: Any = None
) -> Tensor:
    """``rotate_image`` by the nearest pixels."""
    return rotate_image(mask, angle, NEAREST, expand, center, fill)  # type: ignore[no-any-return]


def _rotation(canvas_size: Size, angle: float, expand: bool, center: Any) -> tuple[Any, Size]:
    """What moves places, and the canvas they come to."""
    center = None if expand else center
    matrix = _forward(canvas_size, -angle, [0.0, 0.0], 1.0, [0.0, 0.0], center)
    if not expand:
        return lambda p: _mapped(p, matrix), canvas_size
    height, width = canvas_size
    middle = [width * 0.5, height * 0.5]
    size = v1._expanded(
        v1.inverse_affine(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0]), height, width
    )
    edges = torch.tensor([[0.0, 0.0], [0.0, height], [width, height], [width, 0.0]])
    start = _mapped(edges, matrix).amin(0)
    return lambda p: _mapped(p, matrix) - start, size


def rotate_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    angle: float,
    expand: bool = False,
    center: Any = None,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, Size]:
    """The boxes around what becomes of the boxes, cut to the canvas, and its size."""
    move, size = _rotation(canvas_size, angle, expand, center)
    return _around(bounding_boxes, format, size, clamping_mode, move), size


def rotate_keypoints(
    keypoints: Tensor, canvas_size: Size, angle: float, expand: bool = False, center: Any = None
) -> tuple[Tensor, Size]:
    """The points turned, and the canvas's size."""
    move, size = _rotation(canvas_size, angle, expand, center)
    return _points(keypoints, move), size


def _coefficients(startpoints: Any, endpoints: Any, coefficients: Any) -> list[float]:
    if coefficients is not None:
        if startpoints is not None or endpoints is not None:
            raise ValueError(
                "perspective: The startpoints/endpoints and the coefficients shouldn't be defined "
                "concurrently."
            )
        if len(coefficients) != 8:
            raise ValueError(
                f"perspective: coefficients should have 8 elements, got {len(coefficients)}."
            )
        return list(coefficients)
    if startpoints is None or endpoints is None:
        raise ValueError("perspective: Either the startpoints/endpoints or the coefficients must "
                         "have non `None` values.")  # fmt: skip
    return v1._perspective_coefficients(startpoints, endpoints)


@over_frames
def perspective_image(
    image: Tensor,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = BILINEAR,
    fill: Any = None,
    coefficients: Any = None,
) -> Tensor:
    """The image so that the corners at ``startpoints`` come to ``endpoints``."""
    numbers = _coefficients(startpoints, endpoints, coefficients)
    return v1.perspective_by(image, numbers, as_mode(interpolation), fill)  # type: ignore[no-any-return]


@on_masks
def perspective_mask(
    mask: Tensor, startpoints: Any, endpoints: Any, fill: Any = None, coefficients: Any = None
) -> Tensor:
    """``perspective_image`` by the nearest pixels."""
    return perspective_image(mask, startpoints, endpoints, NEAREST, fill, coefficients)  # type: ignore[no-any-return]


def _projected(startpoints: Any, endpoints: Any, coefficients: Any) -> Any:
    """What moves places: the inverse of what images are read by."""
    numbers = _coefficients(startpoints, endpoints, coefficients)
    there = torch.linalg.inv(torch.tensor([*numbers, 1.0], dtype=torch.float64).view(3, 3))
    matrix = (there / there[2, 2]).to(torch.float32)

    def move(places: Tensor) -> Tensor:
        by = matrix.to(places.dtype)
        out = places @ by[:, :2].T + by[:, 2]
        return out[..., :2] / out[..., 2:]

    return move


def perspective_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    startpoints: Any,
    endpoints: Any,
    coefficients: Any = None,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """The boxes around what becomes of the boxes, cut to the canvas."""
    move = _projected(startpoints, endpoints, coefficients)
    if not is_rotated_bounding_format(format):
        corners = converted(bounding_boxes, format, Format.XYXY)
        out = _around(corners.to(torch.float32), Format.XYXY, canvas_size, clamping_mode, move)
        return converted(out, Format.XYXY, format).to(bounding_boxes.dtype)
    return _around(bounding_boxes, format, canvas_size, clamping_mode, move)


def perspective_keypoints(
    keypoints: Tensor,
    canvas_size: Size,
    startpoints: Any,
    endpoints: Any,
    coefficients: Any = None,
) -> Tensor:
    """The points moved."""
    return _points(keypoints, _projected(startpoints, endpoints, coefficients))


@over_frames
def elastic_image(
    image: Tensor, displacement: Tensor, interpolation: Any = BILINEAR, fill: Any = None
) -> Tensor:
    """The image read at places moved by ``displacement``, in halves of its size."""
    out: Tensor = v1.elastic_transform(image, displacement, as_mode(interpolation), fill)
    return out


def _elastic_picture(
    image: Any, displacement: Tensor, interpolation: Any = BILINEAR, fill: Any = None
) -> Any:
    out = elastic_image(convert.pil_to_tensor(image), displacement, interpolation, fill)
    return convert.to_pil_image(out, mode=image.mode)


@on_masks
def elastic_mask(mask: Tensor, displacement: Tensor, fill: Any = None) -> Tensor:
    """``elastic_image`` by the nearest pixels."""
    return elastic_image(mask, displacement, NEAREST, fill)  # type: ignore[no-any-return]


def _displaced(canvas_size: Size, displacement: Tensor) -> Any:
    """What moves places: each by its pixel's displacement, the other way."""
    if not isinstance(displacement, Tensor):
        raise TypeError(
            f"elastic: displacement should be a Tensor, got {type(displacement).__name__}."
        )
    height, width = canvas_size
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(
            f"elastic: displacement has shape {(1, height, width, 2)}, got "
            f"{tuple(displacement.shape)}."
        )
    edges = torch.tensor([width, height], dtype=torch.float32)

    def move(places: Tensor) -> Tensor:
        index = places.to(torch.int64)
        x, y = index[..., 0].clamp(0, width - 1), index[..., 1].clamp(0, height - 1)
        here = torch.stack((x, y), dim=-1) * 2.0 + 1 - edges
        out = here / edges - displacement[0, y, x]
        return ((out + 1) * (0.5 * edges) - 0.5).to(places.dtype)

    return move


def elastic_bounding_boxes(
    bounding_boxes: Tensor,
    format: Format,
    canvas_size: Size,
    displacement: Tensor,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """The boxes around what becomes of the boxes, nearly, cut to the canvas."""
    displaced = _displaced(canvas_size, displacement)

    def move(corners: Tensor) -> Tensor:
        return displaced(corners.ceil())  # type: ignore[no-any-return]

    if not is_rotated_bounding_format(format):
        corners = converted(bounding_boxes, format, Format.XYXY)
        out = _around(corners, Format.XYXY, canvas_size, clamping_mode, move, early=True)
        return converted(out, Format.XYXY, format)
    return _around(bounding_boxes, format, canvas_size, clamping_mode, move)


def elastic_keypoints(keypoints: Tensor, canvas_size: Size, displacement: Tensor) -> Tensor:
    """The points moved, nearly."""
    return _points(keypoints, _displaced(canvas_size, displacement))


def _perspective_picture(
    image: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = BILINEAR,
    fill: Any = None,
    coefficients: Any = None,
) -> Any:
    numbers = _coefficients(startpoints, endpoints, coefficients)
    return v1.perspective_by(image, numbers, as_mode(interpolation), fill)


affine = functional(
    "affine",
    affine_image,
    picture=_affine_picture,
    mask=affine_mask,
    boxes=affine_bounding_boxes,
    points=affine_keypoints,
)
rotate = functional(
    "rotate",
    rotate_image,
    picture=_rotate_picture,
    mask=rotate_mask,
    boxes=rotate_bounding_boxes,
    points=rotate_keypoints,
)
perspective = functional(
    "perspective",
    perspective_image,
    picture=_perspective_picture,
    mask=perspective_mask,
    boxes=perspective_bounding_boxes,
    points=perspective_keypoints,
)
elastic = functional(
    "elastic",
    elastic_image,
    picture=_elastic_picture,
    mask=elastic_mask,
    boxes=elastic_bounding_boxes,
    points=elastic_keypoints,
)
elastic_transform = elastic
