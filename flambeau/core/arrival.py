"""Where a gradient arrives: fitted to what it is the gradient of, summed, shown to hooks.

What `engine` (with all of its options) and `sweep` (the common backward) share. Stands on hooks,
accumulate, shapes, silence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.accumulate import accumulate
from flambeau.core.batch.array import Batched
from flambeau.core.crossing import across, across_tensor
from flambeau.core.errors import fail
from flambeau.core.hooks import run_after, run_before, run_tensor_hooks
from flambeau.core.node import AccumulateGrad, Node, Port
from flambeau.core.shapes import sum_to
from flambeau.core.silence import quiet, run
from flambeau.core.tensor import Tensor

__all__ = ["add", "fit", "fit_tensor", "plus", "visit"]

nd = np.ndarray


def visit(
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


def fit(node: Node, grad: Any, shape: Any, dtype: Any) -> Any:
    """A gradient with the shape and dtype of what it is the gradient of."""
    if hasattr(grad, "is_sparse_data"):
        if grad.shape == shape:
            return grad if grad.dtype == dtype else grad.astype(dtype)
        grad = grad.dense()  # of a broadcast operand: summed below
    if type(grad) is not nd:
        if type(grad) is Batched:
            grad = across(node, grad)
        elif isinstance(grad, np.generic):
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
    if type(grad._array) is Batched:
        grad = across_tensor(node, grad)
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
            f"returned an invalid gradient: got {list(given)} but expected shape compatible with "
            f"{list(shape)}",
        )


def add(pending: dict[Node, Any], edge: Any, node: Node, grad: Any) -> None:
    """Sum a gradient into what has arrived for a node."""
    if node.outputs == 1:
        old = pending.get(node)
        pending[node] = grad if old is None else old if grad is None else plus(old, grad)
        return
    slots = pending.get(node)
    if slots is None:
        slots = pending[node] = [None] * node.outputs
    if grad is not None:
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
