"""Which pipes a pipe reads: `traverse_dps`. Stands on the pipes' attributes alone."""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

__all__ = ["traverse", "traverse_dps"]

CONTAINERS = (list, tuple, set, dict)


def _sources(value: Any, found: dict[int, Any], seen: set[int]) -> None:
    """The pipes in a value's attributes and members, not in those of pipes."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (IterDataPipe, MapDataPipe)):
        found[id(value)] = value
    elif isinstance(value, dict):
        for pair in value.items():
            for each in pair:
                _sources(each, found, seen)
    elif isinstance(value, CONTAINERS):
        for each in value:
            _sources(each, found, seen)


def traverse_dps(datapipe: Any) -> dict[int, tuple[Any, Any]]:
    """``{id: (pipe, {...})}``: a pipe with those that it reads, and so on.

    Raises:
        RuntimeError: something else is given.
    """
    return _graph(datapipe, set())


def _graph(datapipe: Any, above: set[int]) -> dict[int, tuple[Any, Any]]:
    if not isinstance(datapipe, (IterDataPipe, MapDataPipe)):
        raise RuntimeError(
            f"Expected `IterDataPipe` or `MapDataPipe`, but {type(datapipe)} is found"
        )
    if id(datapipe) in above:
        return {}
    found: dict[int, Any] = {}
    seen = {id(datapipe)}
    for value in vars(datapipe).values():
        _sources(value, found, seen)
    below: dict[int, tuple[Any, Any]] = {}
    for pipe in found.values():
        below |= _graph(pipe, above | {id(datapipe)})
    return {id(datapipe): (datapipe, below)}


def traverse(datapipe: Any, only_datapipe: bool | None = None) -> dict[int, tuple[Any, Any]]:
    """`traverse_dps`, by its old name."""
    warnings.warn(
        "`traverse` function and will be removed after 1.13. Please use `traverse_dps` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return traverse_dps(datapipe)
