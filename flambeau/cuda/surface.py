"""Names of devices that are absent: functions that say so, types that cannot be made, numbers that
are nought. One line of a table each; ``cuda``, ``xpu`` and ``mtia`` read theirs."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

__all__ = ["StreamContext", "cuda_names", "mtia_names", "xpu_names"]


def _error(room: str, name: str, kind: type[Exception]) -> Exception:
    device = room.upper()
    return kind(
        f"{room}.{name}: Torch not compiled with {device} enabled: flambeau computes on the CPU. "
        f"Ask torch.{room}.is_available() first."
    )


def _words(name: str) -> str:
    return re.sub(r"_+", " ", name)


def refusing(room: str, names: str, kind: type[Exception] = AssertionError) -> dict[str, Any]:
    """Functions that raise `kind`."""

    def make(name: str) -> Callable[..., Any]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise _error(room, name, kind)

        refuse.__name__ = refuse.__qualname__ = name
        refuse.__doc__ = f"{_words(name)}.\n\nRaises:\n    {kind.__name__}: there is no device.\n"
        refuse.__module__ = f"flambeau.{room}"
        return refuse

    return {name: make(name) for name in names.split()}


def answering(room: str, **values: Any) -> dict[str, Any]:
    """Functions that give what a machine without the device gives."""

    def make(name: str, value: Any) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            return type(value)(value) if isinstance(value, (dict, list)) else value

        answer.__name__ = answer.__qualname__ = name
        answer.__doc__ = f"{_words(name)}: {value!r}, for there is no device."
        answer.__module__ = f"flambeau.{room}"
        return answer

    return {name: make(name, value) for name, value in values.items()}


def impossible(room: str, names: str, kind: type[Exception] = RuntimeError) -> dict[str, Any]:
    """Types none of which can be made; scripts ask `isinstance`."""

    def make(name: str) -> type:
        def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
            raise _error(room, name, kind)

        doc = f"There is no device to make one.\n\nRaises:\n    {kind.__name__}: when called.\n"
        names = {"__new__": __new__, "__doc__": doc, "__module__": f"flambeau.{room}"}
        return type(name, (), names)

    return {name: make(name) for name in names.split()}


class StreamContext:
    """The block in which a stream is the current one; without a device nothing changes."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


KINDS = "BFloat16 Bool Byte Char Double Float Half Int Long Short".split()


def cuda_names() -> dict[str, Any]:
    """What ``torch.cuda`` has beyond its own files."""
    tensors = " ".join(f"{kind}Tensor" for kind in KINDS)
    storages = " ".join(f"{kind}Storage" for kind in [*KINDS, "ComplexDouble", "ComplexFloat"])
    return (
        impossible("cuda", tensors, TypeError)
        | impossible("cuda", storages, AssertionError)
        | impossible("cuda", "CUDAPluggableAllocator ExternalStream GreenContext MemPool graph")
        | refusing(
            "cuda",
            """caching_allocator_alloc caching_allocator_delete change_current_allocator
            check_error cudart current_blas_handle current_solver_handle get_allocator_backend
            get_per_process_memory_fraction get_stream_from_external get_sync_debug_mode
            make_graphed_callables memory_snapshot reset_accumulated_host_memory_stats
            reset_accumulated_memory_stats reset_peak_host_memory_stats set_stream
            set_sync_debug_mode""",
        )
        | refusing("cuda", "graph_pool_handle use_mem_pool", RuntimeError)
        | refusing(
            "cuda",
            "clock_rate device_memory_used memory_usage power_draw temperature utilization",
            ModuleNotFoundError,
        )
        | answering(
            "cuda",
            caching_allocator_enable=None,
            host_memory_stats=OrderedDict(),
            host_memory_stats_as_nested_dict={},
            is_tf32_supported=False,
            list_gpu_processes="pynvml module not found, please install nvidia-ml-py",
            max_memory_cached=0,
            memory_cached=0,
        )
    )


def xpu_names() -> dict[str, Any]:
    """What ``torch.xpu`` has beyond its own file."""
    return (
        impossible("xpu", "Event MemPool Stream XPUGraph XPUPluggableAllocator graph")
        | refusing(
            "xpu",
            """can_device_access_peer change_current_allocator get_per_process_memory_fraction
            get_stream_from_external make_graphed_callables mem_get_info
            reset_accumulated_memory_stats set_per_process_memory_fraction set_stream""",
        )
        | refusing(
            "xpu", "graph_pool_handle is_current_stream_capturing use_mem_pool", RuntimeError
        )
        | refusing(
            "xpu",
            "clock_rate device_memory_used memory_usage power_draw temperature utilization",
            ImportError,
        )
        | answering(
            "xpu",
            get_gencode_flags="",
            is_tf32_supported=False,
            memory_snapshot=[],
            memory_stats_as_nested_dict={},
        )
    )


def mtia_names() -> dict[str, Any]:
    """All of ``torch.mtia``."""
    return (
        impossible("mtia", "MTIAGraph graph device")
        | refusing(
            "mtia",
            """attach_out_of_memory_observer current_device current_stream default_stream
            empty_cache get_device_capability get_device_properties graph_pool_handle set_device
            set_stream snapshot stream synchronize""",
            RuntimeError,
        )
        | refusing("mtia", "get_rng_state init initial_seed set_rng_state")
        | answering(
            "mtia",
            device_count=0,
            get_rng_state_all=[],
            is_available=False,
            is_bf16_supported=True,
            is_initialized=False,
            manual_seed=None,
            manual_seed_all=None,
            max_memory_allocated=0,
            memory_allocated=0,
            memory_stats={},
            record_memory_history=None,
            reset_peak_memory_stats=None,
            seed=None,
            seed_all=None,
            set_rng_state_all=None,
        )
    )
