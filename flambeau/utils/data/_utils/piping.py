"""What a loader does for data pipes: the seeds that all workers share, and each worker's share of
the samples. Other datasets have neither. Stands on graph_settings, which is loaded for a pipe."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

__all__ = ["apply_seed", "draw_seed", "set_shuffle", "share_out"]


def set_shuffle(dataset: Any, shuffle: bool | None) -> None:
    """Let a pipe's shufflers do as the loader is told. A pipe without one is not shuffled, and
    PyTorch warns as if it were.
    """
    from flambeau.utils.data.graph_settings import apply_shuffle_settings

    apply_shuffle_settings(dataset, shuffle=shuffle)


def draw_seed(dataset: Any, generator: Any) -> int | None:
    """The seed of an epoch, for every copy of a pipe; None, and nothing drawn, for others."""
    if not isinstance(dataset, (IterDataPipe, MapDataPipe)):
        return None
    return int(flambeau.empty((), dtype=flambeau.int64).random_(generator=generator).item())


def apply_seed(dataset: Any, seed: int | None) -> None:
    """Seed a copy of a pipe."""
    if seed is None:
        return
    from flambeau.utils.data.graph_settings import apply_random_seed

    apply_random_seed(dataset, flambeau.Generator().manual_seed(seed))


def share_out(dataset: Any, count: int, number: int) -> None:
    """Let a worker's copy of a pipe give the worker's share of the samples."""
    if not isinstance(dataset, (IterDataPipe, MapDataPipe)):
        return
    from flambeau.utils.data.datapipes.iter.ordering import SHARDING_PRIORITIES
    from flambeau.utils.data.graph_settings import apply_sharding

    apply_sharding(dataset, count, number, SHARDING_PRIORITIES.MULTIPROCESSING)
