"""``torch.monitor``: events that a program reports and handlers that hear them; statistics over
windows of time, reported as events. Stands on the standard library."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

__all__ = [
    "COUNT",
    "MAX",
    "MEAN",
    "MIN",
    "STAT_EVENT",
    "SUM",
    "VALUE",
    "Aggregation",
    "Event",
    "EventHandlerHandle",
    "Stat",
    "TensorboardEventHandler",
    "data_value_t",
    "log_event",
    "register_event_handler",
    "unregister_event_handler",
]

STAT_EVENT = "torch.monitor.Stat"
data_value_t = str | float | int | bool
"""What the data of an event may be."""


class Aggregation(enum.Enum):
    """What a `Stat` makes of its values."""

    VALUE = 0
    MEAN = 2
    COUNT = 3
    SUM = 4
    MAX = 5
    MIN = 6


COUNT, MAX, MEAN = Aggregation.COUNT, Aggregation.MAX, Aggregation.MEAN
MIN, SUM, VALUE = Aggregation.MIN, Aggregation.SUM, Aggregation.VALUE


class Event:
    """Something that happened.

    Args:
        name: what kind of thing. timestamp: when. data: what is to be known of it.
    """

    def __init__(self, name: str, timestamp: datetime, data: dict[str, Any]) -> None:
        for value in data.values():
            if not isinstance(value, (str, float, int, bool)):
                raise TypeError(
                    f"monitor.Event: data are strings and numbers, got {type(value).__name__}."
                )
        self.name, self.timestamp = name, timestamp
        self.data = {k: float(v) if isinstance(v, bool) else v for k, v in data.items()}


class EventHandlerHandle:
    """What `unregister_event_handler` takes."""

    def __init__(self, callback: Callable[[Event], None]) -> None:
        self._callback = callback


_handlers: list[EventHandlerHandle] = []


def register_event_handler(callback: Callable[[Event], None]) -> EventHandlerHandle:
    """Call `callback` with every event from now on."""
    handle = EventHandlerHandle(callback)
    _handlers.append(handle)
    return handle


def unregister_event_handler(handler: EventHandlerHandle) -> None:
    """Let a handler hear no more."""
    if handler in _handlers:
        _handlers.remove(handler)


def log_event(event: Event) -> None:
    """Tell all handlers."""
    for handle in list(_handlers):
        handle._callback(event)


class Stat:
    """Statistics of the values added in a window of time, logged as an event when it ends.

    Args:
        name: the statistics' name. aggregations: what to compute.
        window_size: how long a window is.
        max_samples: end the window after so many values.
    """

    def __init__(
        self,
        name: str,
        aggregations: list[Aggregation],
        window_size: timedelta,
        max_samples: int | None = None,
    ) -> None:
        self.name = name
        self._aggregations = list(aggregations)
        self._window = window_size.total_seconds()
        self._most = max_samples
        self._lock = threading.Lock()
        self._last: dict[Aggregation, float] = {}
        self._restart()

    def _restart(self) -> None:
        self._values: list[float] = []
        self._full = False
        self._ends = time.monotonic() + self._window

    @property
    def count(self) -> int:
        """Values in the running window."""
        return len(self._values)

    def add(self, v: float) -> None:
        """Add a value; one that comes after a window is full, and before its end, is dropped."""
        with self._lock:
            if time.monotonic() >= self._ends:
                self._log()
                self._restart()
            if self._full:
                return
            self._values.append(float(v))
            if len(self._values) == self._most:
                self._log()
                self._full = True

    def get(self) -> dict[Aggregation, float]:
        """The statistics of the last window that ended."""
        return {a: self._last.get(a, 0.0) for a in self._aggregations if a is not VALUE}

    def _of(self, aggregation: Aggregation) -> float:
        values = self._values
        if aggregation is Aggregation.COUNT:
            return float(len(values))
        if not values:
            return 0.0
        if aggregation is Aggregation.MEAN:
            return sum(values) / len(values)
        functions: dict[Aggregation, Callable[[list[float]], float]] = {
            Aggregation.SUM: sum,
            Aggregation.MAX: max,
            Aggregation.MIN: min,
        }
        return functions.get(aggregation, lambda v: v[-1])(values)

    def _log(self) -> None:
        if self._values:
            self._last = {a: self._of(a) for a in self._aggregations if a is not VALUE}
            data = {f"{self.name}.{a.name.lower()}": v for a, v in self._last.items()}
            log_event(Event(STAT_EVENT, datetime.now(), data))
        self._values = []


class TensorboardEventHandler:
    """Writes statistics into an event file.

    Args:
        writer: a `SummaryWriter`.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __call__(self, event: Event) -> None:
        if event.name == STAT_EVENT:
            for name, value in event.data.items():
                self._writer.add_scalar(name, value, walltime=event.timestamp.timestamp())
