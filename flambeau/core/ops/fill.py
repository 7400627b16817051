"""Tensors filled and given other memory: fill_, zero_, resize_, set_.

Filling with random numbers is in `random_fill`. Stands on declare and inplace.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes, layout, lower, state
from flambeau.core.binding import sizes
from flambeau.core.declare import OPERATIONS, composite, ops, primitive
from flambeau.core.entry.filling import Short
from flambeau.core.errors import fail
from flambeau.core.factory.blank import Unset, marked
from flambeau.core.inplace import check_inplace, write_result
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.order import alike
from flambeau.core.node import AccumulateGrad, labelled
from flambeau.core.numbers import number_for
from flambeau.core.silence import quiet
from flambeau.core.storage import storage_of, touch
from flambeau.core.storage_checks import check_resizable
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.core.tensor import wrap as as_tensor

__all__: list[str] = []

nd = np.ndarray


def _filled(input: Any, value: Any) -> Any:
    """A tensor of one value."""
    fresh = alike(np.empty_like(input), input)
    fresh[...] = value if value.dtype == input.dtype else value.astype(input.dtype)
    return fresh


def _declare_fill(name: str, number: int) -> None:
    def body(input, value):
        return _filled(input, value)

    primitive(
        name=name,
        node=lambda node: f"FillBackward{number}",
        function=False,
        method=False,
        vjp={"input": lambda g: g * 0, "value": lambda g: g.sum()},
        infer=lambda input, value: (input.shape, input.dtype),
    )(body)


_declare_fill("_fill", 1)
_declare_fill("_fill_in_place", 2)  # PyTorch's names for the forms with and without writing


def _value(name: str, input: Tensor, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise fail(
                RuntimeError,
                name,
                f"{name} only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions. Use copy_ or "
                "expand.",
            )
        return value
    if not isinstance(value, (bool, int, float, complex, np.generic)):
        raise fail(
            TypeError,
            name,
            f"argument 'value' (position 2) must be Number, not {type(value).__name__}",
        )
    dtype = input._array.dtype
    return wrap(quiet(np.array, number_for(name, value, dtype), dtype))


def _fill_into(a: Any, value: Any, out: Any) -> None:
    if np.ndim(value):
        raise ValueError("the long way words it")
    out.fill(value)


FILL = Short(
    "_fill_in_place", "fill_", "write_binary", "fill", _fill_into,
    lambda a, value: np.full_like(a, value), numbers=True,
)  # fmt: skip
ZERO = Short(
    "_zero", "zero_", "write_unary", "zero", lambda a, out: out.fill(0), lambda a: np.zeros_like(a)
)


@composite()
def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like `input`, every element `value` (a number or a 0-d tensor)."""
    found = ops._fill(input, _value("fill", input, value))
    return found if isinstance(value, Tensor) else labelled(found, "FillBackward0")


@composite(method=True)
def fill_(input: Tensor, value: Any) -> Tensor:
    """Set every element to `value` (a number or a 0-d tensor), in place.

    Raises:
        RuntimeError: a value of more than one element, or one that does not fit the dtype.
    """
    found = FILL.plain(input, int(value) if type(value) is bool else value)
    if found is not None:
        return found  # type: ignore[no-any-return]
    if type(value) in (int, float):
        found = FILL.recorded(input, value)
        if found is not None:
            return found  # type: ignore[no-any-return]
    if lower.concern((input, value), state.mode()):
        return lower.dispatch(OPERATIONS["_fill_in_place"], (input, value), inplace=True)
    label = f"FillBackward{2 + isinstance(value, Tensor)}"
    value = _value("fill_", input, value)
    recording = state.grad_enabled() and (edge_of(input) is not None or edge_of(value) is not None)
    check_inplace("fill_", input, recording, "allowed")
    write_result("fill_", input, labelled(ops._fill_in_place(input, value), label))
    return input


@primitive(
    name="_zero",
    node="Zero",
    function=False,
    method=False,
    vjp=lambda g: g * 0,
    infer=lambda input: (input.shape, input.dtype),
)
def _zero(input):
    """Zeros like the input."""
    return np.zeros_like(input)


@composite(method=True)
def zero_(input: Tensor) -> Tensor:
    """Set every element to 0, in place."""
    found = ZERO.plain(input)
    if found is None:
        found = ZERO.recorded(input)
    if found is not None:
        return found  # type: ignore[no-any-return]
    if lower.concern((input,), state.mode()):
        return lower.dispatch(OPERATIONS["_zero"], (input,), inplace=True)
    recording = state.grad_enabled() and edge_of(input) is not None
    check_inplace("zero_", input, recording, "allowed")
    write_result("zero_", input, ops._zero(input))
    return input


@composite(function=False)
def zero(input: Tensor) -> Tensor:
    """Zeros like the input."""
    return ops._zero(input)


@composite(method=True)
def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the main diagonal to a number, in place; `wrap` starts it anew below a tall matrix's
    square.

    Raises:
        RuntimeError: fewer than 2 dimensions, or more of different sizes.
    """
    a = input._array
    if a.ndim < 2:
        raise fail(RuntimeError, "fill_diagonal_", "dimensions must larger than 1")
    if a.ndim > 2 and len(set(a.shape)) > 1:
        raise fail(
            RuntimeError, "fill_diagonal_", "all dimensions of input must be of equal length"
        )
    mask = np.zeros(a.shape, bool)
    np.fill_diagonal(mask, True, wrap=False)
    if wrap and a.ndim == 2 and a.shape[0] > a.shape[1]:
        mask.reshape(-1)[:: a.shape[1] + 1] = True
    return ops.masked_fill_(input, as_tensor(mask), fill_value)


@composite(method=True, function=False)
def resize_(input: Tensor, *new: Any, size: Any = None, memory_format: Any = None) -> Tensor:
    """Give the tensor another shape over its storage, which grows when it must (new elements hold
    anything).

    Raises:
        RuntimeError: the tensor requires grad, the memory does not suffice, or the format is
            `preserve_format`.
    """
    shape = tuple([int(n) for n in (sizes(new) if size is None else size)])
    if any(n < 0 for n in shape):
        raise fail(
            RuntimeError,
            "resize_",
            f"Trying to create tensor with negative dimension: {list(shape)}",
        )
    if memory_format is layout.preserve_format:
        raise fail(
            RuntimeError,
            "resize_",
            "unsupported memory format preserve_format: name the order, or leave it out.",
        )
    if edge_of(input) is not None and state.grad_enabled():
        raise fail(RuntimeError, "resize_", "cannot resize variables that require grad")
    a = input._array
    if type(a) is Abstract:
        input._array = Abstract(shape, a.dtype)
        return input
    if a.shape == shape and memory_format is None:
        return input
    if hasattr(a, "is_sparse_data"):
        from flambeau.sparse.factory import resized

        input._array = resized(a, shape)
        return input
    if memory_format is None or memory_format is layout.contiguous_format:
        steps = layout.contiguous_strides(shape)
    else:
        steps = layout.memory_format_strides(shape, memory_format)
    _reshape_storage(input, shape, steps, input.storage_offset())
    return input


def _followed(input: Tensor) -> None:
    """A leaf's gradient is expected in its new shape."""
    edge = input._edge
    if type(edge) is AccumulateGrad:
        edge.follow(input)


def _reshape_storage(input: Tensor, shape: Any, steps: Any, offset: int) -> None:
    """Show the storage from `offset` in another geometry; a storage too small is copied into a
    larger one.
    """
    from flambeau.core.storage import root_of

    a = input._array
    item = a.itemsize
    need = (
        offset + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1
        if 0 not in shape
        else 0
    )
    root = root_of(input)
    if need * item > root.nbytes:
        check_resizable("resize_", storage_of(input))
    if not root.flags.c_contiguous or need * item > root.nbytes:
        try:
            flat = np.zeros(max(need, 1), a.dtype)
            if Unset.on:
                marked(flat)
        except (MemoryError, ValueError):
            raise fail(
                RuntimeError,
                "resize_",
                f"cannot allocate the {need * item} bytes of shape {list(shape)}.",
            ) from None
        store = storage_of(input)
        if root.flags.c_contiguous and root.nbytes:
            old = root.reshape(-1).view(np.uint8)
            flat.view(np.uint8)[: min(old.size, flat.nbytes)] = old[: flat.nbytes]
        elif a.size:
            flat[: a.size] = a.reshape(-1)
        if store.root is not None:
            store.root = flat
        root = flat
    flat_bytes = root.reshape(-1).view(np.uint8) if root.size else root
    input._array = np.ndarray(
        shape,
        a.dtype,
        flat_bytes,
        offset * item if root.size else 0,
        tuple(s * item for s in steps),
    )
    if input._storage is not None:
        touch(input, "resize_")


@composite(method=True)
def resize_as_(input: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """`resize_` to another tensor's shape.

    Args:
        memory_format: the order of the dimensions in memory; `preserve_format` takes the
            template's.
    """
    if memory_format is layout.preserve_format:
        a = the_template._array
        memory_format = layout.suggest_memory_format(a.shape, a.strides)
    return resize_(input, tuple(the_template._array.shape), memory_format=memory_format)


@composite(method=True, function=False)
def resize(input: Tensor, *shape: Any) -> Tensor:
    """The reshaped tensor; its number of elements must stay (PyTorch's deprecated method)."""
    return ops.reshape(input, *shape)


@composite(method=True, function=False)
def set_(
    input: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Let the tensor show another tensor's memory, or a storage in the given geometry; without
    arguments, nothing.

    Raises:
        RuntimeError: dtypes differ, or the geometry lies outside the storage.
    """
    check_inplace("set_", input, edge_of(input) is not None, "allowed")
    if source is None:
        input._array = np.empty((0,), input._array.dtype)
        input._storage = None
    elif isinstance(source, Tensor) and size is None:
        if source._array.dtype != input._array.dtype:
            raise fail(
                RuntimeError,
                "set_",
                "Could not set tensor of type "
                f"{dtypes.of(source._array.dtype)} to a tensor of type "
                f"{dtypes.of(input._array.dtype)}",
            )
        input._array = source._array
        input._storage = storage_of(source)
    else:
        if isinstance(source, Tensor):
            whole = source.untyped_storage()
        else:
            whole = source.untyped() if hasattr(source, "untyped") else source
            own = getattr(source, "dtype", None)
            if own not in (None, input.dtype):
                raise fail(
                    RuntimeError,
                    "set_",
                    f"expected a storage of {input.dtype}, but got one of {own}: give "
                    "storage.untyped() to read its bytes so.",
                )
        flat = whole.tensor(dtypes.of(input._array.dtype))
        shape = (
            (flat._array.size - storage_offset,)
            if size is None
            else (size,)
            if isinstance(size, int)
            else tuple(size)
        )
        steps = (
            layout.contiguous_strides(shape)
            if stride is None
            else (stride,)
            if isinstance(stride, int)
            else tuple(stride)
        )
        found = flat.as_strided(shape, steps, storage_offset)
        input._array = found._array
        input._storage = whole._cdata
    _followed(input)
    touch(input, "set_")
    return input
