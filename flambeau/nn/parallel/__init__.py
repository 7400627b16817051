"""``torch.nn.parallel``: modules spread over devices, of which there is one, and over processes."""

from __future__ import annotations

from typing import Any

from flambeau.nn.parallel import distributed
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
    "data_parallel",
    "distributed",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]


def __getattr__(name: str) -> Any:
    """DistributedDataParallel, loaded at its first use."""
    if name == "DistributedDataParallel":
        return distributed.DistributedDataParallel  # type: ignore[attr-defined]
    raise AttributeError(f"module 'flambeau.nn.parallel' has no attribute {name!r}")
