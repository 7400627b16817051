"""Views, products, reductions and copies of sparse tensors: raw data in, raw data out.

The declared operation records the gradient; here stands what its body does when an argument is
sparse, by the operation's
name. Stands on kernels and convert; reached from core.slow and core.lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.declare import Op
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.silence import quiet
from flambeau.sparse import kernels, shape
from flambeau.sparse.data import COO, SparseData

__all__ = ["apply"]

HANDLERS: dict[str, Callable[..., Any]] = {}


def handles(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what does the work of the operations of these names."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            HANDLERS[name] = function
        return function

    return mark


def apply(op: Op, args: Any, arrays: list[Any]) -> Any:
    """The result of a declared operation on arguments of which at least one is sparse.

    Raises:
        NotImplementedError: the operation has no sparse form.
    """
    if isinstance(arrays[0], SparseData) is False and hasattr(arrays[0], "_array"):
        arrays = [arrays[0]._array, *arrays[1:]]  # views come with their tensors
    if op.flags.get("sparse"):
        return quiet(op.kernel, *arrays)
    handler = HANDLERS.get(op.name)
    if handler is None:
        raise fail(
            NotImplementedError,
            op.name,
            f"Could not run '{op.name.lstrip('_')}' on a sparse tensor. Convert with to_dense(), "
            "or work on .coalesce().values().",
        )
    return quiet(handler, *arrays)


for _name in (
    "transpose",
    "_permute",
    "unsqueeze",
    "squeeze",
    "_select",
    "_slice",
    "_select_backward",
    "_slice_backward",
):
    HANDLERS[_name] = getattr(shape, _name.lstrip("_"))
HANDLERS["t"] = lambda input: shape.transpose(input, 0, 1) if input.ndim == 2 else input
HANDLERS["index_select"] = shape.index_select
HANDLERS["_cat"] = shape.cat
HANDLERS["_stack"] = shape.stack


def _dense(a: Any) -> Any:
    return a.dense() if isinstance(a, SparseData) else a


@handles("alias")
def _alias(input: Any) -> Any:
    return input


@handles("_zero")
def _zero(input: Any) -> Any:
    from flambeau.sparse.build import emptied

    return emptied(input)


@handles("_clone")
def _clone(input: Any, memory_format: Any = None) -> Any:
    return input.copy()


@handles("_to_copy")
def _to_copy(input: Any, dtype: Any, memory_format: Any) -> Any:
    return input.astype(dtype.numpy)


@handles("_copied")
def _copied(input: Any, src: Any) -> Any:
    return src.copy() if input.dtype == src.dtype else src.astype(input.dtype)


@handles("_expand")
def _expand(input: Any, size: Any) -> Any:
    sizes = tuple(size)
    if sizes == input.shape:
        return input
    lead = len(sizes) - input.ndim
    wanted = tuple(n if n != -1 else input.shape[k - lead] for k, n in enumerate(sizes))
    return np.broadcast_to(input.dense(), wanted)


@handles("_view")
def _view(input: Any, size: Any) -> Any:
    if tuple(size) == input.shape:
        return input
    found = input.to_coo()
    if found.dense_dim:
        raise fail(
            RuntimeError,
            "reshape",
            "reshape is not implemented for sparse tensors with dense dimensions. Convert with "
            "to_dense().",
        )
    indices = (
        np.stack(np.unravel_index(found.keys(), tuple(size)))
        if len(size)
        else np.zeros((0, found.nnz), np.int64)
    )
    return COO(indices, found.values, tuple(size), found.is_coalesced)


@handles("mm", "mv")
def _mm(input: Any, other: Any) -> Any:
    for name, a, wanted in (("self", input, 2), ("mat2", other, 0)):
        if wanted and a.ndim != wanted:
            raise fail(RuntimeError, "mm", f"{name} must be a matrix, got {a.ndim} dimensions")
    if input.shape[1] != other.shape[0]:
        raise fail(
            RuntimeError,
            "mm",
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, input.shape))} and "
            f"{'x'.join(map(str, other.shape))}): Expected dim 0 size {input.shape[1]}, got "
            f"{other.shape[0]}",
        )
    if input.dtype != other.dtype:
        raise fail(
            RuntimeError,
            "mm",
            f"expected m1 and m2 to have the same dtype, but got {input.dtype} != {other.dtype}",
        )
    return kernels.matmul(input, other)


@handles("_matmul", "matmul")
def _matmul(input: Any, other: Any) -> Any:
    if input.ndim == 2 and other.ndim in (1, 2):
        return _mm(input, other)
    return np.matmul(_dense(input), _dense(other))


@handles("_mm_linear")
def _mm_linear(input: Any, weight: Any) -> Any:
    return _linear(None, input, weight)


@handles("_addmm_linear")
def _linear(bias: Any, input: Any, weight: Any) -> Any:
    lead = input.shape[:-1]
    flat = input if input.ndim == 2 else _dense(input).reshape(-1, input.shape[-1])
    found = _dense(
        kernels.matmul(flat, kernels.flip(weight) if isinstance(weight, SparseData) else weight.T)
    )
    found = np.ascontiguousarray(found).reshape(*lead, weight.shape[0])
    return found if bias is None else found + bias


@handles("bmm")
def _bmm(input: Any, mat2: Any) -> Any:
    """A batch of products as one product of a block diagonal matrix."""
    if not isinstance(input, COO) or isinstance(mat2, SparseData) or input.dense_dim:
        return np.matmul(_dense(input), _dense(mat2))
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise fail(
            RuntimeError,
            "bmm",
            f"batch1 and batch2 do not fit: {list(input.shape)} and {list(mat2.shape)}",
        )
    count, n, k = input.shape
    batch, row, column = input.indices
    flat = COO(
        np.stack([batch * n + row, batch * k + column]),
        input.values,
        (count * n, count * k),
        input.is_coalesced,
    )
    width = mat2.shape[2]
    product = kernels.matmul(flat, np.ascontiguousarray(mat2).reshape(count * k, width))
    return product.reshape(count, n, width)


@handles("addmm", "addmv")
def _addmm(input: Any, mat1: Any, mat2: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    product = _mm(mat1, mat2)
    if isinstance(product, SparseData):
        product = (
            product.with_values(product.values * product.dtype.type(alpha))
            if alpha != 1
            else product
        )
        if isinstance(input, SparseData) and beta == 0:
            return product
        if isinstance(input, SparseData):
            return kernels.union(
                input.with_values(input.values * input.dtype.type(beta)), product, np.add
            )
        product = product.dense()
    elif alpha != 1:
        product = product * product.dtype.type(alpha)
    if beta == 0:
        return product
    added = _dense(input)
    return product + (added if beta == 1 else added * added.dtype.type(beta))


@handles("sum")
def _sum(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    kind = input.dtype if dtype is None else dtype.numpy
    if dtype is None and kind.kind in "iub":
        kind = np.dtype("i8")
    if dim is None or dim == () or dim == []:
        found = input.values.astype(
            np.float32 if kind.itemsize == 2 and kind.kind in "fV" else kind, copy=False
        ).sum()
        return np.asarray(found).astype(kind).reshape((1,) * input.ndim if keepdim else ())
    dims = {wrap_dim(d, input.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))}
    return shape.summed(input.astype(kind) if input.dtype != kind else input, dims, keepdim)


@handles("mean")
def _mean(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    found = _dense(_sum(input, dim, keepdim, dtype))
    return np.asarray(found * found.dtype.type(found.size / input.size))


@handles("index_add")
def _index_add(input: Any, dim: int, index: Any, source: Any, alpha: Any = 1) -> Any:
    found = np.array(_dense(input))
    where = (slice(None),) * wrap_dim(dim, found.ndim) + (index,)
    np.add.at(found, where, _dense(source) * source.dtype.type(alpha))
    return found


@handles("any")
def _any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if dim is None:
        return np.asarray(np.any(input.values != 0))
    return np.any(input.dense() != 0, axis=dim, keepdims=keepdim)
