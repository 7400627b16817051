"""What distributions share: broadcasting of parameters, logits and probabilities, lazy properties.

Stands on tensor operations only, below constraints and transforms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import update_wrapper
from itertools import accumulate
from typing import Any

import flambeau
from flambeau.core import layout
from flambeau.core.errors import fail
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

Number = int | float
euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape. Numbers take the first tensor's dtype and device, or the
    default dtype when there is no tensor.

    Raises:
        ValueError: something else than numbers and tensors.
    """
    like: dict[str, Any] | None = None
    numbers = False
    for value in values:
        if isinstance(value, Tensor):
            if like is None:
                like = {"dtype": value.dtype, "device": value.device}
        elif isinstance(value, Number):
            numbers = True
        elif not hasattr(type(value), "__torch_function__"):
            raise fail(
                ValueError,
                "broadcast_all",
                f"got a {type(value).__name__}, parameters are numbers or tensors. "
                "Convert it with torch.as_tensor().",
            )
    if numbers:
        like = like or {"dtype": flambeau.get_default_dtype()}
        values = tuple(flambeau.tensor(v, **like) if isinstance(v, Number) else v for v in values)
    return tuple(flambeau.broadcast_tensors(*values))


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logits: ``sigmoid(logits)``, or ``softmax`` over the last dimension.

    Args:
        is_binary: whether an entry is the log odds of one event; otherwise a row is one
            distribution over categories.
    """
    return logits.sigmoid() if is_binary else F.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """``probs`` held in ``[eps, 1 - eps]`` of their dtype, so that logarithms stay finite."""
    eps = flambeau.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of :func:`logits_to_probs`, of clamped probabilities.

    ``log(p) - log1p(-p)`` when binary, ``log(p)`` otherwise.
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property:
    """A property computed at first use, under enable_grad, and then kept as an attribute.

    Read on the class it answers a property, so that tools see a documented one.
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, obj_type: Any = None) -> Any:
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with flambeau.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):
    """What a class shows for a lazy property."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        property.__init__(self, wrapped)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The entries on and below diagonal ``diag``, row by row: (..., D, D) to (..., N).

    Raises:
        ValueError: a diagonal outside the matrix.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise fail(
            ValueError,
            "tril_matrix_to_vec",
            f"diag is {diag}, a matrix of {n} rows has diagonals {-n} to {n - 1}. Pick one.",
        )
    return mat[..., _tril_mask(n, diag, mat)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The inverse of :func:`tril_matrix_to_vec`: (..., N) to (..., D, D), zeros elsewhere.

    A triangle up to diagonal ``k`` of a D x D matrix has ``N = D (D + 1) / 2 + k D - c`` entries,
    ``c = |k| (k + 1) / 2`` of them cut off at the corner; D is the root of that.

    Raises:
        ValueError: no matrix has that many entries there.
    """
    b = 1 + 2 * diag
    root = (b * b + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) ** 0.5
    n = (root - b) / 2
    if round(n) - n > flambeau.finfo(vec.dtype).eps:
        raise fail(
            ValueError,
            "vec_to_tril_matrix",
            f"the last dimension has {vec.shape[-1]} entries, which fill no triangle of a square "
            "matrix. Give D (D + 1) / 2 of them, or D (D - 1) / 2 below the diagonal.",
        )
    size = round(n)
    mat = vec.new_zeros((*vec.shape[:-1], size, size))
    mat[..., _tril_mask(size, diag, vec)] = vec
    return mat


def _tril_mask(n: int, diag: int, like: Tensor) -> Tensor:
    return flambeau.ones(n, n, dtype=flambeau.bool, device=like.device).tril(diag)


def is_identically_one(sign: Any) -> bool:
    """Whether a transform's sign is the number 1, not a tensor of signs."""
    return isinstance(sign, int) and sign == 1


def consecutive(value: Tensor, dim: int, lengths: Sequence[int]) -> Iterator[Tensor]:
    """Slices of ``lengths`` along ``dim``, one after the other."""
    for start, length in zip(accumulate(lengths, initial=0), lengths):
        yield value.narrow(dim, start, length)


def broadcast_shapes(*shapes: Sequence[int]) -> Size:
    """The shape that tensors of these shapes broadcast to."""
    return Size(layout.broadcast_shapes(*shapes))


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """``value`` summed over its last ``dim`` dimensions."""
    if dim == 0:
        return value
    return value.reshape(*value.shape[:-dim], -1).sum(-1)


def _standard_normal(shape: Sequence[int], dtype: Any, device: Any) -> Tensor:
    """Standard normal numbers in a tensor of ``shape``."""
    return flambeau.empty(shape, dtype=dtype, device=device).normal_()
