"""Indexed data pipes by PyTorch's names; each is also a method of every pipe."""

from __future__ import annotations

from typing import Any

from flambeau.utils.data.pipes import MapDataPipe, SequenceWrapper

__all__ = ["SequenceWrapper"]

NAMES = {"Batcher": "batch", "Concater": "concat", "Mapper": "map", "Zipper": "zip"}


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return MapDataPipe.functions[NAMES[name]]
    raise AttributeError(f"module 'flambeau.utils.data.datapipes.map' has no attribute {name!r}")
