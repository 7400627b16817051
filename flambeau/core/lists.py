"""Operations on a sequence of tensors (`cat`, `index_put`, ...): one edge for every member.

Their rule is one function: its names are those of the declaration, a sequence comes as a list of
saved Tensors, `shapes` are those of all tensors in order, and it returns a gradient for each of
them in that order. An operation that saves no tensors may have the same on arrays, as `bare`.
Stands on node and slow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import state
from flambeau.core.batch.array import Batched
from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.lower import CLASSES, LIVE, Kept
from flambeau.core.node import Node, Port, was_freed, was_written
from flambeau.core.promotion import result_dtype
from flambeau.core.provenance import user_frame
from flambeau.core.silence import quiet
from flambeau.core.slow import check_places, infer, pack_results, settle
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import Tensor, edge_of, wrap

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["ListNode", "Saved", "apply", "record_lower"]


class ListNode(Node):
    """The node of such an operation."""

    __slots__ = ("freed", "op", "shapes", "values")

    op: Op
    shapes: tuple[Any, ...]
    values: dict[str, Any] | None
    freed: tuple[CodeType, int]

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        rule = self.op.flags["vjp"]
        if self.values is None:
            raise was_freed(self, self.freed)
        bare = self.op.flags.get("bare")
        if bare is not None and not graph and type(grads) is np.ndarray:
            needs = tuple([edge is not None for edge in self.edges])
            return bare(grads, self.shapes, needs=needs, **self.values)  # type: ignore[no-any-return]
        code = rule.__code__
        given: list[Any] = []
        saves = False
        for name in code.co_varnames[1 : code.co_argcount]:
            if name == "shapes":
                given.append(list(self.shapes))
            elif name == "needs":
                given.append(tuple(edge is not None for edge in self.edges))
            else:
                value = self.values[name]
                saves = saves or type(value) in (Saved, list)
                given.append(_unpack(self, name, value, graph))
        if isinstance(grads, (tuple, list)):
            grad: Any = tuple(g if g is None or isinstance(g, Tensor) else wrap(g) for g in grads)
        else:
            grad = grads if isinstance(grads, Tensor) else wrap(grads)
        results = rule(grad, *given)
        if saves and not keep:
            self.values = None
            frame = user_frame(sys._getframe(1))
            self.freed = (frame.f_code, frame.f_lasti)
        return [r if graph or not isinstance(r, Tensor) else r._array for r in results]

    def pack(self, pack: Any, unpack: Any) -> None:
        """Hand the saved tensors to the hooks of `saved_tensors_hooks`."""

        def packed(value: Any) -> Any:
            if type(value) is list:
                return [packed(each) for each in value]
            if type(value) is not Saved or value.packed is not None:
                return value
            tensor = wrap(value.array)
            tensor._storage = value.store
            tensor._edge = self if value.edge is _OWN else value.edge
            value.packed = (pack(tensor), unpack)
            value.array = value.store = None
            return value

        if self.values is not None:
            self.values = {name: packed(value) for name, value in self.values.items()}

    def name(self) -> str:
        return str(self.op.node_name(self))


def _tensor_of(kept: Kept) -> Tensor:
    return kept.again(kept.value)


class Saved:
    """A tensor that a node keeps: its array, its history, its storage or what a hook made of it."""

    __slots__ = ("array", "edge", "packed", "store")

    def __init__(self, tensor: Tensor) -> None:
        self.array = tensor._array
        self.edge: Any = edge_of(tensor)
        self.store: Any = saved_storage(tensor)
        self.packed: Any = None
        if type(tensor) in CLASSES:
            self.packed = (Kept(tensor), _tensor_of)


def _unpack(node: ListNode, name: str, value: Any, graph: bool) -> Any:
    if type(value) is list:
        return [_unpack(node, name, each, graph) for each in value]
    if type(value) is not Saved:
        return value
    if value.packed is not None:
        tensor = value.packed[1](value.packed[0])
        if type(tensor) not in CLASSES:
            tensor = wrap(tensor._array)
    else:
        if value.store.written > node.sequence:
            raise was_written(node, name, value.store, value.array.shape)
        if not value.store and value.store.differs(node.sequence, value.array):
            from flambeau.core.alias import exported_write

            exported_write(node, name, value.array.shape)
        tensor = wrap(value.array)
        tensor._storage = value.store
    if graph:
        tensor._edge = node if value.edge is _OWN else value.edge
    return tensor


_OWN: Any = object()


def _members(op: Op, args: Any) -> list[Any]:
    """All tensor arguments in order (None for absent ones), sequences laid open.

    Raises:
        TypeError: a member is not a tensor.
    """
    found: list[Any] = []
    for i, _ in op.tensors:
        x, name = args[i], op.names[i]
        if name in op.lists:
            if isinstance(x, Tensor) or not isinstance(x, (list, tuple)):
                raise fail(
                    TypeError,
                    op.name,
                    f"argument '{name}' (position {i + 1}) must be tuple of Tensors, not "
                    f"{type(x).__name__}",
                )
            for k, each in enumerate(x):
                if not isinstance(each, Tensor) and (each is not None or name in op.promote):
                    raise fail(
                        TypeError,
                        op.name,
                        f"expected Tensor as element {k} in argument {i}, but got "
                        f"{type(each).__name__}",
                    )
            found.extend(x)
        elif x is None or isinstance(x, Tensor):
            found.append(x)
        else:
            raise fail(
                TypeError,
                op.name,
                f"argument '{name}' (position {i + 1}) must be Tensor, not {type(x).__name__}",
            )
    return found


def apply(op: Op, args: Any) -> Any:
    """Run an operation with sequences of tensors and record it."""
    members = _members(op, args)
    present = [m for m in members if m is not None]
    dtype = None
    if op.promote:
        dtype = (
            result_dtype([(m._array.dtype, m._array.ndim) for m in present]) if present else None
        )

    def convert(value: Any, name: str) -> Any:
        if isinstance(value, Tensor):
            a = value._array
            return (
                quiet(a.astype, dtype)
                if dtype is not None and name in op.promote and a.dtype != dtype
                else a
            )
        if value is not None and name in op.lists:
            return [convert(each, name) for each in value]
        return value

    arrays = [convert(value, name) for value, name in zip(args, op.names, strict=True)]
    edges = tuple([None if m is None else edge_of(m) for m in members])
    for m in present:
        if type(m._array) is not np.ndarray:
            result = _unusual(op, args, arrays, present)
            break
    else:
        result = quiet(op.kernel, *arrays)
    several = isinstance(result, tuple)
    arrays_out = result if several else (result,)
    outputs = [wrap(settle(a)) for a in arrays_out]
    if op.flags.get("vjp") and state.grad_enabled() and any(e is not None for e in edges):
        _record(op, args, members, edges, outputs, several)
    if not several:
        return outputs[0]
    return pack_results(op, outputs)


def _unusual(op: Op, args: Any, arrays: list[Any], present: list[Tensor]) -> Any:
    """The result where not all are NumPy's arrays."""
    if any(type(m._array) is Abstract for m in present):
        check_places(op, [(op.lists[0], m._array) for m in present])
        return infer(op, arrays)
    if any(hasattr(m._array, "is_sparse_data") for m in present):
        from flambeau.sparse.general import apply as sparse_apply

        return sparse_apply(op, args, arrays)
    if any(type(m._array) is Batched for m in present):
        from flambeau.core.batch.apply import compute

        return compute(op, arrays)
    return quiet(op.kernel, *arrays)


def record_lower(op: Op, args: Any, edges: Any, result: Any) -> None:
    """Hang a node on what a handler of `__torch_dispatch__` gave."""
    several = isinstance(result, (tuple, list))
    outputs = list(result) if several else [result]
    _record(op, args, _members(op, args), tuple(edges), outputs, several)
    edge = outputs[0]._edge
    if edge is not None:
        LIVE.add(edge.node if type(edge) is Port else edge)


def _record(
    op: Op, args: Any, members: Any, edges: Any, outputs: list[Tensor], several: bool
) -> None:
    rule = op.flags["vjp"]
    code = rule.__code__
    node = ListNode()
    node.op = op
    node.edges = edges
    node.hooks = None
    node.shapes = tuple([() if m is None else m._array.shape for m in members])
    values: dict[str, Any] = {}
    for name in code.co_varnames[1 : code.co_argcount]:
        if name in op.names:
            value = args[op.names.index(name)]
            if isinstance(value, Tensor):
                value = Saved(value)
            elif name in op.lists:
                value = [None if each is None else Saved(each) for each in value]
            values[name] = value
        elif name in op.saveable:
            saved = Saved(outputs[op.saveable.index(name) - len(op.tensor_names)])
            saved.edge = _OWN
            values[name] = saved
    node.values = values
    frame = user_frame(sys._getframe(1))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    from flambeau.core.state import next_sequence

    node.sequence = next_sequence()
    if several:
        node.shape = tuple(t._array.shape for t in outputs)
        node.dtype = tuple(t._array.dtype for t in outputs)
        node.outputs = len(outputs)
        for k in op.differentiable:
            if outputs[k]._array.dtype.kind in FLOATING_KINDS:
                outputs[k]._edge = Port(node, k)
    elif outputs[0]._array.dtype.kind in FLOATING_KINDS:
        node.shape, node.dtype = outputs[0]._array.shape, outputs[0]._array.dtype
        outputs[0]._edge = node
