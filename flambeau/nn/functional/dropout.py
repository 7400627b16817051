"""Dropout and its kin under PyTorch's names. The noise is drawn in ``core.ops.dropout``."""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def _check(name: str, p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise fail(ValueError, name, f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes each element with probability ``p`` and divides the others by ``1 - p``, in training.

    Raises:
        ValueError: ``p`` outside [0, 1].

    Reference: Srivastava et al., Dropout: a simple way to prevent neural networks from
    overfitting, 2014.
    """
    _check("dropout", p)
    return (ops.dropout_ if inplace else ops.dropout)(input, p, training)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps mean 0 and variance 1.

    Reference: Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """
    _check("alpha_dropout", p)
    return (ops.alpha_dropout_ if inplace else ops.alpha_dropout)(input, p, training)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """:func:`alpha_dropout` of whole channels."""
    _check("feature_alpha_dropout", p)
    return (ops.feature_alpha_dropout_ if inplace else ops.feature_alpha_dropout)(
        input, p, training
    )


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=stack_level())


def _channels(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, batched: bool
) -> Tensor:
    """Drop channels of (N, C, *); of (C, *) with a batch of one."""
    drop: Any = ops.feature_dropout_ if inplace else ops.feature_dropout
    if batched:
        return drop(input, p, training)
    if inplace:
        return drop(input.unsqueeze_(0), p, training).squeeze_(0)
    return drop(input.unsqueeze(0), p, training).squeeze(0)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, L) or (C, L).

    Raises:
        RuntimeError: another number of dimensions. ValueError: ``p`` outside [0, 1].
    """
    _check("dropout1d", p)
    ndim = input.dim()
    if ndim not in (2, 3):
        raise fail(
            RuntimeError,
            "dropout1d",
            f"Expected 2D or 3D input, but received a {ndim}D input: it drops channels of (N, C, "
            "L).",
        )
    return _channels("dropout1d", input, p, training, inplace, ndim == 3)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, H, W). Three dimensions are read as (N, C, L), with a
    warning."""
    _check("dropout2d", p)
    ndim = input.dim()
    if ndim not in (3, 4):
        _warn(
            f"dropout2d: Received a {ndim}-D input to dropout2d, which is deprecated: it drops "
            "channels of (N, C, H, W)."
        )
    if ndim == 3:
        _warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - "
            "input is interpreted as shape (N, C, L). Use dropout1d for that."
        )
    return _channels("dropout2d", input, p, training, inplace, True)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check("dropout3d", p)
    ndim = input.dim()
    if ndim not in (4, 5):
        _warn(
            f"dropout3d: Received a {ndim}-D input to dropout3d, which is deprecated: it drops "
            "channels of (N, C, D, H, W)."
        )
    return _channels("dropout3d", input, p, training, inplace, ndim == 5)
