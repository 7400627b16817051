"""A gradient arrives at a leaf: stolen where nobody else holds it, copied or added otherwise. Stands on tensor."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.node import AccumulateGrad
from flambeau.core.silence import quiet, run
from flambeau.core.state import next_sequence
from flambeau.core.tensor import Tensor, wrap

__all__ = ["accumulate"]

nd = np.ndarray
_add = np.add


def accumulate(node: AccumulateGrad, grad: Any, graph: bool, spot: Any) -> None:
    """Add `grad` (an array, or a Tensor when the backward is recorded) to the leaf's `.grad`."""
    variable = node.variable_ref()
    if variable is None or grad is None:
        return
    old = variable._grad
    if graph:
        variable._grad = grad if old is None else old + grad
    elif old is None and type(grad) is nd:
        variable._grad = wrap(_own(grad, variable._array))
    elif type(grad) is not nd and not isinstance(grad, np.generic):
        # Sparse data: kept as it is while alone, densified where a dense gradient is there already.
        variable._grad = wrap(grad) if old is None else old + wrap(grad)
    elif old is None:
        variable._grad = wrap(_own(np.asarray(grad), variable._array))
    elif old._edge is not None or hasattr(old._array, "is_sparse_data"):
        with_grad = state.switch(grad=False)
        try:
            variable._grad = old + wrap(np.asarray(grad))
        finally:
            state.restore(with_grad)
    else:
        try:
            run(_add, old._array, grad, old._array)
        except RuntimeError:
            quiet(_add, old._array, grad, old._array)
        storage = old._storage
        if storage is not None:
            storage.version += 1
            storage.written = next_sequence()
            storage.writer, storage.writing = spot, "backward"
    hooks = node.hooks
    if hooks is not None and hooks.post_accumulate:
        for hook in tuple(hooks.post_accumulate.values()):
            hook(variable)


# Who holds a gradient that is ours alone: the engine's `results` and `grad`, `accumulate`'s and `_own`'s argument,
# and getrefcount's own.
MINE = 5


def _own(grad: np.ndarray[Any, Any], like: Any) -> np.ndarray[Any, Any]:
    """The gradient as an array of its own, laid out like the leaf."""
    if grad.base is None and sys.getrefcount(grad) <= MINE and grad.strides == like.strides and grad.flags.writeable:
        return grad
    if type(like) is nd and like.flags.c_contiguous:
        return np.array(grad, order="C", copy=True)
    from flambeau.core.layout import preserve_strides

    fresh = np.empty(grad.size, grad.dtype)
    steps = tuple(s * grad.itemsize for s in preserve_strides(like.shape, tuple(s // like.itemsize for s in like.strides)))
    found: np.ndarray[Any, Any] = np.ndarray(grad.shape, grad.dtype, fresh, 0, steps)
    found[...] = grad
    return found


def plain_grad(tensor: Tensor) -> Tensor | None:
    """`.grad` without a warning."""
    return tensor._grad
