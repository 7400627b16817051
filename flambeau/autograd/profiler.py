"""`torch.autograd.profiler`'s names: the older profile, which records the operations of its block
and the ranges that the program marks. ``torch.profiler`` adds schedules and traces to the same
events. Stands on recording.
"""

from __future__ import annotations

from typing import Any

from flambeau.autograd.events import EventList, FunctionEvent, FunctionEventAvg
from flambeau.autograd.recording import Recorder, record_function

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "emit_itt",
    "emit_nvtx",
    "profile",
    "record_function",
]


class profile:
    """The block whose operations and `record_function` ranges are noted.

    Args:
        enabled: False makes the block do nothing.
        record_shapes: keep the input shapes.

    Raises:
        RuntimeError: it is entered a second time, or its events are asked for before it was left.
    """

    def __init__(self, enabled: bool = True, *, record_shapes: bool = False, **_: Any) -> None:
        self.enabled = enabled
        self.entered = False
        self._recorder = Recorder(record_shapes)
        self._events: EventList | None = None

    def __enter__(self) -> profile:
        if self.enabled:
            if self.entered:
                raise RuntimeError("Profiler context manager is not reentrant: make a new profile")
            self.entered = True
            self._recorder.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.enabled:
            self._recorder.stop()
            self._events = self._recorder.in_order()

    @property
    def function_events(self) -> EventList:
        """Every run, in order."""
        if self._events is None:
            raise RuntimeError("Profiler didn't finish running: leave the block first")
        return self._events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **_: Any
    ) -> EventList:
        """One row for each operation."""
        return self.function_events.key_averages(group_by_input_shape)

    def total_average(self) -> FunctionEventAvg:
        """All events as one row."""
        return self.function_events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """The events as text."""
        return self.function_events.table(sort_by, row_limit, **options)

    def export_chrome_trace(self, path: str) -> None:
        """Write a trace that chrome://tracing and Perfetto read."""
        self.function_events.export_chrome_trace(path)


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
