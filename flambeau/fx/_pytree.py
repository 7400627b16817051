"""Nested inputs of a graph as the leaves it is given. Stands on utils._pytree."""

from __future__ import annotations

from typing import Any

from flambeau.utils._pytree import tree_flatten

__all__ = ["tree_flatten_spec"]


def tree_flatten_spec(pytree: Any, spec: Any) -> list[Any]:
    """The leaves of a container.

    Args:
        pytree: the container. spec: how it was nested when the graph was made.

    Raises:
        ValueError: it is nested otherwise now.
    """
    leaves, found = tree_flatten(pytree)
    if found.num_leaves != spec.num_leaves:
        raise ValueError(
            f"the graph was made for {spec.num_leaves} values, given are {found.num_leaves}. "
            "Nest the inputs as when it was traced."
        )
    return leaves
