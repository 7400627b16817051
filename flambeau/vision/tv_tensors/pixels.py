"""Images, videos and masks: tensors of pixels. Stands on ``base``."""

from __future__ import annotations

from typing import Any

from flambeau.vision.pillow import is_pillow
from flambeau.vision.tv_tensors.base import TVTensor

__all__ = ["Image", "Mask", "Video"]


def _pixels(data: Any) -> Any:
    if not is_pillow(data):
        return data
    from flambeau.vision.transforms.functional import pil_to_tensor

    return pil_to_tensor(data)


class Image(TVTensor):
    """An image or a batch of them; (H, W) becomes (1, H, W).

    Shape: (..., C, H, W).

    Raises:
        ValueError: fewer than two dimensions.
    """

    def __new__(  # type: ignore[misc]
        cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None
    ) -> Image:
        tensor = cls._to_tensor(_pixels(data), dtype, device, requires_grad)
        if tensor.ndim < 2:
            raise ValueError(f"Image: Tensor must be 2D or higher, got {tensor.ndim}D tensor.")
        return (tensor[None] if tensor.ndim == 2 else tensor).as_subclass(cls)

    def __repr__(self, *, tensor_contents: str | None = None) -> str:  # type: ignore[override]
        return self._told()


class Video(TVTensor):
    """Frames. Shape: (..., T, C, H, W).

    Raises:
        ValueError: fewer than four dimensions.
    """

    def __new__(  # type: ignore[misc]
        cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None
    ) -> Video:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.ndim < 4:
            raise ValueError(f"Video: expected (..., T, C, H, W), got {tuple(tensor.shape)}.")
        return tensor.as_subclass(cls)

    def __repr__(self, *, tensor_contents: str | None = None) -> str:  # type: ignore[override]
        return self._told()


class Mask(TVTensor):
    """Masks of segments or of detected objects. Shape: (..., H, W)."""

    def __new__(  # type: ignore[misc]
        cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None
    ) -> Mask:
        return cls._to_tensor(_pixels(data), dtype, device, requires_grad).as_subclass(cls)
