"""Kernels whose rooms load at their first call: what no program runs costs nothing at import.

Stands on jit's neighbours by name alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["native", "placed"]


def placed(room: str, name: str) -> Callable[..., Any]:
    """The function `name` of a room under ``core/kernels``."""
    found: Callable[..., Any] | None = None

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal found
        if found is None:
            found = getattr(import_module(f"flambeau.core.kernels.{room}"), name)
        return found(*args, **kwargs)

    return call


def native(room: str, name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The native function `name` of a room under ``core/kernels/native``; `numpy_form` takes what
    it does not.

    Its ``follow()`` gives what it becomes, so that an entry need not go through it ever after.
    """

    def follow() -> Callable[..., Any]:
        nonlocal call
        from flambeau.core.kernels.native import table

        module = import_module(f"flambeau.core.kernels.native.{room}").module
        call = table.native(name, numpy_form, module)
        return call

    def first(*args: Any) -> Any:
        return follow()(*args)

    call: Callable[..., Any] = first

    def late(*args: Any) -> Any:
        return call(*args)

    late.follow = follow  # type: ignore[attr-defined]
    return late
