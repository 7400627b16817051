"""How a list of samples becomes a batch: tensors are stacked, numbers become tensors, containers
are walked through.

Stands on core's tensors; knows nothing of datasets or processes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap = dict[Any, Callable[..., Any]]


def _mapped(example: Any, values: Callable[[], dict[Any, Any]]) -> Any:
    """A mapping of the example's type with new values; a dict where the type cannot be made."""
    try:
        if isinstance(example, MutableMapping):
            clone = copy.copy(example)
            clone.update(values())
            return clone
        return type(example)(values())  # type: ignore[call-arg]
    except TypeError:
        return values()


def _listed(example: Any, values: Callable[[], list[Any]]) -> Any:
    """A sequence of the example's type with new items; a list where the type cannot be made."""
    try:
        if isinstance(example, MutableSequence):
            clone = copy.copy(example)
            for i, value in enumerate(values()):
                clone[i] = value
            return clone
        return type(example)(values())  # type: ignore[call-arg]
    except TypeError:
        return values()


def default_convert(data: Any) -> Any:
    """NumPy arrays and numbers inside `data` as tensors; everything else as it is. Tuples become
    lists."""
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        if data.dtype.kind in "SUO" and (isinstance(data, np.ndarray) or data.dtype.kind == "U"):
            return data
        return flambeau.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapped(data, lambda: {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(item) for item in data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _listed(data, lambda: [default_convert(item) for item in data])
    return data


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Collate by the type of the first sample: the map's function for it, or item by item for
    containers.

    Args:
        batch: the samples, all of one structure.
        collate_fn_map: type (or tuple of types) to ``function(batch, *, collate_fn_map)``; exact
            types come first, then the first entry the sample is an instance of.

    Raises:
        RuntimeError: sequences of different lengths; sparse tensors.
        TypeError: a type that nothing is known about.
    """
    first = batch[0]
    kind = type(first)
    table = collate_fn_map or {}
    if kind in table:
        return table[kind](batch, collate_fn_map=collate_fn_map)
    for known, function in table.items():
        if isinstance(first, known):
            return function(batch, collate_fn_map=collate_fn_map)

    def column(items: Any) -> Any:
        return collate(items, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _mapped(first, lambda: {key: column([item[key] for item in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(column(items) for items in zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        sizes = {len(item) for item in batch}
        if len(sizes) > 1:
            raise fail(
                RuntimeError,
                "default_collate",
                f"each element in list of batch should be of equal size, given sizes "
                f"{sorted(sizes)}. "
                "Pad them in the dataset, or give a collate_fn.",
            )
        columns = list(zip(*batch, strict=False))
        if isinstance(first, tuple):
            return [column(items) for items in columns]
        return _listed(first, lambda: [column(items) for items in columns])
    raise _unknown(kind)


def _unknown(kind: Any) -> Exception:
    return fail(
        TypeError,
        "default_collate",
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {kind}. "
        "Give the DataLoader a collate_fn for it.",
    )


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Tensors of one shape, stacked."""
    if batch[0].layout is not flambeau.strided:
        raise fail(
            RuntimeError,
            "default_collate",
            "Batches of sparse tensors are not currently supported by the default collate_fn; "
            "please provide a custom collate_fn to handle them appropriately.",
        )
    return flambeau.stack(list(batch), 0)  # type: ignore[no-any-return]


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Arrays of one shape, stacked into a tensor."""
    if batch[0].dtype.kind in "SUO":
        raise _unknown(batch[0].dtype)
    return collate([flambeau.as_tensor(item) for item in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """NumPy numbers, their dtype kept."""
    return flambeau.as_tensor(batch)  # type: ignore[no-any-return]


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python floats, as float64."""
    return flambeau.tensor(batch, dtype=flambeau.float64)  # type: ignore[no-any-return]


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python ints (and bools)."""
    return flambeau.tensor(batch)  # type: ignore[no-any-return]


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Texts stay a list."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
"""What `default_collate` does with which type; may be extended in place."""


def default_collate(batch: Any) -> Any:
    """Samples to a batch with a new first dimension: tensors and arrays are stacked, numbers become
    a tensor, texts stay, dicts, named tuples and sequences are collated item by item."""
    return collate(batch, collate_fn_map=default_collate_fn_map)
