"""Holding one exception against torch's: the same type, or a subclass of it, with a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .compare import Mismatch
from .engine import Missing
from .sample import OracleRaises


def raised(function: Callable[[], Any]) -> Exception | None:
    """What the call raises, or None; a name that the engine lacks is no answer to bad input."""
    try:
        function()
    except Missing:
        raise
    except Exception as error:
        return error
    return None


def compare(theirs: Exception | None, ours: Exception | None) -> None:
    """Raise `Mismatch` unless ours is of torch's type (compared by name across engines)."""
    if theirs is None:
        raise OracleRaises("torch accepts the input on this machine")
    name = type(theirs).__name__
    if ours is None:
        raise Mismatch("accepted", f"accepted, torch raises {name}: {theirs}"[:200])
    if not isinstance(ours, type(theirs)) and type(ours).__name__ != name:
        text = f"{type(ours).__name__} ({str(ours)[:120]}), torch raises {name} ({theirs})"
        raise Mismatch("exception", text[:300]) from ours
    if not str(ours):
        raise Mismatch("message", f"{type(ours).__name__} without a message")
