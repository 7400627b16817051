"""How a transform goes through a sample: which of its parts it takes, drawn once for all of them.

Also what transforms ask of a sample: its size, its boxes, its labels.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_unflatten
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.transforms.base import size_pair
from flambeau.vision.transforms.v2.functional.dispatch import is_pure_tensor, kernel_of
from flambeau.vision.transforms.v2.functional.meta import get_dimensions, get_size

__all__ = ["RandomApplyTransform", "Transform"]

PIXELS = (tv_tensors.Image, tv_tensors.Video, is_pillow, is_pure_tensor)
PLACES = (tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints)


def is_a(value: Any, kinds: Any) -> bool:
    """Whether a value is of one of the types, or passes one of the tests."""
    for kind in kinds:
        if isinstance(value, kind) if isinstance(kind, type) else kind(value):
            return True
    return False


def has_any(values: Sequence[Any], *kinds: Any) -> bool:
    """Whether one of the values is of one of the kinds."""
    return any(is_a(value, kinds) for value in values)


def size_of(values: Sequence[Any]) -> tuple[int, int]:
    """(height, width) of a sample.

    Raises:
        TypeError: nothing in it has a size.
        ValueError: its parts differ.
    """
    sizes = {tuple(get_size(v)) for v in values if is_a(v, (*PIXELS, *PLACES))}
    if not sizes:
        raise TypeError("No image, video, mask, bounding box of keypoint was found in the sample.")
    if len(sizes) > 1:
        raise ValueError(f"Found multiple HxW dimensions in the sample: {sorted(sizes)}.")
    height, width = sizes.pop()
    return height, width


def dimensions_of(values: Sequence[Any]) -> tuple[int, int, int]:
    """(channels, height, width) of a sample's images and videos.

    Raises:
        TypeError: there are none.
        ValueError: they differ.
    """
    found = {tuple(get_dimensions(v)) for v in values if is_a(v, PIXELS)}
    if not found:
        raise TypeError("No image or video was found in the sample.")
    if len(found) > 1:
        raise ValueError(f"Found multiple CxHxW dimensions in the sample: {sorted(found)}.")
    channels, height, width = found.pop()
    return channels, height, width


def boxes_of(values: Sequence[Any]) -> Any:
    """The sample's bounding boxes.

    Raises:
        ValueError: there are none.
    """
    for value in values:
        if isinstance(value, tv_tensors.BoundingBoxes):
            return value
    raise ValueError("No bounding boxes were found in the sample.")


def _default_labels(inputs: Any) -> Any:
    """The labels where samples usually have them: second, or under a key like "labels"."""
    if isinstance(inputs, (tuple, list)):
        inputs = inputs[1]
    if is_pure_tensor(inputs):
        return inputs
    if not isinstance(inputs, Mapping):
        raise ValueError(
            "If labels_getter is the default value, the input passed to forward() must be a "
            "dictionary or a two-tuple whose second item is a dictionary or a tensor, got "
            f"{inputs}."
        )
    names = {key: key.lower() for key in inputs if isinstance(key, str)}
    for fits in (lambda name: name == "labels", lambda name: "label" in name):
        for key, name in names.items():
            if fits(name):
                return inputs[key]
    raise ValueError("Could not infer where the labels are in the sample. Try passing a callable "
                     "as the labels_getter parameter, or None if there are no labels.")  # fmt: skip


def labels_by(getter: Any) -> Callable[[Any], Any]:
    """What finds a sample's labels, from what users give."""
    if getter == "default":
        return _default_labels
    if callable(getter):
        return getter  # type: ignore[no-any-return]
    if getter is None:
        return lambda inputs: None
    raise ValueError(
        f"labels_getter should either be 'default', a callable, or None, but got {getter}."
    )


def several_numbers(value: Any, name: str) -> list[float]:
    """Two numbers from one or two."""
    if isinstance(value, (int, float)):
        return [float(value), float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a number or a sequence of numbers, got {type(value)}.")
    if len(value) not in (1, 2):
        raise ValueError(f"{name} should have 1 or 2 numbers, got {len(value)}.")
    if not all(isinstance(v, (int, float)) for v in value):
        raise ValueError(f"{name} should be a sequence of numbers, got {value}.")
    return [float(v) for v in (list(value) * 2)[:2]]


def pair(size: Any, transform: Any) -> tuple[int, int]:
    """(height, width) from one number or two."""
    if not isinstance(size, (int, Sequence)):
        raise TypeError(f"{type(transform).__name__}: size should be int or sequence, got "
                        f"{type(size).__name__}.")  # fmt: skip
    height, width = size_pair(size, type(transform).__name__)
    return height, width


class Fills:
    """What fills the new pixels of each type: one value for all, or a dict by type."""

    def __init__(self, fill: Any) -> None:
        table = fill if isinstance(fill, dict) else {"others": fill}
        for key, value in table.items():
            if not isinstance(key, (type, str)):
                raise TypeError(f"fill: keys are types or 'others', got {key!r}.")
            if not (value is None or isinstance(value, (Number, tuple, list))):
                raise TypeError(f"fill: Got inappropriate fill arg, expected a number, a sequence "
                                f"or None, got {type(value).__name__}.")  # fmt: skip
        self.table = table

    def __call__(self, inpt: Any) -> Any:
        """Of this input's type."""
        kind = type(inpt)
        if kind in self.table:
            return self.table[kind]
        for key in kind.__mro__ if is_pillow(inpt) else ():
            if key in self.table:
                return self.table[key]
        if "others" in self.table:
            return self.table["others"]
        raise RuntimeError(f"fill: nothing is said of {kind.__name__}; 'others' is for the rest.")


class Transform(nn.Module):
    """A transform of samples of any structure: images, boxes and masks in it change alike.

    Subclasses write ``transform(inpt, params)``, and ``make_params(flat_inputs)`` where they draw.
    """

    _transformed_types: tuple[Any, ...] = (Tensor, is_pillow)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse samples that the transform does not take."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn once for the whole sample."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part of the sample, changed."""
        raise NotImplementedError

    def _call_kernel(self, functional: Callable[..., Any], inpt: Any, *args: Any, **kw: Any) -> Any:
        return kernel_of(functional, inpt, passes=True)(inpt, *args, **kw)

    def forward(self, *inputs: Any) -> Any:
        flat, structure = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        self.check_inputs(flat)
        return self._changed(flat, structure)

    def _changed(self, flat: list[Any], structure: Any) -> Any:
        """The sample with those of its parts changed that are the transform's."""
        needed = self._needs_transform_list(flat)
        params = self.make_params([v for v, need in zip(flat, needed) if need])
        out = [self.transform(v, params) if need else v for v, need in zip(flat, needed)]
        return tree_unflatten(out, structure)

    def _needs_transform_list(self, flat_inputs: list[Any]) -> list[bool]:
        """Which parts change. A tensor of no meaning is the image only where nothing else is one,
        and only the first: the others are labels.
        """
        open_ = not has_any(flat_inputs, tv_tensors.Image, tv_tensors.Video, is_pillow)
        needed = []
        for value in flat_inputs:
            needs = is_a(value, self._transformed_types)
            if needs and is_pure_tensor(value):
                needs, open_ = open_, False
            needed.append(needs)
        return needed

    def extra_repr(self) -> str:
        told = (bool, int, float, str, tuple, list, enum.Enum)
        return ", ".join(
            f"{name}={value}"
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "training" and isinstance(value, told)
        )


class RandomApplyTransform(Transform):
    """A transform that happens with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        super().__init__()
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        given = inputs if len(inputs) > 1 else inputs[0]
        flat, structure = tree_flatten(given)
        self.check_inputs(flat)
        if torch.rand(1) >= self.p:
            return given
        return self._changed(flat, structure)
