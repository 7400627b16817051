"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened and concatenated."""
    return flambeau.cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make slices of the vector the data of the parameters, in order.

    Raises:
        TypeError: ``vec`` is no tensor.
    """
    if not isinstance(vec, Tensor):
        message = f"expected torch.Tensor, but got: {type(vec).__name__}"
        raise fail(TypeError, "vector_to_parameters", message)
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vec[start:stop].view_as(parameter).data
        start = stop
