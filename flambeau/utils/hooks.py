"""Handles that take a hook out of its table again, and marks for hooks that do not pickle. Stands
on core.handles.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from flambeau.core.handles import RemovableHandle
from flambeau.core.provenance import stack_level

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


def unserializable_hook(f: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a hook that pickling a tensor should warn about."""
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn for each marked hook of a tensor: pickling leaves hooks behind."""
    for hook in dict(tensor._backward_hooks or {}).values():
        if hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.",
                UserWarning,
                stacklevel=stack_level(),
            )


def __getattr__(name: str) -> Any:
    if name == "BackwardHook":
        from flambeau.nn.modules import _backward_hook

        return getattr(_backward_hook, "BackwardHook", None) or _missing(name)
    return _missing(name)


def _missing(name: str) -> Any:
    raise AttributeError(f"module 'flambeau.utils.hooks' has no attribute {name!r}")
