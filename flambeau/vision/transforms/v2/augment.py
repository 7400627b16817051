"""Erasing, and mixing whole batches: MixUp and CutMix."""

from __future__ import annotations

import math
import warnings
from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_unflatten
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.transforms import random_places as v1
from flambeau.vision.transforms.base import integer
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import (
    PLACES,
    RandomApplyTransform,
    Transform,
    dimensions_of,
    has_any,
    labels_by,
    size_of,
)
from flambeau.vision.transforms.v2.functional.dispatch import is_pure_tensor

__all__ = ["CutMix", "MixUp", "RandomErasing"]

Params = dict[str, Any]


class RandomErasing(RandomApplyTransform):
    """With probability p, a rectangle of drawn area and aspect ratio overwritten.

    Args:
        value: a number, one for each channel, or ``"random"`` for normal noise.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0.0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p=p)
        v1.RandomErasing(p, scale, ratio, value)  # says what is allowed
        self.scale = scale
        self.ratio = ratio
        if isinstance(value, (int, float)):
            self.value: Any = [float(value)]
        else:
            self.value = None if isinstance(value, str) else [float(v) for v in value]
        self.inplace = inplace

    get_params = staticmethod(v1.RandomErasing.get_params)

    def make_params(self, flat_inputs: list[Any]) -> Params:
        channels, height, width = dimensions_of(flat_inputs)
        if self.value is not None and len(self.value) not in (1, channels):
            raise ValueError(
                f"If value is a sequence, it should have either a single value or {channels} "
                f"(number of input channels), got {len(self.value)}."
            )
        return {
            "where": v1.erased_of((channels, height, width), self.scale, self.ratio, self.value)
        }

    def transform(self, inpt: Any, params: Params) -> Any:
        if isinstance(inpt, PLACES):
            warnings.warn(
                f"{type(self).__name__}() is currently passing through inputs of type "
                f"tv_tensors.{type(inpt).__name__}. This will likely change in the future.",
                stacklevel=2,
            )
            return inpt
        where = params["where"]
        return inpt if where is None else self._call_kernel(F.erase, inpt, *where, self.inplace)


class _Mixing(Transform):
    """What mixes each sample of a batch with the one before it, and their labels alike."""

    def __init__(
        self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default"
    ) -> None:
        super().__init__()
        self.alpha = float(alpha)
        self._dist = torch.distributions.Beta(torch.tensor([alpha]), torch.tensor([alpha]))
        self.num_classes = num_classes
        self._labels_getter = labels_by(labels_getter)

    def forward(self, *inputs: Any) -> Any:
        given = inputs if len(inputs) > 1 else inputs[0]
        flat, structure = tree_flatten(given)
        name = type(self).__name__
        if has_any(flat, is_pillow, *PLACES):
            raise ValueError(
                f"{name}() does not support PIL images, bounding boxes, keypoints and masks."
            )
        labels = self._labels_getter(given)
        self._check_labels(labels)
        needed = self._needs_transform_list(flat)
        for i, (value, needs) in enumerate(zip(flat, needed)):
            if value is labels:
                needed[i] = True
            elif needs:
                wanted = 5 if isinstance(value, tv_tensors.Video) else 4
                if value.ndim != wanted:
                    raise ValueError(
                        f"Expected a batched input with {wanted} dims, but got {value.ndim} "
                        "dimensions instead."
                    )
                if len(value) != len(labels):
                    raise ValueError(
                        "The batch size of the image or video does not match the batch size of "
                        f"the labels: {len(value)} != {len(labels)}."
                    )
        pixels = [v for v, needs in zip(flat, needed) if needs and v is not labels]
        params = {"labels": labels, **self.make_params(pixels)}
        out = [self.transform(v, params) if needs else v for v, needs in zip(flat, needed)]
        return tree_unflatten(out, structure)

    def _check_labels(self, labels: Any) -> None:
        if not isinstance(labels, Tensor):
            raise ValueError(f"The labels must be a tensor, but got {type(labels)} instead.")
        if labels.ndim not in (1, 2):
            raise ValueError(
                "labels should be index based with shape (batch_size,) or probability based with "
                f"shape (batch_size, num_classes), but got a tensor of shape {labels.shape}."
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are index-based (1D).")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[1]):
            raise ValueError(
                f"When passing 2D labels, the number of elements in last dimension must match "
                f"num_classes: {labels.shape[1]} != {self.num_classes}."
            )

    def _mixed(self, inpt: Tensor, lam: float) -> Tensor:
        return inpt.roll(1, 0).mul_(1.0 - lam).add_(inpt.mul(lam))

    def _mixed_labels(self, labels: Tensor, lam: float) -> Tensor:
        if labels.ndim == 1:
            labels = torch.nn.functional.one_hot(labels, self.num_classes or -1)
        return self._mixed(labels if labels.is_floating_point() else labels.float(), lam)


def _wrapped(out: Tensor, like: Any) -> Any:
    return out if is_pure_tensor(like) else tv_tensors.wrap(out, like=like)


class MixUp(_Mixing):
    """Each image a weighed mean with another, the labels too.

    Reference: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2017,
    arXiv:1710.09412.
    """

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"lam": float(self._dist.sample(()))}

    def transform(self, inpt: Any, params: Params) -> Any:
        if inpt is params["labels"]:
            return self._mixed_labels(inpt, params["lam"])
        return _wrapped(self._mixed(inpt.as_subclass(Tensor), params["lam"]), inpt)


class CutMix(_Mixing):
    """A drawn rectangle of each image from another, the labels by its share.

    Reference: S. Yun et al., "CutMix", 2019, arXiv:1905.04899.
    """

    def make_params(self, flat_inputs: list[Any]) -> Params:
        lam = float(self._dist.sample(()))
        height, width = size_of(flat_inputs)
        x, y = integer(0, width), integer(0, height)
        half = 0.5 * math.sqrt(1.0 - lam)
        w, h = int(half * width), int(half * height)
        left, right = max(x - w, 0), min(x + w, width)
        top, bottom = max(y - h, 0), min(y + h, height)
        share = 1.0 - (right - left) * (bottom - top) / (width * height)
        return {"box": (left, top, right, bottom), "lam": share}

    def transform(self, inpt: Any, params: Params) -> Any:
        if inpt is params["labels"]:
            return self._mixed_labels(inpt, params["lam"])
        left, top, right, bottom = params["box"]
        plain = inpt.as_subclass(Tensor)
        out = plain.clone()
        out[..., top:bottom, left:right] = plain.roll(1, 0)[..., top:bottom, left:right]
        return _wrapped(out, inpt)
