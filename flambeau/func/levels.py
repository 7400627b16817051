"""What the transforms stand on: inputs with a node of their own level, and linear maps read off the
graph.

A transform gives its inputs a `LevelNode` each, so that a gradient can be taken with respect to
them while their own history, of outer transforms or of the user's graph, stays connected behind it.
Stands on core.node and autograd.backward.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from flambeau.autograd.backward import grad as gradients
from flambeau.autograd.modes import enable_grad
from flambeau.core import state
from flambeau.core.batch.array import TRANSFORMING
from flambeau.core.context import assign, reset
from flambeau.core.declare import ops
from flambeau.core.forward import PUSHING
from flambeau.core.node import Node, Port
from flambeau.core.provenance import user_frame
from flambeau.core.tensor import Tensor, edge_of, wrap, wrap_like_view

__all__ = [
    "LevelNode",
    "differentiable",
    "enter",
    "leave",
    "open_graph",
    "pull",
    "push",
    "transforming",
]


class LevelNode(Node):
    """The identity at the door of a transform."""

    __slots__ = ()

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        return [grads]

    def name(self) -> str:
        return "AliasBackward0"


class transforming(enable_grad):
    """The block in which a transform runs its function: operations record, and a Function must be
    of the form that transforms take.
    """

    def __enter__(self) -> None:
        super().__enter__()
        self.token = assign(TRANSFORMING, True)

    def __exit__(self, *exc: object) -> None:
        reset(TRANSFORMING, self.token)
        super().__exit__(*exc)


def differentiable(value: Any) -> bool:
    """Whether a value can have a gradient: a floating-point or complex tensor."""
    return isinstance(value, Tensor) and (value.dtype.is_floating_point or value.dtype.is_complex)


def enter(tensor: Tensor) -> Tensor:
    """The tensor as a transform's function sees it: the same memory, with a node of this level."""
    outer = edge_of(tensor) if state.grad_enabled() else None
    inner = wrap_like_view(tensor._array, tensor)
    if (
        type(tensor) is not Tensor
        and isinstance(tensor, Tensor)
        and type(tensor).__name__ not in ("Parameter", "Buffer")
    ):
        inner = inner.as_subclass(type(tensor))
    node = LevelNode()
    node.edges = () if outer is None else (outer,)
    node.hooks = None
    node.shape, node.dtype = tensor._array.shape, tensor._array.dtype
    frame = user_frame(sys._getframe(1))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    node.sequence = state.next_sequence()
    inner._edge = node
    return inner


def open_graph(tensors: Iterable[Any], own: Sequence[Tensor]) -> bool:
    """Whether the graph behind `tensors` goes beyond the inputs of this level: then results stay in
    the graph.
    """
    mine = {t._edge for t in own}
    stack = [edge_of(t) for t in tensors if isinstance(t, Tensor)]
    seen: set[Any] = set()
    while stack:
        edge = stack.pop()
        node: Any = edge.node if isinstance(edge, Port) else edge
        if node is None or node in seen:
            continue
        seen.add(node)
        if not node.edges:
            if node not in mine:
                return True
        elif node in mine:
            return True
        else:
            stack.extend(node.edges)
    return False


def leave(value: Any, keep: bool) -> Any:
    """A result on its way out of the transform: without history unless the graph goes on."""
    if not isinstance(value, Tensor) or keep or value._edge is None:
        return value
    return value.detach()


def pull(
    outputs: Sequence[Any],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Any],
    create_graph: bool,
    retain: bool = True,
) -> list[Tensor]:
    """The vector-Jacobian product; zeros where an input is not used."""
    pairs = [
        (o, c)
        for o, c in zip(outputs, cotangents, strict=True)
        if isinstance(o, Tensor) and edge_of(o) is not None
    ]
    found: Sequence[Any] = [None] * len(inputs)
    if pairs:
        found = gradients(
            [o for o, _ in pairs],
            list(inputs),
            [c for _, c in pairs],
            retain_graph=retain,
            create_graph=create_graph,
            allow_unused=True,
        )
    return [
        ops.zeros_like(x.detach()) if g is None else g for g, x in zip(found, inputs, strict=True)
    ]


def push(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor]
) -> Callable[[Sequence[Tensor], bool], list[Tensor]]:
    """The Jacobian-vector product as a function of the tangents: the gradient of the
    vector-Jacobian product, which is linear in its cotangents, with respect to them."""
    # Ones, though any would do: a rule may take the logarithm of its cotangent (logcumsumexp).
    live = [k for k, o in enumerate(outputs) if differentiable(o) and edge_of(o) is not None]
    seeds = [enter(wrap(np.ones(outputs[k]._array.shape, outputs[k]._array.dtype))) for k in live]
    found: Sequence[Any] = ()
    if live:
        token = assign(PUSHING, True)
        try:
            found = gradients(
                [outputs[k] for k in live],
                list(inputs),
                seeds,
                create_graph=True,
                allow_unused=True,
            )
        finally:
            reset(PUSHING, token)

    def along(tangents: Sequence[Tensor], create_graph: bool) -> list[Tensor]:
        pairs = [
            (g, t)
            for g, t in zip(found, tangents, strict=False)
            if g is not None and edge_of(g) is not None
        ]
        results: list[Any] = [None] * len(outputs)
        if pairs:
            got = gradients(
                [g for g, _ in pairs],
                seeds,
                [t for _, t in pairs],
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
            for k, value in zip(live, got, strict=True):
                results[k] = value
        return [
            ops.zeros_like(o.detach()) if r is None else r
            for r, o in zip(results, outputs, strict=True)
        ]

    return along
