"""Embedding tables: rows by number, bags of rows, their renormalisation. Kernels in
``kernels.embedding``."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import embedding as kernels
from flambeau.core.kernels.generate import picked
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.rules import both
from flambeau.core.storage import touch
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray
LONG, UNSIGNED = np.dtype("i8"), np.dtype("u8")


def _check_index(op: str, index: Any) -> None:
    if index is None:
        raise fail(TypeError, op, "argument 'indices' must be Tensor, not NoneType")
    if index.dtype.kind != "i" or index.dtype.itemsize not in (4, 8):
        raise fail(
            RuntimeError,
            op,
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            "Long, Int; but got "
            f"torch.{of(index.dtype).legacy}Tensor instead. Convert it with .long().",
        )


def _counted(flat: Any, padding_idx: int) -> Any:
    """The lookups whose gradient counts, or None for all: what arrives at a row of padding is left
    out, were it not a number.
    """
    kept = np.flatnonzero(flat != padding_idx) if padding_idx >= 0 else None
    return kept if kept is not None and kept.size < flat.size else None


def _shares(flat: Any, count: int) -> Any:
    """What each lookup is worth where a row's gradient is its mean."""
    return (1.0 / np.bincount(flat, minlength=count)[flat])[:, None]


@both
def _embedding_rule(
    g: Any,
    indices: Any,
    weight_shape: Any,
    padding_idx: int,
    scale_grad_by_freq: bool,
    sparse: bool,
) -> Any:
    if sparse:
        from flambeau.sparse.rows import rows_gradient

        return rows_gradient(g, indices, weight_shape, padding_idx, scale_grad_by_freq)
    count, width = weight_shape[0], prod(weight_shape[1:])
    if type(g) is nd:
        flat = indices.reshape(-1)
        rows = g.reshape(flat.size, width)
        kept = _counted(flat, padding_idx)
        if kept is not None:
            rows, flat = rows[kept], flat[kept]
        if scale_grad_by_freq:
            rows = rows * _shares(flat, count).astype(g.dtype)
        found = kernels.rows_added(rows, flat, count)
        # A reshaped array is a view, which a leaf would copy.
        return found if len(weight_shape) == 2 else found.reshape(weight_shape)
    flat = indices.reshape(-1)
    rows = g.reshape(prod(indices.shape), width)
    kept = _counted(flat._array, padding_idx)
    if kept is not None:
        rows, flat = (ops.index_select(each, 0, wrap(kept)) for each in (rows, flat))
    if scale_grad_by_freq:
        rows = rows * wrap(_shares(flat._array, count).astype(g._array.dtype))
    zeros = wrap(np.zeros((count, width), g._array.dtype))
    return ops.index_add(zeros, 0, flat, rows).reshape(weight_shape)


@primitive(
    function=False,
    method=False,
    name="_embedding",
    node="Embedding",
    vjp={"weight": _embedding_rule},
    infer=lambda weight, indices, *rest: (indices.shape + weight.shape[1:], weight.dtype),
)
def _embedding(
    weight, indices, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
):
    """The rows of `weight` that `indices` names."""
    if weight.ndim != 2:
        raise fail(
            RuntimeError, "embedding", f"'weight' must be 2-D, but has {weight.ndim} dimensions."
        )
    _check_index("embedding", indices)
    kernels.check_indices("embedding", indices, weight.shape[0])
    found = picked.rows(weight, 0, indices)
    return weight.take(indices, axis=0) if found is None else found


@composite()
def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (V, D) that `indices` (*) names: (*, D).

    Raises:
        IndexError: an index outside the table. RuntimeError: indices that are not integers.
    """
    return ops._embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)


@composite()
def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows named by `indices` whose norm exceeds `max_norm` down to it, in place."""
    array = input._array
    _check_index("embedding_renorm_", indices._array)
    rows = np.unique(indices._array)
    kernels.check_indices("embedding_renorm_", rows, array.shape[0])
    norms = np.linalg.norm(array[rows].astype("f8"), norm_type, axis=1)
    over = norms > max_norm
    if over.any():
        scale = max_norm / (norms[over] + 1e-7)
        array[rows[over]] = (array[rows[over]] * scale[:, None]).astype(array.dtype)
    touch(input, "embedding_renorm_")
    return input


@composite(function=False)
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Zeros with a 1 at every class number: (*) becomes (*, num_classes).

    Args:
        num_classes: -1 takes one more than the largest class number.

    Raises:
        RuntimeError: not int64, a class number outside the range, or an empty tensor without
        num_classes.
    """
    name = "one_hot"
    require_tensor(name, "input", input)
    array = input._array
    if array.dtype != LONG:
        raise fail(
            RuntimeError,
            name,
            f"one_hot is only applicable to index tensor of type LongTensor, not {input.dtype}.",
        )
    if not array.size:
        if num_classes <= 0:
            raise fail(
                RuntimeError, name, "Can not infer total number of classes from empty tensor."
            )
        return wrap(np.zeros((*array.shape, num_classes), "i8"))
    # Negative ones are the largest unsigned: one look finds both.
    top = int(np.maximum.reduce(array.view(UNSIGNED), None))
    if top >= 1 << 63:
        raise fail(
            RuntimeError, name, f"Class values must be non-negative, but one is {int(array.min())}."
        )
    if num_classes == -1:
        num_classes = top + 1
    elif top >= num_classes:
        raise fail(
            RuntimeError,
            name,
            f"Class values must be smaller than num_classes: {top} is not below {num_classes}.",
        )
    found = np.zeros((*array.shape, num_classes), LONG)
    found.reshape(-1)[np.arange(0, found.size, num_classes) + array.reshape(-1)] = 1
    return wrap(found)
