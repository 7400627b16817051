"""Automatic augmentation of samples: one image or video in each is augmented.

Operations and learned policies are those of ``augment_space``; strengths of Solarize are shares of
white here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_unflatten
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.transforms import augment as v1
from flambeau.vision.transforms import augment_space as space
from flambeau.vision.transforms.augment_space import Space, evenly
from flambeau.vision.transforms.base import integer
from flambeau.vision.transforms.functional.convert import max_value
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import PLACES, Fills, Transform, is_a
from flambeau.vision.transforms.v2.functional.dispatch import is_pure_tensor

__all__ = ["AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide"]

AutoAugmentPolicy = v1.AutoAugmentPolicy


class _Augment(Transform):
    """What all share: finding the image, drawing and applying an operation."""

    _first: Any

    def __init__(self, *, interpolation: Any = "nearest", fill: Any = None) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill
        self._fill = Fills(fill)

    def forward(self, *inputs: Any) -> Any:
        flat, structure = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        needed = self._needs_transform_list(flat)
        kinds = (is_pure_tensor, is_pillow, tv_tensors.Image, tv_tensors.Video)
        found = []
        for i, (value, needs) in enumerate(zip(flat, needed)):
            if needs and is_a(value, kinds):
                found.append(i)
            elif isinstance(value, PLACES):
                raise TypeError(
                    f"Inputs of type {type(value).__name__} are not supported by "
                    f"{type(self).__name__}()."
                )
        if len(found) != 1:
            raise TypeError(
                f"{type(self).__name__}: expected one image or video in the sample, got "
                f"{len(found)}."
            )
        flat[found[0]] = self._augmented(flat[found[0]])
        return tree_unflatten(flat, structure)

    def _augmented(self, image: Any) -> Any:
        raise NotImplementedError

    def _operated(self, image: Any, name: str, strength: float) -> Any:
        if name == "Solarize":
            strength *= max_value(image.dtype) if isinstance(image, Tensor) else 255.0
        fill = self._fill(image)
        return space.apply(image, name, strength, self.interpolation, fill, F)

    def _drawn(self, image: Any, table: Space, strength: int | None, bins: int) -> Any:
        """One operation of the table, its strength given or drawn, its sign drawn."""
        name = list(table)[integer(0, len(table))]
        strengths, either = table[name]
        value = 0.0
        if strengths.ndim > 0:
            value = float(strengths[integer(0, bins) if strength is None else strength])
            if either and torch.rand(()) <= 0.5:
                value = -value
        return self._operated(image, name, value)


def _table(made: Any, *args: Any) -> Space:
    """The first generation's operations, Solarize's strengths as shares."""
    table: Space = made._augmentation_space(*args)
    if "Solarize" in table:
        table["Solarize"] = evenly(1.0, 0.0, args[0])
    return table


class AutoAugment(_Augment):
    """One of 25 learned pairs of operations, each with its own probability."""

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = "nearest",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.policy = policy
        self._first = [v1.AutoAugment(policy)]
        self._policies = self._first[0].policies

    get_params = staticmethod(v1.AutoAugment.get_params)

    def _augmented(self, image: Any) -> Any:
        table = _table(self._first[0], 10, tuple(F.get_size(image)))
        policy = self._policies[integer(0, len(self._policies))]
        for name, p, strength in policy:
            if not torch.rand(()) <= p:
                continue
            strengths, either = table[name]
            value = 0.0
            if strengths.ndim > 0:
                value = float(strengths[strength])
                if either and torch.rand(()) <= 0.5:
                    value = -value
            image = self._operated(image, name, value)
        return image


class RandAugment(_Augment):
    """``num_ops`` operations of one strength, a bin of ``num_magnitude_bins``."""

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Any = "nearest",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins
        self._first = [v1.RandAugment()]

    def _augmented(self, image: Any) -> Any:
        bins = self.num_magnitude_bins
        table = _table(self._first[0], bins, tuple(F.get_size(image)))
        for _ in range(self.num_ops):
            image = self._drawn(image, table, self.magnitude, bins)
        return image


class TrivialAugmentWide(_Augment):
    """One operation of a drawn strength, from a wide range."""

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: Any = "nearest", fill: Any = None
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_magnitude_bins = num_magnitude_bins
        self._first = [v1.TrivialAugmentWide()]

    def _augmented(self, image: Any) -> Any:
        bins = self.num_magnitude_bins
        return self._drawn(image, _table(self._first[0], bins), None, bins)


class AugMix(_Augment):
    """The image mixed with chains of operations on it, in drawn shares.

    Args:
        severity: the largest strength, a bin of ten.
        mixture_width: the chains.
        chain_depth: the operations in each; 0 and less: one to three, drawn.
        alpha: of the Dirichlet distributions of the shares.
        all_ops: also changes of color.
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Any = "bilinear",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self._first = [v1.AugMix(severity, mixture_width, chain_depth, alpha, all_ops)]
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def _augmented(self, image: Any) -> Any:
        plain: Tensor = (
            image.as_subclass(Tensor) if isinstance(image, Tensor) else F.pil_to_tensor(image)
        )
        table = _table(self._first[0], 10, tuple(F.get_size(image)))
        wanted = 5 if isinstance(image, tv_tensors.Video) else 4
        batch = plain.reshape([1] * max(wanted - plain.ndim, 0) + list(plain.shape))
        each = [len(batch)] + [1] * (batch.ndim - 1)

        def shares(count: int) -> Tensor:
            rate: Sequence[float] = [self.alpha] * count
            return torch._sample_dirichlet(torch.tensor(rate).expand(len(batch), -1))  # type: ignore[no-any-return]

        between = shares(2)
        weights = shares(self.mixture_width) * between[:, 1].reshape(len(batch), -1)
        mix = between[:, 0].reshape(each) * batch
        for i in range(self.mixture_width):
            chain = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else integer(1, 4)):
                chain = self._drawn(chain, table, None, self.severity)
            mix.add_(weights[:, i].reshape(each) * chain)
        mix = mix.reshape(plain.shape).to(plain.dtype)
        if isinstance(image, (tv_tensors.Image, tv_tensors.Video)):
            return tv_tensors.wrap(mix, like=image)
        return mix if isinstance(image, Tensor) else F.to_pil_image(mix)
