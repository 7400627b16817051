"""``torch.nn.parallel.distributed``: the class stands in the room of many processes."""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    """DistributedDataParallel, loaded at its first use."""
    if name == "DistributedDataParallel":
        from importlib import import_module

        return getattr(import_module("flambeau.distributed.data_parallel"), name)
    raise AttributeError(f"module 'flambeau.nn.parallel.distributed' has no attribute {name!r}")
