"""Backward: nodes in the order PyTorch takes them, gradients summed where paths meet, hooks where they hang.

Ready nodes go by sequence number, latest first; a leaf's accumulation goes as soon as it is ready. Without
`create_graph` gradients travel as bare arrays, with it as Tensors. Stands on node, rules, tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.accumulate import accumulate
from flambeau.core.errors import fail
from flambeau.core.hooks import run_after, run_before, run_tensor_hooks
from flambeau.core.node import NONE_OF_THREE, NOTHING_SAVED, AccumulateGrad, ElementNode, Node, OpNode, Port
from flambeau.core.provenance import user_frame
from flambeau.core.rules import FREED, run_quick
from flambeau.core.shapes import sum_to
from flambeau.core.silence import quiet, run
from flambeau.core.tensor import Tensor

__all__ = ["backward"]

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
        collect: with `wanted`, return gradients (autograd.grad); else accumulate only into those leaves.

    Returns:
        The gradients of `wanted`, None where none arrived.
    """
    needed = None
    captures: dict[Any, Any] = {}
    found: list[Any] = []
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
        _sweep(roots, grads, keep, graph, needed, captures, found, spot, wanted is None or not collect)
    finally:
        state.restore(token)
    return found


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


def _sweep(
    roots: Sequence[Any],
    grads: Sequence[Any],
    keep: bool,
    graph: bool,
    needed: set[Node] | None,
    captures: dict[Any, Any],
    found: list[Any],
    spot: Any,
    collect_leaves: bool,
) -> None:
    starts = [edge.node if type(edge) is Port else edge for edge in roots]
    waits = _count(starts)
    watch = state.current().anomaly
    pending: dict[Node, Any] = {}
    ready: list[tuple[int, int, Node]] = []
    for edge, grad, node in zip(roots, grads, starts, strict=True):
        first = node not in pending
        _add(pending, edge, node, grad if graph else grad._array)
        if first and not waits.get(node):
            heappush(ready, (-node.sequence, id(node), node))
    while ready:
        node = heappop(ready)[2]
        while node is not None:
            given = pending.pop(node)
            edges = node.edges
            hooks = node.hooks
            if hooks is None and needed is None and given is not None and node.outputs == 1 and edges and not watch:
                # The common case: everything is wanted, nobody listens.
                results = None
                if type(node) is ElementNode and not graph and type(given) is nd and node.op.quick:
                    try:
                        results = run(run_quick, node.op, node, given)
                    except RuntimeError:
                        results = None
                if results is None:
                    results = node.run(given, graph, keep)
                elif not keep:
                    saved = node.saved
                    if saved is not NOTHING_SAVED and saved is not NONE_OF_THREE:
                        node.saved = FREED
            else:
                results = _visit(node, given, graph, keep, needed, captures, found, spot, collect_leaves)
            if isinstance(node, OpNode) and node.saved is FREED:
                node.freed = spot
            node = None
            for edge, grad in zip(edges, results):  # noqa: B905 (run gives one for each edge)
                if edge is None:
                    continue
                if type(edge) is Port:
                    target = edge.node
                    if grad is not None and (needed is None or target in needed):
                        shape, dtype = target.shape[edge.number], target.dtype[edge.number]
                        grad = fit_tensor(target, grad, shape, dtype) if graph else fit(target, grad, shape, dtype)
                        _add(pending, edge, target, grad)
                else:
                    target = edge
                    if grad is not None and (needed is None or target in needed):
                        if type(grad) is nd:
                            if grad.shape != target.shape or grad.dtype is not target.dtype:
                                grad = fit(target, grad, target.shape, target.dtype)
                        else:
                            how = fit_tensor if graph else fit
                            grad = how(target, grad, target.shape, target.dtype)
                        if target in pending:
                            pending[target] = plus(pending[target], grad)
                        else:
                            pending[target] = grad
                left = waits[target] = waits[target] - 1
                if left:
                    continue
                if type(target) is AccumulateGrad and target.hooks is None and not captures:
                    if target in pending:
                        grad = pending.pop(target)
                        if collect_leaves and (needed is None or target in needed):
                            accumulate(target, grad, graph, spot)
                    continue
                if target not in pending:
                    if type(target) is AccumulateGrad:
                        continue
                    pending[target] = [None] * target.outputs if target.outputs > 1 else None
                if node is None and not ready:
                    node = target  # nothing else is ready: no need to queue
                else:
                    if node is not None:
                        heappush(ready, (-node.sequence, id(node), node))
                        node = None
                    heappush(ready, (-target.sequence, id(target), target))
            grad = given = results = None


def _visit(
    node: Node,
    given: Any,
    graph: bool,
    keep: bool,
    needed: set[Node] | None,
    captures: dict[Any, Any],
    found: list[Any],
    spot: Any,
    collect_leaves: bool,
) -> Any:
    """A node with hooks, several outputs, captures, or in a pruned graph: the gradients for its edges."""
    hooks = node.hooks
    nothing = (None,) * len(node.edges)
    if hooks is not None:
        given = run_tensor_hooks(node, hooks, given, graph)
    if captures and node in captures:
        for k, number in captures[node]:
            found[k] = given[number] if node.outputs > 1 else given
    if type(node) is AccumulateGrad:
        if collect_leaves and (needed is None or node in needed):
            accumulate(node, given, graph, spot)
        return nothing
    if needed is not None and (node not in needed or not _leads_on(node.edges, needed)):
        return nothing
    if given is None or (node.outputs > 1 and all(g is None for g in given)):
        return nothing
    if hooks is not None and hooks.before:
        given = run_before(node, hooks, given, graph)
    check = state.current().anomaly
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


def fit(node: Node, grad: Any, shape: Any, dtype: Any) -> Any:
    """A gradient with the shape and dtype of what it is the gradient of."""
    if hasattr(grad, "is_sparse_data"):
        if grad.shape == shape:
            return grad if grad.dtype == dtype else grad.astype(dtype)
        grad = grad.dense()  # of a broadcast operand: summed below
    if type(grad) is not nd:
        if isinstance(grad, np.generic):
            grad = np.asarray(grad)
        elif isinstance(grad, Tensor):
            grad = grad._array
    if grad.shape != shape:
        grad = sum_to(grad, shape, node)
    if grad.dtype != dtype:
        if grad.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            grad = grad.real
        grad = grad.astype(dtype)
    return grad


def fit_tensor(node: Node, grad: Tensor, shape: Any, dtype: Any) -> Tensor:
    """The same on Tensors, inside the graph."""
    from flambeau.core.declare import ops
    from flambeau.core.dtypes import of

    if hasattr(grad._array, "is_sparse_data"):
        if grad._array.shape == shape:
            return grad
        grad = grad.to_dense()
    if grad._array.shape != shape:
        _check_sum(node, grad._array.shape, shape)
        grad = ops.sum_to_size(grad, shape)
    if grad._array.dtype != dtype:
        if grad._array.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            grad = ops.real(grad)
        grad = grad.to(of(dtype))
    return grad


def _check_sum(node: Node, given: Any, shape: Any) -> None:
    lead = len(given) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, given[lead:], strict=True)):
        raise fail(
            RuntimeError,
            node.name(),
            f"returned an invalid gradient: got {list(given)} but expected shape compatible with {list(shape)}",
        )


def _add(pending: dict[Node, Any], edge: Any, node: Node, grad: Any) -> None:
    """Sum a gradient into what has arrived for a node."""
    if node.outputs == 1:
        old = pending.get(node)
        pending[node] = grad if old is None else plus(old, grad)
    else:
        slots = pending.get(node)
        if slots is None:
            slots = pending[node] = [None] * node.outputs
        number = edge.number if type(edge) is Port else 0
        old = slots[number]
        slots[number] = grad if old is None else plus(old, grad)


def plus(a: Any, b: Any) -> Any:
    """The sum of two gradients, of whatever kind they are."""
    if type(a) is nd and type(b) is nd:
        try:
            found = run(np.add, a, b)
        except RuntimeError:
            found = quiet(np.add, a, b)
        return found if type(found) is nd else np.asarray(found)
    if type(a) is nd and hasattr(b, "is_sparse_data"):
        return b + a
    return a + b
