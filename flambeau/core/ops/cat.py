"""Joining: cat, stack, hstack and their kin. Cutting is in `split`, grids are in `meshes`.

Stands on declare, lists and view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from flambeau.core import layout, lists
from flambeau.core.declare import Tensors, composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.entry import at_first, nothing, process
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.late import placed
from flambeau.core.kernels.windows import channels_last, empty
from flambeau.core.silence import quiet
from flambeau.core.state import mode, ordinary
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

__all__ = ["stack", "tensors_of"]

nd = np.ndarray
joined = placed("generate.joined", "joined")
ALL = slice(None)


def _cat_back(g: Any, shapes: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    """The rule on arrays."""
    lead = (ALL,) * wrap_dim(dim, g.ndim)
    found: list[Any] = []
    start = 0
    for shape, need in zip(shapes, needs, strict=True):
        if len(shape) != g.ndim:
            found.append(np.zeros(shape, g.dtype) if need else None)
            continue
        end = start + shape[len(lead)]
        found.append(g[(*lead, slice(start, end))] if need else None)
        start = end
    return found


def _cat_backward(g: Tensor, shapes: list[Any], dim: int, needs: tuple[bool, ...]) -> list[Any]:
    dim = wrap_dim(dim, g._array.ndim)
    found: list[Any] = []
    start = 0
    for shape, need in zip(shapes, needs, strict=True):
        if len(shape) != g._array.ndim:  # an empty vector beside tensors of another rank
            found.append(g.new_zeros(shape) if need else None)
            continue
        end = start + shape[dim]
        found.append(ops._slice(g, dim, start, end, 1) if need else None)
        start = end
    return found


@primitive(
    name="_cat",
    node="Cat",
    function=False,
    method=False,
    promote=("tensors",),
    out_apart=True,
    vjp=_cat_backward,
    bare=_cat_back,
)
def _cat(tensors: Tensors, dim: int):
    """Tensors one after another along a dimension."""
    _check_cat(tensors)
    full = [a for a in tensors if a.shape != (0,)] or tensors[:1]
    ndim = full[0].ndim
    dim = 0 if full[0].shape == (0,) else wrap_dim(dim, ndim)  # such tensors join along any
    _check_sizes(tensors, full, dim)
    if any(type(a) is Abstract for a in full):
        return np.concatenate(full, axis=dim)
    if ndim in (4, 5) and not full[0].flags.c_contiguous:
        formats = {layout.suggest_memory_format(a.shape, a.strides) for a in full}
        if len(formats) == 1 and (format := formats.pop()) is not layout.contiguous_format:
            return _join_as(full, dim, format)
    return _in_rows(full, dim)


def _in_rows(arrays: Any, dim: int) -> Any:
    """The arrays one after another, row-major."""
    out = _row_major(arrays, dim)
    if out is not None and joined(arrays, dim, out):
        return out
    if out is None or out.size < PART * len(arrays) or any(a.dtype != out.dtype for a in arrays):
        return np.concatenate(arrays, axis=dim, out=out)
    start = 0
    for a in arrays:
        stop = start + a.shape[dim]
        copies.copy_into(out[(ALL,) * dim + (slice(start, stop),)], a)
        start = stop
    return out


def _row_major(arrays: Any, dim: int) -> Any:
    """Where to write: NumPy would keep the order of transposed arrays, PyTorch does not; and large
    results go to kept memory.
    """
    small = sum(a.nbytes for a in arrays) < memory.LARGE
    if small and all(a.flags.c_contiguous for a in arrays):
        return None
    shape = list(arrays[0].shape)
    shape[dim] = sum(a.shape[dim] for a in arrays)
    return memory.empty(shape, arrays[0].dtype)


def _join_as(arrays: Any, dim: int, format: Any) -> Any:
    shape = list(arrays[0].shape)
    shape[dim] = sum(a.shape[dim] for a in arrays)
    item = arrays[0].itemsize
    steps = [s * item for s in layout.memory_format_strides(shape, format)]
    fresh = nd(shape, arrays[0].dtype, memory.empty(prod(shape), arrays[0].dtype), 0, steps)
    return np.concatenate(arrays, axis=dim, out=fresh)


def _check_cat(tensors: Sequence[Any]) -> None:
    if not tensors:
        raise fail(ValueError, "cat", "expected a non-empty list of Tensors")
    for k, a in enumerate(tensors):
        if not a.ndim:
            raise fail(
                RuntimeError,
                "cat",
                f"zero-dimensional tensor (at position {k}) cannot be concatenated: use stack, "
                "or reshape(1).",
            )


def _check_sizes(tensors: Sequence[Any], full: Sequence[Any], dim: int) -> None:
    first = full[0]
    for k, a in enumerate(tensors):
        if a.shape == (0,):
            continue
        if a.ndim != first.ndim:
            raise fail(
                RuntimeError,
                "cat",
                f"Tensors must have same number of dimensions: got {first.ndim} and {a.ndim} "
                f"(tensor number {k} has shape "
                f"{list(a.shape)}). unsqueeze it, or use stack.",
            )
        for d in range(a.ndim):
            if d != dim and a.shape[d] != first.shape[d]:
                raise fail(
                    RuntimeError,
                    "cat",
                    f"Sizes of tensors must match except in dimension {dim}. Expected size "
                    f"{first.shape[d]} but got size "
                    f"{a.shape[d]} for tensor number {k} in the list: its shape is "
                    f"{list(a.shape)}, the first's "
                    f"{list(first.shape)}.",
                )


CAT = ops._cat.operation


@composite(alias=("concat", "concatenate"))
def cat(
    tensors: Any, dim: int = 0, *, out: Tensor | None = None, axis: int | None = None
) -> Tensor:
    """The tensors one after another along dimension `dim`; other sizes must agree, dtypes are
    promoted.

    Raises:
        RuntimeError: sizes differ in another dimension, or a tensor has none.
        ValueError: no tensors.
    """
    if axis is not None:
        dim = axis
    elif dim is None:
        raise fail(TypeError, "cat", "argument 'dim' must be int, not NoneType")
    if out is None and (found := _cat_short(tensors, dim, {"dim": dim})) is not None:
        return found  # type: ignore[no-any-return]
    if out is None and type(tensors) in (list, tuple) and ordinary():
        found = _joined(CAT, tensors, dim)
        if found is not None:
            return found
    return ops._cat(
        tensors if isinstance(tensors, (list, tuple, Tensor)) else list(tensors), dim, out=out
    )


def _joined(op: Any, tensors: Any, dim: Any) -> Tensor | None:
    """The short way of cat and stack: tensors of one dtype, which are row-major where their rank
    has other formats. None where the long way must look.
    """
    arrays = []
    any_edge, dense = False, True
    for t in tensors:
        if type(t) not in PLAIN or type(t._array) is not nd:
            return None
        if not t._array.flags.c_contiguous:
            if op is STACK or t._array.ndim in FORMATTED:
                return _joined_last(tensors) if op is CAT and dim in (1, -3) else None
            dense = False
        arrays.append(t._array)
        if t._edge is not None or t._view is not None:
            any_edge = True
    if not arrays:
        return None
    first = arrays[0]
    d = first.dtype
    size = 0
    for a in arrays:
        if a.dtype is not d:
            return None
        size += a.nbytes
    if size >= MANY:
        return _joined_large(op, tensors, arrays, dim, any_edge)
    try:
        if op is STACK:
            shape = first.shape
            if not -first.ndim - 1 <= dim <= first.ndim:
                return None
            for a in arrays:
                if a.shape != shape:
                    return None
            if not dim and first.size <= SMALL and first.ndim:
                return _recorded(op, tensors, dim, np.array(arrays), any_edge)
            place = (ALL,) * (dim if dim >= 0 else dim + first.ndim + 1) + (None,)
            r = np.concatenate([a[place] for a in arrays], place.index(None))
        else:
            r = np.concatenate(arrays, dim) if dense else _apart(arrays, dim)
    except (ValueError, TypeError, IndexError):
        return None
    return _recorded(op, tensors, dim, r, any_edge)


def _joined_large(op: Any, tensors: Any, arrays: list[Any], dim: Any, any_edge: bool) -> Any:
    """The same for so many numbers that memory counts."""
    ndim, rest = arrays[0].ndim, None
    if op is STACK or type(dim) is not int or not -ndim <= dim < ndim:
        return None
    dim %= ndim
    for a in arrays:
        around = (a.shape[:dim], a.shape[dim + 1 :])
        if rest not in (None, around):
            return None
        rest = around
    return _recorded(op, tensors, dim, quiet(_in_rows, arrays, dim), any_edge)


FORMATTED = (4, 5)
"""Ranks whose tensors may lie with their channels last."""


def _apart(arrays: list[Any], dim: int) -> Any:
    """The arrays along a dimension, row-major, where they are not."""
    shape = list(arrays[0].shape)
    shape[dim] = sum([a.shape[dim] for a in arrays])
    out = np.empty(shape, arrays[0].dtype)
    np.concatenate(arrays, dim, out)
    return out


def _joined_last(tensors: Any) -> Tensor | None:
    """The same for channels of images that lie last."""
    rows = []
    for t in tensors:
        if type(t) not in PLAIN or type(t._array) is not nd or t._array.ndim != 4:
            return None
        a = t._array.transpose(0, 2, 3, 1)
        if not (a.flags.c_contiguous and channels_last(t._array)):
            return None
        rows.append(a)
    first = rows[0]
    count, height, width, _ = first.shape
    for a in rows:
        if a.dtype is not first.dtype or a.shape[:3] != first.shape[:3]:
            return None
    r = empty((count, sum(a.shape[3] for a in rows), height, width), first.dtype, True)
    behind = r.transpose(0, 2, 3, 1)
    if not joined(rows, 3, behind):
        np.concatenate(rows, 3, out=behind)
    any_edge = any(t._edge is not None or t._view is not None for t in tensors)
    return _recorded(CAT, tensors, 1, r, any_edge)


SMALL = 256
MANY = 1 << 19
"""Bytes of a result from which on the long way, by code, is the quicker one."""
PART = 1 << 13
"""Numbers of a part from which on parts are written one by one."""


def _recorded(op: Any, tensors: Any, dim: int, r: Any, any_edge: bool) -> Tensor:
    t = wrap(r)
    if any_edge and mode() is None:
        edges = tuple([edge_of(x) for x in tensors])
        if any(e is not None for e in edges):
            lists._record(op, (tensors, dim), tensors, edges, [t], False)
    return t


def _stack_back(g: Any, shapes: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    """The rule on arrays."""
    lead = (ALL,) * wrap_dim(dim, g.ndim)
    return [g[(*lead, k, ...)] if need else None for k, need in enumerate(needs)]


def _stack_backward(g: Tensor, shapes: list[Any], dim: int, needs: tuple[bool, ...]) -> list[Any]:
    dim = wrap_dim(dim, g._array.ndim)
    return [ops._select(g, dim, k) if need else None for k, need in enumerate(needs)]


@primitive(
    name="_stack",
    node="Stack",
    function=False,
    method=False,
    promote=("tensors",),
    out_apart=True,
    vjp=_stack_backward,
    bare=_stack_back,
)
def _stack(tensors: Tensors, dim: int):
    """Tensors side by side along a new dimension."""
    if not tensors:
        raise fail(RuntimeError, "stack", "stack expects a non-empty TensorList")
    first = tensors[0]
    dim = wrap_dim(dim, first.ndim + 1)
    for k, a in enumerate(tensors):
        if a.shape != first.shape:
            raise fail(
                RuntimeError,
                "stack",
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at "
                f"entry 0 and {list(a.shape)} at "
                f"entry {k}: pad or cut them to one shape first.",
            )
    if type(first) is Abstract:
        return np.stack(tensors, axis=dim)
    place = (ALL,) * dim + (None,)
    parts = [a[place] for a in tensors]
    return _in_rows(parts, dim)


STACK = ops._stack.operation


def _native(op: Any, stacks: bool) -> Any:
    """``short(tensors, dim, values)``; None where it does not serve."""
    more: Any = process.own_node(lists.ListNode, process.JOIN_SLOTS)
    return process.native("join", op, nothing, stacks=stacks, **more) or nothing


_cat_short: Callable[..., Any] = at_first(globals(), "_cat_short", lambda: _native(CAT, False))
_stack_short: Callable[..., Any] = at_first(globals(), "_stack_short", lambda: _native(STACK, True))


@composite()
def stack(
    tensors: Any, dim: int = 0, *, out: Tensor | None = None, axis: int | None = None
) -> Tensor:
    """The tensors, all of one shape, side by side along a new dimension `dim`.

    Raises:
        RuntimeError: shapes differ, or there are no tensors.
    """
    dim = dim if axis is None else axis
    if out is None and (found := _stack_short(tensors, dim, {"dim": dim})) is not None:
        return found  # type: ignore[no-any-return]
    if out is None and type(tensors) in (list, tuple) and ordinary():
        found = _joined(STACK, tensors, dim)
        if found is not None:
            return found
    return ops._stack(
        tensors if isinstance(tensors, (list, tuple, Tensor)) else list(tensors), dim, out=out
    )


def tensors_of(name: str, tensors: Any) -> list[Tensor]:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise fail(
                TypeError,
                name,
                f"expected Tensor as element {k} in argument 0, but got {type(t).__name__}",
            )
    return list(tensors)


def _spread_dims(name: str, tensors: Any, grow: Any) -> Any:
    """`atleast_1d` and its kin on one tensor or a sequence."""
    if len(tensors) == 1:
        if isinstance(tensors[0], (list, tuple)):
            return tuple([grow(t) for t in tensors_of(name, tensors)])
        return grow(tensors_of(name, tensors)[0])
    return tuple([grow(t) for t in tensors_of(name, tensors)])


@composite(method=True)
def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least 1 dimension."""
    return _spread_dims("atleast_1d", tensors, lambda t: t if t._array.ndim else t.reshape(1))


@composite(method=True)
def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least 2 dimensions; new ones in front."""

    def grow(t: Tensor) -> Tensor:
        ndim = t._array.ndim
        return t.reshape(1, 1) if not ndim else ops.unsqueeze(t, 0) if ndim == 1 else t

    return _spread_dims("atleast_2d", tensors, grow)


@composite(method=True)
def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least 3 dimensions: ``(n)`` becomes ``(1, n, 1)``, ``(m, n)`` becomes
    ``(m, n, 1)``.
    """

    def grow(t: Tensor) -> Tensor:
        ndim = t._array.ndim
        if not ndim:
            return t.reshape(1, 1, 1)
        if ndim == 1:
            return ops.unsqueeze(ops.unsqueeze(t, 0), -1)
        return ops.unsqueeze(t, -1) if ndim == 2 else t

    return _spread_dims("atleast_3d", tensors, grow)


def _nonempty(name: str, tensors: Any) -> list[Tensor]:
    if isinstance(tensors, Tensor):
        raise fail(
            TypeError,
            name,
            "argument 'tensors' (position 1) must be tuple of Tensors, not Tensor. Give "
            "tensor.unbind() to join its parts.",
        )
    found = list(tensors)
    if not found:
        raise fail(RuntimeError, name, f"{name} expects a non-empty TensorList")
    return found


def _of_rank(name: str, tensors: Any, rank: int, grow: Any) -> list[Any]:
    """The tensors, those of fewer dimensions grown."""
    return [
        t if isinstance(t, Tensor) and t._array.ndim >= rank else grow(t)
        for t in _nonempty(name, tensors)
    ]


@composite()
def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the columns (dimension 1; 0 for vectors)."""
    grown = _of_rank("hstack", tensors, 1, atleast_1d)
    return cat(grown, 0 if grown[0]._array.ndim == 1 else 1, out=out)


@composite(alias=("row_stack",))
def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the rows (dimension 0); vectors become rows."""
    return cat(_of_rank("vstack", tensors, 2, atleast_2d), 0, out=out)


@composite()
def dstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the depth (dimension 2)."""
    return cat(_of_rank("dstack", tensors, 3, atleast_3d), 2, out=out)


@composite()
def column_stack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors as columns: vectors become columns, then all are joined along dimension 1."""
    found = _nonempty("column_stack", tensors)
    return hstack([t if t._array.ndim > 1 else t.reshape(t.numel(), 1) for t in found], out=out)


@primitive(
    name="_block_diag", node="BlockDiag", function=False, method=False, promote=("tensors",),
    vjp=lambda g, shapes: _cut_blocks(g, shapes),
)  # fmt: skip
def _block_diag(tensors: Tensors):
    """Matrices along a diagonal, zeros elsewhere."""
    matrices = [_as_matrix(k, a) for k, a in enumerate(tensors)]
    rows, columns = sum(a.shape[0] for a in matrices), sum(a.shape[1] for a in matrices)
    found = np.zeros((rows, columns), matrices[0].dtype)
    i = j = 0
    for a in matrices:
        found[i : i + a.shape[0], j : j + a.shape[1]] = a
        i, j = i + a.shape[0], j + a.shape[1]
    return found


def _as_matrix(k: int, a: Any) -> Any:
    if a.ndim > 2:
        raise fail(
            RuntimeError,
            "block_diag",
            f"Input tensors must have 2 or fewer dimensions. Input {k} has {a.ndim} dimensions",
        )
    return a.reshape((1, a.size) if a.ndim < 2 else a.shape)


def _cut_blocks(g: Tensor, shapes: list[Any]) -> list[Tensor]:
    found = []
    i = j = 0
    for shape in shapes:
        rows, columns = shape if len(shape) == 2 else (1, shape[0] if shape else 1)
        found.append(g[i : i + rows, j : j + columns].reshape(shape))
        i, j = i + rows, j + columns
    return found


@composite()
def block_diag(*tensors: Any) -> Tensor:
    """The block-diagonal matrix of the given matrices (vectors and scalars are rows)."""
    found = tensors_of("block_diag", tensors)
    if not found:
        return ops.zeros(1, 0)
    return ops._block_diag(found)
