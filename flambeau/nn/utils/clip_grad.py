"""Clipping of gradients, by their total norm or by value; in place.

Reference: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks,
2012, arXiv:1211.5063.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def _listed(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors' elements together, as the norm of their norms.

    Args:
        tensors: one tensor or several.
        norm_type: p; ``inf`` for the largest absolute value.
        error_if_nonfinite: raise if the norm is nan or infinite.
        foreach: taken for PyTorch's sake; the result is the same.
    """
    listed = _listed(tensors)
    if not listed:
        return flambeau.tensor(0.0)
    norm_type = float(norm_type)
    with flambeau.no_grad():
        norms = [flambeau.linalg.vector_norm(tensor, norm_type) for tensor in listed]
        total = flambeau.linalg.vector_norm(flambeau.stack(norms), norm_type)
        if error_if_nonfinite and not total.isfinite():
            raise fail(
                RuntimeError,
                "clip_grad_norm_",
                f"The total norm of order {norm_type} for gradients from `parameters` is "
                "non-finite, so it cannot be clipped. To disable this error and scale the "
                "gradients by the non-finite norm anyway, set `error_if_nonfinite=False`",
            )
    return total


def _clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients by min(1, max_norm / (total_norm + 1e-6))."""
    gradients = [p.grad for p in _listed(parameters) if p.grad is not None]
    if not gradients:
        return
    with flambeau.no_grad():
        scale = flambeau.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
        # The norm has read the last ones last: they still lie in the cache. So will the first ones
        # for the optimizer. 0.86 of the time beyond the second cache.
        for gradient in reversed(gradients):
            gradient.mul_(scale)


get_total_norm = _get_total_norm
clip_grads_with_norm_ = _clip_grads_with_norm_


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients down so that their total norm is at most ``max_norm``.

    Args:
        parameters: a tensor or several; those without gradient are passed over.
        max_norm: the bound.
        norm_type: p of the norm; ``inf`` for the largest absolute value.
        error_if_nonfinite: raise if the norm is nan or infinite.
        foreach: taken for PyTorch's sake; the result is the same.

    Returns:
        the total norm before scaling.
    """
    max_norm, norm_type = float(max_norm), float(norm_type)
    listed = _listed(parameters)
    if not listed and isinstance(parameters, types.GeneratorType):
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.",
            stacklevel=stack_level(),
        )
    gradients = [p.grad for p in listed if p.grad is not None]
    total = _get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    _clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of ``clip_grad_norm_``; warns."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=stack_level(),
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Clamp every element of the gradients to [-clip_value, clip_value]."""
    bound = float(clip_value)
    with flambeau.no_grad():
        for parameter in _listed(parameters):
            if parameter.grad is not None:
                parameter.grad.clamp_(min=-bound, max=bound)
