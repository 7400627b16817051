"""The size of a dimension whose length differs from part to part. Stands on nothing."""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ["RaggedSize"]

_numbers = itertools.count(1)


class RaggedSize:
    """A size that is known part by part alone: printed j1, j2, ...

    Two are equal if they are of the same lengths by origin: those of a tensor and of what was
    computed from it. With whole numbers it compares as more than 1 and less than any bound.
    """

    __slots__ = ("factor", "number")

    def __init__(self, number: int | None = None, factor: int = 1) -> None:
        self.number = next(_numbers) if number is None else number
        self.factor = factor

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return RaggedSize(self.number, self.factor * other) if other else 0

    __rmul__ = __mul__

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, RaggedSize) and (self.number, self.factor) == (
            other.number,
            other.factor,
        )

    def __hash__(self) -> int:
        return hash((self.number, self.factor))

    def __gt__(self, other: Any) -> bool:
        return self._beyond(other, 1)

    def __ge__(self, other: Any) -> bool:
        return self == other or self._beyond(other, 2)

    def __lt__(self, other: Any) -> bool:
        return not self >= other

    def __le__(self, other: Any) -> bool:
        return not self > other

    def _beyond(self, other: Any, known: int) -> bool:
        if isinstance(other, int) and other <= known:
            return True
        raise ValueError(f"ordering: {self} and {other!r} cannot be compared.")

    def __repr__(self) -> str:
        return f"j{self.number}" if self.factor == 1 else f"{self.factor}*j{self.number}"
