"""Boxes and key points: tensors of places on a canvas. Stands on ``base``."""

from __future__ import annotations

from enum import Enum
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.vision.tv_tensors.base import TVTensor

__all__ = [
    "CLAMPING_MODES",
    "BoundingBoxFormat",
    "BoundingBoxes",
    "KeyPoints",
    "is_rotated_bounding_format",
    "wrap",
]

CLAMPING_MODES = (None, "hard", "soft")


class BoundingBoxFormat(Enum):
    """What the numbers of a box are; R is an angle in degrees, of boxes that are turned."""

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


_ROTATED = (BoundingBoxFormat.XYWHR, BoundingBoxFormat.CXCYWHR, BoundingBoxFormat.XYXYXYXY)


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Whether boxes of this format may be turned."""
    if isinstance(format, BoundingBoxFormat):
        return format in _ROTATED
    return format in [each.value for each in _ROTATED]


def as_format(format: BoundingBoxFormat | str) -> BoundingBoxFormat:
    """A format, also from its name.

    Raises:
        KeyError: no such format.
    """
    return BoundingBoxFormat[format.upper()] if isinstance(format, str) else format


class BoundingBoxes(TVTensor):
    """Boxes on a canvas.

    Args:
        format: what the numbers are.
        canvas_size: (height, width) of the image.
        clamping_mode: how transforms cut them to the canvas: ``soft``, ``hard`` or None.

    Shape: (N, K), of one box also (K,), which becomes (1, K).
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __new__(  # type: ignore[misc]
        cls,
        data: Any,
        *,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: str | None = "soft",
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> BoundingBoxes:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if is_rotated_bounding_format(format) and not tensor.is_floating_point():
            raise ValueError(
                "BoundingBoxes: Rotated bounding boxes should be floating point tensors, got "
                f"{tensor.dtype}."
            )
        return cls._made(tensor, format, canvas_size, clamping_mode)

    @classmethod
    def _made(
        cls,
        tensor: Tensor,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: str | None,
    ) -> Any:
        if clamping_mode not in CLAMPING_MODES:
            raise ValueError(
                f"BoundingBoxes: clamping_mode must be None, hard or soft, got {clamping_mode}."
            )
        if tensor.ndim == 1:
            tensor = tensor[None]
        elif tensor.ndim != 2:
            raise ValueError(f"BoundingBoxes: Expected a 1D or 2D tensor, got {tensor.ndim}D.")
        boxes: Any = tensor.as_subclass(cls)
        boxes.format = as_format(format)
        boxes.canvas_size = canvas_size
        boxes.clamping_mode = clamping_mode
        return boxes

    @classmethod
    def _like(cls, tensor: Tensor, first: Any, **changed: Any) -> Any:
        known = {n: getattr(first, n) for n in ("format", "canvas_size", "clamping_mode")}
        if tensor.ndim not in (1, 2):  # a result that is no list of boxes any more
            boxes: Any = tensor.as_subclass(cls)
            vars(boxes).update(known)
            return boxes
        return cls._made(tensor, **{**known, **changed})

    def __repr__(self, *, tensor_contents: str | None = None) -> str:  # type: ignore[override]
        return self._told(
            format=self.format, canvas_size=self.canvas_size, clamping_mode=self.clamping_mode
        )


class KeyPoints(TVTensor):
    """Points (x, y) on a canvas of (height, width). Shape: (..., 2).

    Raises:
        ValueError: another last dimension.
    """

    canvas_size: tuple[int, int]

    def __new__(  # type: ignore[misc]
        cls,
        data: Any,
        *,
        canvas_size: tuple[int, int],
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> KeyPoints:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        return cls._made(tensor, canvas_size)  # type: ignore[no-any-return]

    @classmethod
    def _made(cls, tensor: Tensor, canvas_size: tuple[int, int]) -> Any:
        if tensor.ndim == 1:
            tensor = tensor[None]
        elif tensor.shape[-1] != 2:
            raise ValueError(f"KeyPoints: Expected a tensor of shape (..., 2), not {tensor.shape}.")
        points: Any = tensor.as_subclass(cls)
        points.canvas_size = canvas_size
        return points

    @classmethod
    def _like(cls, tensor: Tensor, first: Any, **changed: Any) -> Any:
        known = {"canvas_size": first.canvas_size, **changed}
        points: Any = tensor.as_subclass(cls)
        vars(points).update(known)
        return points

    def __repr__(self, *, tensor_contents: str | None = None) -> str:  # type: ignore[override]
        return self._told(canvas_size=self.canvas_size)


def wrap(wrappee: Tensor, *, like: Any, **kwargs: Any) -> Any:
    """``wrappee`` with the type and the meaning of ``like``.

    Args:
        kwargs: of boxes and key points what differs: ``format``, ``canvas_size``,
            ``clamping_mode``.
    """
    if not isinstance(like, TVTensor):
        return wrappee.as_subclass(type(like))
    return type(like)._like(wrappee.as_subclass(Tensor), like, **kwargs)
