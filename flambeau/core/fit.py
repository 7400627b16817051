"""Gradients made to fit what they belong to, and summed where paths meet.

The sweeps of `engine` and `light` share these. Stands on node, shapes, silence, tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.batch.array import Batched
from flambeau.core.crossing import across, across_tensor
from flambeau.core.errors import fail
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.node import Node, Port
from flambeau.core.shapes import sum_to
from flambeau.core.tensor import Tensor

__all__ = ["add", "fit", "fit_tensor", "plus"]

nd = np.ndarray
_added = lazily("add", np.add)


def fit(node: Node, grad: Any, shape: Any, dtype: Any) -> Any:
    """A gradient with the shape and dtype of what it is the gradient of; None is any dtype."""
    if hasattr(grad, "is_sparse_data"):
        if grad.shape == shape:
            return grad if grad.dtype == dtype else grad.astype(dtype)
        grad = grad.dense()  # of a broadcast operand: summed below
    if type(grad) is not nd:
        if type(grad) is Batched:
            grad = across(node, grad)
        elif isinstance(grad, np.generic):
            grad = np.asarray(grad)
        elif isinstance(grad, Tensor):
            grad = grad._array
    if grad.shape != shape:
        grad = sum_to(grad, shape, node)
    if dtype is not None and grad.dtype != dtype:
        if grad.dtype.kind in "cW" and np.dtype(dtype).kind not in "cW":
            grad = grad.real
        grad = grad.astype(dtype)
    return grad


def fit_tensor(node: Node, grad: Tensor, shape: Any, dtype: Any) -> Tensor:
    """The same on Tensors, inside the graph."""
    from flambeau.core.declare import ops
    from flambeau.core.dtypes import of

    if hasattr(grad._array, "is_sparse_data"):
        if grad._array.shape == shape:
            return grad
        grad = grad.to_dense()
    if type(grad._array) is Batched:
        grad = across_tensor(node, grad)
    if grad._array.shape != shape:
        _check_sum(node, grad._array.shape, shape)
        grad = ops.sum_to_size(grad, shape)
    if dtype is not None and grad._array.dtype != dtype:
        if grad._array.dtype.kind in "cW" and np.dtype(dtype).kind not in "cW":
            grad = ops.real(grad)
        grad = grad.to(of(dtype))
    return grad


def _check_sum(node: Node, given: Any, shape: Any) -> None:
    lead = len(given) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, given[lead:], strict=True)):
        raise fail(
            RuntimeError,
            node.name(),
            f"returned an invalid gradient: got {list(given)} but expected shape compatible with "
            f"{list(shape)}",
        )


def add(pending: dict[Node, Any], edge: Any, node: Node, grad: Any) -> None:
    """Sum a gradient into what has arrived for a node."""
    if node.outputs == 1:
        old = pending.get(node)
        pending[node] = grad if old is None else old if grad is None else plus(old, grad)
        return
    slots = pending.get(node)
    if slots is None:
        slots = pending[node] = [None] * node.outputs
    if grad is not None:
        number = edge.number if type(edge) is Port else 0
        old = slots[number]
        slots[number] = grad if old is None else plus(old, grad)


def plus(a: Any, b: Any) -> Any:
    """The sum of two gradients, of whatever kind they are."""
    if type(a) is nd and type(b) is nd:
        found = _added(a, b)
        return found if type(found) is nd else np.asarray(found)
    if type(a) is nd and hasattr(b, "is_sparse_data"):
        return b + a
    return a + b
