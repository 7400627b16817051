"""Numbers as floats of eight bits, with PyTorch's answers where the format has none of its own.

Stands on NumPy and ml_dtypes.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["FLOAT8", "cast", "to_float8"]

E4M3FN = np.dtype(ml_dtypes.float8_e4m3fn)
E5M2 = np.dtype(ml_dtypes.float8_e5m2)
E8M0FNU = np.dtype(ml_dtypes.float8_e8m0fnu)
FLOAT8 = frozenset({E4M3FN, E5M2, E8M0FNU})
"""Those that NumPy's conversion alone does not give as PyTorch does."""
LARGEST = np.float32(448)
SMALLEST = np.float32(2.0**-127)


def to_float8(array: Any, dtype: Any) -> Any:
    """The array in one of `FLOAT8`: what is too large for e4m3fn becomes its largest, a NaN of e5m2
    has all bits set, and e8m0fnu, which has neither sign nor zero, takes sizes and its least.
    """
    if array.dtype == dtype:
        return array.copy()
    numbers = (array.real if array.dtype.kind == "c" else array).astype(np.float32)
    if dtype == E4M3FN:
        return np.asarray(np.clip(numbers, -LARGEST, LARGEST)).astype(dtype)
    if dtype == E8M0FNU:
        return np.asarray(np.maximum(np.abs(numbers), SMALLEST)).astype(dtype)
    found = numbers.astype(dtype)
    bits = found.view(np.uint8)
    np.bitwise_or(bits, 0x7F, out=bits, where=np.isnan(numbers))
    return found


def cast(array: Any, dtype: Any) -> Any:
    """A copy of the array in a dtype, one of `FLOAT8` or any other."""
    return to_float8(array, dtype) if dtype in FLOAT8 else array.astype(dtype)
