"""Arrays of numbers as nested bracketed text: one number format per tensor, columns aligned, long
dimensions summarised, lines broken at the line width. The suffixes around it are in `text`.
Stands on dtypes and the print options.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.dtypes import float8_e8m0fnu, of
from flambeau.core.repr.options import PrintOptions, current

__all__ = ["array_text"]

Array = np.ndarray[Any, Any]

# Above this ratio of largest to smallest magnitude, above this size or below this one, fixed
# notation would hide digits.
RATIO, LARGE, SMALL = 1000.0, 1.0e8, 1.0e-4


class _Plain:
    """Integers and bools: right-aligned to the widest."""

    def __init__(self, values: Array) -> None:
        self.width = max((len(str(value)) for value in values.ravel().tolist()), default=1)
        self.width = max(self.width, 1)

    def text(self, value: Any) -> str:
        return f"{value!s:>{self.width}}"


class _Real:
    """Floating values in one notation, whole, fixed or scientific.

    The nonzero values that `counts` admits choose it and the width; without any, it is whole.
    """

    def __init__(
        self, values: Array, options: PrintOptions, counts: Callable[[Array], Array] = np.isfinite
    ) -> None:
        self.precision = options.precision
        self.notation = "whole"
        self.width = 1
        flat = values.ravel()
        measured = flat[counts(flat) & (flat != 0)]
        if measured.size:
            self._choose(measured, options.sci_mode)

    def _choose(self, measured: Array, scientific: bool | None) -> None:
        size = np.abs(measured.astype(np.float64))
        low, high = float(size.min()), float(size.max())
        if scientific is None:
            scientific = high / low > RATIO or high > LARGE or low < SMALL
        if scientific:
            self.notation = "scientific"
        elif (measured != np.ceil(measured)).any():
            self.notation = "fixed"
        self.width = max(len(self._write(value)) for value in measured.tolist())

    def _write(self, value: float) -> str:
        if self.notation == "scientific":
            return f"{value:.{self.precision}e}"
        if self.notation == "fixed":
            return f"{value:.{self.precision}f}"
        point = "." if math.isfinite(value) else ""
        return f"{value:.0f}{point}"

    def text(self, value: float) -> str:
        return f"{self._write(value):>{self.width}}"


class _Complex:
    """Real and imaginary parts, each with a format of its own."""

    def __init__(self, values: Array, options: PrintOptions) -> None:
        self.real = _Real(values.real, options)
        self.imag = _Real(values.imag, options)
        self.width = self.real.width + self.imag.width + 1

    def text(self, value: complex) -> str:
        imag = self.imag.text(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return f"{self.real.text(value.real)}{sign}{imag}"


def _above_smallest(values: Array) -> Array:
    found: Array = values != 2.0**-127
    return found


def array_text(array: Array, indent: int) -> str:
    """The bracketed text of an array, continued lines indented by `indent`.

    Args:
        array: any dtype; 2-byte floats, float8 and their complex kin are widened first.
        indent: the column at which the text starts.
    """
    if array.size == 0:
        return "[]"
    options = current()
    kind = of(array.dtype)
    # PyTorch's text of float8_e8m0fnu, which has no zero and no infinity: its comparison with 0
    # rounds to the smallest number, and nan counts as finite.
    counts: Callable[[Array], Array] = np.isfinite
    if kind is float8_e8m0fnu:
        counts = _above_smallest
    if kind.is_complex and kind.itemsize < 8:
        array = array.astype(np.complex64)
    elif kind.is_floating_point and kind.itemsize < 4:
        array = array.astype(np.float32)
    summary = array.size > options.threshold
    shown = _ends(array, options.edgeitems) if summary else array
    column: _Plain | _Real | _Complex
    if kind.is_complex:
        column = _Complex(shown, options)
    elif kind.is_floating_point:
        column = _Real(shown, options, counts)
    else:
        column = _Plain(shown)
    edge = options.edgeitems if summary else None
    return _nested(array, indent, edge, options.linewidth, column.width, column.text)


def _ends(array: Array, edge: int) -> Array:
    """What a summary shows of an array: the first and last `edge` along every long dimension."""
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            keep = np.r_[0:edge, size - edge : size].astype(np.intp)
            array = array.take(keep, axis)
    return array


def _nested(
    array: Array,
    indent: int,
    edge: int | None,
    linewidth: float,
    width: int,
    text: Callable[[Any], str],
) -> str:
    if array.ndim == 0:
        return text(array.item())
    size = array.shape[0]
    cut = edge is not None and size > 2 * edge
    if array.ndim == 1:
        return _row(array, indent, edge if cut else None, linewidth, width, text)
    indices: list[int | None] = list(range(size))
    if cut and edge is not None:
        indices = [*range(edge), None, *range(size - edge, size)]
    parts = [
        "..." if i is None else _nested(array[i], indent + 1, edge, linewidth, width, text)
        for i in indices
    ]
    gap = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return f"[{gap.join(parts)}]"


def _row(
    array: Array,
    indent: int,
    edge: int | None,
    linewidth: float,
    width: int,
    text: Callable[[Any], str],
) -> str:
    if edge is None:
        words = [text(value) for value in array.tolist()]
    elif edge == 0:
        words = ["..."]
    else:
        words = [text(value) for value in array[:edge].tolist()]
        words.append(" ...")
        words += [text(value) for value in array[-edge:].tolist()]
    per_line = len(words)
    if linewidth != math.inf:
        per_line = max(1, int((linewidth - indent) // (width + 2)))
    lines = [", ".join(words[k : k + per_line]) for k in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
