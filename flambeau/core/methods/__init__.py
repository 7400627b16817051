"""What a Tensor offers besides operations, by theme; `install` hangs it on the class. Stands on
core.tensor.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.core.titles import entitle

__all__ = ["attach", "bind"]


def attach(source: type) -> None:
    """Move the methods and properties of a plain class onto Tensor."""
    for name, value in vars(source).items():
        if name not in (
            "__dict__",
            "__weakref__",
            "__module__",
            "__doc__",
            "__qualname__",
            "__annotations__",
        ):
            setattr(Tensor, name, value)
            if isinstance(value, FunctionType):
                entitle(value, f"Tensor.{name}")


def bind(**members: Any) -> None:
    """Hang functions and properties on Tensor under the given names."""
    for name, value in members.items():
        setattr(Tensor, name, value)
        if isinstance(value, FunctionType) and value.__qualname__.startswith("_"):
            entitle(value, f"Tensor.{name}")
