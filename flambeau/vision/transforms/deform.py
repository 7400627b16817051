"""Transforms of the whole image at once: elastic deformation, and a matrix over all its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms.base import check_pair
from flambeau.vision.transforms.modes import InterpolationMode, as_mode

__all__ = ["ElasticTransform", "LinearTransformation"]


def _two(value: Any, name: str) -> list[float]:
    """A number twice, or two of them, as floats."""
    if isinstance(value, Sequence) and len(value) == 1:
        value = value[0]
    if isinstance(value, (int, float)):
        return [float(value), float(value)]
    check_pair(value, f"ElasticTransform: {name}", (1, 2))
    if not all(isinstance(v, (int, float)) for v in value):
        raise TypeError(f"ElasticTransform: {name} is a number or two, got {value}.")
    return [float(v) for v in value]


class ElasticTransform(nn.Module):
    """Pixels moved by smooth random displacements.

    Args:
        alpha: how far, by height and width.
        sigma: how smooth: the deviation of the Gaussian blur.

    Reference: P. Simard, D. Steinkraus, J. Platt, "Best Practices for Convolutional Neural
    Networks Applied to Visual Document Analysis", 2003.
    """

    def __init__(
        self,
        alpha: Any = 50.0,
        sigma: Any = 5.0,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = _two(alpha, "alpha")
        self.sigma = _two(sigma, "sigma")
        self.interpolation = as_mode(interpolation)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(f"ElasticTransform: fill is a number or a list, got {fill!r}.")
        values = [fill] if isinstance(fill, (int, float)) else fill
        self.fill = [float(v) for v in values]

    @staticmethod
    def get_params(alpha: list[float], sigma: list[float], size: list[int]) -> Tensor:
        """Displacements in shares of the image: (1, H, W, 2)."""
        moves = []
        for far, smooth, length in zip(alpha, sigma, reversed(size), strict=True):
            move = torch.rand([1, 1, *size]) * 2 - 1
            if smooth > 0:
                kernel = int(8 * smooth + 1) | 1  # an odd one
                move = F.gaussian_blur(move, [kernel, kernel], sigma)
            moves.append(move * far / length)
        return torch.cat(moves, 1).permute([0, 2, 3, 1])

    def forward(self, tensor: Any) -> Any:
        _, height, width = F.get_dimensions(tensor)
        moved = self.get_params(self.alpha, self.sigma, [height, width])
        return F.elastic_transform(tensor, moved, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )


class LinearTransformation(nn.Module):
    """(flat image - mean_vector) times a square matrix, as for whitening."""

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(
                f"LinearTransformation: transformation_matrix should be square, got [{rows} x "
                f"{columns}] rectangular matrix."
            )
        if mean_vector.shape[0] != rows:
            raise ValueError(
                f"LinearTransformation: mean_vector should have the same length {rows} as the "
                f"matrix, got {mean_vector.shape[0]}."
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        size = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
        if size != len(self.transformation_matrix):
            raise ValueError(
                f"LinearTransformation: tensor and matrix have incompatible shapes: {size} values "
                f"of {list(tensor.shape[-3:])}, {len(self.transformation_matrix)} rows."
            )
        flat = tensor.view(-1, size) - self.mean_vector
        return flat.mm(self.transformation_matrix).view(tensor.shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()})"
        )
