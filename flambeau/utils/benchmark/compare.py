"""`Compare`: measurements as a table, a row for each task and environment, a column for each
description."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable

from flambeau.utils.benchmark.measurement import (
    Measurement,
    ordered_unique,
    select_unit,
    trim_sigfig,
    unit_to_english,
)

__all__ = ["Colorize", "Compare"]

END = "\033[0m\033[0m"
# Up to which multiple of the best time -> the terminal's colour.
COLOURS = (
    (1.01, "\033[92m\033[1m"),
    (1.1, "\033[34m\033[1m"),
    (2 - 1e-9, ""),
    (5 - 1e-9, "\033[2m\033[91m"),
    (math.inf, "\033[31m\033[1m"),
)


class Colorize(enum.Enum):
    """Whether times are coloured against the best of their column or of their row."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """A table of measurements, one for each label.

    Args:
        results: what `Timer` gave; times of equal tasks are joined.
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trim_significant_figures = False
        self._colorize = Colorize.NONE
        self._highlight_warnings = False

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        results = list(results)
        for each in results:
            if not isinstance(each, Measurement):
                raise ValueError(
                    f"Compare: expected an instance of Measurement, got {type(each)} instead."
                )
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Print no more digits than the times carry."""
        self._trim_significant_figures = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour the times, against the best of their column or row."""
        self._colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Mark times that spread too far."""
        self._highlight_warnings = True

    def print(self) -> None:
        """Write the tables to the standard output."""
        print(str(self))

    def __str__(self) -> str:
        groups: dict[str, list[Measurement]] = {}
        for each in Measurement.merge(self._results):
            groups.setdefault(each.label or each.stmt, []).append(each)
        return "\n".join(self._table(label, group) for label, group in groups.items())

    def _table(self, label: str, results: list[Measurement]) -> str:
        unit, scale = select_unit(min(each.median for each in results))
        columns = ordered_unique(each.description for each in results)
        places = ordered_unique((m.num_threads, m.env, m.as_row_name) for m in results)
        places.sort(key=lambda place: (place[0], place[1] or ""))
        cells = {(m.num_threads, m.env, m.as_row_name, m.description): m for m in results}
        grid = [[cells.get((*place, name)) for name in columns] for place in places]

        texts = [self._column([row[k] for row in grid], scale) for k in range(len(columns))]
        names = self._row_names(places)
        widths = [max(len(name) for name in names)] + [
            max(len(text) for text in (*column, name or ""))
            for column, name in zip(texts, columns, strict=True)
        ]
        heads = [(name or "").center(w) for name, w in zip(columns, widths[1:], strict=True)]
        lines = ["  |  ".join([" " * widths[0], *heads])]
        total = len(lines[0])
        paints = self._colours(places, grid)
        for k, place in enumerate(places):
            if k == 0 or place[0] != places[k - 1][0]:
                lines.append(f"{place[0]} threads: ".ljust(total, "-"))
            row = [names[k].ljust(widths[0])]
            for j, paint in enumerate(paints[k]):
                text = texts[j][k].center(widths[j + 1])
                row.append(f"{paint}{text}{END}" if paint else text)
            lines.append("  |  ".join(row))
        lines.insert(0, f"[{f' {label} '.center(total - 2, '-')}]")
        lines += ["", f"Times are in {unit_to_english(unit)}s ({unit})."]
        if self._highlight_warnings and any(m.has_warnings for m in results):
            lines.append(
                "(! XX%) Measurement has high variance, where XX is the IQR / median * 100."
            )
        return "\n".join([*lines, ""])

    def _row_names(self, places: list[tuple[int, str | None, str]]) -> list[str]:
        """`  (environment)  task`, the environment once a block, only where there are several."""
        several = len({env for _, env, _ in places}) > 1
        width = max(len(env or "") for _, env, _ in places) + 4 if several else 4
        names = []
        for k, (threads, env, name) in enumerate(places):
            first = k == 0 or places[k - 1][:2] != (threads, env)
            head = f"({env})" if several and first else ""
            names.append(f"  {head:<{width - 2}}  {name}")
        return names

    def _column(self, column: list[Measurement | None], scale: float) -> list[str]:
        there = [each for each in column if each is not None]
        places = 1
        if self._trim_significant_figures:
            places = max(
                min(m.significant_figures - math.ceil(math.log10(m.median / scale)) for m in there),
                0,
            )
        found = []
        for each in column:
            if each is None:
                found.append("")
                continue
            value = each.median / scale
            if self._trim_significant_figures:
                value = trim_sigfig(value, each.significant_figures)
            found.append(f"{value:.{places}f}")
        width = max(len(text) for text in found)
        found = [text.rjust(width) for text in found]
        if self._highlight_warnings:
            marks = [
                f" (! {m.iqr / m.median * 100:.0f}%)" if m is not None and m.has_warnings else ""
                for m in column
            ]
            room = max(len(mark) for mark in marks)
            found = [text + mark.ljust(room) for text, mark in zip(found, marks, strict=True)]
        return found

    def _colours(
        self, places: list[tuple[int, str | None, str]], grid: list[list[Measurement | None]]
    ) -> list[list[str]]:
        def paint(k: int, j: int) -> str:
            each = grid[k][j]
            if each is None or self._colorize is Colorize.NONE:
                return ""
            if self._colorize is Colorize.ROWWISE:
                rivals = grid[k]
            else:
                rivals = [
                    row[j]
                    for place, row in zip(places, grid, strict=True)
                    if place[0] == places[k][0]
                ]
            best = min(rival.median for rival in rivals if rival is not None)
            return next(colour for limit, colour in COLOURS if each.median / best <= limit)

        return [[paint(k, j) for j in range(len(row))] for k, row in enumerate(grid)]
