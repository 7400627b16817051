"""``torch.ao``: quantisation and pruning in Python."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

__all__ = ["nn", "pruning", "quantization"]


def __getattr__(name: str) -> _Any:
    if name in __all__:
        return _import_module(f"flambeau.ao.{name}")
    raise AttributeError(f"module 'flambeau.ao' has no attribute {name!r}")
