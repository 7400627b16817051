"""``torch._dynamo``: what programs reach for in PyTorch's compiler, as far as it means something
here.

Programs are not captured from bytecode but by a run (`compiler.capture`), for the backends that
users write. Stands on compiler.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flambeau._dynamo import eval_frame
from flambeau._dynamo.config import config
from flambeau._dynamo.explaining import ExplainOutput, explain
from flambeau.compiler import (
    allow_in_graph,
    assume_constant_result,
    compile,
    disable,
    is_compiling,
    list_backends,
    reset,
    set_stance,
    substitute_in_graph,
)
from flambeau.compiler.backends import find_backend, register_backend
from flambeau.compiler.module import OptimizedModule

__all__ = [
    "ExplainOutput",
    "OptimizedModule",
    "allow_in_graph",
    "assume_constant_result",
    "config",
    "disable",
    "disallow_in_graph",
    "eval_frame",
    "explain",
    "forbid_in_graph",
    "graph_break",
    "is_compiling",
    "list_backends",
    "lookup_backend",
    "mark_dynamic",
    "mark_static",
    "mark_static_address",
    "maybe_mark_dynamic",
    "nonstrict_trace",
    "optimize",
    "optimize_assert",
    "register_backend",
    "reset",
    "run",
    "set_stance",
    "substitute_in_graph",
]


def optimize(backend: Any = "inductor", *, nopython: bool = False, **ignored: Any) -> Any:
    """A decorator: `torch.compile` with this backend; with ``nopython``, of single graphs only."""
    return functools.partial(compile, backend=backend, fullgraph=nopython)


def optimize_assert(backend: Any = "inductor", **ignored: Any) -> Any:
    """A decorator: `torch.compile` of single graphs only."""
    return optimize(backend, nopython=True)


def lookup_backend(compiler_fn: Any) -> Callable[..., Any]:
    """The function behind the name of a backend; PyTorch's own run the graph as it is."""
    return find_backend(compiler_fn) or (lambda module, example_inputs, **_: module.forward)


def run(fn: Any = None) -> Any:
    """Run with the graphs there are already; graphs are made where one lacks, as everywhere."""
    return (lambda found: found) if fn is None else fn


def disallow_in_graph(fn: Any) -> Any:
    """Mark a function as one that no graph holds."""
    return fn


def forbid_in_graph(fn: Any) -> Any:
    """Mark a function as one that no compiled program calls."""
    return fn


def nonstrict_trace(traceable_fn: Any) -> Any:
    """Mark a function as recorded by running it: all are."""
    return traceable_fn


def graph_break(msg: str = "") -> None:
    """Where PyTorch's compiler would run Python: everything does here."""


def mark_dynamic(t: object, index: object, **bounds: object) -> None:
    """Say that a size varies: all sizes may."""


def maybe_mark_dynamic(t: object, index: object) -> None:
    """Say that a size may vary: all sizes may."""


def mark_static(t: object, index: object = None) -> None:
    """Say that a size is always the same."""


def mark_static_address(t: object, guard: bool = True) -> None:
    """Say that a tensor stays where it is."""
