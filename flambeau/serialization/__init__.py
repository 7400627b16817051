"""Checkpoints: ``save`` and ``load`` in PyTorch's formats, both ways, without executing a file."""

from __future__ import annotations

from flambeau.serialization.loading import get_unsafe_globals_in_checkpoint, load
from flambeau.serialization.names import StorageType
from flambeau.serialization.safe import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from flambeau.serialization.saving import save

__all__ = [
    "StorageType",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]
