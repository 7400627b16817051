"""`autograd.Function` inside transforms: what it must declare, its own way of batching, and its own
tangents.

Stands on core.crossing, core.batch and core.node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import state
from flambeau.core.batch.array import ACTIVE, Batched
from flambeau.core.context import assign, reset
from flambeau.core.crossing import enter_level, leave_level
from flambeau.core.errors import fail
from flambeau.core.node import Node, Port
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["VmapInfo", "apply_by_level", "call_rule", "check_form", "moved"]


class VmapInfo(NamedTuple):
    """What a Function's `vmap` is told: how many samples there are, and how they draw."""

    batch_size: int
    randomness: str


def check_form(cls: Any, base: Any) -> None:
    """Whether the Function is written in the form that transforms take.

    Raises:
        RuntimeError: its `forward` takes `ctx`.
    """
    if cls.setup_context is base.setup_context:
        raise fail(
            RuntimeError,
            cls.__name__,
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, "
            "jacrev, ...), it must override the setup_context staticmethod: write "
            "forward(*args) without ctx, and save in setup_context(ctx, inputs, output).",
        )


def apply_by_level(cls: Any, base: Any, args: tuple[Any, ...]) -> Any:
    """The call on a batch by the Function's own `vmap`; NotImplemented where the ordinary call does
    (no batch among the arguments, or the rule is to be generated).

    Raises:
        RuntimeError: neither `vmap` nor `generate_vmap_rule`, or both.
    """
    if not _mapped(tree_flatten(args)[0]):
        return NotImplemented
    own = cls.vmap is not base.vmap
    if cls.generate_vmap_rule and own:
        raise fail(
            RuntimeError,
            cls.__name__,
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overriden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            "overriden vmap staticmethod to avoid ambiguity.",
        )
    if cls.generate_vmap_rule:
        return NotImplemented
    if not own:
        raise fail(
            RuntimeError,
            cls.__name__,
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True.",
        )
    return call_rule(cls.__name__, cls.vmap, args)


def _mapped(leaves: list[Any]) -> list[bool]:
    """Which of the arguments differ from sample to sample of the innermost vmap; none: empty."""
    level = ACTIVE.get()[-1].number
    mapped = [
        isinstance(x, Tensor) and type(x._array) is Batched and level in x._array.levels
        for x in leaves
    ]
    return mapped if any(mapped) else []


def call_rule(name: str, rule: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What `rule(info, in_dims, *args)` makes of the innermost vmap's batches, which it sees as
    plain tensors; NotImplemented where no argument is a batch.

    Args:
        rule: gives the output and its dimensions.

    Raises:
        RuntimeError: the rule gives something else.
    """
    level = ACTIVE.get()[-1]
    leaves, spec = tree_flatten(args)
    mapped = _mapped(leaves)
    if not mapped:
        return NotImplemented
    plain = [
        leave_level(x, level.number, 0, level.size) if m else x
        for x, m in zip(leaves, mapped, strict=True)
    ]
    in_dims = tree_unflatten([0 if m else None for m in mapped], spec)
    token = assign(ACTIVE, ACTIVE.get()[:-1])
    try:
        result = rule(VmapInfo(level.size, level.randomness), in_dims, *tree_unflatten(plain, spec))
    finally:
        reset(ACTIVE, token)
    return _entered(name, result, level.number)


def _entered(name: str, result: Any, level: int) -> Any:
    if not isinstance(result, tuple) or len(result) != 2:
        raise fail(
            RuntimeError,
            name,
            "Expected the vmap staticmethod to have two returns, an output and out_dims with "
            f"pytree structure compatible with the output; got a {type(result).__name__}.",
        )
    output, out_dims = result
    if isinstance(output, tuple):
        dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(output)
        return tuple(_one(o, d, level) for o, d in zip(output, dims, strict=True))
    return tree_map(lambda o: _one(o, out_dims, level), output)


def _one(output: Any, dim: Any, level: int) -> Any:
    if dim is None or not isinstance(output, Tensor):
        return output
    return enter_level(output, level, dim % output.ndim)


class JvpNode(Node):
    """The step of a forward pass whose gradient is a Function's `jvp`: the transpose of its
    backward, which runs in its place.
    """

    __slots__ = ("call", "shown")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        call = self.call
        context, function = call._context, call.function
        given: list[Any] = [None] * call._arguments
        steps = grads if self.outputs > 1 else [grads]
        for k, step, (shape, kind) in zip(call._positions, steps, call._inputs, strict=True):
            if step is None and context.materialize_grads:
                step = np.zeros(shape, kind)
            step = step if step is None or isinstance(step, Tensor) else wrap(step)
            # What jvp writes in place may be another tensor's tangent, too.
            given[k] = step.clone() if step is not None and k in call._written.values() else step
        context.moving = True
        try:
            found = function.jvp(context, *given)
        finally:
            del context.moving
        results = found if isinstance(found, tuple) else (found,)
        _check_tangents(call, results, given)
        return [r if graph or r is None else r._array for r in (results[k] for k in self.shown)]


def moved(call: Any, grads: Sequence[Tensor | None]) -> list[Tensor]:
    """The gradients of a Function's inputs, whose history is its `jvp` alone: only their transpose
    is asked for.
    """
    node = JvpNode()
    edges = [None if g is None else edge_of(g) for g in grads]
    node.shown = [k for k, e in enumerate(edges) if e is not None]
    node.edges = tuple(edges[k] for k in node.shown)
    node.hooks = None
    node.code, node.lasti = call.code, call.lasti
    node.sequence = state.next_sequence()
    node.call = call
    several = len(call._inputs) > 1
    shapes, kinds = zip(*call._inputs, strict=True)
    node.shape, node.dtype = (shapes, kinds) if several else (shapes[0], kinds[0])
    if several:
        node.outputs = len(shapes)
    found = []
    for k, (shape, kind) in enumerate(call._inputs):
        made = wrap(np.ones(shape, kind))
        if node.edges:
            made._edge = Port(node, k) if several else node
        found.append(made)
    return found


def _check_tangents(call: Any, results: tuple[Any, ...], given: list[Any]) -> None:
    """Whether a `jvp` gave a tangent for each output, of its shape.

    Raises:
        RuntimeError: it did not, or it did not write in place what `forward` wrote.
    """
    name = call.function.__name__
    if len(results) != call.outputs:
        raise fail(
            RuntimeError,
            name,
            f"jvp returned {len(results)} tangents, but forward returned {call.outputs} outputs: "
            "return one for each, None for those that have no gradient.",
        )
    shapes = call.shape if call.outputs > 1 else (call.shape,)
    for k, (tangent, shape) in enumerate(zip(results, shapes, strict=True)):
        if k in call._written and tangent is not given[call._written[k]]:
            raise fail(
                RuntimeError,
                name,
                f"forward writes argument {call._written[k]} in place, but jvp returned another "
                "tangent: write the tangent in place, and return it.",
            )
        if tangent is None:
            continue
        if not isinstance(tangent, Tensor) or tangent._array.shape != shape:
            text = list(tangent.shape) if isinstance(tangent, Tensor) else type(tangent).__name__
            raise fail(
                RuntimeError,
                name,
                f"jvp returned {text} as tangent {k}: expected a tensor of shape {list(shape)}, "
                f"as the output has.",
            )
