"""Settings of all pipes of a graph: shares of workers, shuffling, seeds. Stands on graph."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import flambeau
from flambeau.utils.data.datapipes.iter.ordering import (
    SHARDING_PRIORITIES,
    ShardingFilterIterDataPipe,
)
from flambeau.utils.data.graph import traverse_dps

__all__ = [
    "apply_random_seed",
    "apply_sharding",
    "apply_shuffle_seed",
    "apply_shuffle_settings",
    "get_all_graph_pipes",
]


def get_all_graph_pipes(graph: dict[int, tuple[Any, Any]]) -> list[Any]:
    """The pipes of a graph, each once."""
    return list(_pipes(graph).values())


def _pipes(graph: dict[int, tuple[Any, Any]]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for number, (pipe, below) in graph.items():
        found.setdefault(number, pipe)
        for key, each in _pipes(below).items():
            found.setdefault(key, each)
    return found


def _shares_out(pipe: Any) -> bool:
    if isinstance(pipe, ShardingFilterIterDataPipe):
        return True
    method = getattr(type(pipe), "apply_sharding", None)
    return callable(method)


def apply_sharding(
    datapipe: Any,
    num_of_instances: int,
    instance_id: int,
    sharding_group: SHARDING_PRIORITIES = SHARDING_PRIORITIES.DEFAULT,
) -> Any:
    """Let every `sharding_filter` take its share.

    Raises:
        RuntimeError: one reads another: samples would be shared out twice.
    """

    def visit(graph: dict[int, tuple[Any, Any]], before: Any) -> None:
        for pipe, below in graph.values():
            taken = before
            if _shares_out(pipe):
                if before is not None:
                    raise RuntimeError(
                        "Sharding twice on a single pipeline is likely unintended and will cause "
                        f"data loss. Sharding already applied to {before} while trying to apply "
                        f"to {pipe}"
                    )
                given = [num_of_instances, instance_id, sharding_group]
                accepted = len(inspect.signature(pipe.apply_sharding).parameters)
                pipe.apply_sharding(*given[: max(accepted, 2)])
                taken = pipe
            visit(below, taken)

    visit(traverse_dps(datapipe), None)
    return datapipe


def _is_shuffle_datapipe(datapipe: Any) -> bool:
    kind = type(datapipe)
    return callable(getattr(kind, "set_shuffle", None)) and callable(
        getattr(kind, "set_seed", None)
    )


def apply_shuffle_settings(datapipe: Any, shuffle: bool | None = None) -> Any:
    """Let every shuffler shuffle, or none; None leaves them. Where there is none and one is wanted,
    it is put at the end, with a warning.
    """
    if shuffle is None:
        return datapipe
    pipes = get_all_graph_pipes(traverse_dps(datapipe))
    shufflers = [pipe for pipe in pipes if _is_shuffle_datapipe(pipe)]
    if not shufflers and shuffle:
        warnings.warn(
            "`shuffle=True` was set, but the datapipe does not contain a `Shuffler`. Adding one at "
            "the end. Be aware that the default buffer size might not be sufficient for your task.",
            stacklevel=2,
        )
        datapipe = datapipe.shuffle()
        shufflers = [datapipe]
    for shuffler in shufflers:
        shuffler.set_shuffle(shuffle)
    return datapipe


def apply_shuffle_seed(datapipe: Any, rng: Any) -> Any:
    """`apply_random_seed`, by its old name."""
    warnings.warn(
        "`apply_shuffle_seed` is deprecated since 1.12 and will be removed in the future releases. "
        "Please use `apply_random_seed` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return apply_random_seed(datapipe, rng)


def apply_random_seed(datapipe: Any, rng: Any) -> Any:
    """Give every pipe that draws a seed from a generator."""
    for pipe in get_all_graph_pipes(traverse_dps(datapipe)):
        if callable(getattr(type(pipe), "set_seed", None)):
            drawn = flambeau.empty((), dtype=flambeau.int64).random_(generator=rng)
            pipe.set_seed(int(drawn.item()))
    return datapipe
