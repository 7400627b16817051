"""A pipe brought back to where a pass was: it begins anew and leaves out what was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flambeau.utils.data.datapipes.datapipe import IterDataPipe
from flambeau.utils.data.graph_settings import apply_random_seed

__all__: list[str] = []


def _simple_graph_snapshot_restoration(
    datapipe: IterDataPipe, n_iterations: int, rng: Any = None
) -> None:
    """Let the next iterator of a pipe go on behind `n_iterations` samples.

    Args:
        rng: seeds the pipes that draw, as it did before the pass that is taken up.

    Raises:
        RuntimeError: the pipe was restored and has not been read since.
    """
    if "_fast_forward_iterator" in vars(datapipe):
        raise RuntimeError("Snapshot restoration cannot be applied twice without reading between.")
    if rng is not None:
        apply_random_seed(datapipe, rng)
    remaining: Iterator[Any] = iter(datapipe)
    for _ in range(n_iterations):
        next(remaining, None)
    datapipe._fast_forward_iterator = remaining
