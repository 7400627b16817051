"""Whether tensors are being traced below the operations: never here. Stands on core.errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from flambeau.core.errors import fail

__all__ = ["get_proxy_mode", "is_sym_node", "make_fx"]


def get_proxy_mode() -> None:
    """The trace that is under way: none."""
    return None


def is_sym_node(node: Any) -> bool:
    """Whether a value is a number not known yet: none is."""
    return False


def make_fx(f: Callable[..., Any], *args: Any, **options: Any) -> NoReturn:
    """Raises NotImplementedError: functions are traced by symbols, `torch.fx.symbolic_trace`."""
    raise fail(
        NotImplementedError,
        "make_fx",
        "programs are not traced through their tensors here. torch.fx.symbolic_trace(f) traces "
        "through symbols.",
    )
