"""Names: of nodes in a graph, unique and legal, and of functions in the code made of it.

Stands on the standard library and the public rooms whose functions it names.
"""

from __future__ import annotations

import builtins
import keyword
import operator
import re
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from flambeau.core import late

__all__ = ["Namespace", "public_name", "rooms", "snake"]

TAKEN = {"inf", "nan", "NoneType", "torch", "device", "self", "fx_pytree", "pytree"}
"""What generated code means something by."""


def snake(name: str) -> str:
    """``MaxPool`` as ``max_pool``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Namespace:
    """The names that a graph has given out."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}

    def create(self, candidate: str) -> str:
        """A name like the candidate that is legal and not given out yet."""
        name = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if name[0].isdigit():
            name = f"_{name}"
        while name in self._used or self._refused(name):
            found = re.fullmatch(r"(.*)_(\d+)", name)
            base = found.group(1) if found else name
            number = self._counts.get(base, int(found.group(2)) if found else 0) + 1
            self._counts[base] = number
            name = f"{base}_{number}"
        self._used.add(name)
        return name

    def take(self, name: str) -> None:
        """Keep a name from being given out."""
        self._used.add(name)

    @staticmethod
    def _refused(name: str) -> bool:
        return keyword.iskeyword(name) or name in TAKEN or hasattr(builtins, name)


@cache
def rooms() -> dict[str, ModuleType]:
    """The public modules of functions, by the name that code calls them; all functions loaded."""
    import flambeau
    import flambeau.fft
    import flambeau.linalg
    import flambeau.nn.functional
    import flambeau.special

    for name in late.FUNCTIONS:
        getattr(flambeau, name)
    return {
        "torch": flambeau,
        "torch.nn.functional": flambeau.nn.functional,
        "torch.special": flambeau.special,
        "torch.linalg": flambeau.linalg,
        "torch.fft": flambeau.fft,
    }


def public_name(function: Callable[..., Any]) -> str:
    """Where code finds a function: ``torch.relu``, ``operator.add``, ``module.function``."""
    name = getattr(function, "__name__", type(function).__name__)
    if getattr(builtins, name, None) is function:
        return f"builtins.{name}"
    if getattr(operator, name, None) is function:
        return f"operator.{name}"
    for path, room in rooms().items():
        if vars(room).get(name) is function:
            return f"{path}.{name}"
    for path, room in rooms().items():
        for other, value in vars(room).items():
            if value is function:
                return f"{path}.{other}"
    module = getattr(function, "__module__", None) or "builtins"
    if module.startswith("flambeau.fx."):
        module = "torch" + module.removeprefix("flambeau")
    return f"{module}.{getattr(function, '__qualname__', name)}"
