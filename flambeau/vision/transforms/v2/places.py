"""Transforms that move pixels: flips, rotations, affine maps, perspective, elastic deformation."""

from __future__ import annotations

from typing import Any

from flambeau.vision.transforms import deform
from flambeau.vision.transforms import random_places as v1
from flambeau.vision.transforms.base import check_pair, symmetric
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.transforms.v2.base import (
    Fills,
    RandomApplyTransform,
    Transform,
    several_numbers,
    size_of,
)

__all__ = [
    "ElasticTransform",
    "RandomAffine",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomVerticalFlip",
]

Params = dict[str, Any]


class RandomHorizontalFlip(RandomApplyTransform):
    """Left and right exchanged with probability p."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomApplyTransform):
    """Top and bottom exchanged with probability p."""

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(F.vertical_flip, inpt)


class RandomRotation(Transform):
    """A rotation by an angle drawn in ``degrees``; ``fill`` may be a dict by type."""

    get_params = staticmethod(v1.RandomRotation.get_params)

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = "nearest",
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = symmetric(degrees, "RandomRotation: degrees")
        self.interpolation = interpolation
        self.expand = expand
        self.fill = fill
        self._fill = Fills(fill)
        if center is not None:
            check_pair(center, "RandomRotation: center")
        self.center = center

    def make_params(self, flat_inputs: list[Any]) -> Params:
        return {"angle": self.get_params(self.degrees)}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.rotate,
            inpt,
            **params,
            interpolation=self.interpolation,
            expand=self.expand,
            center=self.center,
            fill=self._fill(inpt),
        )


class RandomAffine(Transform):
    """An affine map whose angle, translation, scale and shear are drawn."""

    get_params = staticmethod(v1.RandomAffine.get_params)

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = "nearest",
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        # The first generation says what is allowed.
        first = v1.RandomAffine(degrees, translate, scale, shear, fill=0, center=center)
        self.degrees = first.degrees
        self.translate = first.translate
        self.scale = first.scale
        self.shear = first.shear
        self.interpolation = interpolation
        self.fill = fill
        self._fill = Fills(fill)
        self.center = first.center

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        drawn = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, [width, height]
        )
        return dict(zip(("angle", "translate", "scale", "shear"), drawn))

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.affine,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=self._fill(inpt),
            center=self.center,
        )


class RandomPerspective(RandomApplyTransform):
    """With probability p, the corners moved inwards by up to ``distortion_scale`` of a half."""

    get_params = staticmethod(v1.RandomPerspective.get_params)

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = "bilinear",
        fill: Any = 0,
    ) -> None:
        super().__init__(p=p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError("Argument distortion_scale value should be between 0 and 1.")
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill
        self._fill = Fills(fill)

    def make_params(self, flat_inputs: list[Any]) -> Params:
        height, width = size_of(flat_inputs)
        starts, ends = self.get_params(width, height, self.distortion_scale)
        return {"startpoints": starts, "endpoints": ends}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.perspective,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=self._fill(inpt),
        )


class ElasticTransform(Transform):
    """Pixels moved by smooth random displacements.

    Args:
        alpha: how far, by height and width.
        sigma: how smooth: the deviation of the Gaussian blur.
    """

    get_params = staticmethod(deform.ElasticTransform.get_params)

    def __init__(
        self,
        alpha: Any = 50.0,
        sigma: Any = 5.0,
        interpolation: Any = "bilinear",
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = several_numbers(alpha, "alpha")
        self.sigma = several_numbers(sigma, "sigma")
        self.interpolation = interpolation
        self.fill = fill
        self._fill = Fills(fill)

    def make_params(self, flat_inputs: list[Any]) -> Params:
        moved = self.get_params(self.alpha, self.sigma, list(size_of(flat_inputs)))
        return {"displacement": moved}

    def transform(self, inpt: Any, params: Params) -> Any:
        return self._call_kernel(
            F.elastic,
            inpt,
            **params,
            fill=self._fill(inpt),
            interpolation=self.interpolation,
        )
