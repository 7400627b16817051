"""What was timed (`TaskSpec`) and how long it took (`Measurement`): statistics and text."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import flambeau

__all__ = [
    "Measurement",
    "TaskSpec",
    "ordered_unique",
    "select_unit",
    "set_torch_threads",
    "trim_sigfig",
    "unit_to_english",
]

UNITS = {-3: ("ns", 1e-9), -2: ("us", 1e-6), -1: ("ms", 1e-3)}
ENGLISH = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}
CLOCK = 25e-9
"""Seconds below which two times cannot be told apart."""
NORMAL_95 = 1.645
"""The normal quantile of a two-sided interval of 90 percent."""


@dataclasses.dataclass(init=True, repr=False, eq=True, frozen=True)
class TaskSpec:
    """What is timed.

    Args:
        stmt, setup, global_setup: the code.
        label, sub_label, description, env: names for the table: its title, the row, the column,
            and the environment the row belongs to.
        num_threads: how many threads the statement may use.
    """

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """Label and sub label; without a label the statement."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        if "\n" not in self.stmt:
            return self.stmt + (f": {self.sub_label}" if self.sub_label else "")
        head = f"stmt:{f' ({self.sub_label})' if self.sub_label else ''}\n"
        return head + textwrap.indent(self.stmt, "  ")

    def setup_str(self) -> str:
        """The setup as the description prints it; empty where there is none."""
        if self.setup in ("", "pass"):
            return ""
        if "\n" in self.setup:
            return f"setup:\n{textwrap.indent(self.setup, '  ')}\n"
        return f"setup: {self.setup}"

    def summarize(self) -> str:
        """Title, description and setup, as they are there."""
        title = f"{self.title}\n" if "\n" in self.title else self.title
        return "\n".join(part for part in (title, self.description, self.setup_str()) if part)


_SPEC_FIELDS = tuple(f.name for f in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(init=True, repr=False)
class Measurement:
    """The times of one task.

    Args:
        number_per_run: how often the statement ran for each of `raw_times`.
        raw_times: seconds.
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _SPEC_FIELDS:
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute {name!r}")

    @property
    def times(self) -> list[float]:
        """Seconds of one execution, one number for each run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def mean(self) -> float:
        return float(np.mean(self.times))

    @property
    def median(self) -> float:
        return float(np.median(self.times))

    def _quartiles(self) -> tuple[float, float]:
        low, high = np.quantile(self.times, [0.25, 0.75])
        return float(low), float(high)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles."""
        low, high = self._quartiles()
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many digits of the median carry information: those that a normal interval around
        it, estimated from the half of the times in the middle, leaves standing.
        """
        n = len(self.raw_times)
        middle = sorted(self.times)[n // 4 : math.ceil(3 * n / 4)]
        interval = max(NORMAL_95 * float(np.std(middle)) / math.sqrt(len(middle)), CLOCK)
        return max(min(int(math.log10(self.median / interval)), 4), 1)

    @property
    def has_warnings(self) -> bool:
        """Whether the times spread too far to be trusted."""
        return self.iqr / self.median >= 0.1

    def meets_confidence(self, threshold: float = 0.05) -> bool:
        """Whether the quartiles lie within that part of the median."""
        return self.iqr / self.median < threshold

    @property
    def title(self) -> str:
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """What the table calls the row."""
        return self.sub_label or self.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """The times of equal tasks joined into one measurement each."""
        groups: dict[TaskSpec, list[Measurement]] = {}
        for each in measurements:
            groups.setdefault(each.task_spec, []).append(each)
        return [
            Measurement(1, [t for each in group for t in each.times], spec)
            for spec, group in groups.items()
        ]

    def __repr__(self) -> str:
        n = len(self.raw_times)
        unit, scale = select_unit(self.median)
        lines = [object.__repr__(self), self.task_spec.summarize()]
        figure = f"{self.median / scale:.2f} {unit}"
        lines.append(f"  {'Median: ' if n > 1 else ''}{figure}")
        if n > 3:
            low, high = self._quartiles()
            lines.append(
                f"  IQR:    {self.iqr / scale:.2f} {unit} ({low / scale:.2f} to {high / scale:.2f})"
            )
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        runs = f"{self.number_per_run} runs {'per measurement' if n > 1 else ''}"
        lines.append(f"  {n} measurement{'s' if n > 1 else ''}, {runs}, {threads}")
        if self.has_warnings:
            spread = self.iqr / self.median
            why = (
                "This suggests significant environmental influence."
                if spread >= 0.25
                else "This could indicate system fluctuation."
            )
            lines.append(
                f"  WARNING: Interquartile range is {spread * 100:.1f}% of the median measurement."
            )
            lines.append(f"           {why}")
        return "\n".join(lines)


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which a number of seconds reads well, and its size in seconds."""
    return UNITS.get(int(np.log10(t) // 3), ("s", 1))


def unit_to_english(u: str) -> str:
    """The unit's name: ns is a nanosecond."""
    return ENGLISH[u]


def trim_sigfig(x: float, n: int) -> float:
    """The number rounded to `n` significant figures."""
    if x == 0:
        raise ValueError("trim_sigfig: zero has no significant figures.")
    scale = 10 ** (math.ceil(math.log10(abs(x))) - n)
    return float(flambeau.tensor(x / scale).round() * scale)


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """Each element once, in the order of first sight."""
    return list(dict.fromkeys(elements))


@contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """The block in which operations use `n` threads."""
    before = flambeau.get_num_threads()
    flambeau.set_num_threads(n)
    try:
        yield
    finally:
        flambeau.set_num_threads(before)
