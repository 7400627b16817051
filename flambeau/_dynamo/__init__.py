"""``torch._dynamo``: what programs reach for in PyTorch's compiler, as far as it means something
here.

Nothing is captured from bytecode, so there is nothing to reset or to leave out. Stands on compiler.
"""

from __future__ import annotations

from types import SimpleNamespace

from flambeau._dynamo import eval_frame
from flambeau.compiler import (
    allow_in_graph,
    assume_constant_result,
    disable,
    is_compiling,
    list_backends,
    reset,
)
from flambeau.compiler.module import OptimizedModule

__all__ = [
    "OptimizedModule",
    "allow_in_graph",
    "assume_constant_result",
    "config",
    "disable",
    "eval_frame",
    "graph_break",
    "is_compiling",
    "list_backends",
    "mark_dynamic",
    "mark_static",
    "mark_static_address",
    "reset",
]

config = SimpleNamespace()
"""Settings of PyTorch's compiler: they may be set, and nothing reads them."""


def graph_break(msg: str = "") -> None:
    """Where PyTorch's compiler would run Python: everything does here."""


def mark_dynamic(t: object, index: object, **bounds: object) -> None:
    """Say that a size varies: all sizes may."""


def mark_static(t: object, index: object = None) -> None:
    """Say that a size is always the same."""


def mark_static_address(t: object, guard: bool = True) -> None:
    """Say that a tensor stays where it is."""
