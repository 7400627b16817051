"""Events and their averages: times (microseconds), counts, the table. Stands on nothing."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]


def _text(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    if microseconds >= 1e3:
        return f"{microseconds / 1e3:.3f}ms"
    return f"{microseconds:.3f}us"


class FunctionEvent:
    """One run of an operation, or one range."""

    def __init__(
        self, name: str, number: int, thread: int, start_ns: int, shapes: Any, user: bool
    ) -> None:
        self.name = self.key = name
        self.id = number
        self.thread = thread
        self.start_ns = self.end_ns = start_ns
        self.input_shapes = shapes
        self.is_user_annotation = user
        self.count = 1
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []

    @property
    def cpu_time_total(self) -> float:
        """From begin to end."""
        return (self.end_ns - self.start_ns) / 1e3

    cpu_time = cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """Without what ran inside."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def cpu_time_total_str(self) -> str:
        return _text(self.cpu_time_total)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={_text(self.cpu_time_total)} "
            f"input_shapes={self.input_shapes}>"
        )


class FunctionEventAvg:
    """All runs of an operation (of equal shapes, when grouped by them)."""

    def __init__(self, key: str, shapes: Any) -> None:
        self.key = key
        self.input_shapes = shapes
        self.count = 0
        self.cpu_time_total = 0.0
        self.self_cpu_time_total = 0.0
        self.device_time_total = self.self_device_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.is_user_annotation = False

    def add(self, event: FunctionEvent) -> None:
        """Count one run."""
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.is_user_annotation = event.is_user_annotation

    @property
    def cpu_time(self) -> float:
        """The mean."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return _text(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return _text(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return _text(self.self_cpu_time_total)

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} count={self.count}>"
        )


class EventList(list[Any]):
    """Events, or their averages."""

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all, nested ones counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def total_average(self) -> FunctionEventAvg:
        """All events as one row."""
        found = FunctionEventAvg("Total", ())
        for event in self:
            found.count += event.count
            found.cpu_time_total += event.cpu_time_total
            found.self_cpu_time_total += event.self_cpu_time_total
        return found

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, **_: Any
    ) -> EventList:
        """One row for each operation, or for each operation and its input shapes."""
        rows: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shapes else ()
            key = event.key, str(shapes)
            if key not in rows:
                rows[key] = FunctionEventAvg(event.key, shapes)
            rows[key].add(event)
        return EventList(rows.values())

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The rows as text.

        Args:
            sort_by: cpu_time, cpu_time_total, self_cpu_time_total or count, largest first.
            row_limit: how many rows at most.
        """
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda row: getattr(row, sort_by, 0), reverse=True)
        if row_limit >= 0:
            rows = rows[:row_limit]
        total = self.self_cpu_time_total or 1.0
        shaped = any(row.input_shapes for row in rows)
        names = [
            "Name",
            "Self CPU %",
            "Self CPU",
            "CPU total %",
            "CPU total",
            "CPU time avg",
            "# of Calls",
        ]
        names += ["Input Shapes"] * shaped
        body = []
        for row in rows:
            name = (
                row.key
                if len(row.key) <= max_name_column_width
                else row.key[: max_name_column_width - 3] + "..."
            )
            average = row.cpu_time_total / row.count if row.count else 0.0
            line = [
                name,
                f"{100 * row.self_cpu_time_total / total:.2f}%",
                _text(row.self_cpu_time_total),
                f"{100 * row.cpu_time_total / total:.2f}%",
                _text(row.cpu_time_total),
                _text(average),
                str(row.count),
            ]
            body.append(line + [str(row.input_shapes)[:max_shapes_column_width]] * shaped)
        widths = [max(len(line[k]) for line in [names, *body]) + 2 for k in range(len(names))]
        rule = "  ".join("-" * width for width in widths)
        lines = [header] if header else []
        lines += [
            rule,
            "  ".join(text.rjust(width) for text, width in zip(names, widths, strict=True)),
            rule,
        ]
        lines += [
            "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
            for line in body
        ]
        return "\n".join(
            [*lines, rule, f"Self CPU time total: {_text(self.self_cpu_time_total)}", ""]
        )

    def export_chrome_trace(self, path: str) -> None:
        """Write a trace that chrome://tracing and Perfetto read."""
        trace = [
            {
                "name": event.name,
                "ph": "X",
                "ts": event.start_ns / 1e3,
                "dur": event.cpu_time_total,
                "pid": 0,
                "tid": event.thread,
                "cat": "user_annotation" if event.is_user_annotation else "cpu_op",
                "args": {"Input Dims": event.input_shapes or []},
            }
            for event in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": trace}, file)

    def __str__(self) -> str:
        return self.table()
