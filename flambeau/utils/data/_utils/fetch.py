"""From indices to a collated batch: one fetcher for maps, one for streams, a short way for tensors
in memory.

Stands on `collate` and `dataset`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor, wrap
from flambeau.utils.data._utils.collate import (
    collate_tensor_fn,
    default_collate,
    default_collate_fn_map,
)
from flambeau.utils.data.dataset import Subset, TensorDataset

__all__ = ["NOTHING", "Fetcher", "IterableFetcher", "MapFetcher"]

NOTHING: Any = object()
"""`current` while no single sample is being fetched."""


class Fetcher:
    """Fetches and collates; `current` is the index of the sample at work, for error messages."""

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.current: Any = NOTHING

    def fetch(self, index: Any) -> Any:
        """The batch of these indices (or the one sample, without automatic batching)."""
        raise NotImplementedError


class MapFetcher(Fetcher):
    """For datasets that are asked by index."""

    def fetch(self, index: Any) -> Any:
        dataset = self.dataset
        self.current = NOTHING
        if not self.auto_collation:
            self.current = index
            data = dataset[index]
            self.current = NOTHING
            return self.collate_fn(data)
        if self.collate_fn is default_collate:
            batch = take(dataset, index)
            if batch is not None:
                return batch
        many = getattr(dataset, "__getitems__", None)
        if many:
            samples = many(index)
        else:
            samples = []
            for one in index:
                self.current = one
                samples.append(dataset[one])
            self.current = NOTHING
        return self.collate_fn(samples)


class IterableFetcher(Fetcher):
    """For streams: takes as many samples as there are indices."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.stream: Iterator[Any] = iter(self.dataset)
        self.ended = False
        self.count = 0

    def fetch(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            self.current = self.count
            data = next(self.stream)
            self.count += 1
        else:
            data = []
            for _ in index:
                self.current = self.count
                try:
                    data.append(next(self.stream))
                except StopIteration:
                    self.ended = True
                    break
                self.count += 1
            if not data or (self.drop_last and len(data) < len(index)):
                raise StopIteration
        self.current = NOTHING
        return self.collate_fn(data)


def take(dataset: Any, index: Any) -> list[Tensor] | None:
    """The default collation of a `TensorDataset` by one indexing per tensor; None where that would
    not be the same."""
    chosen = index
    while type(dataset) is Subset:
        try:
            chosen = [dataset.indices[i] for i in chosen]
        except (TypeError, IndexError):
            return None
        dataset = dataset.dataset
    if (
        type(dataset) is not TensorDataset
        or default_collate_fn_map.get(Tensor) is not collate_tensor_fn
    ):
        return None
    tensors = dataset.tensors
    for tensor in tensors:
        if (
            type(tensor) is not Tensor
            or tensor._edge is not None
            or type(tensor._array) is not np.ndarray
        ):
            return None
    try:
        where = np.array(chosen)
    except ValueError:
        return None
    if where.ndim != 1 or where.dtype.kind != "i":
        return None
    size = len(dataset)
    if where.size and not (-size <= where.min() and where.max() < size):
        return None
    return [wrap(tensor._array.take(where, axis=0)) for tensor in tensors]
