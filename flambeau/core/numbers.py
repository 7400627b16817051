"""Python numbers on their way into a tensor: whether its dtype holds them.

Stands on dtypes and errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.dtypes import of
from flambeau.core.errors import fail

__all__ = ["check_bits", "check_range", "number_for"]

nd = np.ndarray


def number_for(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number as it is written into a tensor of `dtype`.

    Raises:
        RuntimeError: it does not fit. OverflowError: it takes more than 64 bits.
    """
    check_bits(name, value)
    kind = dtype.kind
    if kind == "f" and type(value) in (int, float) and dtype.itemsize > 2:
        return value
    if kind == "b":
        return bool(value)
    if isinstance(value, complex) and kind not in "cW":
        if value.imag:
            raise _too_large(name, dtype)
        value = value.real
    if kind in "iu":
        limits = np.iinfo(dtype)
        low = limits.min
        if kind == "u" and not isinstance(value, (float, np.floating)):
            low = -int(limits.max)  # negative integers wrap
        if not low <= value <= limits.max:
            raise _too_large(name, dtype)
        value = int(value)
        return value % (limits.max + 1) if kind == "u" else value
    if dtype.itemsize == 2 and kind == "f" and abs(value) > 65504 and abs(value) != float("inf"):
        raise _too_large(name, dtype)
    return value


def check_bits(name: str, value: Any) -> None:
    """Whether a number is one of 64 bits, with or without a sign, if it is whole.

    Raises:
        OverflowError: it takes more.
    """
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        raise fail(OverflowError, name, f"int too big to convert: {value} takes more than 64 bits")


def check_range(name: str, values: nd[Any, Any], dtype: np.dtype[Any]) -> None:
    """Whether an integer dtype holds all the numbers of an array.

    Raises:
        RuntimeError: one does not fit.
    """
    if dtype.kind in "iu" and values.dtype.kind in "iuf" and values.size:
        for value in (values.min().item(), values.max().item()):  # NaN is both
            number_for(name, value, dtype)


def _too_large(name: str, dtype: np.dtype[Any]) -> Exception:
    words = {"f4": "float", "f8": "double", "f2": "c10::Half"}
    word = words.get(dtype.str[1:], f"{dtype.name}_t")
    return fail(
        RuntimeError,
        name,
        f"value cannot be converted to type {word} without overflow: the tensor is {of(dtype)}",
    )
