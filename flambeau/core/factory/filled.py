"""Tensors of one value, or of none: zeros, ones, empty, full, and the forms with given strides."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core import factory_options as given
from flambeau.core.declare import composite
from flambeau.core.errors import fail, no_memory
from flambeau.core.factory.blank import Unset, marked
from flambeau.core.factory.short import Filled, fits, plainly
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.float8 import cast
from flambeau.core.numbers import number_for
from flambeau.core.promotion import number_dtype
from flambeau.core.silence import quiet
from flambeau.core.tensor import Tensor

__all__ = ["BLANK", "empty_strided", "filled", "plain", "strided", "unset"]


def filled(op: str, shape: Any, value: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    """A contiguous tensor of one value, the factories' common body."""
    if opts:
        given.known(op, opts)
        if given.is_sparse(opts.get("layout")):
            from flambeau.sparse.factory import unfilled

            return unfilled(op, tuple(shape), value, dtype, opts)
    kind = given.type_for(op, dtype, opts).numpy
    if given.is_meta(op, opts.get("device")):
        return given.made(op, Abstract(shape, kind), opts)
    return given.made(op, plain(shape, kind, value), opts)


def plain(shape: Any, kind: np.dtype[Any], value: Any) -> np.ndarray[Any, Any]:
    """A fresh contiguous array, filled with `value` unless it is None.

    Raises:
        RuntimeError: there is not so much memory.
    """
    try:
        if value == 0 and not isinstance(value, complex):
            return copies.zeros(shape, kind)
        array = memory.empty(shape, kind)
    except (MemoryError, ValueError) as error:
        raise no_memory(error) from None
    if value is None:
        return array  # type: ignore[no-any-return]
    if kind.kind in "iu" or isinstance(value, complex):
        value = number_for("full", value, kind)
    copies.fill(array, quiet(cast, np.asarray(value), kind))
    return array


def _sized(name: str, value: Any, doc: str) -> None:
    shorts = Filled(value)

    def factory(*size: Any, dtype: Any = None, **opts: Any) -> Tensor:
        if plainly(opts) and (dtype is None or type(dtype) is dtypes.dtype):
            found = shorts[(dtype or dtypes.default()).numpy](*size)
            if found is not None:
                return found  # type: ignore[no-any-return]
        return filled(name, given.sizes(name, size, opts.pop("size", None)), value, dtype, opts)

    factory.__name__ = name
    factory.__doc__ = doc
    composite()(factory)


_sized("zeros", 0, "A tensor of zeros of the given size (varargs or a sequence).")
_sized("ones", 1, "A tensor of ones of the given size (varargs or a sequence).")

BLANK = Filled(None)


@composite()
def empty(*size: Any, dtype: Any = None, memory_format: Any = None, **opts: Any) -> Tensor:
    """A tensor of the given size whose values are whatever the memory held.

    Args:
        memory_format: the order of the dimensions in memory; contiguous without.

    Raises:
        RuntimeError: a format that does not fit the rank, `preserve_format`, a format and `out`.
        TypeError: `memory_format` is none.
    """
    if memory_format is None:
        if plainly(opts) and (dtype is None or type(dtype) is dtypes.dtype):
            found = BLANK[(dtype or dtypes.default()).numpy](*size)
            if found is not None:
                if Unset.on:
                    marked(found._array)
                return found  # type: ignore[no-any-return]
        found = filled(
            "empty", given.sizes("empty", size, opts.pop("size", None)), None, dtype, opts
        )
        if Unset.on:
            marked(found._array)
        return found  # type: ignore[no-any-return]
    if not isinstance(memory_format, layout.memory_format):
        raise fail(
            TypeError,
            "empty",
            "argument 'memory_format' must be torch.memory_format, not "
            f"{type(memory_format).__name__}. Write it as torch.channels_last, ...",
        )
    if opts.get("out") is not None:
        message = (
            "'memory_format' argument is incompatible with 'out' tensor argument: leave one out"
        )
        raise fail(RuntimeError, "empty", message)
    shape = given.sizes("empty", size, opts.pop("size", None))
    return unset("empty", shape, layout.memory_format_strides(shape, memory_format), dtype, opts)


def strided(shape: Any, steps: Any, kind: np.dtype[Any], value: Any) -> np.ndarray[Any, Any]:
    """A fresh array with the given strides (in elements), filled with `value` unless it is None."""
    count = 1 + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) if 0 not in shape else 0
    block = plain(count, kind, value)
    if tuple(steps) == layout.contiguous_strides(shape):
        return block.reshape(shape)
    return np.ndarray(shape, kind, block, 0, tuple(s * kind.itemsize for s in steps))


@composite()
def full(size: Any, fill_value: Any, *, dtype: Any = None, **opts: Any) -> Tensor:
    """A tensor filled with one value; the dtype is the value's (int64, bool, the default float or
    complex).
    """
    if type(size) is int:
        raise fail(
            TypeError, "full", f"argument 'size' must be a tuple of ints, not int: ({size},)"
        )
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    elif fill_value is None or isinstance(fill_value, (str, bytes)):
        kind = type(fill_value).__name__
        raise fail(TypeError, "full", f"argument 'fill_value' must be Number, not {kind}")
    if dtype is None and opts.get("out") is None:
        dtype = dtypes.of(number_dtype(fill_value))
        if dtype is dtypes.complex32:
            dtype = dtypes.complex64  # half by default; PyTorch fills no narrower one
    if plainly(opts) and type(dtype) is dtypes.dtype and fits(fill_value, dtype.numpy):
        found = BLANK[dtype.numpy](size)
        if found is not None:
            found._array.fill(fill_value)
            return found  # type: ignore[no-any-return]
    shape = given.sizes("full", (size,), opts.pop("size", None))
    return filled("full", shape, fill_value, dtype, opts)


@composite()
def empty_strided(size: Any, stride: Any, *, dtype: Any = None, **opts: Any) -> Tensor:
    """An uninitialised tensor with the given strides (in elements)."""
    return unset("empty_strided", size, stride, dtype, opts)


def unset(op: str, size: Any, stride: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    """`empty_strided` under the name of the operation that was called."""
    if opts:
        given.known(op, opts)
    kind = given.element_type(op, dtype).numpy
    shape, steps = tuple(int(n) for n in size), tuple(int(n) for n in stride)
    if len(shape) != len(steps):
        raise fail(
            RuntimeError,
            op,
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
            f"({len(steps)})",
        )
    if given.is_meta(op, opts.get("device")):
        array: Any = Abstract(shape, kind, tuple(s * kind.itemsize for s in steps))
    else:
        array = strided(shape, steps, kind, None)
        if Unset.on:
            marked(array)
    return given.made(op, array, opts)


@composite()
def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, **opts: Any) -> Tensor:
    """An unset tensor whose dimensions lie in memory in the given order, outermost first."""
    shape = tuple(size)
    order = tuple(physical_layout)
    if len(order) != len(shape):
        raise fail(
            RuntimeError,
            "empty_permuted",
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is "
            f"not equal to len(physical_layout) = {len(order)}",
        )
    for k, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise fail(
                RuntimeError,
                "empty_permuted",
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got "
                f"{d} at index {k}). Negative "
                "dimensions are not supported here.",
            )
        if d in order[:k]:
            raise fail(
                RuntimeError,
                "empty_permuted",
                f"Duplicate dim not allowed: {d} stands twice in physical_layout {order}",
            )
    steps = [0] * len(shape)
    step = 1
    for d in reversed(order):
        steps[d] = step
        step *= max(shape[d], 1)
    return unset("empty_permuted", shape, steps, dtype, opts)


@composite()
def scalar_tensor(s: Any, *, dtype: Any = None, **opts: Any) -> Tensor:
    """A 0-d tensor of a number, of the default dtype."""
    return filled("scalar_tensor", (), s, dtype, opts)
