"""Transforms of size: resizing, crops, padding, and the crops that look at boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau.vision import tv_tensors
from flambeau.vision.ops.boxes import box_iou
from flambeau.vision.transforms import random_places as v1
from flambeau.vision.transforms.base import integer
from flambeau.vision.transforms.functional.geometry import _borders
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import (
    Fills,
    RandomApplyTransform,
    Transform,
    boxes_of,
    has_any,
    pair,
    size_of,
)
from flambeau.vision.transforms.v2.functional.places import converted
from flambeau.vision.tv_tensors import BoundingBoxFormat

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomCrop",
    "RandomIoUCrop",
    "RandomResize",
    "RandomResizedCrop",
    "RandomShortestSize",
    "RandomZoomOut",
    "Resize",
    "ScaleJitter",
    "TenCrop",
]

Params = dict[str, Any]


class _Resizing(Transform):
    """What has an interpolation and resizes to ``params["size"]``."""

    interpolation: Any
    antialias: bool | None

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.resize,
            inpt,
            params["size"],
            interpolation=self.interpolation,
            antialias=self.antialias,
        )


class Resize(_Resizing):
    """``functional.resize``."""

    def __init__(
        self,
        size: Any,
        interpolation: Any = "bilinear",
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if isinstance(size, int):
            size = [size]
        elif isinstance(size, Sequence) and len(size) in (1, 2):
            size = list(size)
        elif size is None:
            if not isinstance(max_size, int):
                raise ValueError(f"max_size must be an integer when size is None, got {max_size}.")
        else:
            raise ValueError(
                f"size can be an integer, a sequence of one or two integers, or None, got {size}."
            )
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.resize,
            inpt,
            self.size,
            interpolation=self.interpolation,
            max_size=self.max_size,
            antialias=self.antialias,
        )


class ScaleJitter(_Resizing):
    """Resized to a drawn scale of what fits ``target_size``.

    Reference: G. Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for
    Instance Segmentation", 2020, arXiv:2012.07177.
    """

    def __init__(
        self,
        target_size: tuple[int, int],
        scale_range: tuple[float, float] = (0.1, 2.0),
        interpolation: Any = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.target_size = target_size
        self.scale_range = scale_range
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        low, high = self.scale_range
        scale = low + torch.rand(1) * (high - low)
        ratio = min(self.target_size[1] / height, self.target_size[0] / width) * scale
        return {"size": (int(height * ratio), int(width * ratio))}


class RandomShortestSize(_Resizing):
    """Resized so that the shorter edge has one of several lengths."""

    def __init__(
        self,
        min_size: Any,
        max_size: int | None = None,
        interpolation: Any = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        ratio = self.min_size[integer(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            ratio = min(ratio, self.max_size / max(height, width))
        return {"size": (int(height * ratio), int(width * ratio))}


class RandomResize(_Resizing):
    """Resized so that the shorter edge has a length drawn in [min_size, max_size)."""

    def __init__(
        self,
        min_size: int,
        max_size: int,
        interpolation: Any = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.min_size = min_size
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"size": [integer(self.min_size, self.max_size)]}


class CenterCrop(Transform):
    """``functional.center_crop``."""

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size, self)

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class RandomResizedCrop(Transform):
    """A crop of drawn area and aspect ratio, resized to a fixed size."""

    get_params = staticmethod(v1.RandomResizedCrop.get_params)

    def __init__(
        self,
        size: Any,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size, self)
        v1._check_scale_and_ratio("RandomResizedCrop", scale, ratio)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> Params:
        drawn = v1.resized_crop_of(size_of(flat_inputs), self.scale, self.ratio)
        return dict(zip(("top", "left", "height", "width"), drawn))

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.resized_crop,
            inpt,
            **params,
            size=self.size,
            interpolation=self.interpolation,
            antialias=self.antialias,
        )


class _SeveralCrops(Transform):
    """Crops of images and videos alone."""

    size: tuple[int, int]

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints):
            raise TypeError(
                f"BoundingBoxes'es, Mask's and KeyPoints are not supported by "
                f"{type(self).__name__}()."
            )


class FiveCrop(_SeveralCrops):
    """``functional.five_crop``: a tuple of five images."""

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size, self)

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(_SeveralCrops):
    """``functional.ten_crop``: a tuple of ten images."""

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size, self)
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


def _check_padding(padding: Any, padding_mode: str) -> None:
    if not isinstance(padding, (int, Sequence)):
        raise ValueError(
            f"Got inappropriate padding arg, expected an int or a sequence, got {type(padding)}."
        )
    if isinstance(padding, Sequence) and len(padding) not in (1, 2, 4):
        raise ValueError(
            "Padding must be an int or a 1, 2, or 4 element of tuple or list, not a "
            f"{len(padding)} element one."
        )
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric, got "
                         f"{padding_mode!r}.")  # fmt: skip


class Pad(Transform):
    """A border around everything; ``fill`` may be a dict by type."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        _check_padding(padding, padding_mode)
        self.padding = list(padding) if isinstance(padding, Sequence) else padding
        self.fill = fill
        self._fill = Fills(fill)
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.pad,
            inpt,
            padding=self.padding,
            fill=self._fill(inpt),
            padding_mode=self.padding_mode,
        )


class RandomZoomOut(RandomApplyTransform):
    """With probability p, the sample at a drawn place on a larger canvas."""

    def __init__(self, fill: Any = 0, side_range: Any = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.fill = fill
        self._fill = Fills(fill)
        if len(side_range) != 2:
            raise ValueError(f"side_range should have two numbers, got {side_range}.")
        if side_range[0] < 1.0 or side_range[0] > side_range[1]:
            raise ValueError(f"Invalid side range provided {side_range}.")
        self.side_range = side_range

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        low, high = self.side_range
        ratio = low + torch.rand(1) * (high - low)
        tall, wide = int(height * ratio), int(width * ratio)
        share = torch.rand(2)
        left, top = int((wide - width) * share[0]), int((tall - height) * share[1])
        return {"padding": [left, top, wide - (left + width), tall - (top + height)]}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.pad, inpt, **params, fill=self._fill(inpt))


class RandomCrop(Transform):
    """A rectangle of a fixed size at a drawn place; the sample may be padded first."""

    get_params = staticmethod(v1.RandomCrop.get_params)

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = pair(size, self)
        if padding is not None:
            _check_padding(padding, padding_mode)
        self.padding = None if padding is None else list(_borders(padding))
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self._fill = Fills(fill)
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs: list[Any]) -> Params:
        edges = list(size_of(flat_inputs))
        left, top, right, bottom = self.padding or [0, 0, 0, 0]
        sides = [[top, bottom], [left, right]]
        starts = []
        for axis, side in enumerate(sides):
            edges[axis] += sum(side)
            lack = self.size[axis] - edges[axis]
            if self.pad_if_needed and lack > 0:
                side[0], side[1] = side[0] + lack, side[1] + lack
                edges[axis] += 2 * lack
        if any(edge < size for edge, size in zip(edges, self.size)):
            raise ValueError(
                f"Required crop size {self.size} is larger than padded input image size "
                f"{tuple(edges)}."
            )
        for edge, size in zip(edges, self.size):
            starts.append(integer(0, edge - size + 1) if edge > size else 0)
        return {
            "crop": (*starts, *self.size) if tuple(edges) != self.size else None,
            "padding": [sides[1][0], sides[0][0], sides[1][1], sides[0][1]],
        }

    def transform(self, inpt: Any, params: Params) -> Any:
        if any(params["padding"]):
            inpt = self._call_kernel(
                F.pad,
                inpt,
                padding=params["padding"],
                fill=self._fill(inpt),
                padding_mode=self.padding_mode,
            )
        return self._call_kernel(F.crop, inpt, *params["crop"]) if params["crop"] else inpt


class RandomIoUCrop(Transform):
    """A drawn crop that overlaps one of the boxes at least so much; boxes outside become empty.

    Args:
        sampler_options: the least overlaps (IoU) one of which is drawn; 1 and more: no crop.
        trials: how often a crop is drawn before another overlap is.

    Reference: W. Liu et al., "SSD: Single Shot MultiBox Detector", 2015, arXiv:1512.02325.
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: list[float] | None = None,
        trials: int = 40,
    ) -> None:
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = sampler_options or [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        from flambeau.vision.pillow import is_pillow
        from flambeau.vision.transforms.v2.functional.dispatch import is_pure_tensor

        pixels = has_any(flat_inputs, is_pillow, tv_tensors.Image, tv_tensors.Video, is_pure_tensor)
        if not (pixels and has_any(flat_inputs, tv_tensors.BoundingBoxes)):
            raise TypeError(
                f"{type(self).__name__}() requires input sample to contain tensor or PIL images "
                "and bounding boxes. Sample can also contain masks."
            )

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        boxes = boxes_of(flat_inputs)
        corners = converted(boxes.as_subclass(torch.Tensor), boxes.format, BoundingBoxFormat.XYXY)
        middle_x, middle_y = (
            0.5 * (corners[..., 0] + corners[..., 2]),
            0.5 * (corners[..., 1] + corners[..., 3]),
        )
        span = self.max_scale - self.min_scale
        while True:
            least = self.options[integer(0, len(self.options))]
            if least >= 1.0:
                return {}
            for _ in range(self.trials):
                share = self.min_scale + span * torch.rand(2)
                w, h = int(width * share[0]), int(height * share[1])
                if not self.min_aspect_ratio <= w / h <= self.max_aspect_ratio:
                    continue
                share = torch.rand(2)
                left, top = int((width - w) * share[0]), int((height - h) * share[1])
                right, bottom = left + w, top + h
                if left == right or top == bottom:
                    continue
                inside = (left < middle_x) & (middle_x < right)
                inside &= (top < middle_y) & (middle_y < bottom)
                if not inside.any():
                    continue
                crop = torch.tensor([[left, top, right, bottom]], dtype=corners.dtype)
                if box_iou(corners[inside], crop).max() < least:
                    continue
                return {"crop": (top, left, h, w), "inside": inside}

    def transform(self, inpt: Any, params: Params) -> Any:
        if not params:
            return inpt
        out = self._call_kernel(F.crop, inpt, *params["crop"])
        if isinstance(out, tv_tensors.BoundingBoxes):
            out.as_subclass(torch.Tensor)[~params["inside"]] = 0  # dropped by SanitizeBoundingBoxes
        return out
