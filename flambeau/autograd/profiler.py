"""`torch.autograd.profiler`'s names: ranges that the program marks, timed, and a table of them.
Stands on nothing.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]

_ACTIVE: ContextVar[profile | None] = ContextVar("flambeau_autograd_profile", default=None)


class FunctionEvent(NamedTuple):
    """One range: its name, when it began, how long it took (microseconds), and how often it ran
    where several are summed.
    """

    key: str
    start: float
    cpu_time_total: float
    count: int = 1  # type: ignore[assignment]  # PyTorch's name hides tuple.count

    @property
    def name(self) -> str:
        """The range's name."""
        return self.key

    @property
    def cpu_time(self) -> float:
        """Microseconds a call, on average."""
        return self.cpu_time_total / self.count


class EventList(list[FunctionEvent]):
    """Ranges in the order in which they ended."""

    def total_average(self) -> FunctionEvent:
        """All ranges summed."""
        return FunctionEvent(
            "Total", 0.0, sum(e.cpu_time_total for e in self), max(sum(e.count for e in self), 1)
        )

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """The ranges of each name summed."""
        sums: dict[str, FunctionEvent] = {}
        for event in self:
            old = sums.get(event.key, FunctionEvent(event.key, event.start, 0.0, 0))
            sums[event.key] = old._replace(
                cpu_time_total=old.cpu_time_total + event.cpu_time_total,
                count=old.count + event.count,
            )
        return EventList(sums.values())

    def table(self, sort_by: str | None = None, row_limit: int = 100, **_: Any) -> str:
        """The ranges as text."""
        rows: Iterable[FunctionEvent] = self
        if sort_by in ("cpu_time", "cpu_time_total", "count"):
            rows = sorted(self, key=lambda e: -getattr(e, sort_by))
        lines = [f"{'Name':<40}  {'CPU total':>12}  {'CPU time avg':>12}  {'# of Calls':>10}"]
        lines += [
            f"{e.key:<40}  {e.cpu_time_total:>10.3f}us  {e.cpu_time:>10.3f}us  {e.count:>10}"
            for e in list(rows)[:row_limit]
        ]
        return "\n".join(lines)


class profile:
    """The block in which `record_function` ranges are noted.

    Args:
        enabled: False makes the block do nothing.
    """

    def __init__(self, enabled: bool = True, **_: Any) -> None:
        self.enabled = enabled
        self.function_events = EventList()

    def __enter__(self) -> profile:
        self._token = _ACTIVE.set(self if self.enabled else None)
        return self

    def __exit__(self, *exc: object) -> None:
        _ACTIVE.reset(self._token)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """The ranges of each name summed."""
        return self.function_events.key_averages()

    def total_average(self) -> FunctionEvent:
        """All ranges summed."""
        return self.function_events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """The ranges as text."""
        return self.function_events.table(sort_by, row_limit, **options)


class record_function:
    """A named range: a context manager, or a decorator.

    Args:
        name: what the table calls it.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        active = _ACTIVE.get()
        if active is not None:
            now = time.perf_counter()
            active.function_events.append(
                FunctionEvent(self.name, self._start * 1e6, (now - self._start) * 1e6)
            )

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def ranged(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return ranged


class _Elsewhere:
    """A block that would mark ranges for a tool of another vendor: here it does nothing."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled

    def __enter__(self) -> _Elsewhere:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class emit_nvtx(_Elsewhere):
    """Marks for NVIDIA's profiler: there is no such device here."""


class emit_itt(_Elsewhere):
    """Marks for Intel's profiler: not built in."""
