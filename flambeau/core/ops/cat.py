"""Joining and cutting: cat, stack, split, chunk, unbind and what is made of them. Repetition is in `shape`.

The parts that split, chunk and unbind give share one node and may not be written in place, as in PyTorch.
Stands on declare, lists and view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations as choose
from itertools import combinations_with_replacement as choose_again
from typing import Any

import numpy as np

from flambeau.core import layout, lists, overrides
from flambeau.core.declare import Tensors, composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.node import Node, Port
from flambeau.core.output import write_one
from flambeau.core.provenance import user_frame
from flambeau.core.silence import quiet
from flambeau.core.state import grad_enabled, mode, next_sequence, ordinary
from flambeau.core.storage import storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

__all__: list[str] = []

nd = np.ndarray
ALL = slice(None)


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


@primitive(name="_cat", node="Cat", function=False, method=False, promote=("tensors",), out_apart=True, vjp=_cat_backward)
def _cat(tensors: Tensors, dim: int):
    """Tensors one after another along a dimension."""
    _check_cat(tensors)
    full = [a for a in tensors if a.shape != (0,)] or tensors[:1]
    ndim = full[0].ndim
    dim = wrap_dim(dim, ndim)
    _check_sizes(tensors, full, dim)
    if any(type(a) is Abstract for a in full):
        return np.concatenate(full, axis=dim)
    if ndim in (4, 5) and not full[0].flags.c_contiguous:
        formats = {layout.suggest_memory_format(a.shape, a.strides) for a in full}
        if len(formats) == 1 and (format := formats.pop()) is not layout.contiguous_format:
            return _join_as(full, dim, format)
    return np.concatenate(full, axis=dim, out=_row_major(full, dim))


def _row_major(arrays: Any, dim: int) -> Any:
    """Where to write: NumPy would keep the order of transposed arrays, PyTorch does not."""
    if all(a.flags.c_contiguous for a in arrays):
        return None
    shape = list(arrays[0].shape)
    shape[dim] = sum(a.shape[dim] for a in arrays)
    return np.empty(shape, arrays[0].dtype)


def _join_as(arrays: Any, dim: int, format: Any) -> Any:
    shape = list(arrays[0].shape)
    shape[dim] = sum(a.shape[dim] for a in arrays)
    item = arrays[0].itemsize
    steps = [s * item for s in layout.memory_format_strides(shape, format)]
    fresh = nd(shape, arrays[0].dtype, np.empty(int(np.prod(shape)), arrays[0].dtype), 0, steps)
    return np.concatenate(arrays, axis=dim, out=fresh)


def _check_cat(tensors: Sequence[Any]) -> None:
    if not tensors:
        raise fail(ValueError, "cat", "expected a non-empty list of Tensors")
    for k, a in enumerate(tensors):
        if not a.ndim:
            raise fail(
                RuntimeError,
                "cat",
                f"zero-dimensional tensor (at position {k}) cannot be concatenated: use stack, or reshape(1).",
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
                f"Tensors must have same number of dimensions: got {first.ndim} and {a.ndim} (tensor number {k} has shape "
                f"{list(a.shape)}). unsqueeze it, or use stack.",
            )
        for d in range(a.ndim):
            if d != dim and a.shape[d] != first.shape[d]:
                raise fail(
                    RuntimeError,
                    "cat",
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {first.shape[d]} but got size "
                    f"{a.shape[d]} for tensor number {k} in the list: its shape is {list(a.shape)}, the first's "
                    f"{list(first.shape)}.",
                )


CAT = ops._cat.operation


@composite(alias=("concat", "concatenate"))
def cat(tensors: Any, dim: int = 0, *, out: Tensor | None = None, axis: int | None = None) -> Tensor:
    """The tensors one after another along dimension `dim`; other sizes must agree, dtypes are promoted.

    Raises:
        RuntimeError: sizes differ in another dimension, or a tensor has none.
        ValueError: no tensors.
    """
    if axis is not None:
        dim = axis
    if out is None and type(tensors) in (list, tuple) and ordinary():
        found = _joined(CAT, tensors, dim)
        if found is not None:
            return found
    return ops._cat(tensors if isinstance(tensors, (list, tuple, Tensor)) else list(tensors), dim, out=out)


def _joined(op: Any, tensors: Any, dim: Any) -> Tensor | None:
    """The short way of cat: row-major tensors of one dtype. None where the long way must look."""
    arrays = []
    any_edge = False
    for t in tensors:
        if type(t) not in PLAIN or type(t._array) is not nd or not t._array.flags.c_contiguous:
            return None
        arrays.append(t._array)
        if t._edge is not None or t._view is not None:
            any_edge = True
    if not arrays or any(a.dtype is not arrays[0].dtype for a in arrays):
        return None
    try:
        r = np.concatenate(arrays, dim)
    except (ValueError, TypeError, IndexError):
        return None
    t = wrap(r)
    if any_edge and mode() is None:
        edges = tuple([edge_of(x) for x in tensors])
        if any(e is not None for e in edges):
            lists._record(op, (tensors, dim), tensors, edges, [t], False)
    return t


def _stack_backward(g: Tensor, shapes: list[Any], dim: int, needs: tuple[bool, ...]) -> list[Any]:
    dim = wrap_dim(dim, g._array.ndim)
    return [ops._select(g, dim, k) if need else None for k, need in enumerate(needs)]


@primitive(name="_stack", node="Stack", function=False, method=False, promote=("tensors",), vjp=_stack_backward)
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
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and {list(a.shape)} at "
                f"entry {k}: pad or cut them to one shape first.",
            )
    if type(first) is Abstract:
        return np.stack(tensors, axis=dim)
    place = (ALL,) * dim + (None,)
    parts = [a[place] for a in tensors]
    return np.concatenate(parts, axis=dim, out=_row_major(parts, dim))


STACK = ops._stack.operation


@composite()
def stack(tensors: Any, dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors, all of one shape, side by side along a new dimension `dim`.

    Raises:
        RuntimeError: shapes differ, or there are no tensors.
    """
    return ops._stack(tensors if isinstance(tensors, (list, tuple, Tensor)) else list(tensors), dim, out=out)


class PartsNode(Node):
    """The node behind several views that tile their input: its gradient is theirs, laid together."""

    __slots__ = ("base_dtype", "base_shape", "dim", "label", "sizes")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        grads = grads if isinstance(grads, (list, tuple)) else (grads,)
        if graph:
            whole = None
            for place, grad in zip(self.places(), grads, strict=True):
                if grad is not None:
                    part = ops._view_backward(grad, self.base_shape, place)
                    whole = part if whole is None else whole + part
            return [whole]
        fresh = np.zeros(self.base_shape, self.base_dtype)
        for place, grad in zip(self.places(), grads, strict=True):
            if grad is not None:
                fresh[place] = grad
        return [fresh]

    def places(self) -> list[tuple[Any, ...]]:
        """The basic index of each part."""
        lead = (ALL,) * self.dim
        if self.sizes is None:
            return [(*lead, k, ...) for k in range(self.base_shape[self.dim])]
        found, start = [], 0
        for size in self.sizes:
            found.append((*lead, slice(start, start + size)))
            start += size
        return found

    def name(self) -> str:
        return self.label


def _parts(
    input: Tensor, dim: int, sizes: Sequence[int] | None, label: str, unsafe: bool = False
) -> tuple[Tensor, ...]:
    """The views that tile `input` along `dim`: of the given sizes, or one at each index.

    `unsafe` parts share memory and hide it from autograd, so that they may be written in place.
    """
    m = mode()
    if (m is not None and m.levels) or type(input._array) is not nd:
        return _parts_slowly(input, dim, sizes)
    a = input._array
    node = PartsNode()
    node.dim, node.sizes, node.label = dim, sizes, label
    node.base_shape, node.base_dtype = a.shape, a.dtype
    places = node.places()
    store = input._storage or storage_of(input)
    edge = edge_of(input) if grad_enabled() else None
    base = input if input._view is None else input._view[0]
    mark = (base, store.version, "multi" if grad_enabled() else "no_grad")
    found = []
    for k, place in enumerate(places):
        t = wrap(a[place])
        if not unsafe:
            t._storage = store
            t._view = mark
        if edge is not None:
            t._edge = Port(node, k) if len(places) > 1 else node
        found.append(t)
    if edge is not None and found:
        node.edges = (edge,)
        node.hooks = None
        several = len(found) > 1
        node.shape = tuple([t._array.shape for t in found]) if several else found[0]._array.shape
        node.dtype = (a.dtype,) * len(found) if several else a.dtype
        node.outputs = len(found)
        frame = user_frame(_frame(1))
        node.code, node.lasti = frame.f_code, frame.f_lasti
        node.sequence = next_sequence()
    return tuple(found)


def _frame(depth: int) -> Any:
    import sys

    return sys._getframe(depth + 1)


def _parts_slowly(input: Tensor, dim: int, sizes: Sequence[int] | None) -> tuple[Tensor, ...]:
    """The parts as single views: under transforms, and for what is no dense array."""
    if sizes is None:
        return tuple(ops.select(input, dim, k) for k in range(input.shape[dim]))
    found, start = [], 0
    for size in sizes:
        found.append(ops.narrow(input, dim, start, size))
        start += size
    return tuple(found)


def _subclassed(name: str, input: Any, *args: Any) -> Any:
    """What a subclass or a mode answers in the place of operation `name`; None where nobody is asked."""
    if type(input) in PLAIN and ordinary():
        return None
    if not isinstance(input, Tensor):
        raise fail(TypeError, name, f"argument 'tensor' (position 1) must be Tensor, not {type(input).__name__}")
    if overrides.concern((input,), mode()):
        return overrides.dispatch(getattr(ops, name), (input, *args), {})
    return None


@composite(method=True)
def split(tensor: Tensor, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None) -> tuple[Tensor, ...]:
    """Views of `split_size` indices each along `dim` (the last may be smaller), or of the given sizes.

    Raises:
        RuntimeError: sizes that are negative or do not add up to the dimension.
    """
    size = split_size if split_size_or_sections is None else split_size_or_sections
    answer = _subclassed("split", tensor, size, dim)
    if answer is not None:
        return answer
    if isinstance(size, (list, tuple)):
        return split_with_sizes(tensor, size, dim)
    shape = tensor._array.shape
    if not shape:
        raise fail(RuntimeError, "split", "split expects at least a 1-dimensional tensor")
    size = int(size)
    dim = wrap_dim(dim, len(shape))
    if size < 0:
        raise fail(RuntimeError, "split", f"split expects split_size be non-negative, but got split_size={size}")
    length = shape[dim]
    if size == 0 and length:
        raise fail(
            RuntimeError, "split", f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}"
        )
    return _parts(tensor, dim, _even(length, size), "SplitBackward0")


def _even(length: int, size: int) -> list[int]:
    if not length:
        return [0]
    whole, rest = divmod(length, size)
    return [size] * whole + [rest] * (rest > 0)


@composite(method=True)
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of the given sizes along `dim`.

    Raises:
        RuntimeError: sizes that are negative or do not add up to the dimension.
    """
    shape = input._array.shape
    if not shape:
        raise fail(RuntimeError, "split", "split expects at least a 1-dimensional tensor")
    sizes = [int(n) for n in split_sizes]
    dim = wrap_dim(dim, len(shape))
    if any(n < 0 for n in sizes):
        raise fail(RuntimeError, "split", f"split_with_sizes expects split_sizes have only non-negative entries, but got {sizes}")
    if sum(sizes) != shape[dim]:
        raise fail(
            RuntimeError,
            "split",
            f"split_with_sizes expects split_sizes to sum exactly to {shape[dim]} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={sizes}, which add up to {sum(sizes)}",
        )
    return _parts(input, dim, sizes, "SplitWithSizesBackward0")


@composite(method=True)
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size along `dim` (the last may be smaller).

    Raises:
        RuntimeError: fewer than one chunk, or a 0-d tensor.
    """
    answer = _subclassed("chunk", input, chunks, dim)
    if answer is not None:
        return answer
    shape = input._array.shape
    if not shape:
        raise fail(RuntimeError, "chunk", "chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise fail(RuntimeError, "chunk", f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = wrap_dim(dim, len(shape))
    length = shape[dim]
    if not length:
        return _parts(input, dim, [0] * chunks, "SplitWithSizesBackward0")
    return _parts(input, dim, _even(length, -(-length // chunks)), "SplitBackward0")


@composite(method=True)
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The views at every index of `dim`.

    Raises:
        IndexError: no such dimension.
    """
    answer = _subclassed("unbind", input, dim)
    if answer is not None:
        return answer
    shape = input._array.shape
    if not shape:
        raise fail(IndexError, "unbind", "Dimension specified as 0 but tensor has no dimensions")
    return _parts(input, wrap_dim(dim, len(shape)), None, "UnbindBackward0")


def _iterate(input: Tensor) -> Any:
    """Iteration goes over the first dimension.

    Raises:
        TypeError: a 0-d tensor.
    """
    if not input._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(input, 0))


Tensor.__iter__ = _iterate  # type: ignore[attr-defined]


@composite(method=True)
def tensor_split(
    input: Tensor, indices_or_sections: Any = None, dim: int = 0, *, sections: Any = None, indices: Any = None,
    tensor_indices_or_sections: Any = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Views cut along `dim`: into a number of nearly equal sections, or before the given indices.

    Raises:
        RuntimeError: fewer than one section, or a 0-d tensor.
    """
    given = next(v for v in (indices_or_sections, sections, indices, tensor_indices_or_sections, ()) if v is not None)
    _check_sections("tensor_split", given)
    return _cut("tensor_split", input, given, dim)


def _check_sections(name: str, given: Any) -> None:
    if not isinstance(given, (int, list, tuple, Tensor)):
        raise fail(TypeError, name, f"{name}() takes a number of sections or a tuple of indices, not {type(given).__name__}")


def _cut(name: str, input: Tensor, given: Any, dim: int) -> tuple[Tensor, ...]:
    shape = input._array.shape
    if not shape:
        raise fail(RuntimeError, name, f"{name} expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = wrap_dim(dim, len(shape))
    length = shape[dim]
    if isinstance(given, Tensor):
        if given._array.dtype != np.int64:
            raise fail(RuntimeError, name, f"{name} expected tensor_indices_or_sections to have dtype of long, but got {given.dtype}")
        if given._array.ndim > 1:
            raise fail(
                RuntimeError,
                name,
                "expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with "
                f"{given._array.ndim} dims",
            )
        given = given.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise fail(RuntimeError, name, f"number of sections must be larger than 0, got {given}")
        size, more = divmod(length, given)
        sizes = [size + 1] * more + [size] * (given - more)
        bounds = [0, *np.cumsum(sizes).tolist()]
    else:
        bounds = [0, *(int(k) for k in given), length]
    return tuple([_slice_of(input, dim, a, b) for a, b in zip(bounds, bounds[1:], strict=False)])


def _slice_of(input: Tensor, dim: int, start: int, end: int) -> Tensor:
    start, end, _ = slice(start, end).indices(input._array.shape[dim])
    return ops._slice(input, dim, start, max(start, end), 1)


def _side_split(name: str, least: int, axis: Any, words: str) -> None:
    def cut(input: Tensor, indices_or_sections: Any = None, *, sections: Any = None, indices: Any = None) -> tuple[Tensor, ...]:
        given = next(v for v in (indices_or_sections, sections, indices, ()) if v is not None)
        _check_sections(name, given)
        ndim = input._array.ndim
        if ndim < least:
            raise fail(
                RuntimeError,
                name,
                f"torch.{name} requires a tensor with at least {least} dimension{'s' * (least > 1)}, but got a tensor with {ndim} "
                "dimensions!",
            )
        dim = axis(ndim)
        if isinstance(given, int):
            if given == 0 or input._array.shape[dim] % given:
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
                    f"{input._array.shape[dim]} is not divisible by the split_size {given}!",
                )
        return _cut(name, input, given, dim)

    cut.__name__ = cut.__qualname__ = name
    cut.__doc__ = f"`tensor_split` along {words}; a number of sections must divide it."
    composite(method=True)(cut)


_side_split("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1, "the columns (dimension 1; 0 for vectors)")
_side_split("vsplit", 2, lambda ndim: 0, "the rows (dimension 0)")
_side_split("dsplit", 3, lambda ndim: 2, "the depth (dimension 2)")


def _unsafe(parts: tuple[Tensor, ...], input: Tensor, dim: int, sizes: Sequence[int], label: str) -> tuple[Tensor, ...]:
    if type(input._array) is not nd or not ordinary():
        return parts
    return _parts(input, wrap_dim(dim, input._array.ndim), sizes, label, unsafe=True)


@composite()
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, whose parts may be written in place: the input is not to be used any more then."""
    parts = split(input, split_size, dim)
    return _unsafe(parts, input, dim, [t._array.shape[dim] for t in parts], "UnsafeSplitBackward0")


@composite()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk`, whose parts may be written in place: the input is not to be used any more then."""
    parts = chunk(input, chunks, dim)
    return _unsafe(parts, input, dim, [t._array.shape[dim] for t in parts], "UnsafeSplitBackward0")


@composite()
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes`, whose parts may be written in place: the input is not to be used any more then."""
    parts = split_with_sizes(input, split_sizes, dim)
    return _unsafe(parts, input, dim, list(split_sizes), "UnsafeSplitWithSizesBackward0")


for _name in ("unsafe_split", "unsafe_chunk", "unsafe_split_with_sizes"):
    setattr(Tensor, _name, getattr(ops, _name))


def _copies(parts: tuple[Tensor, ...], out: Any, name: str) -> Any:
    copies = tuple(part.clone() for part in parts)
    if out is None:
        return copies
    for copy, target in zip(copies, out, strict=True):
        write_one(name, copy, target)
    return None


@composite()
def split_copy(input: Tensor, split_size: Any, dim: int = 0, *, out: Any = None) -> Any:
    """`split`, copied."""
    return _copies(split(input, split_size, dim), out, "split_copy")


@composite()
def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0, *, out: Any = None) -> Any:
    """`split_with_sizes`, copied."""
    return _copies(split_with_sizes(input, split_sizes, dim), out, "split_with_sizes_copy")


@composite()
def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> Any:
    """`unbind`, copied."""
    return _copies(unbind(input, dim), out, "unbind_copy")


def _tensors(name: str, tensors: Any) -> list[Tensor]:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise fail(TypeError, name, f"expected Tensor as element {k} in argument 0, but got {type(t).__name__}")
    return list(tensors)


def _spread_dims(name: str, tensors: Any, grow: Any) -> Any:
    """`atleast_1d` and its kin on one tensor or a sequence."""
    if len(tensors) == 1:
        if isinstance(tensors[0], (list, tuple)):
            return tuple([grow(t) for t in _tensors(name, tensors)])
        return grow(_tensors(name, tensors)[0])
    return tuple([grow(t) for t in _tensors(name, tensors)])


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
    """Each tensor with at least 3 dimensions: ``(n)`` becomes ``(1, n, 1)``, ``(m, n)`` becomes ``(m, n, 1)``."""

    def grow(t: Tensor) -> Tensor:
        ndim = t._array.ndim
        if not ndim:
            return t.reshape(1, 1, 1)
        if ndim == 1:
            return ops.unsqueeze(ops.unsqueeze(t, 0), -1)
        return ops.unsqueeze(t, -1) if ndim == 2 else t

    return _spread_dims("atleast_3d", tensors, grow)


def _nonempty(name: str, tensors: Any) -> list[Tensor]:
    found = list(tensors)
    if not found:
        raise fail(RuntimeError, name, f"{name} expects a non-empty TensorList")
    return found


@composite()
def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the columns (dimension 1; 0 for vectors)."""
    grown = [atleast_1d(t) for t in _nonempty("hstack", tensors)]
    return cat(grown, 0 if grown[0]._array.ndim == 1 else 1, out=out)


@composite(alias=("row_stack",))
def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the rows (dimension 0); vectors become rows."""
    return cat([atleast_2d(t) for t in _nonempty("vstack", tensors)], 0, out=out)


@composite()
def dstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along the depth (dimension 2)."""
    return cat([atleast_3d(t) for t in _nonempty("dstack", tensors)], 2, out=out)


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
    found = _tensors("block_diag", tensors)
    if not found:
        return ops.zeros(1, 0)
    return ops._block_diag(found)


@composite()
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors at their common shape: views, or the tensor itself where it has that shape."""
    found = _tensors("broadcast_tensors", tensors)
    shape = layout.broadcast_shapes(*[tuple(t._array.shape) for t in found])
    return tuple([t if t._array.shape == shape else t.expand(shape) for t in found])


@composite()
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: each vector expanded along its own dimension.

    Args:
        indexing: "ij" (matrix order, the default) or "xy" (the first two dimensions swapped).

    Raises:
        RuntimeError: tensors of more than one dimension, of different dtypes, or another indexing.
    """
    found = _tensors("meshgrid", tensors)
    if indexing is None:
        from flambeau.compat import warn_once

        warn_once(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=3,
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise fail(
            RuntimeError, "meshgrid", f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if not found:
        raise fail(RuntimeError, "meshgrid", "meshgrid expects a non-empty TensorList")
    for t in found:
        if t._array.ndim > 1:
            raise fail(
                RuntimeError, "meshgrid", f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(t._array.shape)}"
            )
        if t._array.dtype != found[0]._array.dtype:
            raise fail(RuntimeError, "meshgrid", "torch.meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(found) > 1
    if swap:
        found[0], found[1] = found[1], found[0]
    shape = [t.numel() for t in found]
    ndim = len(shape)
    grids = [
        t.view((1,) * k + (-1,) + (1,) * (ndim - k - 1)).expand(shape) if t.numel() else t.reshape(shape)
        for k, t in enumerate(found)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@composite()
def cartesian_prod(*tensors: Any) -> Tensor:
    """Every choice of one element from each vector, a row each; of a single vector, itself.

    Raises:
        RuntimeError: a tensor that is no vector.
    """
    found = _tensors("cartesian_prod", tensors)
    for t in found:
        if t._array.ndim != 1:
            raise fail(RuntimeError, "cartesian_prod", f"Expect a 1D vector, but got shape {list(t._array.shape)}")
    if len(found) == 1:
        return found[0]
    return stack([g.flatten() for g in meshgrid(*found, indexing="ij")], 1)


@composite()
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of `r` elements of a vector in order, a row each.

    Raises:
        RuntimeError: the tensor is no vector, or r is negative.
    """
    if input._array.ndim != 1:
        raise fail(RuntimeError, "combinations", f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    if r < 0:
        raise fail(RuntimeError, "combinations", f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty((0,))
    picked = list((choose_again if with_replacement else choose)(range(input._array.size), r))
    places = np.array(picked, np.int64).reshape(len(picked), r)
    return ops._index_one(input, wrap(quiet(np.ascontiguousarray, places)), 0)
