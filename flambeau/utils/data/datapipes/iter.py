"""Iterated data pipes by PyTorch's names; each is also a method of every pipe."""

from __future__ import annotations

from typing import Any

from flambeau.utils.data.pipes import IterableWrapper, IterDataPipe

__all__ = ["IterableWrapper"]

NAMES = {
    "Batcher": "batch",
    "Collator": "collate",
    "Concater": "concat",
    "Demultiplexer": "demux",
    "Filter": "filter",
    "Forker": "fork",
    "Grouper": "groupby",
    "Mapper": "map",
    "Multiplexer": "mux",
    "ShardingFilter": "sharding_filter",
    "Shuffler": "shuffle",
    "UnBatcher": "unbatch",
    "Zipper": "zip",
}


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return IterDataPipe.functions[NAMES[name]]
    raise AttributeError(f"module 'flambeau.utils.data.datapipes.iter' has no attribute {name!r}")
