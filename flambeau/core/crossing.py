"""Into and out of a level of `vmap`: a batch's dimension taken away from a tensor and given back,
with a node for each, and gradients summed over the samples where they leave the level.

What was made before a level began is the same for all samples, so a gradient that reaches it
after the level has ended is the sum of theirs. Stands on core.batch, node, tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.batch.array import Batched, outside, spread
from flambeau.core.node import AccumulateGrad, Node
from flambeau.core.provenance import user_frame
from flambeau.core.tensor import Tensor, edge_of, wrap, wrap_like_view

__all__ = ["across", "across_tensor", "enter_level", "leave_level", "ones_for"]


class _LevelNode(Node):
    """A node that knows its way back as a function of Tensors."""

    __slots__ = ("back", "label")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        found = self.back(grads if isinstance(grads, Tensor) else wrap(grads))
        return [found if graph else found._array]

    def name(self) -> str:
        return str(self.label)


def _recorded(result: Tensor, source: Tensor, back: Any, label: str) -> Tensor:
    edge = edge_of(source)
    if edge is None or not state.grad_enabled():
        return result
    node = _LevelNode()
    node.back, node.label = back, label
    node.edges = (edge,)
    node.hooks = None
    node.shape, node.dtype = result._array.shape, result._array.dtype
    frame = user_frame(sys._getframe(1))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    node.sequence = state.next_sequence()
    result._edge = node
    return result


def enter_level(tensor: Tensor, level: int, dim: int) -> Tensor:
    """The tensor as the samples of a level see it: without dimension `dim`, which is the batch."""
    array = tensor._array
    levels = array.levels if type(array) is Batched else ()
    data = array.data if levels else array
    count = len(levels)
    place = sum(other < level for other in levels)  # on the way back it need not be the newest
    inner = Batched(
        np.moveaxis(data, dim + count, place), (*levels[:place], level, *levels[place:])
    )
    size = array.shape[dim]
    return _recorded(
        wrap_like_view(inner, tensor),
        tensor,
        lambda g: leave_level(g, level, dim, size),
        "AddBatchDimBackward0",
    )


def leave_level(tensor: Tensor, level: int, dim: int, size: int) -> Tensor:
    """The samples' results as one tensor, stacked along `dim`; what is the same for all expands."""
    array = tensor._array
    if type(array) is not Batched or level not in array.levels:
        shape = list(array.shape)
        shape.insert(dim, size)
        return tensor.unsqueeze(dim).expand(shape)
    place = array.levels.index(level)
    levels = array.levels[:place] + array.levels[place + 1 :]
    data = np.moveaxis(array.data, place, dim + len(levels))
    return _recorded(
        wrap_like_view(Batched(data, levels) if levels else data, tensor),
        tensor,
        lambda g: enter_level(g, level, dim),
        "RemoveBatchDimBackward0",
    )


def _number(node: Node) -> int:
    """When a node was made; a leaf is older than every level but those its tensor lies in."""
    if type(node) is AccumulateGrad:
        variable = node.variable_ref()
        array = None if variable is None else variable._array
        return max(array.levels) if type(array) is Batched else 0
    return node.sequence


def across(node: Node, grad: Batched) -> Any:
    """A gradient on its way to `node`, summed over the levels that began after it and are over.

    While a level runs, its samples' gradients stay apart: that is `vmap` of a vjp.
    """
    levels = outside(grad, _number(node))
    if not levels:
        return grad
    axes = tuple(grad.levels.index(level) for level in levels)
    data = grad.data
    if data.itemsize == 2 and data.dtype.kind in "fV":
        data = data.astype("f4")
    found = np.add.reduce(data, axis=axes).astype(grad.dtype, copy=False)
    left = tuple(level for level in grad.levels if level not in levels)
    return Batched(found, left) if left else np.asarray(found)


def across_tensor(node: Node, grad: Tensor) -> Tensor:
    """The same inside the graph."""
    array = grad._array
    found = across(node, array)
    if found is array:
        return grad
    gone = dict(zip(array.levels, array.data.shape, strict=False))
    left = found.levels if type(found) is Batched else ()
    gone = {level: size for level, size in gone.items() if level not in left}

    def back(g: Tensor) -> Tensor:
        whole = wrap(_for_all(g._array, gone))
        return _recorded(whole, g, lambda h: across_tensor(node, h), "SumBackward0")

    return _recorded(wrap(found), grad, back, "SumBackward0")


def _for_all(array: Any, gone: dict[int, int]) -> Batched:
    """An array that is the same for all samples of the levels `gone` (with their sizes)."""
    batch = array if type(array) is Batched else Batched(array, ())
    sizes = dict(zip(batch.levels, batch.data.shape, strict=False)) | gone
    levels = tuple(sorted(sizes))
    data = spread(batch, levels)
    return Batched(np.broadcast_to(data, (*(sizes[n] for n in levels), *batch.shape)), levels)


def ones_for(array: Any) -> Any:
    """Ones like an array or a batch."""
    if type(array) is Batched:
        return Batched(np.ones(array.data.shape, array.dtype), array.levels)
    return np.ones(array.shape, array.dtype)
