"""Streams and events: they cannot be made without CUDA; on the CPU work is done when it returns."""

from __future__ import annotations

import time
from typing import Any

from flambeau.cuda.refusal import need_device, opted_in

__all__ = [
    "CUDAGraph",
    "Event",
    "Stream",
    "current_stream",
    "default_stream",
    "graph",
    "is_current_stream_capturing",
    "stream",
]


def _refuse(name: str) -> None:
    if not opted_in():
        raise RuntimeError(
            f"cuda.{name}: torch.cuda.{name} requires CUDA support, and flambeau computes on the "
            "CPU. Ask torch.cuda.is_available() first."
        )


class Stream:
    """A queue of work; RuntimeError without CUDA, already empty with ``FLAMBEAU_CUDA=cpu``."""

    def __init__(self, device: Any = None, priority: int = 0, **named: Any) -> None:
        _refuse("Stream")

    def synchronize(self) -> None:
        """Wait for the work: it is done."""

    def query(self) -> bool:
        """Whether the work is done: yes."""
        return True

    def wait_stream(self, stream: Any) -> None:
        """Let later work wait for another stream: its work is done."""

    def wait_event(self, event: Any) -> None:
        """Let later work wait for an event: it has happened."""

    def record_event(self, event: Event | None = None) -> Event:
        """Mark this moment."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class Event:
    """A moment in a stream; RuntimeError without CUDA."""

    def __init__(self, enable_timing: bool = False, **named: Any) -> None:
        _refuse("Event")
        self._time = 0.0

    def record(self, stream: Any = None) -> None:
        """Mark this moment."""
        self._time = time.perf_counter()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to another."""
        return (end_event._time - self._time) * 1000

    def synchronize(self) -> None:
        """Wait for the moment: it has passed."""

    def wait(self, stream: Any = None) -> None:
        """Let a stream wait for the moment: it has passed."""

    def query(self) -> bool:
        """Whether the moment has passed: yes."""
        return True


class CUDAGraph:
    """A recorded graph of kernels; RuntimeError, here and with ``FLAMBEAU_CUDA=cpu``."""

    def __init__(self, keep_graph: bool = False) -> None:
        raise RuntimeError(
            "cuda.CUDAGraph: there are no CUDA graphs on the CPU. torch.compile replays recorded "
            "steps instead."
        )


class graph(CUDAGraph):
    """The block whose work a CUDAGraph would record; RuntimeError, as `CUDAGraph`."""

    def __init__(self, cuda_graph: Any, pool: Any = None, stream: Any = None, **mode: Any) -> None:
        super().__init__()


class StreamContext:
    """Context manager that makes a stream the current one; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def stream(stream: Stream | None) -> StreamContext:
    """Make a stream the current one for a block."""
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    """The current stream; AssertionError without CUDA."""
    need_device("current_stream")
    return Stream()


def default_stream(device: Any = None) -> Stream:
    """The default stream; AssertionError without CUDA."""
    need_device("default_stream")
    return Stream()


def is_current_stream_capturing() -> bool:
    """Whether a CUDA graph is being recorded: no."""
    return False
