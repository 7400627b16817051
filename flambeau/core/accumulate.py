"""A gradient arrives at a leaf: stolen where nobody else holds it, copied or added otherwise.
Stands on tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.entry.views import at_first
from flambeau.core.kernels.native.choose import resolved
from flambeau.core.node import AccumulateGrad
from flambeau.core.silence import quiet
from flambeau.core.state import next_sequence
from flambeau.core.tensor import Tensor, wrap

__all__ = ["accumulate", "copied"]

nd = np.ndarray


_add: Callable[..., Any] = at_first(globals(), "_add", lambda: resolved("add", np.add))


def accumulate(node: AccumulateGrad, grad: Any, graph: bool, spot: Any) -> None:
    """Add `grad` (an array, or a Tensor when the backward is recorded) to the leaf's `.grad`."""
    variable = node.variable_ref()
    if variable is None or grad is None or variable._edge is None:
        return  # nobody holds the leaf, or it was told not to require a gradient
    old = variable._grad
    if type(grad) is nd and not graph:
        if old is None:
            variable._grad = wrap(_own(grad, variable._array))
        elif type(old._array) is nd and old._edge is None:
            try:
                _add(old._array, grad, old._array)
            except RuntimeError:
                quiet(np.add, old._array, grad, old._array)
            storage = old._storage
            if storage is not None:
                storage.version += 1
                storage.written = storage.changed = next_sequence()
                storage.writer, storage.writing = spot, "backward"
        else:
            _replace(variable, old, grad)
    elif graph:
        variable._grad = grad if old is None else old + grad
    elif isinstance(grad, np.generic):
        accumulate(node, np.asarray(grad), graph, spot)
        return
    elif old is None:
        variable._grad = wrap(grad)  # sparse data, kept as it is while alone
    else:
        _replace(variable, old, grad)
    hooks = node.hooks
    if hooks is not None and hooks.post_accumulate:
        for hook in tuple(hooks.post_accumulate.values()):
            hook(variable)


def _replace(variable: Tensor, old: Tensor, grad: Any) -> None:
    """Add where one of both is sparse, or the old one has a history: in the old one where that has
    place for it, for those who hold it.
    """
    token = state.switch(grad=False)
    try:
        if old._edge is None and (type(old._array) is nd or type(grad) is not nd):
            old.add_(wrap(grad))
        else:
            variable._grad = old + wrap(grad)
    finally:
        state.restore(token)


# Who holds a gradient that is ours alone: the engine's `results` and `grad`, `accumulate`'s and
# `_own`'s argument, and getrefcount's own.
MINE = 5


def _own(grad: np.ndarray[Any, Any], like: Any) -> np.ndarray[Any, Any]:
    """The gradient as an array of its own, laid out like the leaf."""
    if (
        grad.base is None
        and sys.getrefcount(grad) <= MINE
        and grad.strides == like.strides
        and grad.flags.writeable
    ):
        return grad
    return copied(grad, like)


def copied(grad: np.ndarray[Any, Any], like: Any) -> np.ndarray[Any, Any]:
    """A copy of the gradient, laid out like the leaf."""
    if type(like) is nd and like.flags.c_contiguous:
        return np.array(grad, order="C", copy=True)
    from flambeau.core.layout import preserve_strides

    fresh = np.empty(grad.size, grad.dtype)
    steps = tuple(
        s * grad.itemsize
        for s in preserve_strides(like.shape, tuple(s // like.itemsize for s in like.strides))
    )
    found: np.ndarray[Any, Any] = np.ndarray(grad.shape, grad.dtype, fresh, 0, steps)
    found[...] = grad
    return found
