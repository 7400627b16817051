"""Writes that compute nothing: zeros, a number, another tensor's values.

Each gives None where its short way does not serve. Stands on process, inplace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.entry import process
from flambeau.core.entry.several import KINDS
from flambeau.core.kernels.native.choose import FORMULAS, resolved, short_kinds
from flambeau.core.overlap import meets
from flambeau.core.tensor import Tensor

__all__ = ["Short", "copied", "written_out"]

nd = np.ndarray


class Short:
    """A short way that is made at its first call: ``short(input, ...)``, or None.

    Args:
        name: of the operation that is its history where there is one.
        title: what the write is called.
        entry: the native entry of a write without history.
        formula: the name of the native kernel.
        into: its NumPy form, the array to write last.
        result: the NumPy form out of place.
        numbers: whether the second operand may be a number.
    """

    def __init__(
        self, name: str, title: str, entry: str, formula: str, into: Callable[..., Any],
        result: Callable[..., Any], numbers: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.title, self.entry, self.formula = name, title, entry, formula
        self.into, self.result, self.numbers = into, result, numbers
        self.plain: Callable[..., Any] = self._first
        self.recorded: Callable[..., Any] = _nothing

    def _first(self, *args: Any) -> Any:
        from flambeau.core.declare import OPERATIONS  # which stands on the entries

        op = OPERATIONS[self.name]
        kernel = resolved(self.formula, self.into, op=op)
        kinds = short_kinds(op, self.formula, FORMULAS[self.formula].arity).union(KINDS)
        self.plain = (
            process.native(
                self.entry, op, kernel, self.title, kinds, numbers=self.numbers, converts=True
            )
            or _nothing
        )
        more = {"numbers": 2 * self.numbers, "mixed": 1}
        self.recorded = process.several(op, self.result, KINDS, self.title, **more) or _nothing
        return self.plain(*args)


def _nothing(*args: Any) -> None:
    """There is no short way."""


def _same_shape(a: Any, b: Any, out: Any) -> None:
    if a.shape != np.shape(b) or (type(b) is nd and meets(out, b)):
        raise ValueError("the long way broadcasts, or refuses")
    out[...] = b


COPY = Short("_copied", "copy_", "write_binary", "copy", _same_shape, lambda a, b: _spread(a, b))


def _spread(a: Any, b: Any) -> Any:
    if meets(a, b):
        raise ValueError("the long way refuses")
    if a.shape == b.shape and a.dtype is b.dtype:
        return b
    return np.broadcast_to(b if b.dtype is a.dtype else b.astype(a.dtype), a.shape)


def copied(input: Tensor, src: Any) -> Any:
    """``input.copy_(src)``."""
    if (
        type(src) is Tensor
        and src._array.dtype.kind in "cW"
        and input._array.dtype.kind not in "cW"
    ):
        return None  # the long way takes the real part and warns
    found = COPY.plain(input, src)
    if found is None and input._array.dtype.kind in FLOATING_KINDS:
        found = COPY.recorded(input, src)
    return found


def written_out(out: Any, found: Tensor, operands: tuple[Any, ...]) -> Any:
    """A result without history into the tensor given as ``out=``, of its shape and dtype."""
    if type(out) is not Tensor or found._edge is not None:
        return None
    into, made = out._array, found._array
    # Of two shapes with as many dimensions and elements (not 0), one broadcasts to the other only
    # if they are equal; others the copy refuses.
    count = made.size
    if not count or into.size != count or into.ndim != made.ndim or into.dtype is not made.dtype:
        return None
    whole = into.base is None
    for x in operands:
        if x is not out and type(x) is Tensor:
            read = x._array
            if not (whole and read.base is None) and meets(into, read):
                return None
    return COPY.plain(out, found)
