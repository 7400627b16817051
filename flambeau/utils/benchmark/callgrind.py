"""Instruction counts as data: what a callgrind run elsewhere found can be held, summed, compared.

Nothing here counts: `Timer.collect_callgrind` says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["CallgrindStats", "CopyIfCallgrind", "FunctionCount", "FunctionCounts"]


class FunctionCount(NamedTuple):
    """How many instructions a function took."""

    count: int  # type: ignore[assignment]  # PyTorch's field hides the tuple's method
    function: str


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class FunctionCounts:
    """Counts of functions, the largest first; `+` and `-` join and compare two."""

    _data: tuple[FunctionCount, ...]
    inclusive: bool
    truncate_rows: bool = True
    _linewidth: int | None = None

    def __iter__(self) -> Iterator[FunctionCount]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, item: Any) -> Any:
        found = self._data[item]
        return self._with(found) if isinstance(item, slice) else found

    def _with(self, data: Any) -> FunctionCounts:
        return dataclasses.replace(self, _data=tuple(data))

    def __add__(self, other: FunctionCounts) -> FunctionCounts:
        return self._merged(other, 1)

    def __sub__(self, other: FunctionCounts) -> FunctionCounts:
        return self._merged(other, -1)

    def _merged(self, other: FunctionCounts, sign: int) -> FunctionCounts:
        totals: dict[str, int] = {}
        for each, factor in ((self, 1), (other, sign)):
            for count, name in each:
                totals[name] = totals.get(name, 0) + factor * count
        rows = (FunctionCount(count, name) for name, count in totals.items() if count)
        return self._with(sorted(rows, reverse=True))

    def __mul__(self, factor: float) -> FunctionCounts:
        return self._with(FunctionCount(int(c * factor), f) for c, f in self)

    def transform(self, map_fn: Callable[[str], str]) -> FunctionCounts:
        """The counts under the names `map_fn` gives; equal names are added."""
        renamed = self._with(FunctionCount(c, map_fn(f)) for c, f in self)
        return renamed._merged(self._with(()), 1)

    def filter(self, filter_fn: Callable[[str], bool]) -> FunctionCounts:
        """The functions that `filter_fn` keeps."""
        return self._with(row for row in self if filter_fn(row.function))

    def sum(self) -> int:
        """All instructions."""
        return sum(count for count, _ in self)

    def denoise(self) -> FunctionCounts:
        """Without the interpreter's dictionary lookups, whose number varies from run to run."""
        return self.filter(lambda name: "dictobject.c:lookdict_unicode" not in name)

    def __repr__(self) -> str:
        rows = [f"  {count:>12}  {name}" for count, name in self]
        if self.truncate_rows and len(rows) > 18:
            rows = [*rows[:9], "...".rjust(14), *rows[-9:]]
        return "\n".join([object.__repr__(self), *rows, "", f"Total: {self.sum()}"])


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class CallgrindStats:
    """What one callgrind run found about a task."""

    task_spec: Any
    number_per_run: int
    built_with_debug_symbols: bool
    baseline_inclusive_stats: FunctionCounts
    baseline_exclusive_stats: FunctionCounts
    stmt_inclusive_stats: FunctionCounts
    stmt_exclusive_stats: FunctionCounts
    stmt_callgrind_out: str | None = None

    def stats(self, inclusive: bool = False) -> FunctionCounts:
        """The statement's counts less the baseline's."""
        if inclusive:
            return self.stmt_inclusive_stats - self.baseline_inclusive_stats
        return self.stmt_exclusive_stats - self.baseline_exclusive_stats

    def counts(self, *, denoise: bool = False) -> int:
        """The instructions of the statement."""
        found = self.stmt_exclusive_stats
        return (found.denoise() if denoise else found).sum()

    def delta(self, other: CallgrindStats, inclusive: bool = False) -> FunctionCounts:
        """The counts less another run's."""
        return self.stats(inclusive) - other.stats(inclusive)


class CopyIfCallgrind:
    """A global that would be rebuilt, by `setup`, in the process callgrind watches."""

    def __init__(self, value: Any, *, setup: str | None = None) -> None:
        self._value = value
        self._setup = setup

    @property
    def value(self) -> Any:
        return self._value

    @property
    def setup(self) -> str | None:
        return self._setup

    @staticmethod
    def unwrap_all(globals: dict[str, Any]) -> dict[str, Any]:
        """The globals with every wrapped value bare."""
        return {k: v.value if isinstance(v, CopyIfCallgrind) else v for k, v in globals.items()}
