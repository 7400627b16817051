"""Following a tensor through a computation: where values computed from it leave the graph.

A mode that sees every operation of one run, on request alone: nothing is recorded otherwise. Stands
on core.overrides and provenance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flambeau.core import provenance, state
from flambeau.core.overrides import WHOLE, through
from flambeau.core.storage import storage_of
from flambeau.core.tensor import Tensor

__all__ = ["Follower", "follow"]

NAMES = {"_to_copy": "to", "_basic": "indexing"}
AT_MOST = 3
"""Places that are told."""


class Follower:
    """What an operation made of tensors on the way from one tensor: still in the graph, or cut.

    Args:
        tensor: where the way begins.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.kept: list[Any] = [tensor]  # so that an id stays true
        self.live = {id(tensor)}
        self.within: list[Any] = []
        self.memory = {id(storage_of(tensor))}
        self.cut: dict[int, str] = {}
        self.places: list[str] = []

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function in WHOLE and function not in self.within:
            return through(self, function, args, kwargs)
        given = list(_tensors((args, kwargs)))
        found = function(*args, **(kwargs or {}))
        reason = next((self.cut[id(x)] for x in given if id(x) in self.cut), None)
        alive = any(id(x) in self.live for x in given)
        if not alive:
            aliased = [x for x in given if self._shares(x)]
            if aliased:  # x.data, which is no operation: told where it is used
                reason = reason or self._note(".data")
        for result in _tensors(found):
            if result.requires_grad:  # type: ignore[attr-defined]
                if alive:
                    self._keep(result)
            elif alive or reason:
                name = getattr(function, "__name__", str(function))
                self.kept.append(result)
                self.cut[id(result)] = reason or self._note(NAMES.get(name, name.lstrip("_")))
        return found

    def _keep(self, tensor: Tensor) -> None:
        self.kept.append(tensor)
        self.live.add(id(tensor))
        self.memory.add(id(storage_of(tensor)))

    def _shares(self, tensor: Tensor) -> bool:
        storage = tensor._storage
        return storage is not None and (
            id(storage) in self.memory or id(storage.origin) in self.memory
        )

    def _note(self, name: str) -> str:
        name = "an operation under no_grad()" if not state.grad_enabled() else name
        told = f"{name} at {provenance.place(provenance.where())}"
        if told not in self.places:
            self.places.append(told)
        return told


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)


def follow(tensor: Tensor, run: Callable[[], Any]) -> str:
    """Run a computation and tell whether its result still depends on the tensor for the graph; if
    not, what cut it, and where.
    """
    follower = Follower(tensor)
    token = state.switch(functions=(*state.current().functions, follower))
    try:
        results = list(_tensors(run()))
    finally:
        state.restore(token)
    if any(id(x) in follower.live for x in results):
        return (
            "the result depends on it, and the graph leads back to it: call backward() on the "
            "result."
        )
    reason = next((follower.cut[id(x)] for x in results if id(x) in follower.cut), None)
    if reason is not None:
        return f"the path from it to the result is cut by {reason}. Keep that in the graph."
    if follower.places:
        return (
            "the result is not computed from it by tensor operations alone; values computed from "
            f"it left the graph by {'; '.join(follower.places[:AT_MOST])}."
        )
    return "the result is not computed from it by tensor operations."
