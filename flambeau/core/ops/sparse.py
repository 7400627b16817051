"""The names of the sparse room on tensors and on the package: each loads the room at its first
call.

A program without sparse tensors never pays for them. What they do stands in `flambeau.sparse`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from flambeau.core.declare import composite

__all__: list[str] = []

METHODS = {
    "_coalesced_": "Promise that the places of a COO tensor are unique and in order.",
    "_indices": "The coordinates of a COO tensor as they are kept.",
    "_nnz": "How many values a sparse tensor keeps.",
    "_values": "The values of a COO tensor as they are kept.",
    "ccol_indices": "Where each column begins, of a tensor compressed by columns.",
    "coalesce": "A COO tensor with every place once, in order.",
    "col_indices": "The column of each value, of a tensor compressed by rows.",
    "crow_indices": "Where each row begins, of a tensor compressed by rows.",
    "dense_dim": "How many dimensions each value has of its own.",
    "indices": "The coordinates of a coalesced COO tensor.",
    "is_coalesced": "Whether every place of a COO tensor is named once and in order.",
    "resize_as_sparse_": "Take the size and layout of another sparse tensor.",
    "row_indices": "The row of each value, of a tensor compressed by columns.",
    "sparse_dim": "How many dimensions are sparse.",
    "sparse_mask": "What the tensor holds at the places of a sparse one.",
    "sparse_resize_": "Give a COO tensor another size, in place.",
    "sparse_resize_and_clear_": "Drop a COO tensor's values and give it another size.",
    "to_dense": "The strided tensor.",
    "to_scipy": "The tensor as a SciPy sparse array.",
    "to_sparse": "The tensor in a sparse layout.",
    "to_sparse_bsc": "The tensor in compressed columns of blocks.",
    "to_sparse_bsr": "The tensor in compressed rows of blocks.",
    "to_sparse_coo": "The tensor in coordinates.",
    "to_sparse_csc": "The tensor in compressed columns.",
    "to_sparse_csr": "The tensor in compressed rows.",
    "values": "The values of a sparse tensor.",
}
FUNCTIONS = {
    "build": (
        "sparse_bsc_tensor",
        "sparse_bsr_tensor",
        "sparse_compressed_tensor",
        "sparse_coo_tensor",
        "sparse_csc_tensor",
        "sparse_csr_tensor",
    ),
    "exchange": ("from_scipy",),
    "products": ("hspmm", "smm", "spmm", "sspaddmm"),
}


def _late(room: str, name: str, text: str) -> Callable[..., Any]:
    found: list[Callable[..., Any]] = []

    def function(*args: Any, **kwargs: Any) -> Any:
        if not found:
            found.append(getattr(import_module(f"flambeau.sparse.{room}"), name))
        return found[0](*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{text} See `flambeau.sparse.{room}.{name}`."
    function.__module__ = "flambeau"
    return function


for _name, _text in METHODS.items():
    composite(method=True, function=_name == "resize_as_sparse_")(_late("access", _name, _text))
for _room, _names in FUNCTIONS.items():
    for _name in _names:
        composite(method=_name in ("hspmm", "smm", "sspaddmm"))(
            _late(_room, _name, "Loads the sparse room.")
        )
