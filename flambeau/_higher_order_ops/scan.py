"""A loop that carries values from step to step and keeps what every step gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["scan"]


def scan(
    combine_fn: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    *,
    dim: int = 0,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """``carry, out[k] = combine_fn(carry, xs[k])`` along a dimension; gives the last carry and all
    outs, stacked along the first dimension.

    Args:
        init: the first carry, a tree.
        xs: a tensor, or a tree of tensors of the same size along `dim`.
        reverse: from the last to the first; the outs keep their places.

    Raises:
        RuntimeError: no tensors in `xs`, or no steps.
    """
    leaves, spec = tree_flatten(xs)
    if not leaves or not all(isinstance(leaf, Tensor) for leaf in leaves):
        raise fail(RuntimeError, "scan", "expected xs to be a tensor or a tree of tensors")
    lines = [leaf.unbind(wrap_dim(dim, leaf.ndim)) for leaf in leaves]
    steps = list(zip(*lines, strict=True))
    if not steps:
        raise fail(RuntimeError, "scan", "expected at least one step along the dimension")
    carry, outs = init, []
    for step in reversed(steps) if reverse else steps:
        carry, out = combine_fn(carry, tree_unflatten(step, spec))
        outs.append(out)
    if reverse:
        outs.reverse()
    return carry, tree_map(lambda *each: flambeau.stack(each), *outs)
