"""The usual backward: everything is wanted, nothing is recorded, nobody listens to a leaf.

The same order as `engine`'s sweep, on arrays alone and without its questions. A node whose
gradients run on arrays costs one call; any other runs by itself or, with hooks, by `engine`. Hot
and flat on purpose. Stands on accumulate, fit, node.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from flambeau.core.accumulate import accumulate, copied
from flambeau.core.fit import add, fit, plus
from flambeau.core.node import (
    FREED,
    NONE_OF_THREE,
    NOTHING_SAVED,
    AccumulateGrad,
    Node,
    OpNode,
    Port,
)
from flambeau.core.silence import run
from flambeau.core.tensor import wrap

__all__ = ["sweep_lightly"]

nd = np.ndarray
_refs = sys.getrefcount

MINE = 4
"""Who holds a gradient that is ours alone: `results`, zip's pair, `grad`, getrefcount's own."""


def _are_arrays(grads: Any) -> bool:
    return all(grad is None or type(grad) is nd for grad in grads)


def sweep_lightly(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool,
    spot: Any,
    heard: Callable[..., Any],
    only: dict[Any, Any] | None = None,
    needed: Any = None,
) -> None:
    """Send arrays from the edges `roots` into all leaves.

    Args:
        roots: edges.
        grads: an array for each.
        keep: keep saved values.
        spot: the user's place.
        heard: ``heard(node, given, keep, spot)`` runs a node with hooks.
        only: leaves by their edges; their gradients come here, and no leaf's `.grad` is touched.
        needed: the nodes on a way to those; None where all are.
    """
    leaves: dict[AccumulateGrad, Any] = {}
    """A leaf's gradient on its way; None once the first went into an empty `.grad`, into which
    further ones are added. A `.grad` that held something waits for the sum, which rounds as
    PyTorch's."""
    pending: dict[Node, Any] = {}
    ready: list[tuple[int, int, Node]] = []

    # The roots are the edges of a node that is not there.
    node: Any = None
    edges: Any = roots
    results: Any = grads
    while True:
        # A node's number is larger than those of the nodes it sends gradients to, so the latest
        # node that is known has received all of its gradients: no counting is needed. The latest
        # that becomes known here stays out of the queue: in a chain it is the next.
        latest: Any = None
        carried: Any = None
        for edge, grad in zip(edges, results):
            if edge is None:
                continue
            kind = type(edge)
            if kind is AccumulateGrad:
                if grad is None:
                    continue
                if type(grad) is not nd or grad.shape != edge.shape or grad.dtype is not edge.dtype:
                    grad = fit(edge, grad, edge.shape, edge.dtype)
                if only is not None:
                    if edge in only:
                        old = only[edge]
                        only[edge] = grad if old is None else plus(old, grad)
                    continue
                if edge in leaves:
                    old = leaves[edge]
                    if old is None:
                        accumulate(edge, grad, False, spot)
                    else:
                        leaves[edge] = plus(old, grad)
                    continue
                variable = edge.variable_ref()
                if variable is None or variable._edge is None:  # it was told to stop requiring one
                    continue
                if variable._grad is not None:
                    leaves[edge] = grad
                    continue
                leaves[edge] = None
                if type(grad) is nd:
                    array = variable._array
                    if (
                        grad.base is not None
                        or _refs(grad) > MINE
                        or grad.strides != array.strides
                        or not grad.flags.writeable
                    ):
                        grad = copied(grad, array)
                variable._grad = wrap(grad)
                continue
            if kind is Port:
                target = edge.node
                if grad is not None:
                    grad = fit(target, grad, target.shape[edge.number], target.dtype[edge.number])
            else:
                target = edge
                if grad is not None and (
                    type(grad) is not nd or grad.shape != edge.shape or grad.dtype is not edge.dtype
                ):
                    grad = fit(edge, grad, edge.shape, edge.dtype)
            if needed is not None and target not in needed:
                continue
            if target is latest and kind is not Port:
                if grad is not None:
                    carried = grad if carried is None else plus(carried, grad)
            elif target in pending:
                add(pending, edge, target, grad)
            elif kind is Port or target.outputs > 1:
                heappush(ready, (-target.sequence, id(target), target))
                add(pending, edge, target, grad)
            elif latest is None:
                latest, carried = target, grad
            else:
                if target.sequence > latest.sequence:
                    latest, target, carried, grad = target, latest, grad, carried
                heappush(ready, (-target.sequence, id(target), target))
                pending[target] = grad
        grad = results = None
        if latest is None:
            if not ready:
                break
            node = heappop(ready)[2]
            given = pending.pop(node)
        elif ready and -latest.sequence > ready[0][0]:
            pending[latest] = carried
            node = heappushpop(ready, (-latest.sequence, id(latest), latest))[2]
            given = pending.pop(node)
        else:
            node, given = latest, carried
        latest = carried = None

        edges = node.edges
        if node.hooks is not None or given is None:
            results = heard(node, given, keep, spot)
        elif type(given) is list and all(grad is None for grad in given):
            results = (None,) * len(edges)
        else:
            op = node.op
            if type(given) is list:
                given = tuple(given)
            if op is not None and op.passes:
                results = (given,) * len(edges)
                continue
            if (
                op is not None
                and op.back is not None
                and (type(given) is nd or (type(given) is tuple and _are_arrays(given)))
            ):
                if op.silent:
                    results = op.back(node, given)
                else:
                    try:
                        results = run(op.back, node, given)
                    except RuntimeError:
                        results = None
            if results is not None:
                if not keep:
                    stores = node.stores
                    if op.saves_number or (
                        stores is not NOTHING_SAVED
                        and stores is not NONE_OF_THREE
                        and stores.count(None) != len(stores)
                    ):
                        node.saved = FREED
                        node.freed = spot
                continue
            results = node.run(given, False, keep)
        if isinstance(node, OpNode) and node.saved is FREED:
            node.freed = spot
    for leaf, grad in leaves.items():
        if grad is not None:
            accumulate(leaf, grad, False, spot)
