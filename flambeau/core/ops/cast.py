"""Operations that copy or convert: `_to_copy`, `clone`, `contiguous`, `copy_`, `alias`, `detach`'s
kin. No arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout, lower, state
from flambeau.core.batch.array import Batched
from flambeau.core.declare import OPERATIONS, composite, ops, primitive, view
from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.entry.filling import copied
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels import copies, memory
from flambeau.core.kernels.float8 import FLOAT8
from flambeau.core.kernels.native.casts import cast_to, converted, recast
from flambeau.core.kernels.product import widen
from flambeau.core.silence import quiet
from flambeau.core.tensor import Tensor, edge_of

__all__ = ["empty_copy"]

nd = np.ndarray

_IN_ORDER = (layout.preserve_format, layout.contiguous_format)
"""The formats that leave an array alone whose elements lie in order."""


def empty_copy(input: Any, dtype: Any, memory_format: Any = layout.preserve_format) -> Any:
    """An empty array for a copy of `input`, with the strides that a memory format gives it."""
    if memory_format is layout.preserve_format:
        item = input.dtype.itemsize
        steps = layout.preserve_strides(input.shape, tuple(s // item for s in input.strides))
    else:
        steps = layout.memory_format_strides(input.shape, memory_format)
    size = dtype.itemsize
    if steps == layout.contiguous_strides(input.shape):
        return memory.empty(input.shape, dtype)
    return np.ndarray(
        input.shape, dtype, memory.empty(input.size, dtype), 0, tuple(s * size for s in steps)
    )


def _for_kind(array: Any, dtype: np.dtype[Any]) -> Any:
    """What of a complex array goes into that dtype: its real part, or all for the truth of it."""
    if array.dtype.kind not in "cW" or dtype.kind in "cW":
        return array
    array = widen(array)
    if dtype.kind == "b":
        return array
    from flambeau.compat import warn_once

    warn_once("Casting complex values to real discards the imaginary part")
    return array.real


@primitive(
    function=False,
    method=False,
    node="ToCopy",
    vjp=lambda g: g,
    infer=lambda input, kind, memory_format: (input.shape, kind.numpy),
)
def _to_copy(input, kind: Any, memory_format: Any = layout.preserve_format):
    """A copy in another dtype."""
    dtype = kind.numpy
    in_order = input.flags.c_contiguous and memory_format in _IN_ORDER
    fresh = None if in_order else empty_copy(input, dtype, memory_format)
    input = _for_kind(input, dtype)
    if input.dtype.kind == "V" and dtype.kind in "iu":
        input = recast(input, "f4")
    whole = cast_to(dtype)(input) if type(input) is nd else converted(input, dtype)
    if fresh is None:
        return whole
    np.copyto(fresh, whole)
    return fresh


@primitive(
    function=False,
    method=False,
    name="_clone",
    node="Clone",
    vjp=lambda g: g,
    infer=lambda input, memory_format: (input.shape, input.dtype),
)
def _clone(input, memory_format: Any = layout.preserve_format):
    """A copy with memory of its own."""
    if memory_format is layout.preserve_format:
        if input.flags.c_contiguous:
            return copies.copy(input)
    elif memory_format is layout.contiguous_format:
        return copies.copy(input)
    fresh = empty_copy(input, input.dtype, memory_format)
    copies.copy_into(fresh, input)
    return fresh


@composite(method=True)
def clone(input: Tensor, *, memory_format: Any = layout.preserve_format) -> Tensor:
    """A copy with memory of its own that stays in the graph."""
    return ops._clone(input, layout.preserve_format if memory_format is None else memory_format)


CONTIGUOUS = layout.contiguous_format


@composite(method=True, function=False)
def contiguous(input: Tensor, memory_format: Any = CONTIGUOUS) -> Tensor:
    """The tensor itself if its elements lie in order, else a copy in which they do."""
    a = input._array
    if memory_format is CONTIGUOUS and type(a) is nd:
        return input if a.flags.c_contiguous else ops._clone(input, memory_format)
    if input.is_contiguous(memory_format=memory_format):
        return input
    return ops._clone(input, memory_format)


@view(vjp=lambda g: g, node="Alias", function=False, method=False)
def alias(input):
    """Another view of the whole tensor."""
    return input.view() if type(input) is np.ndarray else input


@primitive(
    function=False,
    method=False,
    name="_copied",
    node=lambda node: "torch::autograd::CopyBackwards",
    inplace=False,
    vjp={"input": lambda g: ops.zeros_like(g), "src": lambda g: g},
    infer=lambda input, src: (input.shape, input.dtype),
)
def _copied(input, src):
    """`src` in the shape and dtype of `input`: what `copy_` writes."""
    if input.dtype == src.dtype:
        return np.broadcast_to(src, input.shape)
    src = _for_kind(src, input.dtype)
    return np.broadcast_to(converted(src, input.dtype), input.shape)


@composite(method=True, function=False)
def copy_(input: Tensor, other: Tensor, non_blocking: bool = False) -> Tensor:
    """Write the values of `other`, broadcast and converted, into this tensor.

    Raises:
        RuntimeError: `other` does not broadcast to this shape.
    """
    found = copied(input, other)
    if found is not None:
        return found
    from flambeau.core.inplace import check_inplace, write_result
    from flambeau.core.overlap import check_apart
    from flambeau.core.storage import touch

    if not isinstance(other, Tensor):
        if isinstance(other, (bool, int, float, complex, np.generic)):
            return input.fill_(other)
        raise fail(
            TypeError,
            "copy_",
            f"argument 'other' (position 1) must be Tensor, not {type(other).__name__}",
        )
    if lower.concern((input, other), state.mode()):
        return lower.dispatch(OPERATIONS["_copied"], (input, other), inplace=True)
    recording = (
        state.grad_enabled()
        and input._array.dtype.kind in FLOATING_KINDS
        and (edge_of(input) is not None or edge_of(other) is not None)
    )
    check_inplace("copy_", input, recording)
    a, b = input._array, other._array
    check_apart("copy_", a, (b,))
    if not recording and type(a) is type(b) is np.ndarray:
        if a.dtype is b.dtype and a.shape == b.shape:
            copies.copy_into(a, b)
            touch(input, "copy_")
            return input
    if hasattr(a, "is_sparse_data") or hasattr(b, "is_sparse_data"):
        if hasattr(a, "is_sparse_data") != hasattr(b, "is_sparse_data"):
            raise fail(
                RuntimeError,
                "copy_",
                "copy between dense and sparse tensors is not supported: convert with to_dense() "
                "or to_sparse()",
            )
        from flambeau.sparse.factory import check_alike

        check_alike(a, b)
        input._array = b.copy() if a.dtype == b.dtype else b.astype(a.dtype)
        touch(input, "copy_")
        return input
    if type(a) is Abstract or type(b) is Abstract:
        if type(a) is not Abstract:
            raise fail(NotImplementedError, "copy_", "Cannot copy out of meta tensor; no data!")
        return input
    lead = b.ndim - a.ndim
    if lead > 0 or any(n not in (1, m) for n, m in zip(b.shape[::-1], a.shape[::-1], strict=False)):
        raise fail(
            RuntimeError,
            "copy_",
            f"The size of src {list(b.shape)} must match or broadcast to the tensor written, "
            f"{list(a.shape)}: reshape or "
            "expand src first.",
        )
    if recording or type(a) is Batched or type(b) is Batched:
        result = ops._copied(input, other)
        write_result("copy_", input, result)
        return input
    b = _for_kind(b, a.dtype)
    if (a.dtype.kind == "u" and b.dtype.kind == "f") or a.dtype in FLOAT8:
        b = quiet(converted, b, a.dtype)
    quiet(np.copyto, a, b, casting="unsafe")
    touch(input, "copy_")
    return input


@composite(method=True)
def detach_copy(input: Tensor) -> Tensor:
    """A detached copy."""
    return input.detach().clone()
