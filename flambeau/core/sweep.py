"""The common backward, flat: one root, arrays all the way, every leaf wanted, nobody listening.

What is rare in it (a node with hooks, with several outputs, a gradient that is no array) goes
through the same doors as in `engine`, whose order this keeps: the latest node that is known has
received all of its gradients. Hot and flat on purpose: about 1.5 us a node where the rule itself
takes 0.3. Stands on node, rules, accumulate.
"""

from __future__ import annotations

from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from flambeau.core.accumulate import accumulate
from flambeau.core.arrival import add, fit, plus, visit
from flambeau.core.node import NONE_OF_THREE, NOTHING_SAVED, AccumulateGrad, Node, OpNode, Port
from flambeau.core.rules import FREED, run_quick
from flambeau.core.silence import run

__all__ = ["sweep"]

nd = np.ndarray


def sweep(root: Node, grad: Any, keep: bool, spot: Any) -> None:
    """Send the array `grad` down from the node `root`; leaves accumulate into `.grad`.

    Args:
        root: the node of the output, with one output.
        grad: its gradient.
        keep: keep saved values for another backward.
        spot: the user's place, for errors of a second backward and for `.grad`'s writer.
    """
    pending: dict[Node, Any] = {}
    ready: list[tuple[int, int, Node]] = []
    held: dict[AccumulateGrad, Any] = {}
    fresh: set[AccumulateGrad] = set()
    node: Any = root
    given = grad
    while node is not None:
        edges = node.edges
        results = None
        if node.hooks is None and given is not None and node.outputs == 1:
            op = node.op
            if op is not None and op.quick and type(given) is nd:
                if op.quiet:
                    results = run_quick(op, node, given)
                else:
                    try:
                        results = run(run_quick, op, node, given)
                    except RuntimeError:  # the context is busy, or the rule calls back
                        results = None
            if results is None:
                results = node.run(given, False, keep)
            elif not keep:
                stores = node.stores
                if (
                    stores is not NOTHING_SAVED
                    and stores is not NONE_OF_THREE
                    and stores.count(None) != len(stores)
                ):
                    node.saved = FREED
        else:
            results = visit(node, given, False, keep, None, {}, [], spot, True)
        if not keep and isinstance(node, OpNode) and node.saved is FREED:
            node.freed = spot
        # The latest node that becomes known here stays out of the queue: in a chain it is the next.
        latest = carried = None
        for edge, grad in zip(edges, results):
            if edge is None:
                continue
            kind = type(edge)
            if kind is AccumulateGrad:
                if grad is None:
                    continue
                if type(grad) is not nd or grad.shape != edge.shape or grad.dtype is not edge.dtype:
                    grad = fit(edge, grad, edge.shape, edge.dtype)
                if edge in held:
                    held[edge] = plus(held[edge], grad)
                    continue
                if edge not in fresh:
                    variable = edge.variable_ref()
                    if variable is None:
                        continue
                    if variable._grad is not None:  # waits for the sum: rounding is PyTorch's
                        held[edge] = grad
                        continue
                    fresh.add(edge)
                accumulate(edge, grad, False, spot)
                continue
            if kind is Port:
                target = edge.node
                if grad is not None:
                    shape, dtype = target.shape[edge.number], target.dtype[edge.number]
                    if type(grad) is not nd or grad.shape != shape or grad.dtype is not dtype:
                        grad = fit(target, grad, shape, dtype)
                if target not in pending:
                    heappush(ready, (-target.sequence, id(target), target))
                add(pending, edge, target, grad)
                continue
            if grad is not None and edge.outputs == 1:
                if type(grad) is not nd or grad.shape != edge.shape or grad.dtype is not edge.dtype:
                    grad = fit(edge, grad, edge.shape, edge.dtype)
            elif edge.outputs > 1:
                if grad is not None:
                    grad = fit(edge, grad, edge.shape[0], edge.dtype[0])
                if edge not in pending:
                    heappush(ready, (-edge.sequence, id(edge), edge))
                add(pending, edge, edge, grad)
                continue
            if edge is latest:
                carried = (
                    grad if carried is None else carried if grad is None else plus(carried, grad)
                )
            elif edge in pending:
                old = pending[edge]
                pending[edge] = grad if old is None else old if grad is None else plus(old, grad)
            elif latest is None:
                latest, carried = edge, grad
            else:
                target = edge
                if target.sequence > latest.sequence:
                    latest, target, carried, grad = target, latest, grad, carried
                heappush(ready, (-target.sequence, id(target), target))
                pending[target] = grad
        grad = results = None
        if not ready:
            node, given = latest, carried
        elif latest is None:
            node = heappop(ready)[2]
            given = pending.pop(node)
        elif -latest.sequence > ready[0][0]:
            pending[latest] = carried
            node = heappushpop(ready, (-latest.sequence, id(latest), latest))[2]
            given = pending.pop(node)
        else:
            node, given = latest, carried
    for leaf, grad in held.items():
        accumulate(leaf, grad, False, spot)
