"""``torch.export``: a module's run as a graph of operations that runs without the module.

`tracing` makes the graph, `exported_program` holds it, `saving` writes and reads it. Sizes are
those of the example.
"""

from __future__ import annotations

from typing import Any as _Any

from flambeau.export.exported_program import ExportedProgram
from flambeau.export.graph_signature import ExportGraphSignature
from flambeau.export.saving import load, save
from flambeau.export.tracing import export

__all__ = [
    "Dim",
    "ExportGraphSignature",
    "ExportedProgram",
    "dims",
    "draft_export",
    "export",
    "load",
    "register_dataclass",
    "save",
]


class Dim:
    """A size that may vary, in `dynamic_shapes`."""

    AUTO: _Any = "auto"
    DYNAMIC: _Any = "dynamic"
    STATIC: _Any = "static"

    def __init__(self, name: str, *, min: int | None = None, max: int | None = None) -> None:
        self.__name__ = name
        self.min = 0 if min is None else min
        self.max = max

    def __repr__(self) -> str:
        least = "" if self.min == 2 else f", min={self.min}"
        most = "" if self.max is None else f", max={self.max}"
        return f"Dim({self.__name__!r}{least}{most})"


def dims(*names: str, min: int | None = None, max: int | None = None) -> tuple[Dim, ...]:
    """Several of them."""
    return tuple(Dim(name, min=min, max=max) for name in names)


def register_dataclass(cls: type, *, serialized_type_name: str | None = None) -> None:
    """Let a dataclass be an input or an output of programs: its fields are their own inputs."""
    from flambeau.utils._pytree import register_dataclass as register

    register(cls, serialized_type_name=serialized_type_name)


def draft_export(mod: _Any, args: _Any, kwargs: _Any = None, **options: _Any) -> ExportedProgram:
    """`export`: what a run does is recorded, so a draft leaves nothing out."""
    return export(mod, args, kwargs, **options)
