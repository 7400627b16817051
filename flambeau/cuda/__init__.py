"""``torch.cuda`` of a CPU build: available is False, counts and amounts are 0, seeds do nothing.

What needs a device raises as a CPU build of PyTorch does. With ``FLAMBEAU_CUDA=cpu`` in the
environment, ``cuda`` is one device that computes on the CPU, for scripts that insist on it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from flambeau.core.errors import OutOfMemoryError
from flambeau.core.legacy import CUDA_TYPES
from flambeau.cuda import amp, memory, nvtx
from flambeau.cuda.memory import (
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_max_memory_cached,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)
from flambeau.cuda.refusal import index_of, need_device, opted_in
from flambeau.cuda.streams import (
    CUDAGraph,
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    graph,
    is_current_stream_capturing,
    stream,
)
from flambeau.cuda.surface import cuda_names

__all__ = [
    "CUDAGraph",
    "Event",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "amp",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_generators",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_gencode_flags",
    "get_rng_state",
    "get_rng_state_all",
    "graph",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "nvtx",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "stream",
    "synchronize",
]

globals().update(CUDA_TYPES)  # torch.cuda.FloatTensor and its kin
default_generators: tuple[Any, ...] = ()
has_half = True
has_magma = False


def is_available() -> bool:
    """Whether CUDA can be used: False, or True with ``FLAMBEAU_CUDA=cpu``."""
    return opted_in()


def is_initialized() -> bool:
    """Whether CUDA's state is set up."""
    return opted_in()


def init() -> None:
    """Set CUDA up; AssertionError without it."""
    need_device("init")


def device_count() -> int:
    """How many CUDA devices there are."""
    return int(opted_in())


def current_device() -> int:
    """The index of the current CUDA device; AssertionError without CUDA."""
    need_device("current_device")
    return 0


def set_device(device: Any) -> None:
    """Make a CUDA device the current one.

    Raises:
        ValueError: the device is not a CUDA device.
        AssertionError: there is none.
    """
    if index_of("set_device", device) >= 0:
        need_device("set_device")


def synchronize(device: Any = None) -> None:
    """Wait for the device's work; AssertionError without CUDA."""
    need_device("synchronize")


def ipc_collect() -> None:
    """Collect memory freed by other processes; AssertionError without CUDA."""
    need_device("ipc_collect")


def get_device_name(device: Any = None) -> str:
    """The device's name; AssertionError without CUDA."""
    need_device("get_device_name")
    return "CPU (FLAMBEAU_CUDA=cpu)"


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability; AssertionError without CUDA."""
    need_device("get_device_capability")
    return (0, 0)


class DeviceProperties:
    """What is known of the one device that ``FLAMBEAU_CUDA=cpu`` gives."""

    def __init__(self) -> None:
        self.name = "CPU (FLAMBEAU_CUDA=cpu)"
        self.major = self.minor = 0
        self.multi_processor_count = os.cpu_count() or 1
        pages = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
        known = hasattr(os, "sysconf") and all(name in os.sysconf_names for name in pages)
        self.total_memory = os.sysconf(pages[0]) * os.sysconf(pages[1]) if known else 0


def get_device_properties(device: Any = None) -> DeviceProperties:
    """Name, memory and processors of a device; AssertionError without CUDA."""
    need_device("get_device_properties")
    return DeviceProperties()


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one device reads another's memory; AssertionError without CUDA."""
    need_device("can_device_access_peer")
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be computed on the device."""
    return opted_in()


def get_arch_list() -> list[str]:
    """The architectures of the build: none."""
    return []


def get_gencode_flags() -> str:
    """The compiler flags of the build: none."""
    return ""


def manual_seed(seed: int) -> None:
    """Seed the current device's generator; nothing where there is no device."""


def manual_seed_all(seed: int) -> None:
    """Seed every device's generator; nothing where there is no device."""


def seed() -> None:
    """Seed the current device's generator at random; nothing where there is no device."""


def seed_all() -> None:
    """Seed every device's generator at random; nothing where there is no device."""


def initial_seed() -> int:
    """The seed of the current device's generator; AssertionError without CUDA."""
    need_device("initial_seed")
    import flambeau

    return int(flambeau.initial_seed())


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of a device's generator; AssertionError without CUDA."""
    need_device("get_rng_state")
    import flambeau

    return flambeau.get_rng_state()


def get_rng_state_all() -> list[Any]:
    """The states of all devices' generators."""
    return [get_rng_state()] if opted_in() else []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Set the state of a device's generator; nothing where there is no device."""


def set_rng_state_all(new_states: Any) -> None:
    """Set the states of all devices' generators; nothing where there are none."""


class device:
    """Context manager that makes a device the current one.

    Raises:
        RuntimeError: on entering, where there is no device.
    """

    def __init__(self, device: Any) -> None:
        self.idx = index_of("device", device)

    def __enter__(self) -> None:
        if self.idx >= 0 and not opted_in():
            raise RuntimeError(
                "cuda.device: flambeau computes on the CPU, PyTorch was compiled without CUDA "
                "support. Ask torch.cuda.is_available() first."
            )

    def __exit__(self, *exception: object) -> None:
        pass


class device_of(device):
    """Context manager for a tensor's device; a CPU tensor changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(0 if getattr(obj, "is_cuda", False) else -1)


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """The statistics of the device's memory: none."""
    return {}


class CudaError(RuntimeError):
    """What a failing CUDA call raises; for scripts that catch it."""


class DeferredCudaCallError(Exception):
    """What CUDA calls raise that wait for the device; for scripts that catch it."""


class cudaStatus:
    """CUDA's numbers for how a call ended."""

    SUCCESS = 0
    ERROR_NOT_READY = 34


@contextlib.contextmanager
def caching_allocator_disabled() -> Iterator[None]:
    """The block in which a device's memory is not kept for reuse; there is no device."""
    yield


globals().update({k: v for k, v in cuda_names().items() if k not in globals()})
