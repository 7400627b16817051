"""``torch.distributed`` of a build without process groups: not available, nothing initialised.

Programs and libraries that ask first (`is_available`, `is_initialized`) run in their one process;
what needs a group raises PyTorch's errors. Stands on core.errors.
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any, NoReturn

from flambeau.core.errors import fail

__all__ = [
    "Backend",
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "irecv",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "isend",
    "monitored_barrier",
    "new_group",
    "recv",
    "reduce",
    "reduce_scatter",
    "scatter",
    "send",
]


class ReduceOp(IntEnum):
    """How the processes' tensors would be put together."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


class Backend(str):
    """A backend's name, in small letters."""

    __slots__ = ()

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    UCC = "ucc"
    MPI = "mpi"

    def __new__(cls, name: str) -> Backend:
        """The backend of this name.

        Raises:
            ValueError: not a string.
        """
        if not isinstance(name, str):
            raise fail(ValueError, "Backend", f"Backend name must be a string, got: {name}")
        return super().__new__(cls, name.lower())


class ProcessGroup:
    """A group of processes; there is none here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse("ProcessGroup")


class group:
    """The default group, where there is one."""

    WORLD: ProcessGroup | None = None


class GroupMember:
    """What a process is to a group."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


def is_available() -> bool:
    """Whether there are process groups: no."""
    return False


def is_initialized() -> bool:
    """Whether `init_process_group` was called: it never succeeds here."""
    return False


def is_gloo_available() -> bool:
    """Whether gloo is built in: no."""
    return False


def is_mpi_available() -> bool:
    """Whether MPI is built in: no."""
    return False


def is_nccl_available() -> bool:
    """Whether NCCL is built in: no."""
    return False


def is_ucc_available() -> bool:
    """Whether UCC is built in: no."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether this backend is built in: none is."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher started this process (`torchrun` sets TORCHELASTIC_RUN_ID)."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def _refuse(name: str) -> NoReturn:
    raise fail(
        RuntimeError,
        f"distributed.{name}",
        f"distributed.{name}: this build has no process groups; a program runs in one process "
        "and uses its cores by threads. Ask torch.distributed.is_available() first.",
    )


def init_process_group(backend: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """There are no groups to join.

    Raises:
        RuntimeError: always.
    """
    _refuse("init_process_group")


def _without_group(name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> NoReturn:
        raise fail(
            ValueError,
            f"distributed.{name}",
            "Default process group has not been initialized, please make sure to call "
            "init_process_group. (This build has no process groups: ask "
            "torch.distributed.is_available() first.)",
        )

    call.__name__ = call.__qualname__ = name
    call.__doc__ = "Needs a process group.\n\nRaises:\n    ValueError: there is none."
    return call


all_gather = _without_group("all_gather")
all_gather_object = _without_group("all_gather_object")
all_reduce = _without_group("all_reduce")
all_to_all = _without_group("all_to_all")
barrier = _without_group("barrier")
broadcast = _without_group("broadcast")
broadcast_object_list = _without_group("broadcast_object_list")
gather = _without_group("gather")
get_backend = _without_group("get_backend")
get_rank = _without_group("get_rank")
get_world_size = _without_group("get_world_size")
irecv = _without_group("irecv")
isend = _without_group("isend")
monitored_barrier = _without_group("monitored_barrier")
new_group = _without_group("new_group")
recv = _without_group("recv")
reduce = _without_group("reduce")
reduce_scatter = _without_group("reduce_scatter")
scatter = _without_group("scatter")
send = _without_group("send")


def destroy_process_group(group: Any = None) -> None:
    """Leave the group.

    Raises:
        AssertionError: there is none.
    """
    if group is None:
        raise fail(
            AssertionError, "distributed.destroy_process_group", "Process group cannot be None"
        )
