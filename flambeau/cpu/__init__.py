"""``torch.cpu``: the CPU as one device with one stream: names that let programs treat it like an
accelerator.

Stands on core.device.
"""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager
from typing import Any

from flambeau.core.device import device as _device
from flambeau.cpu import amp

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "get_capabilities",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


def _here(device: Any) -> Any:
    """The device of a stream or an event.

    Raises:
        RuntimeError: an accelerator.
    """
    if device is None:
        return _device("cpu")
    if isinstance(device, int):
        raise RuntimeError(
            "Stream, Event: Cannot access accelerator device when none is available: name a device."
        )
    found = _device(device)
    if found.type not in ("cpu", "meta"):
        raise RuntimeError(
            f"Stream, Event: flambeau is not linked with support for {found.type} devices, as "
            "PyTorch's build for CPUs is not. Ask torch.accelerator.is_available() first."
        )
    return found


class Stream:
    """The CPU's only stream: everything is done when the call returns."""

    def __init__(self, device: Any = None, priority: int = -1, **named: Any) -> None:
        self.device = _here(device)
        self.priority = priority

    def __repr__(self) -> str:
        return f"torch.Stream device_type={self.device.type}, device_index=-1, stream_id=0"

    def wait_stream(self, stream: Any) -> None:
        """Nothing is pending."""

    def record_event(self, event: Any = None) -> Any:
        """An event that has happened."""
        return Event() if event is None else event

    def wait_event(self, event: Any) -> None:
        """Nothing is pending."""


class Event:
    """A point in the CPU's stream: passed as soon as it is recorded."""

    def __init__(
        self,
        device: Any = None,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> None:
        self.device = _here(device)
        self.enable_timing = enable_timing

    def query(self) -> bool:
        """Whether it has happened: always."""
        return True

    def record(self, stream: Any = None) -> None:
        """Nothing is pending."""

    def synchronize(self) -> None:
        """Nothing is pending."""

    def wait(self, stream: Any = None) -> None:
        """Nothing is pending."""


_default_stream = Stream()
_current = _default_stream


def is_available() -> bool:
    """True: there is a CPU."""
    return True


def is_initialized() -> bool:
    """True: it needs no setting up."""
    return True


def synchronize(device: Any = None) -> None:
    """Nothing is pending."""


def current_stream(device: Any = None) -> Stream:
    """The stream in force."""
    return _current


class StreamContext(AbstractContextManager[None]):
    """Use a stream within a block."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.before: Any = None

    def __enter__(self) -> None:
        global _current
        if self.stream is not None:
            self.before, _current = _current, self.stream

    def __exit__(self, *exc: object) -> None:
        global _current
        if self.stream is not None:
            _current = self.before


def stream(stream: Stream) -> AbstractContextManager[None]:
    """Use a stream within a block."""
    return StreamContext(stream)


def device_count() -> int:
    """1."""
    return 1


def set_device(device: Any) -> None:
    """There is only one."""


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def get_capabilities() -> dict[str, Any]:
    """What is known of the processor without asking it."""
    return {"architecture": platform.machine()}
