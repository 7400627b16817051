"""What a Tensor offers besides operations, by theme; `install` hangs it on the class. Stands on
core.tensor.
"""

from __future__ import annotations

from flambeau.core.tensor import Tensor

__all__ = ["attach"]


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
