"""Transforms between types and dtypes, of formats, and what cleans a sample up."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.dtypes import dtype as Dtype
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_unflatten
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import Transform, boxes_of, has_any, labels_by
from flambeau.vision.transforms.v2.functional.dispatch import is_pure_tensor
from flambeau.vision.tv_tensors.places import CLAMPING_MODES

__all__ = [
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "ConvertBoundingBoxFormat",
    "ConvertImageDtype",
    "Identity",
    "Lambda",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "SetClampingMode",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "UniformTemporalSubsample",
]

_TENSORS = (is_pure_tensor, tv_tensors.Image, tv_tensors.Video)


class Identity(Transform):
    """The sample as it is."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt


class Lambda(Transform):
    """A function of the user's on parts of the types given."""

    _transformed_types = (object,)

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or self._transformed_types

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.lambd(inpt) if isinstance(inpt, self.types) else inpt

    def extra_repr(self) -> str:
        extras = []
        name = getattr(self.lambd, "__name__", None)
        if name:
            extras.append(name)
        extras.append(f"types={[kind.__name__ for kind in self.types]}")
        return ", ".join(extras)


class ToImage(Transform):
    """``functional.to_image``: tensors, arrays and Pillow images as Image."""

    _transformed_types = (is_pure_tensor, is_pillow, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_image(inpt)


class PILToTensor(Transform):
    """Pillow images as tensors, values as they are."""

    _transformed_types = (is_pillow,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pil_to_tensor(inpt)


class ToPILImage(Transform):
    """Tensors and arrays as Pillow images."""

    _transformed_types = (is_pure_tensor, tv_tensors.Image, np.ndarray)

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        plain = inpt.as_subclass(Tensor) if isinstance(inpt, Tensor) else inpt
        return F.to_pil_image(plain, mode=self.mode)


class ToPureTensor(Transform):
    """Tensors without their meaning."""

    _transformed_types = (tv_tensors.TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt.as_subclass(Tensor)


class ToTensor(Transform):
    """Pillow images and arrays as tensors in [0, 1].

    Warns:
        UserWarning: ToImage and ToDtype have taken its place.
    """

    _transformed_types = (is_pillow, np.ndarray)

    def __init__(self) -> None:
        warnings.warn(
            "The transform `ToTensor()` is deprecated and will be removed in a future release. "
            "Instead, please use `v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, "
            "scale=True)])`. Output is equivalent up to float precision.",
            stacklevel=2,
        )
        super().__init__()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        from flambeau.vision.transforms.functional import to_tensor

        return to_tensor(inpt)


class ToDtype(Transform):
    """Another dtype, of images and videos, or by type.

    Args:
        dtype: one, or a dict by type ("others" for the rest; None leaves as it is).
        scale: white stays white.
    """

    _transformed_types = (Tensor,)

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, (dict, Dtype)):
            raise ValueError(f"ToDtype: dtype must be a dict or a torch.dtype, got {type(dtype)}.")
        if isinstance(dtype, dict) and Tensor in dtype:
            if any(kind in dtype for kind in (tv_tensors.Image, tv_tensors.Video)):
                warnings.warn(
                    "ToDtype: got dtype values for `torch.Tensor` and either `Image` or `Video`. "
                    "Note that a plain tensor will be passed through where an image or a video is "
                    "present.",
                    stacklevel=2,
                )
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        pixels = is_pure_tensor(inpt) or isinstance(inpt, _TENSORS[1:])  # type: ignore[arg-type]
        if not isinstance(self.dtype, dict):
            dtype = self.dtype if pixels else None
        elif type(inpt) in self.dtype:
            dtype = self.dtype[type(inpt)]
        elif "others" in self.dtype:
            dtype = self.dtype["others"]
        else:
            raise ValueError(
                f"ToDtype: No dtype was specified for type {type(inpt)}. If you only need to "
                "convert the dtype of images or videos, pass a single dtype; otherwise add "
                "'others' to the dict."
            )
        if dtype is not None:
            return self._call_kernel(F.to_dtype, inpt, dtype=dtype, **self._scaled(pixels))
        if isinstance(self.dtype, dict) and pixels and self.scale:
            warnings.warn(
                "ToDtype: scale was set to True but no dtype was specified for images or videos: "
                "no scaling will be done.",
                stacklevel=2,
            )
        return inpt

    def _scaled(self, pixels: bool) -> dict[str, bool]:
        return {"scale": self.scale} if pixels else {}


class ConvertImageDtype(Transform):
    """``ToDtype(dtype, scale=True)`` of images and videos, as it was called before."""

    def __init__(self, dtype: Any = torch.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class Normalize(Transform):
    """(tensor - mean) / std, channel by channel."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, is_pillow):
            raise TypeError(f"{type(self).__name__}() does not support PIL images.")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.normalize, inpt, mean=self.mean, std=self.std, inplace=self.inplace
        )


class LinearTransformation(Transform):
    """(flat image - mean_vector) times a square matrix, as for whitening."""

    _transformed_types = _TENSORS

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        from flambeau.vision.transforms.deform import LinearTransformation as First

        super().__init__()
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector
        self._first = [First(transformation_matrix, mean_vector)]

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, is_pillow):
            raise TypeError(f"{type(self).__name__}() does not support PIL images.")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        out = self._first[0](inpt.as_subclass(Tensor))
        return tv_tensors.wrap(out, like=inpt)


class UniformTemporalSubsample(Transform):
    """``num_samples`` frames of videos, evenly apart."""

    _transformed_types = (is_pure_tensor, tv_tensors.Video)

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.uniform_temporal_subsample, inpt, self.num_samples)


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, format: Any) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, new_format=self.format)


def _checked(clamping_mode: str | None, *more: str) -> str | None:
    if clamping_mode not in (*CLAMPING_MODES, *more):
        raise ValueError(
            f"clamping_mode must be soft, hard, None{''.join(f' or {m}' for m in more)}, got "
            f"{clamping_mode}."
        )
    return clamping_mode


class ClampBoundingBoxes(Transform):
    """Boxes cut to their canvas."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        mode = _checked(self.clamping_mode, "auto")
        return F.clamp_bounding_boxes(inpt, clamping_mode=mode)


class SetClampingMode(Transform):
    """Boxes that later transforms cut in another way."""

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode: str | None) -> None:
        super().__init__()
        self.clamping_mode = _checked(clamping_mode)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        out = inpt.clone()
        out.clamping_mode = self.clamping_mode
        return out


class ClampKeyPoints(Transform):
    """Points moved into their canvas."""

    _transformed_types = (tv_tensors.KeyPoints,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_keypoints(inpt)


class _Sanitize(Transform):
    """Drops what is not valid of places, and the same rows of labels (and of ``also``)."""

    _kind: type
    _also: tuple[type, ...] = ()

    def _valid(self, flat: list[Any]) -> Tensor:
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        given = inputs if len(inputs) > 1 else inputs[0]
        labels = self._labels_getter(given)
        several = () if labels is None else labels
        if isinstance(several, Tensor):
            several = (several,)
        elif not isinstance(several, (tuple, list)):
            raise ValueError(f"The labels in the input to forward() must be a tensor or None, got "
                             f"{type(labels)} instead.")  # fmt: skip
        flat, structure = tree_flatten(given)
        valid = self._valid(flat)
        for each in several:
            if not isinstance(each, Tensor) or len(each) != len(valid):
                raise ValueError(
                    f"{type(self).__name__}: expected labels for each of {len(valid)} rows, got "
                    f"{tuple(each.shape) if isinstance(each, Tensor) else type(each).__name__}."
                )
        params = {"valid": valid, "labels": several}
        return tree_unflatten([self.transform(each, params) for each in flat], structure)

    _labels_getter: Callable[[Any], Any]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        label = any(inpt is each for each in params["labels"])
        if not label and not isinstance(inpt, (self._kind, *self._also)):
            return inpt
        out = inpt.as_subclass(Tensor)[params["valid"]]
        return out if label else tv_tensors.wrap(out, like=inpt)


class SanitizeBoundingBoxes(_Sanitize):
    """Boxes that are too small or reach beyond the canvas dropped, with their masks and labels."""

    _kind = tv_tensors.BoundingBoxes
    _also = (tv_tensors.Mask,)

    def __init__(
        self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Any = "default"
    ) -> None:
        super().__init__()
        if min_size < 1:
            raise ValueError(f"min_size must be >= 1, got {min_size}.")
        if min_area < 1:
            raise ValueError(f"min_area must be >= 1, got {min_area}.")
        self.min_size = min_size
        self.min_area = min_area
        self.labels_getter = labels_getter
        self._labels_getter = labels_by(labels_getter)

    def _valid(self, flat: list[Any]) -> Tensor:
        return F.sanitize_bounding_boxes(
            boxes_of(flat), min_size=self.min_size, min_area=self.min_area
        )[1]


class SanitizeKeyPoints(_Sanitize):
    """Points beyond the canvas dropped, with their labels."""

    _kind = tv_tensors.KeyPoints

    def __init__(self, labels_getter: Any = None) -> None:
        super().__init__()
        self.labels_getter = labels_getter
        self._labels_getter = labels_by(labels_getter)

    def _valid(self, flat: list[Any]) -> Tensor:
        points: Sequence[Any] = [v for v in flat if isinstance(v, tv_tensors.KeyPoints)]
        if not points:
            raise ValueError("No keypoints were found in the sample.")
        return F.sanitize_keypoints(points[0])[1]
