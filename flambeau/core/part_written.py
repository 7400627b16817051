"""`x[index] = value` in one step, where x has history of its own: what was written, and the node.

PyTorch makes a view, writes it and rebases its base; nobody but it sees the view. What is not so
plain goes that way here too (``indexing``, ``inplace``). Stands on inplace, node and storage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core.declare import ops
from flambeau.core.inplace import CopySlices
from flambeau.core.layout import contiguous_strides
from flambeau.core.lists import ListNode, Saved
from flambeau.core.node import AccumulateGrad, Node, Port
from flambeau.core.provenance import user_frame
from flambeau.core.silence import run
from flambeau.core.state import next_sequence
from flambeau.core.storage import address, storage_of
from flambeau.core.tensor import Tensor

__all__ = ["write_part", "write_rows"]


class Overwritten(Node):
    """The written part's own history: nothing from the old numbers, all from the new."""

    __slots__ = ()

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        return (None, grads)


OVERWRITTEN = Overwritten()


class PartWritten(CopySlices):
    """`CopySlices` of a part at a basic index; where it lies is found when it is asked for."""

    __slots__ = ("base_steps", "place")

    @property
    def geometry(self) -> tuple[Any, Any, int, Any]:  # type: ignore[override]
        """The part's shape, strides and offset, and the base's strides, in elements."""
        item = self.dtype.itemsize
        base = np.lib.stride_tricks.as_strided(
            np.empty(1, self.dtype), self.shape, [s * item for s in self.base_steps]
        )
        part = base[self.place]
        steps = tuple([s // item for s in part.strides])
        return part.shape, steps, (address(part) - address(base)) // item, self.base_steps

    def _is_row_major(self) -> bool:
        return self.base_steps == contiguous_strides(self.shape)

    def _on_arrays(self, grad: Any, keep: bool) -> list[Any]:
        whole = grad.copy("C")
        part = whole[self.place]
        given = None if self.edges[1] is None else part.copy()
        part[...] = 0
        return [whole, given]


def write_part(input: Tensor, place: Any, value: Any, edge: Any) -> bool:
    """Write numbers at a basic index of a tensor that is no view, with their history. Whether that
    was all there is to do: a leaf, hooks and values of more dimensions are not looked at.

    Args:
        value: a number or an array.
        edge: the value's.
    """
    array = input._array
    if type(place) is tuple:
        place = place if Ellipsis in place else (*place, ...)
    else:
        place = (place, ...)
    try:
        part = array[place]
        if not _simple(input, value, part.ndim):
            return False
        run(part.__setitem__, ..., value)
    except (IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return False  # worded where the long way is gone
    outer = PartWritten()
    outer.function, outer.reads = OVERWRITTEN, {0}
    outer.place = place
    item = array.itemsize
    outer.base_steps = tuple([s // item for s in array.strides])
    outer.edges = (input._edge, edge)
    _written(input, outer)
    return True


def write_rows(input: Tensor, index: Tensor, value: Any, edge: Any) -> bool:
    """The same at one index tensor: a mask, or numbers along the first dimension."""
    array, place = input._array, index._array
    rank = array.ndim - (place.ndim - 1 if place.dtype.kind == "b" else 1 - place.ndim)
    try:
        if not _simple(input, value, rank):
            return False
        run(array.__setitem__, place, value)
    except (IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return False
    node = ListNode()
    node.op = ops._index_put.operation
    node.edges = (input._edge, None, edge)
    node.shapes = (array.shape, place.shape, getattr(value, "shape", ()))
    node.values = {"indices": [Saved(index)], "accumulate": False}
    _written(input, node)
    return True


def _simple(input: Tensor, value: Any, rank: int) -> bool:
    """Whether the tensor is no leaf, nothing listens to it, and the value has no dimensions to
    drop.
    """
    old = input._edge
    node = old.node if type(old) is Port else old
    if type(old) is AccumulateGrad or (node is not None and node.hooks is not None):
        return False
    return type(value) is not np.ndarray or value.ndim <= rank


def _written(input: Tensor, node: Node) -> None:
    """Note the write, and that the node is the tensor's history from here on."""
    node.hooks = None
    node.shape, node.dtype = input._array.shape, input._array.dtype
    frame = user_frame(sys._getframe(3))
    storage = storage_of(input)
    storage.version += 1
    storage.written = storage.changed = node.sequence = next_sequence()
    node.code, node.lasti = storage.writer = (frame.f_code, frame.f_lasti)
    storage.writing = "__setitem__"
    input._edge = node
