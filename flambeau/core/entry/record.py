"""Nodes behind the results of the general entries, and what all entries share.

Stands on tensor, node, provenance, slow.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import slow
from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.node import ManyNode, OpNode, Port
from flambeau.core.provenance import USER, user_frame
from flambeau.core.state import next_sequence
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import Tensor

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["BOOL", "INTS", "SCALARS", "SINGLE_DOUBLE", "called_by", "named", "record", "record_one"]

nd = np.ndarray
_new = object.__new__
_frame = sys._getframe

SINGLE_DOUBLE = frozenset((np.dtype("f4"), np.dtype("f8")))
INTS = frozenset((np.dtype("i8"), np.dtype("i4")))
BOOL = np.dtype("?")
SCALARS = frozenset((int, float))


def called_by(entry: Any, op: Op) -> Any:
    """The entry with its tensors under the names they have as keywords: the operation's own, or
    PyTorch's where it spells them otherwise. No call pays for it.
    """
    names = op.flags.get("spelled", op.names)
    code = entry.__code__
    entry.__code__ = code.replace(co_varnames=(*names, *code.co_varnames[len(names) :]))
    return entry


def named(entry: Any, op: Op) -> Any:
    """The entry under its operation's name."""
    entry.__name__ = entry.__qualname__ = op.name
    entry.__doc__ = op.body.__doc__
    entry.__module__ = "flambeau"
    entry.operation = op
    op.entry = entry
    return entry


def record_one(op: Op, args: Any, arrays: Any, edges: Any, mask: int, tensor: Tensor) -> OpNode:
    """Hang a node on a single result; saves what the wanted rules name."""
    inputs, outputs, wants_params, wants_shapes = op.plans.get(mask) or op.plan(mask)
    n: OpNode = _new(OpNode)
    tensor._edge = n
    n.op = op
    n.edges = tuple(edges)
    n.hooks = None
    count = len(op.tensors)
    saved: list[Any] = [None] * (count + 1)
    stores: list[Any] = [None] * (count + 1)
    for k in inputs:
        i = op.tensors[k][0]
        x = args[i]
        if isinstance(x, Tensor):
            saved[k] = x._array
            stores[k] = x._storage or saved_storage(x)
        else:
            saved[k] = x
    r = tensor._array
    if outputs:
        saved[count] = r
        stores[count] = tensor._storage or saved_storage(tensor)
    n.saved = saved
    n.stores = stores
    n.params = args if not wants_params else plain_values(op, args)
    n.shapes = (
        tuple([getattr(arrays[i], "shape", ()) for i, _ in op.tensors]) if wants_shapes else None
    )
    n.shape = r.shape
    n.dtype = r.dtype
    f = _frame(2)
    if id(f.f_code) not in USER:
        f = user_frame(f)
    n.code = f.f_code
    n.lasti = f.f_lasti
    n.sequence = next_sequence()
    if not wants_params:
        n.params = None
    return n


def plain_values(op: Op, args: Any) -> list[Any]:
    """The arguments with the tensors left out: a node keeps no tensor alive that no rule needs."""
    values = list(args)
    for i, _ in op.tensors:
        values[i] = None
    return values


def record(op: Op, args: Any, arrays: Any, edges: Any, mask: int, results: tuple[Any, ...]) -> Any:
    """Wrap several results, with one node behind those that are differentiable."""
    wrapped = []
    for r in results:
        t = _new(Tensor)
        t._array = r if type(r) is nd else slow.settle(r)
        t._storage = t._view = t._grad = t._edge = None
        wrapped.append(t)
    if mask and op.rules:
        inputs, outputs, wants_params, wants_shapes = op.plan(mask)
        n: ManyNode = _new(ManyNode)
        n.op = op
        n.edges = tuple(edges)
        n.hooks = None
        count = len(op.tensors)
        saved: list[Any] = [None] * (count + len(results))
        stores: list[Any] = [None] * (count + len(results))
        for k in inputs:
            x = args[op.tensors[k][0]]
            if isinstance(x, Tensor):
                saved[k], stores[k] = x._array, x._storage or saved_storage(x)
            else:
                saved[k] = x
        for k in outputs:
            saved[count + k], stores[count + k] = wrapped[k]._array, saved_storage(wrapped[k])
        n.saved, n.stores = saved, stores
        n.params = plain_values(op, args) if wants_params else None
        n.shapes = (
            tuple([getattr(arrays[i], "shape", ()) for i, _ in op.tensors])
            if wants_shapes
            else None
        )
        n.shape = tuple([t._array.shape for t in wrapped])
        n.dtype = tuple([t._array.dtype for t in wrapped])
        n.outputs = len(wrapped)
        f = user_frame(_frame(2))
        n.code, n.lasti = f.f_code, f.f_lasti
        n.sequence = next_sequence()
        for k in op.differentiable:
            if wrapped[k]._array.dtype.kind in FLOATING_KINDS:
                wrapped[k]._edge = Port(n, k)
    return slow.pack_results(op, wrapped)
