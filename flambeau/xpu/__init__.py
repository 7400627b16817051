"""``torch.xpu`` of a build without Intel GPUs: not available, counts and amounts are 0, seeds do
nothing.

What needs a device raises the AssertionError of such a build. Stands on nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NoReturn

from flambeau.cuda.surface import StreamContext, xpu_names

__all__ = [
    "current_device",
    "current_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "stream",
    "synchronize",
]


def _needs(name: str) -> NoReturn:
    raise AssertionError(
        f"xpu.{name}: Torch not compiled with XPU enabled: flambeau computes on the CPU. Ask "
        "torch.xpu.is_available() first."
    )


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def init() -> None:
    """Raises AssertionError: there is no device."""
    _needs("init")


def _absent(name: str) -> Any:
    def absent(*args: Any, **kwargs: Any) -> Any:
        _needs(name)

    absent.__name__ = absent.__qualname__ = name
    absent.__doc__ = "Raises AssertionError: there is no device."
    return absent


current_device = _absent("current_device")
current_stream = _absent("current_stream")
get_device_name = _absent("get_device_name")
get_device_capability = _absent("get_device_capability")
get_device_properties = _absent("get_device_properties")
get_rng_state = _absent("get_rng_state")
set_rng_state = _absent("set_rng_state")
initial_seed = _absent("initial_seed")
synchronize = _absent("synchronize")


class device:
    """Does nothing for a negative index or None; another one raises."""

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else device

    def __enter__(self) -> None:
        if isinstance(self.idx, int) and self.idx < 0:
            return
        _needs("device")

    def __exit__(self, *exc: object) -> None:
        pass


class stream:
    """Does nothing: there are no streams."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None


def set_device(device: Any) -> None:
    """Nothing for a negative index.

    Raises:
        AssertionError: there is no device.
    """
    if not (isinstance(device, int) and device < 0):
        _needs("set_device")


def manual_seed(seed: int) -> None:
    """There is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """There is no generator to seed."""


def seed() -> None:
    """There is no generator to seed."""


def seed_all() -> None:
    """There is no generator to seed."""


def get_rng_state_all() -> list[Any]:
    """No states."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """No states to set."""


def get_arch_list() -> list[str]:
    """No architectures."""
    return []


def empty_cache() -> None:
    """Nothing is cached."""


def memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """0."""
    return 0


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """Empty."""
    return OrderedDict()


def reset_peak_memory_stats(device: Any = None) -> None:
    """Nothing is counted."""


class device_of(device):
    """Context manager for a tensor's device; a CPU tensor changes nothing."""

    def __init__(self, obj: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass


default_generators: tuple[Any, ...] = ()

globals().update({k: v for k, v in xpu_names().items() if k not in globals()})
