"""`x[index]`: the user's index read as PyTorch reads it.

Ints, slices, None and Ellipsis give one view (its node named after the last step PyTorch would
take). Tensors, arrays
and lists give a copy, bools become masks; what both kinds mix is first the view, then the copy.
`x[index] = value` is in `written_index`. Stands on entry and ops.advanced.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from operator import index as as_int
from typing import Any

import numpy as np

from flambeau.core import lower, overrides
from flambeau.core.declare import ops
from flambeau.core.entry import as_view, at_first, looking
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.methods import bind
from flambeau.core.ops.view import strided
from flambeau.core.state import NO_GRAD, mode, ordinary
from flambeau.core.tensor import PLAIN, Tensor, wrap

__all__ = ["getitem"]

nd = np.ndarray
LONG = np.dtype("i8")
ALL = slice(None)
BASIC = ops._basic.operation
PARTS = frozenset((int, slice, type(None), type(Ellipsis)))


def getitem(input: Tensor, index: Any) -> Tensor:
    """The elements at `index`: a view for basic indices, a copy for advanced ones.

    Raises:
        IndexError: out of range, too many indices, or an index of the wrong kind or shape.
        ValueError: a slice that steps backwards. TypeError: slice bounds that are no integers.
    """
    kind = type(index)
    if kind is not Tensor and index is not Ellipsis:
        # A tensor at the end names no view: not looked at.
        plain = kind is not tuple or not index or type(index[-1]) is not Tensor
        found = viewed(input, index) if plain else None
        if found is not None:
            return found  # type: ignore[no-any-return]
    if type(input) in PLAIN:
        m = mode()
        a = input._array
        if (m is None or m is NO_GRAD) and type(a) is nd:
            if kind is int:
                try:
                    return as_view(BASIC, input, a[index, ...], (None, index))
                except (IndexError, OverflowError):
                    raise out_of_range(a.shape, index) from None
            if kind is slice:
                if a.ndim and forward(index):
                    return as_view(BASIC, input, a[index], (None, index))
            elif kind is Tensor:
                if index._array.ndim:
                    return ops._index_one(input, index, 0)  # type: ignore[no-any-return]
                if index._array.dtype.kind in "bu":
                    return advanced(input, [index])
            elif kind is tuple:
                for part in index:
                    if type(part) not in PARTS or (type(part) is slice and not forward(part)):
                        found = _picked(input, index)
                        if found is not None:
                            return found
                        break
                else:
                    try:
                        r = a[index if Ellipsis in index else (*index, ...)]
                    except (IndexError, OverflowError):
                        r = None  # worded below
                    if r is not None:
                        return as_view(BASIC, input, with_steps(a, index, r), (None, index))
            elif index is Ellipsis:
                return as_view(BASIC, input, a[...], (None, ((ALL,) * a.ndim + (...,))))
            elif index is None:
                return as_view(BASIC, input, with_steps(a, (None,), a[None]), (None, index))
    if overrides.concern((input, *parts_of(index)), mode()):
        return overrides.dispatch(Tensor.__getitem__, (input, index), {})
    basic, indices = read(input, index)
    if indices is None:
        return basic_view(input, basic)
    return advanced(basic_view(input, basic) if any(k != ALL for k in basic) else input, indices)


def _picked(input: Tensor, index: tuple[Any, ...]) -> Tensor | None:
    """What one tensor of whole numbers picks, or two side by side, among slices of all there is;
    None where the index must be read.
    """
    at = count = 0  # where the first tensor stands, how many there are
    for k, part in enumerate(index):
        if type(part) in PLAIN:
            a = part._array
            if type(a) is not nd or a.dtype is not LONG or not a.ndim:
                return None
            if not count:
                at = k
            elif k != at + count:
                return None
            count += 1
        elif type(part) is not slice or not (part.start is part.stop is part.step is None):
            return None
    if len(index) > input._array.ndim:
        return None
    if count == 1:
        return ops._index_one(input, index[at], at)  # type: ignore[no-any-return]
    if count == 2:
        return ops._index_pair(input, index[at], index[at + 1], at)  # type: ignore[no-any-return]
    return None


def are_places(parts: Any) -> bool:
    """Whether all are tensors of whole numbers, with dimensions."""
    for part in parts:
        if type(part) not in PLAIN:
            return False
        a = part._array
        if type(a) is not nd or a.dtype is not LONG or not a.ndim:
            return False
    return True


def parts_of(index: Any) -> tuple[Any, ...]:
    """What may be of a class that wants to be asked."""
    return tuple(index) if isinstance(index, (tuple, list)) else (index,)


viewed: Callable[..., Any] = at_first(globals(), "viewed", lambda: looking(BASIC, "index"))
"""``viewed(input, index)``: the view at a plain basic index; None where the long way must look."""


def with_steps(array: Any, index: tuple[Any, ...], found: Any) -> Any:
    """``found``, which is ``array[index]``, with PyTorch's strides for new dimensions of size 1,
    where NumPy puts 0: as if one more lay there.
    """
    if None not in index:
        return found
    steps = list(found.strides)
    named = sum(part is not None and part is not Ellipsis for part in index)
    d = k = 0  # dimension of the array, of the view
    for part in index:
        if part is None:
            here = d < array.ndim
            steps[k] = array.shape[d] * array.strides[d] if here else array.itemsize
            k += 1
        elif part is Ellipsis:
            d += array.ndim - named
            k += array.ndim - named
            named = array.ndim
        else:
            d += 1
            k += type(part) is slice
    return strided(found, found.shape, steps)


def forward(part: slice) -> bool:
    """Whether a slice is plain: bounds as they come, no step or a positive int."""
    step = part.step
    return step is None or (type(step) is int and step > 0)


def out_of_range(shape: Any, index: int, dim: int = 0) -> Exception:
    """The error of an int index."""
    if not shape:
        return fail(
            IndexError,
            "index",
            "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a "
            "number",
        )
    if not -(1 << 63) <= index < 1 << 63:
        return fail(
            ValueError,
            "index",
            f"Overflow when unpacking long long: the index {index} does not fit into 64 bits",
        )
    return fail(
        IndexError,
        "index",
        f"index {index} is out of bounds for dimension {dim} with size {shape[dim]}",
    )


def basic_view(input: Tensor, basic: tuple[Any, ...]) -> Tensor:
    """The view at a checked basic index; () is an alias."""
    m = mode()
    if (m is None or m is NO_GRAD) and type(input) in PLAIN and type(input._array) is nd:
        r = input._array[(*basic, ...)]
        return as_view(BASIC, input, with_steps(input._array, basic, r), (None, (*basic, ...)))
    if (
        (m is not None and m.levels)
        or hasattr(input._array, "is_sparse_data")
        or lower.concern((input,), m)
    ):
        return step_by_step(input, basic)
    return ops._basic(input, (*basic, ...))


def step_by_step(input: Tensor, basic: tuple[Any, ...]) -> Tensor:
    """The same view by PyTorch's single steps: transforms know their rules."""
    found = input
    dim = 0
    for part in basic:
        if part is None:
            found = ops.unsqueeze(found, dim)
            dim += 1
        elif type(part) is slice:
            size = found.shape[dim]
            start, end, step = part.indices(size)
            if (start, end, step) != (0, size, 1):
                found = ops._slice(found, dim, start, max(start, end), step)
            dim += 1
        else:
            found = ops.select(found, dim, part)
    return ops.alias(found) if found is input else found


def advanced(input: Tensor, indices: list[Any]) -> Tensor:
    """The copy at index tensors, one for each dimension (None: the whole of it)."""
    given = [k for k, each in enumerate(indices) if each is not None]
    if lower.concern((input, indices), mode()):
        return ops._index(input, indices)
    if len(given) == 1 and (
        indices[given[0]]._array.ndim or indices[given[0]]._array.dtype.kind not in "bu"
    ):
        return ops._index_one(input, indices[given[0]], given[0])
    if (
        len(given) == 2
        and given[1] == given[0] + 1
        and are_places([indices[k] for k in given])
        and ordinary()
    ):
        return ops._index_pair(input, *[indices[k] for k in given], given[0])
    return ops._index(input, indices)


def read(input: Tensor, index: Any) -> tuple[tuple[Any, ...], list[Any] | None]:
    """A user's index as a basic index and the index tensors that apply to the view it gives (None:
    no tensors).

    Raises:
        IndexError, TypeError, ValueError: as `getitem`.
    """
    shape = tuple(input._array.shape)
    parts = index if type(index) is tuple else _as_parts(index)
    parts = tuple([_normal(part) for part in parts])
    named = sum(span_of(part) for part in parts)
    if named > len(shape):
        if not shape and len(parts) == 1 and type(parts[0]) is int:
            raise out_of_range(shape, parts[0])
        if not shape and len(parts) == 1 and type(parts[0]) is slice:
            raise fail(IndexError, "index", "slice() cannot be applied to a 0-dim tensor.")
        raise fail(
            IndexError,
            "index",
            f"too many indices for tensor of dimension {len(shape)}: the index names {named}",
        )
    basic: list[Any] = []
    indices: list[Any] = []
    d = 0  # dimension of the input
    rest = len(shape) - named  # what an Ellipsis stands for
    for part in parts:
        kind = type(part)
        if kind is int:
            if not -shape[d] <= part < shape[d]:
                raise out_of_range(shape, part, d)
            basic.append(part)
            d += 1
        elif kind is slice:
            basic.append(part)
            indices.append(None)
            d += 1
        elif part is None:
            basic.append(None)
            indices.append(None)
        elif part is Ellipsis:
            basic += [ALL] * rest
            indices += [None] * rest
            d += rest
            rest = 0  # a second one finds nothing left
        elif kind is bool or (not part._array.ndim and part._array.dtype.kind in "bu"):
            # A 0-d mask keeps or drops the whole: a new dimension of one element,
            # indexed by [0] or by nothing.
            on = part if kind is bool else bool(part._array)
            basic.append(None)
            indices.append(wrap(np.zeros(int(on), np.int64)))
        else:
            span = span_of(part)
            basic += [ALL] * span
            indices.append(part)
            d += span
    return tuple(basic), indices if any(k is not None for k in indices) else None


def _as_parts(index: Any) -> tuple[Any, ...]:
    """A single index, or a short list that holds sequences or slices: such a list is read as a
    tuple, as PyTorch does.
    """
    if type(index) is list and len(index) < 32:
        for part in index:
            if (
                part is None
                or part is Ellipsis
                or isinstance(part, (Tensor, slice, list, tuple, nd))
            ):
                warnings.warn(
                    "Using a non-tuple sequence for multidimensional indexing is deprecated and "
                    "will be changed in pytorch 2.9; "
                    "use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be "
                    "interpreted as tensor index, "
                    "x[torch.tensor(seq)], which will result either in an error or a different "
                    "result",
                    UserWarning,
                    stacklevel=_depth(),
                )
                return tuple(index)
    return (index,)


def _depth() -> int:
    from flambeau.core.provenance import stack_level

    return stack_level()


def span_of(part: Any) -> int:
    """How many of the tensor's dimensions an index takes."""
    if type(part) in (int, slice):
        return 1
    if part is None or part is Ellipsis or type(part) is bool:
        return 0
    a = part._array
    return a.ndim if a.dtype.kind in "b" or a.dtype == np.uint8 else 1


def _normal(part: Any) -> Any:
    """One index as an int, a checked slice, None, Ellipsis, a bool or a tensor."""
    kind = type(part)
    if kind is int or kind is bool or part is None or part is Ellipsis:
        return part
    if kind is slice:
        return _slice(part)
    if isinstance(part, Tensor):
        a = part._array
        if not a.ndim and a.dtype.kind in "iu" and a.dtype != np.uint8 and type(a) is nd:
            return int(a)
        if type(a) is Abstract and not a.ndim:
            raise fail(NotImplementedError, "index", "a 0-d meta tensor has no value to index by")
        return part
    if isinstance(part, np.bool_):
        return bool(part)
    if isinstance(part, nd):
        return _normal(ops.from_numpy(part)) if hasattr(ops, "from_numpy") else _normal(wrap(part))
    if isinstance(part, (list, tuple, range)):
        return _from_sequence(part)
    if isinstance(part, str):
        raise fail(TypeError, "index", "invalid data type 'str': tensors have no names to index by")
    try:
        return as_int(part)
    except TypeError:
        raise fail(
            IndexError,
            "index",
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            "valid indices "
            f"(got {kind.__name__})",
        ) from None


def _from_sequence(part: Any) -> Tensor:
    """A list of indices as a tensor; an empty one is an empty list of ints."""
    try:
        array = np.array([p._array if isinstance(p, Tensor) else p for p in part])
    except ValueError as error:
        raise fail(
            ValueError, "index", f"a list used as an index must be rectangular: {error}"
        ) from None
    if not array.size:
        array = array.astype(np.int64)
    if array.dtype.kind == "O":
        raise fail(TypeError, "index", "a list used as an index must hold ints or bools")
    if array.dtype.kind in "iu" and array.dtype != np.uint8:
        array = array.astype(np.int64)
    return wrap(array)


def _slice(part: slice) -> slice:
    """A slice with int bounds.

    Raises:
        ValueError: a step that is not positive. TypeError: bounds that are no integers.
    """
    values = []
    for bound in (part.start, part.stop, part.step):
        try:
            values.append(None if bound is None else as_int(bound))
        except TypeError:
            raise TypeError(
                "slice indices must be integers or None or have an __index__ method"
            ) from None
    step = values[2]
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if step is not None and step < 0:
        raise fail(
            ValueError, "index", "step must be greater than zero: use flip to walk backwards"
        )
    return slice(*values)


getitem.__name__ = "__getitem__"  # what handlers are shown
bind(__getitem__=getitem)
