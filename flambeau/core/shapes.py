"""Un-broadcasting: gradients are summed to the shape of what was broadcast. Stands on summing."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.silence import quiet
from flambeau.core.summing import TYPES, summed

__all__ = ["sum_to"]


def sum_to(grad: Any, shape: tuple[int, ...], node: Any = None) -> Any:
    """Sum over the dimensions along which `shape` was broadcast to `grad.shape`.

    Raises:
        RuntimeError: `shape` does not broadcast to `grad.shape`.
    """
    lead = grad.ndim - len(shape)
    if lead < 0 or any(n != m and n != 1 for n, m in zip(shape, grad.shape[lead:], strict=True)):
        name = node.name() if node is not None else "backward"
        raise fail(
            RuntimeError,
            name,
            f"returned an invalid gradient: got shape {list(grad.shape)} but expected one that "
            f"sums to {list(shape)}",
        )
    axes = tuple(range(lead)) + tuple(
        lead + k for k, n in enumerate(shape) if n == 1 != grad.shape[lead + k]
    )
    if axes:
        dtype = grad.dtype
        first, last = axes[0], axes[-1] + 1
        if dtype in TYPES and last - first == len(axes) and grad.flags.c_contiguous:
            parts = prod(grad.shape[:first]), prod(grad.shape[first:last]), prod(grad.shape[last:])
            grad = quiet(summed, grad.reshape(parts))
        elif dtype.itemsize == 2 and dtype.kind in "fV":
            grad = quiet(np.sum, grad.astype("f4"), axis=axes, keepdims=True).astype(dtype)
        else:
            grad = quiet(np.sum, grad, axis=axes, keepdims=True)
    return grad.reshape(shape)
