"""A function of every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["map"]


def map(f: Callable[..., Any], xs: Any, *args: Any) -> Any:
    """``f(xs[k], *args)`` for every k, stacked.

    Args:
        xs: a tensor, or a tree of tensors of the same first size.

    Raises:
        RuntimeError: no tensors in `xs`, or no rows.
    """
    leaves, spec = tree_flatten(xs)
    if not leaves or not all(isinstance(leaf, Tensor) and len(leaf) for leaf in leaves):
        raise fail(RuntimeError, "map", "expected tensors with at least one row in xs")
    rows = zip(*[leaf.unbind(0) for leaf in leaves], strict=True)
    outs = [f(tree_unflatten(row, spec), *args) for row in rows]
    return tree_map(lambda *each: flambeau.stack(each), *outs)
