"""What surrounds training: data loading, hooks' handles, event files. Each is a room of its own,
loaded at first use."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["checkpoint", "data", "hooks", "tensorboard"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module 'flambeau.utils' has no attribute {name!r}") from None
