"""Where loaded storages go: the forms of ``map_location``, and what a build without CUDA says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.device import cuda_means_cpu
from flambeau.serialization.pickle_tensor import StorageBytes

__all__ = ["Restore", "packages", "restorer"]

Restore = Callable[[StorageBytes, str], StorageBytes]


packages: list[tuple[int, Callable[[Any], Any], Callable[[Any, str], Any]]] = []
"""(priority, tagger, deserializer) of the places that users taught; see `register_package`."""


def restorer(map_location: Any) -> Restore:
    """The function (storage, saved location) -> storage of a ``map_location``.

    Args:
        map_location: None (where it was), a device or its name, a dict from saved locations to
            new ones, or a function that returns a storage, or None for the default.
    """
    if map_location is None:
        return to_location
    if isinstance(map_location, dict):
        return lambda data, location: to_location(data, map_location.get(location, location))
    if isinstance(map_location, str) or type(map_location).__name__ == "device":
        target = str(map_location)
        return lambda data, location: to_location(data, target)

    def restore(data: StorageBytes, location: str) -> StorageBytes:
        found = map_location(data, location)
        return to_location(data, location) if found is None else found

    return restore


def to_location(data: StorageBytes, location: str) -> StorageBytes:
    """The storage at a location such as "cpu", "meta" or "cuda:0".

    Raises:
        RuntimeError: there is no such device here.
    """
    for _, _, deserializer in packages:
        found = deserializer(data, location)
        if found is not None:
            return found  # type: ignore[no-any-return]
    kind = location.partition(":")[0]
    if kind == "cpu" or (kind == "cuda" and cuda_means_cpu()):
        return data
    if kind == "meta":
        empty = StorageBytes(np.empty(0, np.uint8))
        empty.device = "meta"
        return empty
    if kind in ("cuda", "mps", "xpu", "hpu"):
        raise RuntimeError(
            f"load: Attempting to deserialize object on a {kind.upper()} device but "
            f"torch.{kind}.is_available() is False. Give map_location='cpu' to load its storages "
            "onto the CPU."
        )
    raise RuntimeError(
        f"load: don't know how to restore data location of a storage tagged with {location!r}. "
        "Expected cpu, meta or cuda; give map_location='cpu' to load it onto the CPU."
    )
