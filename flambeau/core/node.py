"""The graph: nodes, their edges and what they saved.

A `Node` remembers the operation, its edges, the arrays its rules need with their storages, its
place in the order of things, and the user's line. `AccumulateGrad` ends a path at a leaf. An edge
is a node, or a `Port` for one of several outputs. No node refers to its output tensor, so graphs
have no cycles and die by reference counting. Stands on state, storage, provenance, errors.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flambeau.core.provenance import Where, place
from flambeau.core.storage import Storage

if TYPE_CHECKING:
    from flambeau.core.tensor import Tensor

__all__ = [
    "AccumulateGrad",
    "ElementNode",
    "FREED",
    "Hooks",
    "ManyNode",
    "NONE_OF_THREE",
    "NOTHING_SAVED",
    "Node",
    "OpNode",
    "Port",
    "edge_node",
    "exposed",
    "keeps_values",
    "labelled",
    "was_freed",
    "was_written",
]


FREED: Any = object()
"""Stands where saved values were, after a backward that did not retain them."""


class Hooks:
    """What the user hung on a node."""

    __slots__ = ("after", "before", "post_accumulate", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, dict[int, Callable[..., Any]]] = {}
        """By output number: hooks on the gradient of that output."""
        self.retain: dict[int, weakref.ref[Tensor]] = {}
        """By output number: the tensor whose `.grad` receives the gradient."""
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.post_accumulate: dict[int, Callable[..., Any]] = {}

    def __bool__(self) -> bool:
        """Whether any is there still."""
        tables = (self.retain, self.before, self.after, self.post_accumulate)
        return any(tables) or any(self.tensor.values())


class Node:
    """A step of the backward pass; `Tensor.grad_fn` shows it."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "code",
        "dtype",
        "edges",
        "hooks",
        "lasti",
        "sequence",
        "shape",
    )

    edges: tuple[Any, ...]
    sequence: int
    hooks: Hooks | None
    shape: Any
    """Shape of the output (a tuple of shapes when there are several)."""
    dtype: Any
    outputs = 1
    op: Any = None
    """The operation, for the nodes of declared ones."""
    requires_grad = True
    label: Any = None
    """The name, where it is not that of the operation."""

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        """Gradients for the edges from the gradient(s) of the output(s)."""
        raise NotImplementedError

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A graph is of one run: what it saved, and where it leads, is not told.
        raise TypeError(f"cannot pickle '{type(self).__name__}' object")

    def name(self) -> str:
        """The text PyTorch prints as `grad_fn=<...>`."""
        return type(self).__name__

    @property
    def where(self) -> Where:
        return self.code, self.lasti

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes this one sends gradients to, with the number of their output."""
        edges = self.edges
        return tuple(
            (exposed(edge.node), edge.number) if type(edge) is Port else (exposed(edge), 0)
            for edge in (edges[place] for place in self.edges_seen())
        )

    def edges_seen(self) -> Sequence[int]:
        """The edges that users see, in `next_functions` and in hooks."""
        return range(len(self.edges))

    def outputs_seen(self) -> Sequence[int]:
        """The outputs whose gradients hooks see."""
        return range(self.outputs)

    @property
    def metadata(self) -> dict[Any, Any]:
        return self.__dict__.setdefault("_metadata", {})

    def _sequence_nr(self) -> int:
        return self.sequence

    def hooks_of(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_inputs, grad_outputs)` after this node ran; it may return other
        grad_inputs.
        """
        return _handle(self.hooks_of().after, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_outputs)` before this node runs; it may return other grad_outputs."""
        return _handle(self.hooks_of().before, fn)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def _handle(table: dict[int, Any], hook: Any) -> Any:
    from flambeau.core.handles import RemovableHandle

    handle = RemovableHandle(table)
    table[handle.id] = hook
    return handle


_CLASSES: dict[tuple[type, str], type] = {}


def exposed(node: Any) -> Any:
    """A node on its way to the user: from here on its class bears PyTorch's name
    (`type(y.grad_fn).__name__`).
    """
    if node is None or type(node) is AccumulateGrad:
        return node
    kind, name = type(node), node.name().rpartition("::")[2]
    if kind.__name__ != name:
        found = _CLASSES.get((kind, name))
        if found is None:
            found = _CLASSES[kind, name] = type(
                name, (kind,), {"__slots__": (), "__module__": "builtins"}
            )
        node.__class__ = found
    return node


class Port:
    """An edge to one of several outputs of a node."""

    __slots__ = ("node", "number")

    def __init__(self, node: Node, number: int) -> None:
        self.node = node
        self.number = number


def edge_node(edge: Any) -> tuple[Node, int]:
    """The node and output number an edge stands for."""
    return (edge.node, edge.number) if type(edge) is Port else (edge, 0)


class AccumulateGrad(Node):
    """The end of a path: adds the gradient to a leaf's `.grad`."""

    __slots__ = ("variable_ref",)

    heard: weakref.WeakSet[AccumulateGrad] = weakref.WeakSet()
    """Leaves that got a hook: in a backward that meets one, leaves wait for their turn."""

    def __init__(self, variable: Tensor) -> None:
        self.variable_ref = weakref.ref(variable)
        self.edges = ()
        self.hooks = None
        self.sequence = 1 << 62
        self.follow(variable)

    def follow(self, variable: Tensor) -> None:
        """Take note of the leaf's shape and dtype."""
        self.shape = variable._array.shape
        self.dtype = variable._array.dtype

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    def hooks_of(self) -> Hooks:
        AccumulateGrad.heard.add(self)
        return super().hooks_of()

    @property
    def variable(self) -> Tensor | None:
        """The leaf, while it lives."""
        return self.variable_ref()


class OpNode(Node):
    """The node of a declared operation: its rules come from the declaration."""

    __slots__ = ("freed", "op", "params", "saved", "shapes", "stores")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        raise NotImplementedError  # replaced by core.rules when it is imported

    def name(self) -> str:
        return self.label or str(self.op.node_name(self))

    def edges_seen(self) -> Sequence[int]:
        """Those of operands that have a gradient: indices, masks and targets have no edge in
        PyTorch, nor numbers where they are an overload of their own (`seen`).
        """
        seen = self.op.flags.get("seen", {}).get(self.name(), self.op.followed)
        return seen  # type: ignore[no-any-return]


class ManyNode(OpNode):
    """The node of an operation with several outputs."""

    __slots__ = ("outputs",)

    def outputs_seen(self) -> Sequence[int]:
        return self.op.differentiable  # type: ignore[no-any-return]


NOTHING_SAVED = (None, None)
NONE_OF_THREE = (None, None, None)
"""What unary and binary operations share that save nothing."""


class ElementNode(OpNode):
    """The node of an elementwise operation without plain parameters: what it never has costs it no
    slot.
    """

    __slots__ = ()

    params = shapes = hooks = None


def labelled(tensor: Tensor, label: str) -> Tensor:
    """The tensor, whose node bears PyTorch's name of a function that is several operations here,
    or another overload.
    """
    node, _ = edge_node(tensor._edge)
    if isinstance(node, OpNode):
        node.label = label
    return tensor


def keeps_values(node: OpNode) -> bool:
    """Whether a backward frees something here: saved tensors, or the number of ``x * 2``, which is
    a tensor to PyTorch.
    """
    return node.op.saves_number or node.stores.count(None) != len(node.stores)


def was_freed(node: Node, freed: Where | None) -> RuntimeError:
    """The error of going back through a graph whose saved values are gone."""
    name = node.name().removesuffix("0").removesuffix("Backward")
    return RuntimeError(
        "Trying to backward through the graph a second time: the values saved by the operation "
        f"{name} at {place(node.where)} were freed by the backward at {place(freed)}. Use "
        f"retain_graph=True "
        "there if both backwards are meant; if this is a loop, something made before the loop "
        "carries the old "
        "graph in: detach() it."
    )


def was_written(node: Node, label: str, storage: Storage, shape: Any) -> RuntimeError:
    """The error of a saved value that was overwritten: names the saver, the writer and the mend."""
    name = node.name().removesuffix("0").removesuffix("Backward")
    if storage.inference:
        return RuntimeError(
            f"Inference tensors cannot be saved for backward: the {label} of shape {list(shape)} "
            f"saved by {name} at "
            f"{place(node.where)} was made under torch.inference_mode(). clone() it outside "
            f"first, or use no_grad()."
        )
    writer = f"`{storage.writing}`" if storage.writing else "an in-place operation"
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: "
        f"the {label} of shape {list(shape)} saved by {name} at {place(node.where)} was "
        f"overwritten by {writer} at "
        f"{place(storage.writer)} (it is at version {storage.version} now). Write out of place "
        f"there "
        "(x = x + 1 instead of x += 1), or save a clone() for one of the two."
    )
