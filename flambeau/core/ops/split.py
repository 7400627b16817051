"""Cutting: split, chunk, unbind, tensor_split and their kin. Joining is in `cat`.

The parts that split, chunk and unbind give share one node and may not be written in place, as in
PyTorch. Stands on declare and view.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import index
from typing import Any

import numpy as np

from flambeau.core import overrides
from flambeau.core.declare import composite, ops
from flambeau.core.dims import wrap_dim
from flambeau.core.entry import at_first, nothing, process
from flambeau.core.errors import fail
from flambeau.core.lower import CLASSES
from flambeau.core.methods import bind
from flambeau.core.node import Node, Port, labelled
from flambeau.core.output import write_one
from flambeau.core.provenance import user_frame
from flambeau.core.state import grad_enabled, mode, next_sequence, ordinary
from flambeau.core.storage import storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

__all__: list[str] = []

nd = np.ndarray
ALL = slice(None)
_frame = sys._getframe


class PartsNode(Node):
    """The node behind several views that tile their input: it lays their gradients together."""

    __slots__ = ("base_dtype", "base_shape", "dim", "label", "outputs", "sizes")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        grads = grads if isinstance(grads, (list, tuple)) else (grads,)
        if graph or not all(grad is None or type(grad) is nd for grad in grads):
            whole = None
            for place, grad in zip(self.places(), grads, strict=True):
                if grad is not None:
                    grad = grad if isinstance(grad, Tensor) else wrap(grad)
                    part = ops._view_backward(grad, self.base_shape, place)
                    whole = part if whole is None else whole + part
            return [whole if graph or whole is None else whole._array]
        fresh = np.zeros(self.base_shape, self.base_dtype)
        for place, grad in zip(self.places(), grads, strict=True):
            if grad is not None:
                fresh[place] = grad
        return [fresh]

    def places(self) -> list[tuple[Any, ...]]:
        """The basic index of each part."""
        return _places(self.base_shape, self.dim, self.sizes)

    def name(self) -> str:
        return self.label


def _places(shape: Any, dim: int, sizes: Sequence[int] | None) -> list[tuple[Any, ...]]:
    """The basic indices that cut a dimension into parts of the given sizes, or at each place."""
    lead = (ALL,) * dim
    if sizes is None:
        return [(*lead, k, ...) for k in range(shape[dim])]
    starts = accumulate(sizes, initial=0)
    return [(*lead, slice(start, start + size)) for start, size in zip(starts, sizes, strict=False)]


def _parts(
    input: Tensor, dim: int, sizes: tuple[int, ...] | None, label: str, marked: bool = True
) -> tuple[Tensor, ...]:
    """The views that tile `input` along `dim`: of the given sizes, or one at each index.

    Unmarked ones share memory and hide it from autograd, so that they may be written in place.
    """
    return _native_parts(input, dim, sizes, label, marked) or _parts_by_numpy(
        input, dim, sizes, label, marked
    )


def _native() -> Callable[..., Any]:
    more = process.own_node(PartsNode, process.PARTS_SLOTS) | {"depth": id(2)}
    return process.made("parts", None, more) or nothing


_native_parts: Callable[..., Any] = at_first(globals(), "_native_parts", _native)


def _parts_by_numpy(
    input: Tensor, dim: int, sizes: tuple[int, ...] | None, label: str, marked: bool
) -> tuple[Tensor, ...]:
    m = mode()
    special = m is not None and bool(m.levels or m.dispatch)
    if special or type(input._array) is not nd or type(input) in CLASSES:
        return _parts_slowly(input, dim, sizes)
    a = input._array
    store = input._storage or storage_of(input)
    edge = edge_of(input) if grad_enabled() else None
    base = input if input._view is None else input._view[0]
    mark = (base, store.version, "multi" if grad_enabled() else "no_grad")
    found = tuple([wrap(a[place]) for place in _places(a.shape, dim, sizes)])
    if marked:
        for t in found:
            t._storage, t._view = input._storage, mark
    if edge is not None and found:
        node = PartsNode()
        node.dim, node.sizes, node.label = dim, sizes, label
        node.base_shape, node.base_dtype = a.shape, a.dtype
        node.edges = (edge,)
        node.hooks = None
        several = len(found) > 1
        node.shape = tuple([t._array.shape for t in found]) if several else found[0]._array.shape
        node.dtype = (a.dtype,) * len(found) if several else a.dtype
        node.outputs = len(found)
        frame = user_frame(_frame(2))
        node.code, node.lasti = frame.f_code, frame.f_lasti
        node.sequence = next_sequence()
        for k, t in enumerate(found):
            t._edge = Port(node, k) if several else node
    return found


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
    """What a subclass or a mode answers in the place of operation `name`; None where nobody is
    asked.
    """
    if type(input) in PLAIN and ordinary():
        return None
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            name,
            f"argument 'tensor' (position 1) must be Tensor, not {type(input).__name__}",
        )
    if overrides.concern((input,), mode()):
        return overrides.dispatch(getattr(ops, name), (input, *args), {})
    return None


@composite(method=True)
def split(
    tensor: Tensor, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None
) -> tuple[Tensor, ...]:
    """Views of `split_size` indices each along `dim` (the last may be smaller), or of the given
    sizes.

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
        raise fail(
            RuntimeError,
            "split",
            f"split expects split_size be non-negative, but got split_size={size}",
        )
    length = shape[dim]
    if size == 0 and length:
        raise fail(
            RuntimeError,
            "split",
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}",
        )
    return _parts(tensor, dim, _even(length, size), "SplitBackward0")


def _even(length: int, size: int) -> tuple[int, ...]:
    if not length:
        return (0,)
    whole, rest = divmod(length, size := index(size))
    return (size,) * whole + (rest,) * (rest > 0)


@composite(method=True, numpy=True)
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
        raise fail(
            RuntimeError,
            "split",
            f"split_with_sizes expects split_sizes have only non-negative entries, but got {sizes}",
        )
    if sum(sizes) != shape[dim]:
        raise fail(
            RuntimeError,
            "split",
            f"split_with_sizes expects split_sizes to sum exactly to {shape[dim]} (input "
            f"tensor's size at dimension {dim}), "
            f"but got split_sizes={sizes}, which add up to {sum(sizes)}",
        )
    return _parts(input, dim, tuple(sizes), "SplitWithSizesBackward0")


@composite(method=True)
def chunk(
    input: Tensor, chunks: int, dim: int = 0, *, axis: int | None = None
) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size along `dim` (the last may be smaller).

    Raises:
        RuntimeError: fewer than one chunk, or a 0-d tensor.
    """
    dim = dim if axis is None else axis
    answer = _subclassed("chunk", input, chunks, dim)
    if answer is not None:
        return answer
    shape = input._array.shape
    if not shape:
        raise fail(RuntimeError, "chunk", "chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise fail(
            RuntimeError, "chunk", f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        )
    dim = wrap_dim(dim, len(shape))
    length = shape[dim]
    if not length:
        return _parts(input, dim, (0,) * chunks, "SplitWithSizesBackward0")
    return _parts(input, dim, _even(length, -(-length // chunks)), "SplitBackward0")


@composite(method=True)
def unbind(input: Tensor, dim: int = 0, *, axis: int | None = None) -> tuple[Tensor, ...]:
    """The views at every index of `dim`.

    Raises:
        IndexError: no such dimension.
    """
    dim = dim if axis is None else axis
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


bind(__iter__=_iterate)


@composite(method=True, numpy=True)
def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    sections: Any = None,
    indices: Any = None,
    tensor_indices_or_sections: Any = None,
) -> tuple[Tensor, ...]:
    """Views cut along `dim`: into a number of nearly equal sections, or before the given indices.

    Raises:
        RuntimeError: fewer than one section, or a 0-d tensor.
    """
    given = indices_or_sections
    if given is None:
        given = _first_given(sections, indices, tensor_indices_or_sections)
    given = _sections("tensor_split", given)
    return _cut("tensor_split", input, given, dim)


def _first_given(*given: Any) -> Any:
    return next((v for v in given if v is not None), None)


def _sections(name: str, given: Any) -> Any:
    if not isinstance(given, (int, np.integer, list, tuple, Tensor)):
        raise fail(
            TypeError,
            name,
            f"{name}() takes a number of sections or a tuple of indices, not "
            f"{type(given).__name__}",
        )
    return int(given) if isinstance(given, np.integer) else given


def _cut(name: str, input: Tensor, given: Any, dim: int) -> tuple[Tensor, ...]:
    shape = input._array.shape
    if not shape:
        raise fail(
            RuntimeError,
            name,
            f"{name} expected at least a 1-dimensional tensor, but got a tensor with 0 dims",
        )
    dim = wrap_dim(dim, len(shape))
    length = shape[dim]
    if isinstance(given, Tensor):
        if given._array.dtype != np.int64:
            raise fail(
                RuntimeError,
                name,
                f"{name} expected tensor_indices_or_sections to have dtype of long, but got "
                f"{given.dtype}",
            )
        if given._array.ndim > 1:
            raise fail(
                RuntimeError,
                name,
                "expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                "tensor, but got a tensor with "
                f"{given._array.ndim} dims",
            )
        given = given.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise fail(RuntimeError, name, f"number of sections must be larger than 0, got {given}")
        size, more = divmod(length, given)
        if more or not size:
            bounds = tuple([k * size + min(k, more) for k in range(given + 1)])
        else:
            bounds = tuple(range(0, length + 1, size))
    else:
        bounds = (0, *[int(k) for k in given], length)
    found = _ranges(input, dim, bounds)
    if found is not None:
        return found  # type: ignore[no-any-return]
    return tuple([_slice_of(input, dim, a, b) for a, b in zip(bounds, bounds[1:], strict=False)])


_ranges: Callable[..., Any] = at_first(
    globals(),
    "_ranges",
    lambda: process.native("cut", ops._slice.operation, nothing) or nothing,
)
"""``_ranges(input, dim, bounds)``: the views between bounds that rise; None where the long way must
look."""


def _slice_of(input: Tensor, dim: int, start: int, end: int) -> Tensor:
    if not 0 <= start <= end <= input._array.shape[dim]:
        start, end, _ = slice(start, end).indices(input._array.shape[dim])
    return ops._slice(input, dim, start, max(start, end), 1)


def _side_split(name: str, least: int, axis: Any, words: str) -> None:
    def cut(
        input: Tensor, indices_or_sections: Any = None, *, sections: Any = None, indices: Any = None
    ) -> tuple[Tensor, ...]:
        given = indices_or_sections
        if given is None:
            given = _first_given(sections, indices)
        given = _sections(name, given)
        ndim = input._array.ndim
        if ndim < least:
            raise fail(
                RuntimeError,
                name,
                f"torch.{name} requires a tensor with at least {least} "
                f"dimension{'s' * (least > 1)}, but got a tensor with {ndim} "
                "dimensions!",
            )
        dim = axis(ndim)
        if isinstance(given, int):
            if given == 0 or input._array.shape[dim] % given:
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name} attempted to split along dimension {dim}, but the size of the "
                    "dimension "
                    f"{input._array.shape[dim]} is not divisible by the split_size {given}!",
                )
        return _cut(name, input, given, dim)

    cut.__name__ = cut.__qualname__ = name
    cut.__doc__ = f"`tensor_split` along {words}; a number of sections must divide it."
    composite(method=True)(cut)


_side_split(
    "hsplit", 1, lambda ndim: 0 if ndim == 1 else 1, "the columns (dimension 1; 0 for vectors)"
)
_side_split("vsplit", 2, lambda ndim: 0, "the rows (dimension 0)")
_side_split("dsplit", 3, lambda ndim: 2, "the depth (dimension 2)")


def _unsafe(
    parts: tuple[Tensor, ...], input: Tensor, dim: int, sizes: Sequence[int], label: str
) -> tuple[Tensor, ...]:
    if type(input._array) is not nd or not ordinary():
        return parts
    return _parts(input, wrap_dim(dim, input._array.ndim), tuple(sizes), label, marked=False)


@composite(numpy=True)
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, whose parts may be written in place: the input is not to be used any more then."""
    parts = split(input, split_size, dim)
    return _unsafe(parts, input, dim, [t._array.shape[dim] for t in parts], "UnsafeSplitBackward0")


@composite(numpy=True)
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk`, whose parts may be written in place: the input is not to be used any more then."""
    parts = chunk(input, chunks, dim)
    return _unsafe(parts, input, dim, [t._array.shape[dim] for t in parts], "UnsafeSplitBackward0")


@composite(numpy=True)
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes`, whose parts may be written in place: the input is not to be used any more
    then.
    """
    parts = split_with_sizes(input, split_sizes, dim)
    return _unsafe(parts, input, dim, list(split_sizes), "UnsafeSplitWithSizesBackward0")


for _name in ("unsafe_split", "unsafe_chunk", "unsafe_split_with_sizes"):
    setattr(Tensor, _name, getattr(ops, _name))


def _copies(parts: tuple[Tensor, ...], out: Any, name: str) -> Any:
    copies = tuple(part.clone() for part in parts)
    for part, copy in zip(parts, copies, strict=True):
        if part.grad_fn is not None:
            labelled(copy, part.grad_fn.name() + "_copy")
    if out is None:
        return copies
    for copy, target in zip(copies, out, strict=True):
        write_one(name, copy, target)
    return None


@composite(numpy=True)
def split_copy(input: Tensor, split_size: Any, dim: int = 0, *, out: Any = None) -> Any:
    """`split`, copied."""
    return _copies(split(input, split_size, dim), out, "split_copy")


@composite(numpy=True)
def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0, *, out: Any = None) -> Any:
    """`split_with_sizes`, copied."""
    return _copies(split_with_sizes(input, split_sizes, dim), out, "split_with_sizes_copy")


@composite(numpy=True)
def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> Any:
    """`unbind`, copied."""
    return _copies(unbind(input, dim), out, "unbind_copy")
