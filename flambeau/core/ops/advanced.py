"""The operations behind indexing: basic views, advanced reads and writes, and their gradients.

`core.indexing` reads the user's index and calls these. Indices arrive as tensors; None stands for a
whole dimension.
Stands on declare and kernels.scatter.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from flambeau.core.declare import Tensors, composite, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import late
from flambeau.core.kernels.scatter import add_at, add_rows, put_sum
from flambeau.core.rules import both
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray
ALL = slice(None)
_picked_rows = late.placed("generate.picked", "rows")


def _label(node: Any) -> str:
    """The name of the last step that PyTorch would take for this index."""
    index = node.params[1]
    if type(index) is slice:
        return "SliceBackward0"
    steps = [
        k for k in (index if type(index) is tuple else (index,)) if k is not Ellipsis and k != ALL
    ]
    if not steps:
        return "AliasBackward0"
    last = steps[-1]
    return (
        "UnsqueezeBackward0"
        if last is None
        else "SliceBackward0"
        if type(last) is slice
        else "SelectBackward0"
    )


@declare_view(
    name="_basic",
    node=_label,
    function=False,
    method=False,
    vjp=lambda g, shape, index: unview(g, shape, index),
)
def _basic(input, index: Any):
    """The view at a basic index (ints, slices, None, Ellipsis)."""
    return input[
        (*index, ...)
        if type(index) is tuple and Ellipsis not in index
        else index
        if type(index) is tuple
        else (index, ...)
    ]


def unview(grad: Any, shape: Any, index: Any) -> Any:
    """Zeros of `shape` with the gradient at a basic index; array or Tensor."""
    if type(grad) is nd:
        found = np.zeros(shape, grad.dtype)
        found[index] = grad
        return found
    return ops._view_backward(grad, shape, index)


@primitive(
    name="_view_backward", node="IndexViewBackward", function=False, method=False,
    vjp=lambda g, index: ops._basic(g, index), infer=lambda grad, shape, index: (shape, grad.dtype),
)  # fmt: skip
def _view_backward(grad, shape: Any, index: Any):
    """Zeros of `shape` with `grad` at a basic index."""
    found = np.zeros(shape, grad.dtype)
    found[index] = grad
    return found


def checked(index: Any, position: int = 0) -> Any:
    """An index array as NumPy takes it: int64, or bool for masks.

    Raises:
        IndexError: another dtype.
    """
    dtype = index.dtype
    if dtype == np.int64 or dtype.kind == "b":
        return index
    if dtype == np.int32:
        return index.astype(np.int64)
    if dtype == np.uint8:
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead.",
            UserWarning,
            stacklevel=_depth(),
        )
        return index.astype(bool)
    raise fail(
        IndexError, "index", "tensors used as indices must be long, int, byte or bool tensors"
    )


def _depth() -> int:
    from flambeau.core.provenance import stack_level

    return stack_level()


def word(error: Exception, shape: Any, arrays: Any, first: int = 0) -> Exception:
    """NumPy's refusal of an index, in PyTorch's terms."""
    d = first
    for k, index in enumerate(arrays):
        if index is None or (type(index) is slice):
            d += 1
            continue
        if index.dtype.kind == "b":
            for j, n in enumerate(index.shape):
                if d + j >= len(shape) or shape[d + j] != n:
                    return fail(
                        IndexError,
                        "index",
                        f"The shape of the mask {list(index.shape)} at index {k + j} does not "
                        "match the shape of the indexed "
                        f"tensor {list(shape)} at index {d + j}",
                    )
            d += index.ndim
            continue
        if d >= len(shape):
            return fail(
                IndexError, "index", f"too many indices for tensor of dimension {len(shape)}"
            )
        n = shape[d]
        if index.size:
            low, high = int(index.min()), int(index.max())
            if high >= n or low < -n:
                bad = high if high >= n else low
                if not n:
                    return fail(
                        IndexError,
                        "index",
                        f"index is out of bounds for dimension with size 0 (dimension {d})",
                    )
                return fail(
                    IndexError,
                    "index",
                    f"index {bad} is out of bounds for dimension {d} with size {n}",
                )
        d += 1
    shapes: list[list[int]] = []
    for index in arrays:
        if index is not None and type(index) is not slice:
            shapes += (
                [[int(index.sum())]] * index.ndim
                if index.dtype.kind == "b"
                else [list(index.shape)]
            )
    return fail(
        IndexError,
        "index",
        "shape mismatch: indexing tensors could not be broadcast together with shapes "
        + ", ".join(map(str, shapes)),
    )


@both
def _index_one_rule(g: Any, shape: Any, index: Any, dim: int) -> Any:
    if type(g) is nd:
        return ops._index_one_backward.operation.body(g, index, shape, dim)
    return ops._index_one_backward(g, index, shape, dim)


@primitive(
    name="_index_one",
    node="Index",
    function=False,
    method=False,
    vjp={"input": _index_one_rule},
    infer=lambda input, index, dim: (
        input.shape[:dim] + index.shape + input.shape[dim + 1 :],
        input.dtype,
    ),
)
def _index_one(input, index, dim: int):
    """The elements at one index tensor (or mask) that stands at dimension `dim`."""
    index = checked(index)
    try:
        if index.dtype.kind != "b":
            if dim >= input.ndim:
                raise IndexError
            found = _picked_rows(input, dim, index, checked=False)
            return input.take(index, dim) if found is None else found
        if index.ndim == 1 and dim:
            if index.shape[0] != input.shape[dim]:
                raise IndexError
            return input.compress(index, dim)
        found = input[(ALL,) * dim + (index,)]
    except IndexError as error:
        raise word(error, input.shape, [None] * dim + [index]) from None
    return found if found.flags.c_contiguous else np.ascontiguousarray(found)


@primitive(
    name="_index_one_backward", node="IndexBackward", function=False, method=False,
    vjp={"grad": lambda g, index, dim: ops._index_one(g, index, dim)},
    infer=lambda grad, index, shape, dim: (shape, grad.dtype),
)  # fmt: skip
def _index_one_backward(grad, index, shape: Any, dim: int):
    """Zeros of `shape` with `grad` summed in where the index points."""
    if index.dtype.kind == "b" or index.dtype == np.uint8:
        found = np.zeros(shape, grad.dtype)
        found[(ALL,) * dim + (index.astype(bool),)] = grad
        return found
    return put_sum(shape, dim, index, grad)


@both
def _index_pair_rule(g: Any, shape: Any, first: Any, second: Any, dim: int) -> Any:
    if type(g) is nd:
        return ops._index_pair_backward.operation.body(g, first, second, shape, dim)
    return ops._index_pair_backward(g, first, second, shape, dim)


@primitive(
    name="_index_pair", node="Index", function=False, method=False,
    vjp={"input": _index_pair_rule},
)  # fmt: skip
def _index_pair(input, first, second, dim: int):
    """The elements at two index tensors of whole numbers, for dimension `dim` and the next."""
    return _read(input, (*(None,) * dim, first, second))


@primitive(
    name="_index_pair_backward", node="IndexBackward", function=False, method=False,
    vjp={"grad": lambda g, first, second, dim: ops._index_pair(g, first, second, dim)},
    infer=lambda grad, first, second, shape, dim: (shape, grad.dtype),
)  # fmt: skip
def _index_pair_backward(grad, first, second, shape: Any, dim: int):
    """Zeros of `shape` with `grad` summed in where both point."""
    n, m = shape[dim : dim + 2]
    joined = (*shape[:dim], n * m, *shape[dim + 2 :])
    return put_sum(joined, dim, first % n * m + second % m, grad).reshape(shape)


def places_of(indices: Any, ndim: int) -> tuple[Any, ...]:
    """Index arrays (None: whole dimension) as a NumPy index."""
    return tuple([ALL if k is None else checked(k) for k in indices])


def _read(input: Any, indices: Any) -> Any:
    places = places_of(indices, input.ndim)
    try:
        found = input[places]
    except IndexError as error:
        raise word(error, input.shape, places) from None
    if type(found) is not nd:
        return np.asarray(found)
    return (
        np.array(found, order="C")
        if found.base is not None or not found.flags.c_contiguous
        else found
    )


def _index_infer(input: Any, indices: Any) -> Any:
    places: list[Any] = []
    for k in indices:
        if k is None:
            places.append(ALL)
        elif type(k) is Abstract and k.dtype.kind not in "b":
            places.append(np.zeros(k.shape, np.int64))
        elif type(k) is nd:
            places.append(np.zeros(k.shape, np.int64) if k.dtype.kind != "b" else k)
        else:
            raise fail(
                NotImplementedError,
                "index",
                "a mask on the meta device has no count of true elements: index on cpu.",
            )
    shape = tuple(n if n else 1 for n in input.shape)
    found = np.broadcast_to(np.empty((), input.dtype), shape)[tuple(places)].shape
    return found, input.dtype


@primitive(
    name="_index",
    node="Index",
    function=False,
    method=False,
    infer=_index_infer,
    vjp=lambda g, shapes, indices: (
        [ops._index_backward(g, indices, shapes[0])] + [None] * len(indices)
    ),
)
def _index(input, indices: Tensors):
    """The elements at several index tensors, one for each dimension (None: the whole of it)."""
    return _read(input, indices)


@primitive(
    name="_index_backward", node="IndexBackward", function=False, method=False,
    infer=lambda grad, indices, shape: (shape, grad.dtype),
    vjp=lambda g, indices: [ops._index(g, indices)] + [None] * len(indices),
)  # fmt: skip
def _index_backward(grad, indices: Tensors, shape: Any):
    """Zeros of `shape` with `grad` summed in where the indices point."""
    found = np.zeros(shape, grad.dtype)
    accumulate(found, places_of(indices, len(shape)), grad)
    return found


def accumulate(found: Any, places: tuple[Any, ...], values: Any) -> None:
    """``found[places] += values`` with repeated places adding up; `found` is row-major."""
    arrays: list[Any] = []
    for k in places:  # a mask stands for its coordinates
        arrays += (
            [k] if type(k) is slice or k.dtype.kind != "b" or not k.ndim else list(k.nonzero())
        )
    at = [k for k, each in enumerate(arrays) if type(each) is not slice]
    adjacent = at == list(range(at[0], at[-1] + 1)) if at else False
    if not adjacent or any(each.dtype.kind == "b" for each in arrays if type(each) is not slice):
        shown = np.arange(found.size).reshape(found.shape)[tuple(arrays)]
        add_at(
            found.reshape(-1), shown.reshape(-1), np.broadcast_to(values, shown.shape).reshape(-1)
        )
        return
    first, last = at[0], at[-1] + 1
    sizes = found.shape[first:last]
    try:
        joined: Any = np.ravel_multi_index(tuple(arrays[first:last]), sizes)
    except ValueError:  # out of range, or counted from the end
        joined = 0
        for index, n in zip(arrays[first:last], sizes, strict=True):
            if index.size and (int(index.max()) >= n or int(index.min()) < -n):
                raise IndexError from None
            joined = joined * n + np.where(index < 0, index + n, index)
    shape = found.shape[:first] + joined.shape + found.shape[last:]
    values = np.broadcast_to(values, shape)
    before, after, n = (
        math.prod(found.shape[:first]),
        math.prod(found.shape[last:]),
        math.prod(sizes),
    )
    flat = joined.reshape(-1)
    if before > 1:
        flat = (np.arange(0, before * n, n)[:, None] + flat).reshape(-1)
    if before:
        add_rows(found.reshape(before * n, after), flat, values.reshape(flat.size, after))


def _put_backward(g: Tensor, shapes: Any, indices: Any, accumulate: bool, needs: Any) -> Any:
    count = len(indices)
    first = value = None
    if needs[0]:
        if accumulate:
            first = g
        else:
            first = ops._index_put(g, indices, wrap(np.zeros((), g._array.dtype)), False)
    if needs[count + 1]:
        value = ops.sum_to_size(ops._index(g, indices), _fit(shapes[count + 1], g, indices))
        value = value.reshape(shapes[count + 1])
    return [first, *[None] * count, value]


def _fit(shape: Any, g: Tensor, indices: Any) -> Any:
    """The value's shape without leading ones beyond the indexed shape."""
    ndim = ops._index(g.detach(), indices)._array.ndim
    return tuple(shape[max(len(shape) - ndim, 0) :])


@primitive(
    name="_index_put", node="IndexPut", function=False, method=False, vjp=_put_backward,
    infer=lambda input, indices, values, accumulate: (input.shape, input.dtype),
)  # fmt: skip
def _index_put(input, indices: Tensors, values, accumulate: bool):
    """The tensor with `values` written (or summed) where the indices point."""
    found = input.copy("K")
    write(found, indices, values, accumulate)
    return found


def write(target: Any, indices: Any, values: Any, add: bool) -> None:
    """Write (or sum) values into an array where the indices point.

    Raises:
        RuntimeError: dtypes differ, or the values do not broadcast. IndexError: as in reading.
    """
    if target.dtype != values.dtype:
        from flambeau.core.dtypes import of

        raise fail(
            RuntimeError,
            "index_put_",
            "Index put requires the source and destination dtypes match, got "
            f"{_cpp(of(target.dtype))} for the destination and "
            f"{_cpp(of(values.dtype))} for the source. Convert the values: "
            f"values.to({of(target.dtype)}).",
        )
    places = places_of(indices, target.ndim)
    if not places:
        raise fail(
            ValueError, "index_put_", "empty index list: at least one index tensor is needed"
        )
    try:
        if not add:
            try:
                target[places] = values
            except ValueError:
                while values.ndim and values.shape[0] == 1:
                    values = values[0]
                target[places] = values
        elif target.flags.c_contiguous:
            accumulate(target, places, values)
        else:
            fresh = np.ascontiguousarray(target)
            accumulate(fresh, places, values)
            target[...] = fresh
    except IndexError as error:
        raise word(error, target.shape, places) from None
    except ValueError:
        shape = _read(target, indices).shape
        raise fail(
            RuntimeError,
            "index_put_",
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to "
            "indexing result of shape "
            f"{list(shape)}",
        ) from None


def _cpp(dtype: Any) -> str:
    """The name PyTorch's C++ gives a dtype in messages."""
    names = {
        "float32": "Float",
        "float64": "Double",
        "float16": "Half",
        "int64": "Long",
        "int32": "Int",
        "int16": "Short",
        "int8": "Char",
        "uint8": "Byte",
        "bool": "Bool",
        "bfloat16": "BFloat16",
        "complex64": "ComplexFloat",
        "complex128": "ComplexDouble",
    }
    name = str(dtype).removeprefix("torch.")
    return names.get(name, name)


def _indices(name: str, input: Tensor, indices: Any) -> list[Any]:
    if isinstance(indices, Tensor) or not isinstance(indices, (list, tuple)):
        raise fail(
            TypeError,
            name,
            "argument 'indices' (position 2) must be tuple of Tensors, not "
            f"{type(indices).__name__}",
        )
    count = sum(
        1 if k is None or k._array.dtype.kind != "b" else max(k._array.ndim, 1) for k in indices
    )
    if count > input._array.ndim:
        raise fail(
            IndexError,
            name,
            f"too many indices for tensor of dimension {input._array.ndim} (got {count})",
        )
    return list(indices)


@composite(method=True)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """The tensor with `values` written where the indices point (summed there, with `accumulate`).

    Raises:
        RuntimeError: the values' dtype or shape does not fit. IndexError: an index out of range.
    """
    return ops._index_put(input, _indices("index_put", input, indices), values, accumulate)


def one_mask(indices: Any) -> bool:
    """Whether the indices are one mask: one value is then filled in, wherever it lies."""
    return len(indices) == 1 and indices[0] is not None and indices[0]._array.dtype.kind == "b"


@composite(method=True)
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`index_put` written into the tensor itself."""
    from flambeau.core.inplace import check_inplace, write_result
    from flambeau.core.overlap import check_apart
    from flambeau.core.state import grad_enabled, ordinary
    from flambeau.core.storage import touch
    from flambeau.core.tensor import edge_of

    indices = _indices("index_put_", input, indices)
    if not isinstance(values, Tensor):
        raise fail(
            TypeError,
            "index_put_",
            f"argument 'values' (position 3) must be Tensor, not {type(values).__name__}",
        )
    recording = grad_enabled() and (edge_of(input) is not None or edge_of(values) is not None)
    check_inplace("index_put_", input, recording, "deprecated")
    check_apart(
        "index_put_", input._array, [k._array for k in indices if k is not None], whole=True
    )
    if recording or not ordinary() or type(input._array) is not nd or type(values._array) is not nd:
        write_result("index_put_", input, ops._index_put(input, indices, values, accumulate))
        return input
    value = values._array
    if accumulate or value.size != 1 or not one_mask(indices):
        check_apart("index_put_", input._array, (value,), whole=True)
    if np.may_share_memory(value, input._array):
        value = value.copy()
    write(input._array, [None if k is None else k._array for k in indices], value, accumulate)
    touch(input, "index_put_")
    return input
