"""Areas of operations that load at the first use of one of their names.

`late_names` says which names an area publishes; `announce` puts a stand-in for each where
operations are looked up (`declare.ops`, Tensor), and the package's top level asks `load`. What no
program uses costs nothing at import. Stands on declare.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.late_names import AREAS
from flambeau.core.tensor import Tensor

__all__ = ["FUNCTIONS", "announce", "load", "load_all", "operation", "stands_in"]

FUNCTIONS = {name: area for area, (names, _, _) in AREAS.items() for name in names.split()}
"""The area of each late name that the package's top level offers."""


class Method:
    """A Tensor method in an area that has not loaded yet."""

    __slots__ = ("area", "name")

    def __init__(self, area: str, name: str) -> None:
        self.area = area
        self.name = name

    def __get__(self, tensor: Tensor | None, owner: type[Tensor]) -> Any:
        load(self.area)
        return getattr(owner if tensor is None else tensor, self.name)


def _stand_in(area: str, name: str) -> Callable[..., Any]:
    def late(*args: Any, **kwargs: Any) -> Any:
        load(area)
        return getattr(ops, name)(*args, **kwargs)

    late.area = area  # type: ignore[attr-defined]
    return late


def stands_in(value: Any) -> bool:
    """Whether this is not an operation yet."""
    return isinstance(value, Method) or hasattr(value, "area") and callable(value)


def operation(name: str) -> Any:
    """The operation of this name, declared by now: for rooms that give it a public name."""
    found = getattr(ops, name)
    if stands_in(found):
        load(found.area)
    return getattr(ops, name)


def announce() -> None:
    """Put a stand-in wherever a late operation will be."""
    for area, (functions, methods, inner) in AREAS.items():
        for name in (functions + " " + inner).split():
            if not hasattr(ops, name):
                setattr(ops, name, _stand_in(area, name))
        for name in methods.split():
            if name not in Tensor.__dict__:
                setattr(Tensor, name, Method(area, name))


def load(*areas: str) -> None:
    """Declare the operations of these areas."""
    for area in areas:
        import_module(f"flambeau.core.ops.{area}")


def load_all() -> None:
    """Declare every operation: for those who list them."""
    load(*AREAS)
