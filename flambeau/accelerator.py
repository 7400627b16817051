"""``torch.accelerator`` where there is none: what may be asked answers, what needs one says so."""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.cuda.refusal import opted_in

__all__ = [
    "Graph",
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "empty_host_cache",
    "get_device_capability",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "set_device_idx",
    "set_device_index",
    "set_stream",
    "synchronize",
]


class AcceleratorError(RuntimeError):
    """What a failing accelerator raises; for scripts that catch it."""


def is_available() -> bool:
    """Whether there is an accelerator: False, or True with ``FLAMBEAU_CUDA=cpu``."""
    return opted_in()


def device_count() -> int:
    """How many accelerators there are."""
    return int(opted_in())


def current_accelerator(check_available: bool = False) -> Any:
    """The accelerator's device, or None where there is none."""
    if not opted_in():
        return None
    from flambeau.core.device import device

    return device("cuda")


def _none(operation: str) -> NoReturn:
    raise RuntimeError(
        f"accelerator.{operation}: Cannot access accelerator device when none is available. Ask "
        "torch.accelerator.is_available() first, and compute on the CPU otherwise."
    )


def current_device_index() -> int:
    """The index of the current accelerator.

    Raises:
        RuntimeError: there is none.
    """
    return 0 if opted_in() else _none("current_device_index")


current_device_idx = current_device_index


def set_device_index(device: Any) -> None:
    """Make an accelerator the current one.

    Raises:
        RuntimeError: there is none.
    """
    if not opted_in():
        _none("set_device_index")


set_device_idx = set_device_index


def synchronize(device: Any = None) -> None:
    """Wait for the accelerator's work; there is nothing to wait for on the CPU.

    Raises:
        RuntimeError: there is no accelerator.
    """
    if not opted_in():
        _none("synchronize")


def current_stream(device: Any = None) -> Any:
    """The current stream of the accelerator.

    Raises:
        RuntimeError: there is none.
    """
    if not opted_in():
        _none("current_stream")
    from flambeau.cuda import Stream

    return Stream()


def set_stream(stream: Any) -> None:
    """Make a stream the current one.

    Raises:
        RuntimeError: there is no accelerator.
    """
    if not opted_in():
        _none("set_stream")


def empty_cache() -> None:
    """Give cached memory back.

    Raises:
        RuntimeError: there is no accelerator.
    """
    if not opted_in():
        _none("empty_cache")


def empty_host_cache() -> None:
    """Give cached memory of the host back.

    Raises:
        RuntimeError: there is no accelerator.
    """
    if not opted_in():
        _none("empty_host_cache")


def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """What the accelerator computes with.

    Raises:
        RuntimeError: there is none.
    """
    return {} if opted_in() else _none("get_device_capability")


def get_memory_info(device_index: Any = None, /) -> tuple[int, int]:
    """Free and whole memory of the accelerator in bytes.

    Raises:
        RuntimeError: there is none.
    """
    return (0, 0) if opted_in() else _none("get_memory_info")


class Graph:
    """Work of the accelerator, recorded once and run again.

    Raises:
        RuntimeError: there is no accelerator.
    """

    def __init__(
        self, keep_graph: bool = False, *, pool: Any = None, capture_error_mode: str = "default"
    ) -> None:
        _none("Graph")


def memory_stats(device_index: Any = None) -> dict[str, Any]:
    """Statistics of the accelerator's memory.

    Raises:
        RuntimeError: there is no accelerator.
    """
    return {} if opted_in() else _none("memory_stats")


def _amount(operation: str) -> Any:
    def amount(device_index: Any = None) -> int:
        return 0 if opted_in() else _none(operation)

    amount.__name__ = amount.__qualname__ = operation
    amount.__doc__ = "Bytes of the accelerator's memory; RuntimeError where there is none."
    return amount


memory_allocated = _amount("memory_allocated")
memory_reserved = _amount("memory_reserved")
max_memory_allocated = _amount("max_memory_allocated")
max_memory_reserved = _amount("max_memory_reserved")
reset_accumulated_memory_stats = _amount("reset_accumulated_memory_stats")
reset_peak_memory_stats = _amount("reset_peak_memory_stats")


class device_index:
    """Context manager that makes an accelerator the current one; None changes nothing."""

    def __init__(self, device: int | None) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            set_device_index(self.idx)

    def __exit__(self, *exception: object) -> None:
        pass
