"""Handles that take a hook out of its table again, and marks for hooks that do not pickle. Stands
on core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.handles import RemovableHandle
from flambeau.core.hooks import warn_if_has_hooks

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


def unserializable_hook(f: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a hook whose loss by pickling a tensor needs no warning."""
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def __getattr__(name: str) -> Any:
    if name == "BackwardHook":
        from flambeau.nn.modules import _backward_hook

        return getattr(_backward_hook, "BackwardHook", None) or _missing(name)
    return _missing(name)


def _missing(name: str) -> Any:
    raise AttributeError(f"module 'flambeau.utils.hooks' has no attribute {name!r}")
