"""Batches cut up for several devices and put together again, by PyTorch's path."""

from __future__ import annotations

from typing import Any

from flambeau.nn.parallel.data_parallel import gather, scatter

__all__ = ["gather", "scatter", "scatter_kwargs"]


def scatter_kwargs(
    inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Any, dim: int = 0
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Arguments and keyword arguments of each device's part of a batch, as many of both."""
    parts = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    parts += [()] * (len(named) - len(parts))
    named += [{} for _ in range(len(parts) - len(named))]
    return tuple(parts), tuple(named)
