"""What surrounds training: data loading, hooks' handles, event files, benchmarks. Each is a room of
its own, loaded at first use."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["ThroughputBenchmark", "checkpoint", "data", "hooks", "swap_tensors", "tensorboard"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "swap_tensors":
        from flambeau.utils._exchange import swap_tensors

        return swap_tensors
    if name == "ThroughputBenchmark":
        from flambeau.utils.throughput_benchmark import ThroughputBenchmark

        return ThroughputBenchmark
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module 'flambeau.utils' has no attribute {name!r}") from None
