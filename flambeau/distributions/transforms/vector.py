"""Transforms of vectors: softmax, stick breaking, reshape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.transforms.base import Parameterless, Transform, need_dimensions
from flambeau.distributions.transforms.pointwise import inside_unit
from flambeau.nn.functional import logsigmoid, pad

__all__ = ["ReshapeTransform", "SoftmaxTransform", "StickBreakingTransform"]


class ReshapeTransform(Transform):
    """Events of ``in_shape`` seen in ``out_shape``; the volume does not change.

    Raises:
        ValueError: the shapes hold different numbers of elements.
    """

    _given = ("in_shape", "out_shape")
    bijective = True

    def __init__(
        self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0
    ) -> None:
        self.in_shape = Size(in_shape)
        self.out_shape = Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise fail(
                ValueError,
                "ReshapeTransform",
                f"in_shape {tuple(in_shape)} holds {self.in_shape.numel()} elements, out_shape "
                f"{tuple(out_shape)} {self.out_shape.numel()}. They must hold as many.",
            )
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[: x.dim() - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(y.shape[: y.dim() - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        return self._exchange(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        return self._exchange(shape, self.out_shape, self.in_shape)

    def _exchange(self, shape: tuple[int, ...], old: Size, new: Size) -> Any:
        need_dimensions(self, shape, len(old))
        cut = len(shape) - len(old)
        if tuple(shape[cut:]) != old:
            raise fail(
                ValueError,
                "ReshapeTransform",
                f"shape mismatch: events have shape {tuple(shape[cut:])}, expected {tuple(old)}. "
                "Put the batch dimensions first.",
            )
        return shape[:cut] + new


class SoftmaxTransform(Parameterless):
    """``y = exp(x) / exp(x).sum(-1)``; the inverse is ``log(y)``.

    Neither bijective nor of a log determinant: for optimisation, where
    :class:`StickBreakingTransform` is for Monte Carlo.
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        unnormalized = (x - x.max(-1, True)[0]).exp()
        return unnormalized / unnormalized.sum(-1, True)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        need_dimensions(self, shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Parameterless):
    """Vectors of K numbers to the simplex of K + 1: each takes a share of what is left.

    ``z_i = sigmoid(x_i - log(K - i))``, ``y_i = z_i prod_{j<i} (1 - z_j)``; x = 0 gives equal
    parts.
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        z = inside_unit((x - _log_pieces(x, x.shape[-1])).sigmoid())
        left = (1 - z).cumprod(-1)
        return pad(z, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        shares = y[..., :-1]
        # What is left after each share; rounding must not take it to zero.
        left = (1 - shares.cumsum(-1)).clamp(min=flambeau.finfo(y.dtype).tiny)
        return shares.log() - left.log() + _log_pieces(y, y.shape[-1] - 1)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - _log_pieces(x, x.shape[-1])
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: tuple[int, ...]) -> Any:
        need_dimensions(self, shape, 1)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape: tuple[int, ...]) -> Any:
        need_dimensions(self, shape, 1)
        return shape[:-1] + (shape[-1] - 1,)


def _log_pieces(like: Tensor, k: int) -> Tensor:
    """``log`` of k, k - 1, ..., 1: how many pieces follow each share."""
    return flambeau.arange(k, 0, -1, dtype=like.dtype, device=like.device).log()
