"""``torch.distributed.rpc``: calls into other processes are not built.

`is_available` says so, and libraries that name it in their annotations import. Stands on
core.errors.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail

__all__ = [
    "RRef",
    "WorkerInfo",
    "init_rpc",
    "is_available",
    "remote",
    "rpc_async",
    "rpc_sync",
    "shutdown",
]


def is_available() -> bool:
    """Whether processes can call each other: no."""
    return False


def _refusing(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        """Raises RuntimeError: calls into other processes are not built."""
        raise fail(
            RuntimeError,
            f"rpc.{name}",
            "calls into other processes are not built. Exchange tensors with the collectives of "
            "torch.distributed, or objects with all_gather_object and its kin.",
        )

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


init_rpc = _refusing("init_rpc")
remote = _refusing("remote")
rpc_async = _refusing("rpc_async")
rpc_sync = _refusing("rpc_sync")
shutdown = _refusing("shutdown")


class RRef:
    """A reference to a value in another process: none can be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refusing("RRef")()


class WorkerInfo:
    """A process that could be called: none can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refusing("WorkerInfo")()
