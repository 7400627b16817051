"""Optimizers whose state is spread over processes: not built, named since libraries import them."""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.optim import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """Each process would keep the state of its part of the parameters.

    Raises:
        ValueError: there is no group of processes.
        RuntimeError: with one too; each process can run the optimizer itself.
    """

    def __init__(self, params: Any, optimizer_class: Any, **kwargs: Any) -> None:
        from flambeau.distributed import get_world_size

        get_world_size()
        raise fail(
            RuntimeError,
            "ZeroRedundancyOptimizer",
            "the state of optimizers is not spread over processes here. Build the "
            f"{getattr(optimizer_class, '__name__', 'optimizer')} itself in each process.",
        )
