"""``torch.mps`` of a build without Metal: not available; what needs the device raises. Stands on
core.errors."""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail

__all__ = [
    "compile_shader",
    "current_allocated_memory",
    "device_count",
    "driver_allocated_memory",
    "empty_cache",
    "get_rng_state",
    "is_available",
    "manual_seed",
    "recommended_max_memory",
    "seed",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "synchronize",
]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """There is no generator to seed."""


def seed() -> None:
    """There is no generator to seed."""


def _needs(name: str) -> NoReturn:
    raise fail(
        RuntimeError,
        f"mps.{name}",
        "there is no MPS device: flambeau computes on the CPU. Ask torch.mps.is_available() first.",
    )


def synchronize() -> None:
    """Raises: there is no device."""
    _needs("synchronize")


def empty_cache() -> None:
    """Raises: there is no device."""
    _needs("empty_cache")


def current_allocated_memory() -> int:
    """Raises: there is no device."""
    _needs("current_allocated_memory")


def driver_allocated_memory() -> int:
    """Raises: there is no device."""
    _needs("driver_allocated_memory")


def recommended_max_memory() -> int:
    """Raises: there is no device."""
    _needs("recommended_max_memory")


def set_per_process_memory_fraction(fraction: float) -> None:
    """Raises: there is no device."""
    _needs("set_per_process_memory_fraction")


def get_rng_state(device: Any = "mps") -> Any:
    """Raises: there is no device."""
    _needs("get_rng_state")


def set_rng_state(new_state: Any, device: Any = "mps") -> None:
    """Raises: there is no device."""
    _needs("set_rng_state")


def compile_shader(source: str) -> Any:
    """Raises: there is no device."""
    _needs("compile_shader")
