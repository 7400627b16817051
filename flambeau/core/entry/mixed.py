"""What operands of different dtypes are computed in, in rows that the native entries read.

A row for each way in which two dtypes meet, worked out when they first do: the dtype computed in,
what casts to it, the result's. Stands on promotion, kernels.native.casts.
"""

from __future__ import annotations

import ctypes
from functools import cache as once
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from flambeau.core import dtypes
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.casts import cast_to
from flambeau.core.promotion import result_dtype

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "ALIKE", "TYPES", "NUMBER", "RANKED", "ROW", "UNSERVED", "Mixed",
    "of_operation", "own_types",
]  # fmt: skip

TYPES = 18
"""NumPy's numbers of the types that may meet, from bool to complex128, then HALVES."""
HALVES = (np.dtype("f2"), np.dtype(ml_dtypes.bfloat16))
ROW = ("computed", "cast", "result")
ALIKE, RANKED, NUMBER = range(3)
"""How two operands meet: of one rank; a tensor with dimensions and one without; a tensor and a
number. The higher rank is named first.
"""
UNSERVED = 1
"""Instead of a dtype: the long way knows."""

_KINDS: dict[int, np.dtype[Any]] = {kind.num: kind for kind in map(np.dtype, "?bBhHiIlLqQfdFD")}
_KINDS |= dict(zip((TYPES - 2, TYPES - 1), HALVES, strict=True))
_NUMBERS: dict[int, Any] = {np.dtype("i8").num: 1, np.dtype("f8").num: 1.5}
"""Python numbers that stand for all of their type."""


class Mixed:
    """The rows of operations with one rule of types.

    Args:
        types: the rule.
        masks: whether tensors of bools are taken.
        halves: whether operands are cast to 16-bit floats; operations keep some of theirs wider.
    """

    def __init__(self, types: dtypes.Rule, masks: bool, halves: bool) -> None:
        self.types, self.masks, self.halves = types, masks, halves
        self.words = (ctypes.c_size_t * (3 * TYPES * TYPES * len(ROW)))()
        dtypes.when_default_changes(self.forget)

    def forget(self) -> None:
        """Rows hold the default dtype."""
        ctypes.memset(self.words, 0, ctypes.sizeof(self.words))

    def fill(self, index: int) -> None:
        """Work out a row."""
        found = self._found(index)
        words: list[Any] = [UNSERVED, 0, 0]
        if found is not None:
            computed, result = found
            cast = cast_to(computed)
            build.keep(computed, result, cast)
            words = [id(computed), id(cast), id(result)]
        start = index * len(ROW)
        for k in (1, 2, 0):  # the word that makes it valid comes last: other threads read
            self.words[start + k] = words[k]

    def _found(self, index: int) -> tuple[Any, Any] | None:
        meeting, (high, low) = index // (TYPES * TYPES), divmod(index % (TYPES * TYPES), TYPES)
        first = _KINDS.get(high)
        second: Any = _NUMBERS.get(low) if meeting == NUMBER else _KINDS.get(low)
        if first is None or second is None:
            return None
        if not self.masks and np.dtype(bool) in (first, second):
            return None
        other: Any = second if meeting == NUMBER else (second, int(meeting == ALIKE))
        try:
            promoted = result_dtype([(first, 1), other])
            computed, result = self.types.resolve("", promoted)
        except Exception:
            return None
        if computed in HALVES and not self.halves:
            return None
        # A number must fit as it is: the long way wraps it.
        if meeting == NUMBER and computed.kind in "iu" and computed.itemsize < 8:
            return None
        return computed, result


def of_operation(op: Op) -> Mixed | None:
    """The rows of an operation; None where its operands do not meet so."""
    if op.types is None or op.promote or op.flags["family"] != "elementwise":
        return None
    return _rows(op.types, "first" not in op.flags)


def own_types() -> Mixed:
    """The rows by which a dtype with itself gives that dtype."""
    return _rows(dtypes.NUMBER, True, True)


@once
def _rows(types: dtypes.Rule, masks: bool, halves: bool = False) -> Mixed:
    return Mixed(types, masks, halves)
