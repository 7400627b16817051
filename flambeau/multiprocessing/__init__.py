"""Python's `multiprocessing` under PyTorch's name: tensors sent to a process share their memory
with it (`reductions`); with `spawn` and `start_processes`.
"""

# ruff: noqa: F405
import multiprocessing as _python
import multiprocessing.queues as queues
from multiprocessing import *
from typing import Any

from flambeau.multiprocessing import reductions
from flambeau.multiprocessing.spawn import (
    ENV_VAR_PARALLEL_START,
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BufferTooShort",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Pool",
    "Process",
    "ProcessError",
    "Queue",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "SimpleQueue",
    "TimeoutError",
    "Value",
    "active_children",
    "allow_connection_pickling",
    "cpu_count",
    "current_process",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_start_method",
    "log_to_stderr",
    "parent_process",
    "reducer",
    "set_executable",
    "set_forkserver_preload",
    "set_start_method",
    "ENV_VAR_PARALLEL_START",
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "queues",
    "reductions",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """The name set last."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Kept for scripts: tensors always travel without names in the file system, so there is nothing
    to choose."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(
            f"set_sharing_strategy: {new_strategy!r} is none of {sorted(_STRATEGIES)}"
        )
    global _strategy
    _strategy = new_strategy


def __getattr__(name: str) -> Any:
    return getattr(_python, name)
