"""The order in memory of what NumPy computes: PyTorch's, where operands lie in different orders.

NumPy keeps row-major order as soon as one operand has it; in PyTorch the first operand decides.
Native functions leave such operands to NumPy's forms, whose results come by here. Stands on layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.layout import iterated_strides, preserve_strides

__all__ = ["alike", "form_of", "in_order", "merged", "ordered", "room", "row_major"]

nd = np.ndarray


def merged(
    shape: Sequence[int], source: Sequence[int], target: Sequence[int], size: int
) -> list[tuple[int, int, int]]:
    """The dimensions of a copy as (size, source's step, target's step) in elements of `size` bytes:
    those of one element left out, those that both arrays go through as one put together.
    """
    dims: list[tuple[int, int, int]] = []
    for n, s, t in zip(shape, source, target, strict=True):
        if n != 1:
            s, t = s // size, t // size
            if dims and dims[-1][1:] == (n * s, n * t):
                n *= dims.pop()[0]
            dims.append((n, s, t))
    return dims


def ordered(kernel: Callable[..., Any], of_complex: Any = None) -> Callable[..., Any]:
    """The elementwise kernel, its result in PyTorch's order.

    Args:
        kernel: computes on arrays.
        of_complex: what computes complex numbers instead.
    """

    def form(*arrays: Any) -> Any:
        result = kernel(*arrays)
        for a in arrays:
            if type(a) is nd and not a.flags.c_contiguous:
                return in_order(result, arrays)
        return result

    def either(*arrays: Any) -> Any:
        for a in arrays:
            if type(a) is nd and a.dtype.kind == "c":
                return in_order(of_complex(*arrays), arrays)
        return form(*arrays)

    return form if of_complex is None else either


def row_major(result: Any) -> Any:
    """A fresh result as PyTorch lays it out where its operand's order does not count."""
    if type(result) is not nd or result.flags.c_contiguous:
        return result
    return result.copy()


def form_of(op: Any) -> Callable[..., Any]:
    """What computes an elementwise operation by NumPy; the flag `ordered` says that its kernel sees
    to the order itself.
    """
    if "ordered" in op.flags:
        return op.kernel  # type: ignore[no-any-return]
    return ordered(op.kernel, op.flags.get("complex"))


def in_order(result: Any, operands: Iterable[Any]) -> Any:
    """A fresh elementwise result with the strides that PyTorch gives it; a view stays one."""
    if type(result) is not nd or result.ndim < 2 or not result.size:
        return result
    arrays = [a for a in operands if type(a) is nd and a.ndim]
    return _laid(result, _strides(result.shape, arrays), arrays)


def room(operands: Sequence[Any], dtype: Any) -> Any:
    """Memory for an elementwise result of that dtype, with the strides that PyTorch gives it."""
    shape = operands[0].shape
    for a in operands:
        if a.shape != shape:
            shape = np.broadcast_shapes(*[a.shape for a in operands])
            break
    if all([a.flags.c_contiguous for a in operands]):
        return np.empty(shape, dtype)
    return _empty(shape, np.dtype(dtype), _strides(shape, operands))


def alike(result: Any, operand: Any) -> Any:
    """A fresh array with the strides of a copy that preserves the operand's."""
    if type(result) is not nd or result.ndim < 2 or operand.flags.c_contiguous or not result.size:
        return result
    steps = tuple(s // operand.itemsize for s in operand.strides)
    return _laid(result, preserve_strides(operand.shape, steps), [operand])


def _laid(result: Any, wanted: tuple[int, ...], operands: list[Any]) -> Any:
    strides = tuple(s * result.itemsize for s in wanted)
    if strides == result.strides or any(np.may_share_memory(result, a) for a in operands):
        return result
    found = _empty(result.shape, result.dtype, wanted)
    found[...] = result
    return found


def _strides(shape: tuple[int, ...], arrays: Iterable[Any]) -> tuple[int, ...]:
    return _found(shape, tuple([(a.shape, a.strides, a.itemsize) for a in arrays]))


@lru_cache(1024)  # 5 us where it is found anew
def _found(
    shape: tuple[int, ...], given: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]
) -> tuple[int, ...]:
    return iterated_strides(
        shape, [(own, tuple(s // item for s in steps)) for own, steps, item in given]
    )


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any], strides: tuple[int, ...]) -> Any:
    buffer = np.empty(prod(shape), dtype)
    return nd(shape, dtype, buffer, 0, tuple(s * dtype.itemsize for s in strides))
