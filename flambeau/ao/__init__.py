"""``torch.ao``: quantisation in Python."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

__all__ = ["quantization"]


def __getattr__(name: str) -> _Any:
    if name == "quantization":
        return _import_module("flambeau.ao.quantization")
    raise AttributeError(f"module 'flambeau.ao' has no attribute {name!r}")
