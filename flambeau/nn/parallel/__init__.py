"""``torch.nn.parallel``: one module on several devices, of which there are none, or in several
processes (``distributed``, loaded at first use).
"""

from __future__ import annotations

from typing import Any

from flambeau.nn.parallel.data_parallel import (
    DataParallel,
    data_parallel,
    gather,
    parallel_apply,
    replicate,
    scatter,
)

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]


def __getattr__(name: str) -> Any:
    if name == "distributed":
        from importlib import import_module

        return import_module("flambeau.nn.parallel.distributed")
    if name == "DistributedDataParallel":
        from flambeau.nn.parallel.distributed import DistributedDataParallel

        return DistributedDataParallel
    raise AttributeError(f"module 'flambeau.nn.parallel' has no attribute {name!r}")
