"""Automatic augmentation: operations and strengths drawn for each image.

The operations, their strengths and the learned policies are in ``augment_space``.

Reference: E. Cubuk et al., "AutoAugment", 2018, arXiv:1805.09501, and "RandAugment", 2019,
arXiv:1909.13719; S. Müller and F. Hutter, "TrivialAugment", 2021, arXiv:2103.10158; D. Hendrycks
et al., "AugMix", 2019, arXiv:1912.02781.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import augment_space as space
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.augment_space import Space, evenly, posterized, signed
from flambeau.vision.transforms.base import channel_fill, integer
from flambeau.vision.transforms.modes import InterpolationMode

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]

_NONE = torch.tensor(0.0), False  # the strength of operations that have none


class AutoAugmentPolicy(Enum):
    """The data set of which a policy was learned."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class _Augment(nn.Module):
    """What all share: the image's fill and the drawing of an operation."""

    _told: tuple[str, ...]

    def __init__(self, interpolation: InterpolationMode, fill: Sequence[float] | None) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill

    def _filled(self, img: Any) -> Any:
        return self.fill if self.fill is None else channel_fill(self.fill, img)

    def _drawn(self, img: Any, table: Space, strength: int | None, bins: int, fill: Any) -> Any:
        """One operation of the table, its strength given or drawn, its sign drawn."""
        name = list(table)[integer(0, len(table))]
        strengths, either = table[name]
        value = 0.0
        if strengths.ndim > 0:
            value = float(strengths[integer(0, bins) if strength is None else strength])
        if either and integer(0, 2):
            value = -value
        return space.apply(img, name, value, self.interpolation, fill)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)}" for name in self._told)
        return f"{type(self).__name__}({told})"


def _moved(size: tuple[int, int], share: float, bins: int) -> Space:
    """Shears to 0.3, translations to a share of the image, rotations to 30 degrees."""
    height, width = size
    return {
        "ShearX": signed(0.3, bins),
        "ShearY": signed(0.3, bins),
        "TranslateX": signed(share * width, bins),
        "TranslateY": signed(share * height, bins),
        "Rotate": signed(30.0, bins),
    }


class AutoAugment(_Augment):
    """One of 25 learned pairs of operations, each with its own probability."""

    _told = ("policy", "fill")

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Sequence[float] | None = None,
    ) -> None:
        super().__init__(interpolation, fill)
        if not isinstance(policy, AutoAugmentPolicy):
            raise ValueError(f"AutoAugment: The provided policy {policy} is not recognized.")
        self.policy = policy
        self.policies = space.POLICIES[policy.value]

    def _augmentation_space(self, bins: int, size: tuple[int, int]) -> Space:
        return {
            **_moved(size, 150.0 / 331.0, bins),
            **{name: signed(0.9, bins) for name in space.COLORS},
            "Posterize": posterized(8, 4, bins),
            "Solarize": evenly(255.0, 0.0, bins),
            "AutoContrast": _NONE,
            "Equalize": _NONE,
            "Invert": _NONE,
        }

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Tensor, Tensor]:
        """Which pair, and for each of its two a number against its probability and a sign."""
        return integer(0, transform_num), torch.rand((2,)), torch.randint(2, (2,))

    def forward(self, img: Any) -> Any:
        fill, (_, height, width) = self._filled(img), F.get_dimensions(img)
        which, chances, signs = self.get_params(len(self.policies))
        table = self._augmentation_space(10, (height, width))
        for i, (name, p, strength) in enumerate(self.policies[which]):
            if chances[i] <= p:
                strengths, either = table[name]
                value = 0.0 if strength is None else float(strengths[strength])
                value = -value if either and signs[i] == 0 else value
                img = space.apply(img, name, value, self.interpolation, fill)
        return img


class RandAugment(_Augment):
    """``num_ops`` operations of one strength.

    Args:
        magnitude: the strength, a bin of ``num_magnitude_bins``.
    """

    _told = ("num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Sequence[float] | None = None,
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def _augmentation_space(self, bins: int, size: tuple[int, int]) -> Space:
        return {
            "Identity": _NONE,
            **_moved(size, 150.0 / 331.0, bins),
            **{name: signed(0.9, bins) for name in space.COLORS},
            "Posterize": posterized(8, 4, bins),
            "Solarize": evenly(255.0, 0.0, bins),
            "AutoContrast": _NONE,
            "Equalize": _NONE,
        }

    def forward(self, img: Any) -> Any:
        fill, (_, height, width) = self._filled(img), F.get_dimensions(img)
        bins = self.num_magnitude_bins
        table = self._augmentation_space(bins, (height, width))
        for _ in range(self.num_ops):
            img = self._drawn(img, table, self.magnitude, bins, fill)
        return img


class TrivialAugmentWide(_Augment):
    """One operation of a drawn strength, from a wide range."""

    _told = ("num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Sequence[float] | None = None,
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def _augmentation_space(self, bins: int) -> Space:
        return {
            "Identity": _NONE,
            "ShearX": signed(0.99, bins),
            "ShearY": signed(0.99, bins),
            "TranslateX": signed(32.0, bins),
            "TranslateY": signed(32.0, bins),
            "Rotate": signed(135.0, bins),
            **{name: signed(0.99, bins) for name in space.COLORS},
            "Posterize": posterized(8, 6, bins),
            "Solarize": evenly(255.0, 0.0, bins),
            "AutoContrast": _NONE,
            "Equalize": _NONE,
        }

    def forward(self, img: Any) -> Any:
        bins = self.num_magnitude_bins
        return self._drawn(img, self._augmentation_space(bins), None, bins, self._filled(img))


class AugMix(_Augment):
    """The image mixed with chains of operations on it, in drawn shares.

    Args:
        severity: the largest strength, a bin of ten.
        mixture_width: the chains.
        chain_depth: the operations in each; 0 and less: one to three, drawn.
        alpha: of the Dirichlet and Beta distributions of the shares.
        all_ops: also changes of color.
    """

    _told = (
        "severity",
        "mixture_width",
        "chain_depth",
        "alpha",
        "all_ops",
        "interpolation",
        "fill",
    )

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Sequence[float] | None = None,
    ) -> None:
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise ValueError(f"AugMix: The severity must be between [1, 10]. Got {severity}.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def _augmentation_space(self, bins: int, size: tuple[int, int]) -> Space:
        return {
            **_moved(size, 1 / 3, bins),
            "Posterize": posterized(4, 4, bins),
            "Solarize": evenly(255.0, 0.0, bins),
            "AutoContrast": _NONE,
            "Equalize": _NONE,
            **({name: signed(0.9, bins) for name in space.COLORS} if self.all_ops else {}),
        }

    def forward(self, img: Any) -> Any:
        fill, (_, height, width) = self._filled(img), F.get_dimensions(img)
        image = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        if not isinstance(img, Tensor) and fill is not None:
            fill = channel_fill(fill, image)
        table = self._augmentation_space(10, (height, width))
        batch = image.view([1] * max(4 - image.ndim, 0) + list(image.shape))
        each = [batch.shape[0]] + [1] * (batch.ndim - 1)

        def shares(count: int) -> Tensor:
            rate = torch.tensor([self.alpha] * count).expand(batch.shape[0], -1)
            return torch._sample_dirichlet(rate)  # type: ignore[no-any-return]

        between = shares(2)
        weights = shares(self.mixture_width) * between[:, 1].reshape(batch.shape[0], -1)
        mix = between[:, 0].reshape(each) * batch
        for i in range(self.mixture_width):
            chain = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else integer(1, 4)):
                chain = self._drawn(chain, table, None, self.severity, fill)
            mix.add_(weights[:, i].reshape(each) * chain)
        mix = mix.view(image.shape).to(dtype=image.dtype)
        return mix if isinstance(img, Tensor) else F.to_pil_image(mix)
