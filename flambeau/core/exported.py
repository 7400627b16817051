"""Memory that others can write: a NumPy array lies on a tensor's, or a tensor on an array's.

PyTorch cannot see such a write and gives wrong gradients. Here the storage takes a fingerprint when
a value on it is saved or exported, and `rules` asks at backward whether the value is still the
same. An ordinary storage pays nothing: an `Exported` one is falsy, so `tensor._storage or
saved_storage(tensor)`, which every operation asks when it saves, comes to `saved_storage` and from
there to `mark`. Stands on storage.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core.state import next_sequence
from flambeau.core.storage import Storage, address

if TYPE_CHECKING:
    from flambeau.core.tensor import Tensor

__all__ = ["SHOWN", "Exported", "export"]

SHOWN = frozenset(np.dtype(c) for c in "?bBhilqefdFD")
"""The dtypes that tensors and arrays show each other as they are."""

WHOLE = 1 << 14
"""Bytes that are kept whole; of more memory, `PIECES` pieces of `PIECE` bytes."""
PIECES, PIECE = 16, 512
KEPT = 32
"""Fingerprints that a storage keeps, the latest: at most half a megabyte."""
_ALWAYS = 1 << 62
Mark = tuple[int, int, int, tuple[tuple[int, bytes], ...]]
"""When it was taken, the memory's first byte and end, and pieces of it: address and bytes."""


class Exported(Storage):
    """The storage of such memory."""

    __slots__ = ()

    resizable = False
    marks: deque[Mark]
    first: Mark

    def __bool__(self) -> bool:
        return False

    @property  # type: ignore[override]  # the engine's short way looks at it: never there
    def changed(self) -> int:
        return _ALWAYS

    @changed.setter
    def changed(self, value: int) -> None:
        pass

    def mark(self, array: Any) -> None:
        """Take the fingerprint of an array on this memory, unless the last one still holds."""
        if type(array) is not np.ndarray or not array.size:
            return
        if os.environ.get("FLAMBEAU_ALIAS") == "off":
            return
        low, high = _span(array)
        pieces = tuple((at, ctypes.string_at(at, n)) for at, n in _pieces(low, high))
        mark = (next_sequence(), low, high, pieces)
        marks = self.__dict__.get("marks")
        if marks is None:
            self.first = mark
            self.marks = deque((mark,), maxlen=KEPT)
            return
        for last in reversed(marks):
            if last[1] == low and last[2] == high:
                if last[3] == pieces:  # nothing was written since: it holds for this save, too
                    return
                break
        marks.append(mark)

    def differs(self, sequence: int, value: Any) -> bool:
        """Whether a value that was saved at `sequence` is known to be another one now.

        The last mark before the save tells, best one of the value's own memory; where the first
        export came after the save, its mark does. A mark that was dropped tells nothing.
        """
        marks = self.__dict__.get("marks")
        if marks is None or type(value) is not np.ndarray or not value.size:
            return False
        low, high = _span(value)
        before = [m for m in marks if m[0] < sequence and m[1] <= low and high <= m[2]]
        own = [m for m in before if m[1] == low and m[2] == high]
        told = (own or before or (None,))[-1]
        if told is None and self.first[0] > sequence:
            told = self.first
        return told is not None and any(
            _overlap_differs(value, low, high, at, old) for at, old in told[3]
        )


def export(tensor: Tensor) -> None:
    """Note that the tensor's memory is in other hands from now on."""
    storage = tensor._storage
    if type(storage) is Exported:  # whoever saved since then took a fingerprint himself
        return
    if storage is None:  # nobody saved it yet
        tensor._storage = Exported()
        return
    storage.__class__ = Exported
    storage.mark(tensor._array)  # type: ignore[attr-defined]


def _span(array: np.ndarray[Any, Any]) -> tuple[int, int]:
    """The addresses of an array's first byte and behind its last."""
    first = address(array)
    reaches = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)]
    low = first + sum(reach for reach in reaches if reach < 0)  # a turned array ends there
    return low, first + sum(reach for reach in reaches if reach > 0) + array.itemsize


def _pieces(low: int, high: int) -> list[tuple[int, int]]:
    if high - low <= WHOLE:
        return [(low, high - low)]
    step = (high - low - PIECE) // (PIECES - 1)
    return [(low + k * step, PIECE) for k in range(PIECES)]


def _overlap_differs(value: np.ndarray[Any, Any], low: int, high: int, at: int, old: bytes) -> bool:
    """Whether the part of the value that a piece covers has changed."""
    if at <= low and high <= at + len(old):
        was = np.ndarray(value.shape, value.dtype, old, low - at, value.strides)
        return was.tobytes() != value.tobytes()
    if high - low != value.nbytes:  # a value with gaps: a changed byte may be another's
        return False
    first, end = max(at, low), min(at + len(old), high)
    return first < end and ctypes.string_at(first, end - first) != old[first - at : end - at]
