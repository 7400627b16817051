"""Amounts of CUDA memory: all 0, since there is none."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from flambeau.cuda.refusal import need_device

__all__ = [
    "empty_cache",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]


def empty_cache() -> None:
    """Give cached memory back: there is none."""


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors take on the device: 0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors took on the device: 0."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes that the cache holds on the device: 0."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that the cache held on the device: 0."""
    return 0


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """Statistics of the device's memory: none."""
    return OrderedDict()


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """A table of the device's memory: one line, where there is no device."""
    return "CUDA memory: no device (flambeau computes on the CPU)."


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of the device; AssertionError without CUDA."""
    need_device("mem_get_info")
    return (0, 0)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forget the peaks: there are none."""


def reset_max_memory_allocated(device: Any = None) -> None:
    """Forget the peak of allocated memory: there is none."""


def reset_max_memory_cached(device: Any = None) -> None:
    """Forget the peak of cached memory: there is none."""


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Limit the memory of this process on a device; AssertionError without CUDA."""
    need_device("set_per_process_memory_fraction")
