"""How dtypes combine: PyTorch's lattice, its three ranks of operands, and the casts it allows.

Ranks, highest first: tensors with dimensions, 0-d tensors, Python numbers. A lower rank changes the
result only where its category (bool < integer < floating < complex) is higher. Stands on dtypes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.dtypes import dtype, of
from flambeau.core.errors import fail

__all__ = ["can_cast", "number_dtype", "promote_arrays", "promote_types", "result_dtype"]

ArrayType = np.dtype[Any]

_BARE_UNSIGNED = frozenset({dtypes.uint16, dtypes.uint32, dtypes.uint64})
_RANK = {"bool": 0, "int": 1, "float": 2, "complex": 3}
# What a category may be written into: never a lower one, and bool only into bool's place or above.
_CAST = {
    "bool": frozenset({"bool", "int", "float", "complex", "float8"}),
    "int": frozenset({"int", "float", "complex", "float8"}),
    "float": frozenset({"float", "complex", "float8"}),
    "float8": frozenset({"float", "complex", "float8"}),
    "complex": frozenset({"complex"}),
}


def _as_dtypes(name: str, **given: Any) -> list[dtype]:
    found = []
    for place, (argument, value) in enumerate(given.items(), 1):
        kind = dtypes.PYTHON_TYPES.get(value) if isinstance(value, type) else value
        if not isinstance(kind, dtype):
            raise fail(
                TypeError,
                name,
                f"argument '{argument}' (position {place}) must be torch.dtype, not "
                f"{type(value).__name__}",
            )
        found.append(kind)
    return found


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that holds both by PyTorch's lattice: float16 for int32 and float16.

    Raises:
        RuntimeError: float8 with another type; uint16, uint32 or uint64 with anything but itself
            and the floating types.
        TypeError: not a dtype.
    """
    type1, type2 = _as_dtypes("promote_types", type1=type1, type2=type2)
    if type1 is type2:
        return type1
    if "float8" in (type1.category, type2.category):
        raise _unsupported("Float8 Types", type1, type2)
    for a, b in ((type1, type2), (type2, type1)):
        if a in _BARE_UNSIGNED:
            if b.category == "float":
                return b
            raise _unsupported("uint16, uint32, uint64 types", type1, type2)
    low, high = sorted((type1, type2), key=lambda d: (_RANK[d.category], d.itemsize, d.is_signed))
    if low.category == high.category:
        if low.itemsize == high.itemsize:
            # The two pairs of equal size: neither holds the other.
            return dtypes.int16 if low.category == "int" else dtypes.float32
        return high
    if high.is_complex and low.is_floating_point:
        return promote_types(high.to_real(), low).to_complex()
    return high


def _unsupported(what: str, a: dtype, b: dtype) -> RuntimeError:
    return RuntimeError(
        f"Promotion for {what} is not supported, attempted to promote {a.legacy} and {b.legacy}. "
        "Convert one of them with .to(dtype)."
    )


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether a result of one dtype may be written to a tensor of another: no category is lost.

    ``can_cast(float64, float16)`` and ``can_cast(int64, uint8)`` hold, ``can_cast(float32, int32)``
    does not.

    Raises:
        TypeError: not a dtype.
    """
    from_, to = _as_dtypes("can_cast", from_=from_, to=to)
    return to.category in _CAST[from_.category]


class _Table(dict[tuple[ArrayType, ArrayType], ArrayType]):
    """(NumPy dtype, NumPy dtype) -> NumPy dtype, filled as pairs are met."""

    __slots__ = ()


class _Promoted(_Table):
    """The lattice on NumPy dtypes."""

    __slots__ = ()

    def __missing__(self, pair: tuple[ArrayType, ArrayType]) -> ArrayType:
        found = self[pair] = promote_types(of(pair[0]), of(pair[1])).numpy
        return found


class _Combined(_Table):
    """A higher rank's dtype with a lower rank's."""

    __slots__ = ()

    def __missing__(self, pair: tuple[ArrayType, ArrayType]) -> ArrayType:
        high, low = of(pair[0]), of(pair[1])
        if high.is_complex:
            found = high
        elif high.is_floating_point:
            found = high.to_complex() if low.is_complex else high
        elif high.category == "bool" or low.category == "float8":
            found = promote_types(high, low)
        else:
            found = high if low.category in ("bool", "int") else low
        self[pair] = found.numpy
        return found.numpy


_PROMOTED = _Promoted()
_COMBINED = _Combined()
_BOOL = dtypes.bool.numpy
_INT = dtypes.int64.numpy


def promote_arrays(a: ArrayType, b: ArrayType) -> ArrayType:
    """`promote_types` on NumPy dtypes, one table lookup."""
    return a if a is b else _PROMOTED[a, b]


def number_dtype(number: Any) -> ArrayType:
    """What a number stands for: bool, int64, or the default floating or complex type. NumPy's
    numbers that are not Python's own (bool, complex64) are floating ones, as in PyTorch.
    """
    if isinstance(number, bool):
        return _BOOL
    if isinstance(number, (int, np.integer)):
        return _INT
    if isinstance(number, complex):
        return dtypes.default_complex().numpy
    return dtypes.default().numpy


def result_dtype(operands: Iterable[Any]) -> ArrayType:
    """The NumPy dtype that operands are computed in.

    Args:
        operands: for a tensor ``(NumPy dtype, ndim)``, otherwise a Python number. At least one.
    """
    with_dims: ArrayType | None = None
    without: ArrayType | None = None
    numbers: ArrayType | None = None
    for operand in operands:
        if type(operand) is tuple:
            array_type, ndim = operand
            if ndim:
                with_dims = (
                    array_type if with_dims is None else promote_arrays(with_dims, array_type)
                )
            else:
                without = array_type if without is None else promote_arrays(without, array_type)
        else:
            kind = number_dtype(operand)
            numbers = kind if numbers is None else promote_arrays(numbers, kind)
    found = with_dims
    for lower in (without, numbers):
        if found is None:
            found = lower
        elif lower is not None and lower is not found:
            found = _COMBINED[found, lower]
    if found is None:
        raise TypeError("result_dtype: expected at least one tensor or number, got none.")
    return found
