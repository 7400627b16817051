"""Forward rules: the tangent of an operation, where it is not the transpose of its gradient.

A Jacobian-vector product is the gradient of the vector-Jacobian product, so most operations need
no rule of their own. `forward` gives one to a gradient rule whose transpose is not PyTorch's
tangent (norms at 0, elements that several inputs claim). Stands on node and tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from flambeau.core import state
from flambeau.core.node import Node
from flambeau.core.tensor import Tensor, edge_of, wrap

__all__ = ["PUSHING", "forward", "transposed"]

PUSHING: ContextVar[bool] = ContextVar("flambeau_pushing", default=False)
"""Whether the gradient being taken serves for its transpose alone."""


def forward(
    tangent: Callable[..., Any],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a gradient rule its forward rule: `forward(tangent)(rule)`.

    `tangent` takes the input's tangent and the rule's saved values, and answers the output's.
    """

    def mark(rule: Callable[..., Any]) -> Callable[..., Any]:
        rule.forward = tangent  # type: ignore[attr-defined]
        return rule

    return mark


class TangentNode(Node):
    """The step whose gradient is a forward rule."""

    __slots__ = ("conjugate", "tangent", "values")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        step = grads if isinstance(grads, Tensor) else wrap(grads)
        if self.conjugate:
            step = step.conj()
        found = self.tangent(step, *self.values)
        if self.conjugate:
            found = found.conj()
        return [found if graph else found._array]


def transposed(result: Tensor, grads: Tensor, tangent: Any, values: Any, conjugate: bool) -> Tensor:
    """A rule's `result`, whose history is `tangent` instead of the rule's own operations.

    `conjugate`: the gradients around the rule are conjugated, so the tangents must be.
    """
    made = wrap(result._array)
    edge = edge_of(grads)
    if edge is None:
        return made
    node = TangentNode()
    node.edges = (edge,)
    node.hooks = None
    node.shape, node.dtype = made._array.shape, made._array.dtype
    node.code, node.lasti = None, 0
    node.sequence = state.next_sequence()
    node.tangent, node.values, node.conjugate = tangent, values, conjugate
    made._edge = node
    return made
