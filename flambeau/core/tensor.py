"""The Tensor: a NumPy array, a storage, an edge into the graph.

Slots: `_array` (ndarray; `Abstract` on meta; sparse data), `_storage` (None until needed), `_edge`
    (None: needs no
gradient; a node or `Port`; `AccumulateGrad` for a leaf; a tuple for a view whose node nobody asked
for: read it through `edge_of`), `_view` (None, or (base, version of the edge, how it was made)),
`_grad`. Methods that are operations are bound by `declare`; the rest stands in `core/methods/`.
Stands on node, storage, dtypes.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.node import AccumulateGrad, Node, Port
from flambeau.core.storage import Storage, storage_of

__all__ = [
    "PLAIN",
    "Tensor",
    "dead_end",
    "edge_of",
    "leaf_edge",
    "nobody",
    "wrap",
    "wrap_like_view",
]


class Tensor:
    """A multi-dimensional array of one dtype that remembers how it was computed.

    Made by `flambeau.tensor`, the factories (`zeros`, `rand`, ...) and operations. See
    https://docs.pytorch.org/docs/stable/tensors.html for the interface it follows.
    """

    __slots__ = ("__dict__", "__weakref__", "_array", "_edge", "_grad", "_storage", "_view")

    _array: Any
    _storage: Storage | None
    _edge: Any
    _view: tuple[Tensor, int, str] | None
    _grad: Any

    __array_priority__ = 1000

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        from flambeau.core.legacy import construct

        return construct(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__torch_function__" in cls.__dict__ and not cls.__module__.startswith("flambeau"):
            from flambeau.core.overrides import cover

            cover()
        if hasattr(cls, "__torch_dispatch__"):
            from flambeau.core.lower import learn
            from flambeau.core.overrides import default, disabled

            learn(cls)
            asked = getattr(cls.__torch_function__, "__func__", None)
            if "__torch_dispatch__" in cls.__dict__ and asked is default:
                # What it is asked about is what it gives: results are not made its kind after.
                cls.__torch_function__ = staticmethod(disabled)  # type: ignore[assignment, method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


PLAIN: set[type] = {Tensor}
"""The classes that take the short way: Tensor, Parameter, Buffer. Every other subclass goes through
`slow`.
"""

_new = object.__new__


def wrap(array: Any, cls: type = Tensor) -> Tensor:
    """A tensor around an array, without history."""
    tensor: Tensor = _new(cls)
    tensor._array = array
    tensor._storage = tensor._edge = tensor._view = tensor._grad = None
    return tensor


def wrap_like_view(array: Any, base: Tensor) -> Tensor:
    """A tensor around an array that shares `base`'s storage, without history (what `detach()`
    gives).
    """
    tensor: Tensor = _new(Tensor)
    tensor._array = array
    tensor._storage = base._storage or storage_of(base)
    tensor._edge = tensor._view = tensor._grad = None
    return tensor


def leaf_edge(tensor: Tensor) -> AccumulateGrad:
    """Make the tensor a leaf that collects its gradient."""
    edge = AccumulateGrad(tensor)
    tensor._edge = edge
    return edge


def dead_end(tensor: Tensor) -> AccumulateGrad:
    """The edge of a view that was made under no_grad: it requires a gradient, for its base does,
    but nobody collects it.
    """
    edge = leaf_edge(tensor)
    edge.variable_ref = nobody
    return edge


def nobody() -> None:
    """The tensor of a dead end."""


def edge_of(tensor: Tensor) -> Node | Port | None:
    """The tensor's edge; made anew for a view whose base was written in place since."""
    view = tensor._view
    if view is not None:
        storage = tensor._storage
        if storage is not None and storage.version != view[1]:
            from flambeau.core.inplace import refresh_view

            refresh_view(tensor)
        if type(tensor._edge) is tuple:
            from flambeau.core.entry import view_node

            return view_node(tensor)
    return tensor._edge
