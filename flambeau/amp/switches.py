"""Autocast's switches: on or off, the dtype, the cache. One setting for each device type, one
region for the thread.

Only the CPU's changes anything; the others are remembered. Stands on casts.
"""

from __future__ import annotations

import threading
from typing import Any

from flambeau.amp.casts import Casts
from flambeau.core import dtypes, state
from flambeau.core.errors import fail

__all__ = [
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "check_device_type",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "set_autocast_gpu_dtype",
]

USUAL = {
    "cpu": dtypes.bfloat16,
    "cuda": dtypes.float16,
    "hpu": dtypes.bfloat16,
    "ipu": dtypes.float16,
    "maia": dtypes.bfloat16,
    "mps": dtypes.float16,
    "mtia": dtypes.float16,
    "privateuseone": dtypes.float16,
    "xla": dtypes.bfloat16,
    "xpu": dtypes.float16,
}


class _Settings(threading.local):
    def __init__(self) -> None:
        self.dtype: dict[str, dtypes.dtype] = dict(USUAL)
        self.enabled: dict[str, bool] = {}
        self.cache_enabled = True
        self.nesting = 0
        self.cache: dict[int, Any] = {}


settings = _Settings()


def check_device_type(device_type: Any) -> str:
    """The device type, known to autocast.

    Raises:
        RuntimeError: it is not.
    """
    if device_type not in USUAL:
        raise fail(
            RuntimeError,
            "autocast",
            f"unsupported autocast device_type '{device_type}': give one of {sorted(USUAL)}",
        )
    return str(device_type)


def _apply() -> None:
    """Bring the thread's mode in line with the CPU's settings."""
    on = settings.enabled.get("cpu", False)
    cache = settings.cache if settings.cache_enabled else None
    state.switch(autocast=Casts(settings.dtype["cpu"], cache) if on else None)


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether autocast is on for a device type ("cuda" when none is given)."""
    kind = check_device_type("cuda" if device_type is None else device_type)
    if kind == "cpu":
        return state.current().autocast is not None
    return settings.enabled.get(kind, False)


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switch autocast for a device type: ``set_autocast_enabled("cpu", True)``; with one argument
    for "cuda"."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    settings.enabled[check_device_type(device_type)] = bool(enabled)
    _apply()


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The lower dtype of a device type."""
    return settings.dtype[check_device_type(device_type)]


def set_autocast_dtype(device_type: str, dtype: dtypes.dtype) -> None:
    """Set the lower dtype of a device type."""
    settings.dtype[check_device_type(device_type)] = dtype
    _apply()


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast is on for the CPU."""
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Switch autocast for the CPU."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> dtypes.dtype:
    """The lower dtype on the CPU."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: dtypes.dtype) -> None:
    """Set the lower dtype on the CPU."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> dtypes.dtype:
    """The lower dtype on CUDA."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: dtypes.dtype) -> None:
    """Set the lower dtype on CUDA."""
    set_autocast_dtype("cuda", dtype)


def is_autocast_cache_enabled() -> bool:
    """Whether the casts of parameters are kept within a region."""
    return settings.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Keep the casts of parameters within a region, or do not."""
    settings.cache_enabled = bool(enabled)
    _apply()


def clear_autocast_cache() -> None:
    """Forget the casts of parameters."""
    settings.cache.clear()


def autocast_increment_nesting() -> int:
    """Enter a region; how deep it is now."""
    settings.nesting += 1
    return settings.nesting


def autocast_decrement_nesting() -> int:
    """Leave a region; how deep it is now."""
    settings.nesting -= 1
    return settings.nesting
