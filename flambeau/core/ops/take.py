"""Elements by flat position or beside their rank: take, put, take_along_dim.

Stands on declare and scatter.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.direct import direct
from flambeau.core.dtypes import int64, of
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.scatter import add_at
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


def _shape_of_first(input: Any, *_: Any) -> Any:
    return input.shape, input.dtype


def _flat_index(name: str, input: Any, index: Any) -> Any:
    if index.dtype != np.int64:
        if name == "put" and index.dtype == np.int32:
            raise fail(
                RuntimeError,
                name,
                f"put_(): Expected a long tensor for index, but got {of(index.dtype)}",
            )
        raise fail(
            RuntimeError,
            name,
            f"{name}(): Expected a long tensor for index, but got {of(index.dtype)}",
        )
    n = input.size
    if index.size:
        if not n and name == "take":
            raise fail(IndexError, name, "take(): tried to take from an empty tensor")
        low, high = int(index.min()), int(index.max())
        if low < -n or high >= n:
            raise fail(
                IndexError,
                name,
                f"out of range: tried to access index {low if low < -n else high} on a tensor of "
                f"{n} elements.",
            )
    return index


@primitive(
    vjp={"input": lambda g, shape, index: ops.put(g.new_zeros(shape), index, g, True)},
    infer=lambda input, index: (index.shape, input.dtype), out_apart=True,
)  # fmt: skip
def take(input, index):
    """The elements at flat positions, in the shape of `index`.

    Raises:
        IndexError: a position out of range. RuntimeError: an index that is not int64.
    """
    return input.reshape(-1).take(_flat_index("take", input, index))


def _put_self(g: Tensor, index: Tensor, accumulate: bool) -> Tensor:
    return g if accumulate else ops.put(g, index, g.new_zeros(tuple(index.shape)), False)


@primitive(
    inplace=True, infer=_shape_of_first,
    vjp={
        "input": _put_self,
        "source": lambda g, index, source_shape: ops.take(g, index).reshape(source_shape),
    },
)  # fmt: skip
def put(input, index, source, accumulate: bool = False):
    """The input with elements of `source` written (or added) at flat positions.

    Raises:
        IndexError: a position out of range. RuntimeError: dtypes or numbers of elements differ.
    """
    found = input.copy()
    put_elements(found, index, source, accumulate)
    return found


def put_elements(target: Any, index: Any, source: Any, accumulate: bool) -> None:
    """Write or add elements at flat positions of a row-major array."""
    if source.dtype != target.dtype:
        raise fail(
            RuntimeError,
            "put",
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{of(target.dtype)} and source.dtype = "
            f"{of(source.dtype)}",
        )
    index = _flat_index("put", target, index)
    if index.size != source.size:
        raise fail(
            RuntimeError,
            "put",
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.size}, "
            f"index.numel() = {index.size}",
        )
    flat = target.reshape(-1)
    if accumulate:
        add_at(flat, np.where(index < 0, index + flat.size, index).reshape(-1), source.reshape(-1))
    else:
        flat[index.reshape(-1)] = source.reshape(-1)


direct("put_", put_elements)


@composite(method=True, numpy=True)
def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Elements along `dim` picked by `indices`, both broadcast in the other dimensions; without
    `dim`, of the flattened tensor.

    Raises:
        RuntimeError: ranks differ, or an index is not int64 or out of range.
    """
    if not isinstance(indices, Tensor):
        raise fail(
            TypeError,
            "take_along_dim",
            f"argument 'indices' (position 2) must be Tensor, not {type(indices).__name__}",
        )
    if indices._array.dtype != np.int64:
        raise fail(
            RuntimeError,
            "take_along_dim",
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}",
        )
    if dim is None:
        input, indices, dim = input.reshape(-1), indices.reshape(-1), 0
    if input._array.ndim != indices._array.ndim:
        raise fail(
            RuntimeError,
            "take_along_dim",
            "torch.take_along_dim(): input and indices should have the same number of "
            "dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for "
            "indices",
        )
    dim = wrap_dim(dim, input._array.ndim)
    from flambeau.core.layout import broadcast_shapes

    a, b = tuple(input._array.shape), tuple(indices._array.shape)
    given = indices._array
    if type(given) is not Abstract and given.size and a and given.min() < 0:
        indices = wrap(np.where(given < 0, given + a[dim], given))
    joint = broadcast_shapes(
        (*a[:dim], 1, *a[dim + 1 :]), (*b[:dim], 1, *b[dim + 1 :]), op="take_along_dim"
    )
    wide = input.expand((*joint[:dim], a[dim], *joint[dim + 1 :]))
    picked = indices.expand((*joint[:dim], b[dim], *joint[dim + 1 :]))
    return ops.gather(wide, dim, picked, out=out)


@composite()
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates, one tensor per dimension of `shape`, of positions in a flattened tensor.

    The place values of the dimensions are the strides of a contiguous tensor:
    ``(indices // stride) % size``.

    Args:
        shape: an int, or a sequence of ints.

    Raises:
        TypeError: indices that are not whole numbers, or a shape that is no int nor sequence.
        ValueError: a negative size.
    """
    op = "unravel_index"
    if indices.is_complex() or indices.is_floating_point() or indices.dtype.numpy.kind == "b":
        raise fail(
            TypeError,
            op,
            f"expected 'indices' to be integer dtype, but got {indices.dtype}. Convert with "
            f".long().",
        )
    if not isinstance(shape, (int, tuple, list)):
        raise fail(
            TypeError, op, f"expected 'shape' to be int or sequence of ints, but got {type(shape)}"
        )
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for size in sizes:
        if not isinstance(size, int):
            raise fail(
                TypeError,
                op,
                f"expected 'shape' sequence to only contain ints, but got {type(size)}",
            )
    if any(size < 0 for size in sizes):
        raise fail(ValueError, op, f"'shape' cannot have negative values, but got {sizes}")
    flat = indices.to(int64)
    if not flat.numel():  # a size of 0 divides nothing here
        return tuple([flat.clone() for _ in sizes])
    steps = wrap(np.asarray([prod(sizes[k + 1 :]) for k in range(len(sizes))], np.int64))
    whole = flat.unsqueeze(-1).div(steps, rounding_mode="floor")
    found = whole % wrap(np.asarray(sizes, np.int64))
    return ops.unbind(found, -1)  # type: ignore[no-any-return]
