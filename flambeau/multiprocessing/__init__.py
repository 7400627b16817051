"""Python's `multiprocessing` under PyTorch's name, with `spawn` and `start_processes`.

Stands on the standard library.
"""

import multiprocessing as _python
import multiprocessing.queues as queues
from multiprocessing import *  # noqa: F403
from typing import Any

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
    *_python.__all__,
    "ENV_VAR_PARALLEL_START",
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "queues",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]
__all__.sort()

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """The name set last."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Kept for scripts: tensors always travel without names in the file system, so there is nothing to choose."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"set_sharing_strategy: {new_strategy!r} is none of {sorted(_STRATEGIES)}")
    global _strategy
    _strategy = new_strategy


def __getattr__(name: str) -> Any:
    return getattr(_python, name)
