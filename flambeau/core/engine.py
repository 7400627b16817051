"""Backward: nodes in the order PyTorch takes them, gradients summed where paths meet, hooks where
they hang.

Nodes go by sequence number, latest first; a leaf's accumulation goes as soon as its last gradient
is there. Without `create_graph` gradients travel as bare arrays, with it as Tensors. Stands on
node, rules, tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.accumulate import accumulate
from flambeau.core.fit import add, fit, fit_tensor, plus
from flambeau.core.hooks import run_after, run_before, run_tensor_hooks
from flambeau.core.light import sweep_lightly
from flambeau.core.lower import LIVE
from flambeau.core.node import FREED, AccumulateGrad, Node, OpNode, Port
from flambeau.core.provenance import USER, user_frame
from flambeau.core.tensor import wrap

__all__ = ["backward", "backward_of_one"]

nd = np.ndarray


def backward(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool,
    graph: bool,
    wanted: Sequence[Any] | None = None,
    collect: bool = True,
) -> list[Any]:
    """Send `grads` from the edges `roots` down the graph.

    Args:
        roots: edges of the outputs.
        grads: a gradient for each, Tensors.
        keep: keep saved values for another backward.
        graph: record the backward itself.
        wanted: edges whose gradients are returned; None: all leaves accumulate into `.grad`.
        collect: with `wanted`, return gradients (autograd.grad); else accumulate only into those
            leaves.

    Returns:
        The gradients of `wanted`, None where none arrived.
    """
    needed = None
    captures: dict[Any, Any] = {}
    found: list[Any] = []
    plain = not graph and state.ordinary() and not _listened(roots)
    tensors = graph
    if LIVE.data or state.current().dispatch:
        plain, tensors = False, True  # handlers see Tensors; nothing is recorded all the same
    if plain and wanted is not None and collect:
        only = _into_leaves(roots, grads, keep, wanted)
        if only is not None:
            return only
    if wanted is not None:
        needed = _needed(roots, wanted)
        found = [None] * len(wanted)
    if wanted is not None and collect:
        for k, edge in enumerate(wanted):
            node, number = (edge.node, edge.number) if type(edge) is Port else (edge, 0)
            captures.setdefault(node, []).append((k, number))
    frame = user_frame(sys._getframe(2))
    spot = (frame.f_code, frame.f_lasti)
    token = state.switch_grad(graph)
    try:
        if plain and wanted is None:
            sweep_lightly(roots, [grad._array for grad in grads], keep, spot, _run_heard)
        else:
            collected = wanted is None or not collect
            _sweep(roots, grads, keep, tensors, needed, captures, found, spot, collected)
    finally:
        state.restore(token)
    return found


def backward_of_one(root: Any, grad: np.ndarray[Any, Any], keep: bool) -> None:
    """`backward` from one edge into all leaves, its gradient an array: what `loss.backward()`
    needs.
    """
    if LIVE.data or not state.ordinary() or (AccumulateGrad.heard and _listened((root,))):
        backward((root,), (wrap(grad),), keep, False)
        return
    frame = sys._getframe(2)
    if id(frame.f_code) not in USER:
        frame = user_frame(frame)
    token = state.switch_grad(False)
    try:
        sweep_lightly((root,), (grad,), keep, (frame.f_code, frame.f_lasti), _run_heard)
    finally:
        state.restore(token)


def _into_leaves(
    roots: Sequence[Any], grads: Sequence[Any], keep: bool, wanted: Sequence[Any]
) -> list[Any] | None:
    """The gradients of leaves, none of which has a hook; None where others are wanted too."""
    if any(type(edge) is not AccumulateGrad for edge in wanted):
        return None
    only: dict[Any, Any] = dict.fromkeys(wanted)
    leaves = _leaves_of(roots)
    needed = None if leaves and leaves <= only.keys() else _needed(roots, wanted)

    def heard(node: Node, given: Any, keep: bool, spot: Any) -> Any:
        return _visit(node, given, False, keep, needed, {}, [], spot, True)

    frame = sys._getframe(3)
    if id(frame.f_code) not in USER:
        frame = user_frame(frame)
    token = state.switch_grad(False)
    try:
        spot = (frame.f_code, frame.f_lasti)
        sweep_lightly(roots, [grad._array for grad in grads], keep, spot, heard, only, needed)
    finally:
        state.restore(token)
    return [only[edge] for edge in wanted]


def _leaves_of(roots: Sequence[Any]) -> set[Any]:
    """The leaves that the roots lead to."""
    stack = [edge.node if type(edge) is Port else edge for edge in roots]
    seen, found = set(stack), set()
    while stack:
        node = stack.pop()
        if type(node) is AccumulateGrad:
            found.add(node)
        for edge in node.edges:
            target = edge.node if type(edge) is Port else edge
            if target is not None and target not in seen:
                seen.add(target)
                stack.append(target)
    return found


def _run_heard(node: Node, given: Any, keep: bool, spot: Any) -> Any:
    """A node with hooks, in a sweep of the light kind."""
    return _visit(node, given, False, keep, None, {}, [], spot, True)


def _listened(roots: Sequence[Any]) -> bool:
    """Whether a leaf with a hook lies on a way from the roots."""
    heard = {leaf for leaf in tuple(AccumulateGrad.heard) if leaf.hooks}
    if not heard:
        return False
    stack = [edge.node if type(edge) is Port else edge for edge in roots]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node in heard:
            return True
        for edge in node.edges:
            target = edge.node if type(edge) is Port else edge
            if target is not None and target not in seen:
                seen.add(target)
                stack.append(target)
    return False


def _count(starts: Sequence[Node]) -> dict[Node, int]:
    """How many gradients each node waits for."""
    waits = dict.fromkeys(starts, 0)
    stack = list(waits)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                node = edge.node if type(edge) is Port else edge
                if node in waits:
                    waits[node] += 1
                else:
                    waits[node] = 1
                    if node.edges:
                        stack.append(node)
    return waits


def _needed(roots: Sequence[Any], wanted: Sequence[Any]) -> set[Node]:
    """The nodes on a way from the roots to what is wanted."""
    targets = {edge.node if type(edge) is Port else edge for edge in wanted}
    needed = set(targets)
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(edge.node if type(edge) is Port else edge, False) for edge in roots]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        stack.extend((e.node if type(e) is Port else e, False) for e in node.edges if e is not None)
    for node in order:
        if any((e.node if type(e) is Port else e) in needed for e in node.edges if e is not None):
            needed.add(node)
    return needed


class _Leaves:
    """Gradients on their way into leaves.

    Where nobody listens to a leaf, its first gradient goes into an empty `.grad` at once and
    further ones are added there; a `.grad` that holds something waits for the sum, so that rounding
    is PyTorch's. With hooks, captures or a recorded backward the leaves' turns matter: then
    gradients are counted, and a leaf goes when its last one arrived.
    """

    __slots__ = ("fresh", "held", "waits")

    def __init__(self, waits: dict[Node, int] | None) -> None:
        self.waits = waits
        self.held: dict[AccumulateGrad, Any] = {}
        self.fresh: set[AccumulateGrad] = set()

    def quickly(self, leaf: AccumulateGrad, grad: Any, spot: Any) -> None:
        """A gradient for a leaf nobody listens to."""
        held = self.held
        if leaf in held:
            held[leaf] = plus(held[leaf], grad)
            return
        if leaf not in self.fresh:
            variable = leaf.variable_ref()
            if variable is None:
                return
            if variable._grad is not None:
                held[leaf] = grad
                return
            self.fresh.add(leaf)
        accumulate(leaf, grad, False, spot)

    def counted(self, leaf: AccumulateGrad, grad: Any) -> bool:
        """Keep a gradient; whether it was the leaf's last."""
        assert self.waits is not None
        held = self.held
        old = held.pop(
            leaf, None
        )  # popped and put back: the order of `held` is that of last arrivals
        held[leaf] = grad if old is None else old if grad is None else plus(old, grad)
        left = self.waits[leaf] = self.waits[leaf] - 1
        return left <= 0


def _sweep(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool,
    graph: bool,
    needed: set[Node] | None,
    captures: dict[Any, Any],
    found: list[Any],
    spot: Any,
    collect: bool,
) -> None:
    starts = [edge.node if type(edge) is Port else edge for edge in roots]
    waits = _count(starts) if graph or captures or _listened(roots) else None
    leaves = _Leaves(waits)
    pending: dict[Node, Any] = {}
    ready: list[tuple[int, int, Node]] = []

    def visit(node: Node, given: Any) -> Any:
        return _visit(node, given, graph, keep, needed, captures, found, spot, collect)

    if waits is not None:
        for start in starts:
            waits[start] += 1
    for edge, grad, start in zip(roots, grads, starts, strict=True):
        value = grad if graph else grad._array
        if type(start) is AccumulateGrad:
            if waits is None:
                leaves.quickly(start, value, spot)
            else:
                if leaves.counted(start, value):
                    visit(start, leaves.held.pop(start))
            continue
        if start not in pending:
            heappush(ready, (-start.sequence, id(start), start))
        add(pending, edge, start, value)

    # A node's number is larger than those of the nodes it sends gradients to, so the latest node
    # that is known has received all of its gradients: no counting is needed, and the order is
    # PyTorch's.
    node: Any
    while ready:
        node = heappop(ready)[2]
        given = pending.pop(node)
        while node is not None:
            edges = node.edges
            results = visit(node, given)
            if isinstance(node, OpNode) and node.saved is FREED:
                node.freed = spot
            # The latest node that becomes known here stays out of the queue: in a chain it is the
            # next.
            latest = carried = None
            for edge, grad in zip(edges, results):
                if edge is None:
                    continue
                port = type(edge) is Port
                target = edge.node if port else edge
                if needed is not None and target not in needed:
                    continue
                if grad is not None:
                    shape, dtype = target.shape, target.dtype
                    if port:
                        shape, dtype = shape[edge.number], dtype[edge.number]
                    if type(grad) is nd:
                        if grad.shape != shape or grad.dtype is not dtype:
                            grad = fit(target, grad, shape, dtype)
                    else:
                        grad = (fit_tensor if graph else fit)(target, grad, shape, dtype)
                if type(target) is AccumulateGrad:
                    if waits is not None:
                        if leaves.counted(target, grad):
                            visit(target, leaves.held.pop(target))
                    elif grad is not None and collect:
                        leaves.quickly(target, grad, spot)
                elif port or target.outputs > 1:
                    if target not in pending:
                        heappush(ready, (-target.sequence, id(target), target))
                    add(pending, edge, target, grad)
                elif target is latest:
                    carried = (
                        grad
                        if carried is None
                        else carried
                        if grad is None
                        else plus(carried, grad)
                    )
                elif target in pending:
                    add(pending, edge, target, grad)
                elif latest is None:
                    latest, carried = target, grad
                else:
                    if target.sequence > latest.sequence:
                        latest, target, carried, grad = target, latest, grad, carried
                    heappush(ready, (-target.sequence, id(target), target))
                    pending[target] = grad
            grad = results = None
            if latest is not None and ready and -latest.sequence > ready[0][0]:
                pending[latest] = carried
                node = heappushpop(ready, (-latest.sequence, id(latest), latest))[2]
                given = pending.pop(node)
            else:
                node, given = latest, carried
    for leaf, grad in tuple(leaves.held.items()):
        if waits is not None:
            visit(leaf, grad)
        elif collect:
            accumulate(leaf, grad, graph, spot)


def _visit(
    node: Node,
    given: Any,
    graph: bool,
    keep: bool,
    needed: set[Node] | None,
    captures: dict[Any, Any],
    found: list[Any],
    spot: Any,
    collect: bool,
) -> Any:
    """A node with hooks, several outputs, captures, or in a pruned graph: the gradients for its
    edges.
    """
    hooks = node.hooks
    nothing = (None,) * len(node.edges)
    arrived = given
    if hooks is not None and given is not None:
        given = run_tensor_hooks(node, hooks, given, graph)
    if captures and node in captures:
        # A gradient that travels on is returned as it was before the hooks, as in PyTorch.
        value = arrived if needed is not None and _leads_on(node.edges, needed) else given
        for k, number in captures[node]:
            found[k] = value[number] if node.outputs > 1 else value
    if type(node) is AccumulateGrad:
        if given is not None and collect and (needed is None or node in needed):
            if hooks is not None and hooks.before:
                given = run_before(node, hooks, given, graph)
            accumulate(node, given, graph, spot)
            if hooks is not None and hooks.after:
                run_after(node, hooks, (), given, graph)
        return nothing
    if needed is not None and (node not in needed or not _leads_on(node.edges, needed)):
        return nothing
    if given is None or (node.outputs > 1 and all(g is None for g in given)):
        return nothing
    if hooks is not None and hooks.before:
        given = run_before(node, hooks, given, graph)
    check = state.current().anomaly
    results: Any
    if check:
        from flambeau.core.anomaly import watched

        results = watched(node, given, graph, keep, check)
    else:
        results = node.run(given, graph, keep)
    if hooks is not None and hooks.after:
        results = run_after(node, hooks, results, given, graph)
    return results


def _leads_on(edges: Any, needed: set[Node]) -> bool:
    return any(
        (edge.node if type(edge) is Port else edge) in needed for edge in edges if edge is not None
    )
