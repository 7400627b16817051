"""Custom operations in the graph: an `autograd.Function` for each, which takes lists apart.

The user's ``setup_context`` and ``backward`` see inputs, outputs and gradients as the operation has
them; the graph sees the tensors in them, one by one. Stands on autograd.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flambeau.autograd.function import Function
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_unflatten

if TYPE_CHECKING:
    from flambeau.library.custom import CustomOpDef

__all__ = ["function_of", "in_graph"]


def in_graph(op: CustomOpDef, inputs: tuple[Any, ...]) -> Any:
    """Run the operation and record it."""
    leaves, spec = tree_flatten(inputs)
    made: list[Any] = []
    tensors = op._function.apply(spec, made, *leaves)
    outputs, shape = made
    rest = iter(tensors if isinstance(tensors, tuple) else (tensors,))
    return tree_unflatten([next(rest) if isinstance(x, Tensor) else x for x in outputs], shape)


def function_of(op: CustomOpDef) -> type[Function]:
    """The class whose `apply` takes the structure of the inputs, a list for the outputs and their
    structure, and the inputs' leaves.
    """
    name = f"GeneratedBackwardFor_{op._namespace}_{op._name}_default"

    def forward(ctx: Any, spec: Any, made: list[Any], *leaves: Any) -> Any:
        inputs = tree_unflatten(list(leaves), spec)
        found = op._run(inputs)
        needs = tree_unflatten(list(ctx.needs_input_grad[2:]), spec)
        ctx.needs_input_grad = op.apart(tuple(needs))[0]
        if op._setup is not None:
            _set_up(op, ctx, inputs, found)
        outputs, shape = tree_flatten(found)
        made += [outputs, shape]
        ctx._structure = spec, shape, [isinstance(x, Tensor) for x in outputs]
        tensors = tuple([x for x in outputs if isinstance(x, Tensor)])
        return tensors[0] if len(tensors) == 1 else tensors

    def backward(ctx: Any, *grads: Any) -> Any:
        if op._backward is None:
            raise fail(
                RuntimeError,
                op._qualname,
                f"Trying to backward through {op._namespace}.{op._name}.default but no autograd "
                "formula was registered. Please use "
                "register_autograd to add one.",
            )
        spec, shape, kinds = ctx._structure
        rest = iter(grads)
        given = tree_unflatten([next(rest) if tensor else None for tensor in kinds], shape)
        found = op._backward(ctx, *(given if isinstance(given, tuple) else (given,)))
        return None, None, *_by_leaf(op, found, spec)

    return type(
        name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    )


def _set_up(op: CustomOpDef, ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    assert op._setup is not None
    plain, named = op.apart(inputs)
    if named:
        op._setup(ctx=ctx, inputs=plain, keyword_only_inputs=named, output=output)
    elif _keyword(op._setup):
        op._setup(ctx=ctx, inputs=plain, output=output)
    else:
        op._setup(ctx, plain, output)


def _by_leaf(op: CustomOpDef, found: Any, spec: Any) -> list[Any]:
    """The gradients of the leaves of all inputs: None for what has none.

    Raises:
        RuntimeError: not one for each positional input.
    """
    given = list(found) if isinstance(found, (list, tuple)) else [found]
    parts = spec.children_specs
    count = len(parts) - len(op._keywords)
    if len(given) != count:
        raise fail(
            RuntimeError,
            op._qualname,
            f"the backward formula returned {len(given)} gradients, expected {count}: one for "
            "each input, None for what has none",
        )
    leaves: list[Any] = []
    for part, grad in zip(parts, (*given, *[None] * len(op._keywords)), strict=True):
        many = isinstance(grad, (list, tuple))
        leaves += list(grad) if many else [grad] * part.num_leaves
    return leaves


def _keyword(function: Callable[..., Any]) -> bool:
    kinds = inspect.signature(function).parameters.values()
    return any(p.kind is p.KEYWORD_ONLY for p in kinds)
