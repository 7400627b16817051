"""Optimizers of a group of processes: this build has none, and they say so."""

from __future__ import annotations

from typing import Any

from flambeau.optim import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """Each process keeps the state of its part of the parameters.

    Raises:
        ValueError: there is no group.
    """

    def __init__(self, params: Any, optimizer_class: Any, **kwargs: Any) -> None:
        from flambeau.distributed import get_world_size

        get_world_size()
