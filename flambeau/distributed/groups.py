"""Process groups: who exchanges with whom, and how one begins and ends."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from flambeau.core.device import device as Device
from flambeau.distributed.rendezvous import rendezvous
from flambeau.distributed.store import PrefixStore, Store, TCPStore

__all__ = [
    "Backend",
    "BackendConfig",
    "GroupMember",
    "ProcessGroup",
    "ProcessGroupGloo",
    "Work",
    "default_pg_timeout",
    "destroy_process_group",
    "get_backend",
    "get_backend_config",
    "get_default_backend_for_device",
    "get_global_rank",
    "get_group_rank",
    "get_node_local_rank",
    "get_pg_count",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "is_xccl_available",
    "new_group",
    "new_subgroups",
    "new_subgroups_by_enumeration",
    "shrink_group",
    "split_group",
]

default_pg_timeout = timedelta(seconds=1800)
FAREWELL = 5.0
"""Seconds the process that keeps the store waits for others to finish reading."""


class Backend(str):
    """The name of what carries the data, in lower case."""

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    UCC = "ucc"
    MPI = "mpi"
    XCCL = "xccl"
    FAKE = "fake"

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise ValueError(f"Backend constructor parameter must be string-ish: {name!r}")
        return super().__new__(cls, name.lower())


class BackendConfig:
    """Which backend serves which device."""

    def __init__(self, backend: str) -> None:
        self.device_backend_map = {"cpu": Backend(backend)}

    def get_device_backend_map(self) -> dict[str, Backend]:
        """Device -> backend."""
        return dict(self.device_backend_map)

    def __repr__(self) -> str:
        return ",".join(f"{device}:{name}" for device, name in self.device_backend_map.items())


class Work:
    """The handle of a call with ``async_op=True``; what is not done yet is done by `wait`."""

    def __init__(self, finish: Callable[[], Any] | None = None, result: Any = None) -> None:
        self._finish, self._result = finish, result

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Finish; gives True."""
        if self._finish is not None:
            finish, self._finish = self._finish, None
            self._result = finish()
        return True

    def is_completed(self) -> bool:
        """Whether it is finished."""
        return self._finish is None

    is_success = is_completed

    def exception(self) -> None:
        """What went wrong: nothing; errors are raised by the call."""

    def result(self) -> Any:
        """What the call gives."""
        self.wait()
        return self._result

    def get_future(self) -> Any:
        """The result as a Future."""
        from flambeau.futures import Future

        found: Any = Future()
        found.set_result(self.result())
        return found


class ProcessGroup:
    """Some of the processes, by their ranks.

    Args:
        store: what they exchange through; its keys are this group's own.
        ranks: the members' global ranks, in the order of their ranks here.
        name: the group's name. backend: what carries the data.
    """

    def __init__(
        self, store: Store, ranks: Sequence[int], me: int, name: str, backend: str = "gloo"
    ) -> None:
        self.store, self.ranks, self.group_name = store, list(ranks), name
        self.backend = Backend(backend)
        self.group_desc = name
        self._me = me
        self._turn = 0
        self._counts: dict[tuple[str, int, int], int] = {}

    def rank(self) -> int:
        """This process's rank here; -1 where it is no member."""
        return self.ranks.index(self._me) if self._me in self.ranks else -1

    def size(self) -> int:
        """How many members there are."""
        return len(self.ranks)

    def name(self) -> str:
        """The backend's name."""
        return str(self.backend)

    def exchange(self, given: bytes | None, wanted: Sequence[int]) -> list[bytes]:
        """One collective step: give this process's bytes, take those of the ranks wanted.

        Keys are forgotten when every member has read.
        """
        self._turn += 1
        turn, size = self._turn, self.size()
        if given is not None:
            self.store.set(f"{turn}/{self.rank()}", given)
        found = [
            given if r == self.rank() and given is not None else self.store.get(f"{turn}/{r}")
            for r in wanted
        ]
        if self.store.add(f"{turn}/read", 1) == size:
            for r in range(size):
                self.store.delete_key(f"{turn}/{r}")
            self.store.delete_key(f"{turn}/read")
        return found

    def post(self, data: bytes, to: int, tag: int) -> None:
        """Leave bytes for one member."""
        number = self._next("sent", to, tag)
        self.store.set(f"to/{self.rank()}/{to}/{tag}/{number}", data)

    def fetch(self, source: int, tag: int) -> bytes:
        """Take the bytes one member left."""
        key = f"to/{source}/{self.rank()}/{tag}/{self._next('taken', source, tag)}"
        found = self.store.get(key)
        self.store.delete_key(key)
        return found

    def fetch_any(self, tag: int) -> tuple[int, bytes]:
        """Take the bytes that any member left, and its rank."""
        end = time.monotonic() + self.store.timeout.total_seconds()
        while time.monotonic() < end:
            for source in range(self.size()):
                number = self._counts.get(("taken", source, tag), 0) + 1
                if self.store.check([f"to/{source}/{self.rank()}/{tag}/{number}"]):
                    return source, self.fetch(source, tag)
            time.sleep(0.001)
        raise RuntimeError("recv: nothing came from any process in time.")

    def _next(self, what: str, other: int, tag: int) -> int:
        number = self._counts.get((what, other, tag), 0) + 1
        self._counts[what, other, tag] = number
        return number


ProcessGroupGloo = ProcessGroup


class _World:
    """The groups of this process."""

    default: ProcessGroup | None = None
    groups: list[ProcessGroup] = []
    made = 0


class _GroupMeta(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all processes."""
        return _World.default


class group(metaclass=_GroupMeta):
    """Where the group of all processes is found."""


class GroupMember(metaclass=_GroupMeta):
    """Where the group of all processes is found, and what a process gets that is no member."""

    NON_GROUP_MEMBER = -100


def default_group() -> ProcessGroup:
    """The group of all processes.

    Raises:
        ValueError: there is none yet.
    """
    if _World.default is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )
    return _World.default


def resolve(given: Any) -> ProcessGroup:
    """The group meant by an argument ``group``."""
    return default_group() if given is None else given


def is_available() -> bool:
    """Whether this process is one of several: there is a group, or a launcher said which one it is.

    PyTorch says True wherever its package was built with groups. Libraries that ask first go on to
    parts that are not here (sharded tensors, pipelines); so a lone process is told False, and
    `init_process_group` works all the same.
    """
    return _World.default is not None or {"RANK", "WORLD_SIZE"} <= set(os.environ)


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return _World.default is not None


def is_gloo_available() -> bool:
    """True: "gloo" is what exchanges through the store."""
    return True


def is_nccl_available() -> bool:
    """False."""
    return False


def is_mpi_available() -> bool:
    """False."""
    return False


def is_ucc_available() -> bool:
    """False."""
    return False


def is_xccl_available() -> bool:
    """False."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether a backend carries data here."""
    return backend.lower() == "gloo"


def is_torchelastic_launched() -> bool:
    """Whether a launcher started this process."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def get_default_backend_for_device(device: Any) -> str:
    """The backend for a device: gloo for the CPU.

    Raises:
        ValueError: the device has none. RuntimeError: there is no such device.
    """
    if Device(device).type != "cpu":
        raise ValueError(f"Default backend not registered for device : {device}")
    return "gloo"


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Store | None = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
    **ignored: Any,
) -> None:
    """Meet the other processes; afterwards there is a group of all.

    Args:
        backend: "gloo"; the default.
        init_method: where to meet: ``env://`` (the default), ``tcp://host:port``, ``file:///path``.
        timeout: how long a process waits for another.
        world_size, rank: how many there are, which this is; with ``env://`` from the environment.
        store: meet through this store instead.

    Raises:
        ValueError: called twice, or rank and number are missing.
        RuntimeError: the backend is not there.
    """
    if _World.default is not None:
        raise ValueError("trying to initialize the default process group twice!")
    name = Backend(backend or "gloo")
    name = Backend(name.partition("cpu:")[2].partition(",")[0] or name)
    limit = timeout or default_pg_timeout
    if store is None:
        store, rank, world_size = next(
            rendezvous(init_method or "env://", rank, world_size, timeout=limit)
        )
    elif rank < 0 or world_size < 1:
        raise ValueError("init_process_group: with a store, rank and world_size are needed.")
    if name in ("nccl", "mpi", "ucc", "xccl"):
        raise RuntimeError(
            f"Distributed package doesn't have {name.upper()} built in: use backend='gloo'."
        )
    if name not in ("gloo", "fake"):
        raise RuntimeError(f"init_process_group: unknown backend {name!r}: use 'gloo'.")
    store.set_timeout(limit)
    keys = PrefixStore("default", store)
    _World.default = ProcessGroup(keys, range(world_size), rank, "default", name)
    _World.groups = [_World.default]
    _World.made = 0
    from flambeau.distributed.collectives import barrier

    barrier()
    if isinstance(store, TCPStore) and store._server is not None:
        atexit.register(destroy_process_group, _World.default)


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Leave a group; without one, all of them.

    Raises:
        AssertionError: there is none.
    """
    if group is not None and group is not _World.default:
        if group in _World.groups:
            _World.groups.remove(group)
        return
    if _World.default is None:
        if group is None:
            raise AssertionError("destroy_process_group: there is no process group.")
        return
    world, _World.default, _World.groups = _World.default, None, []
    store = world.store
    while isinstance(store, PrefixStore):
        store = store.underlying_store
    if not isinstance(store, TCPStore):
        return
    try:
        gone = store.add("gone", 1)
    except RuntimeError:  # the process that keeps the store has left
        return
    if store._server is not None:
        end = time.monotonic() + FAREWELL
        while gone < world.size() and time.monotonic() < end:
            time.sleep(0.002)
            gone = store.add("gone", 0)
        time.sleep(0.01)  # the last answer is on its way
    store.close()


def get_rank(group: ProcessGroup | None = None) -> int:
    """This process's rank in a group; -1 where it is no member."""
    return resolve(group).rank() if group != GroupMember.NON_GROUP_MEMBER else -1


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many members a group has; -1 where this process is none."""
    if group == GroupMember.NON_GROUP_MEMBER:
        return -1
    found = resolve(group)
    return found.size() if found.rank() >= 0 else -1


def get_backend(group: ProcessGroup | None = None) -> Backend:
    """What carries a group's data."""
    return resolve(group).backend


def get_backend_config(group: ProcessGroup | None = None) -> str:
    """Which backend serves which device."""
    return repr(BackendConfig(resolve(group).backend))


def get_pg_count() -> int:
    """How many groups there are."""
    return len(_World.groups)


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """The members' global ranks."""
    return list(resolve(group).ranks)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The global rank of a member.

    Raises:
        ValueError: there is no such member.
    """
    found = resolve(group)
    if not 0 <= group_rank < found.size():
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return found.ranks[group_rank]


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The rank of a process in a group.

    Raises:
        ValueError: it is no member.
    """
    found = resolve(group)
    if global_rank not in found.ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return found.ranks.index(global_rank)


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The rank among the processes of this machine, from ``LOCAL_RANK``.

    Raises:
        RuntimeError: it is not set, and there is no fallback.
    """
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow "
        "`get_node_local_rank` to work, assuming you are not running in a multi-device context."
    )


def new_group(
    ranks: Sequence[int] | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """A group of some processes. All processes call it, in the same order, members or not.

    Returns:
        The group; `GroupMember.NON_GROUP_MEMBER` in a process that is no member.
    """
    world = default_group()
    chosen = list(world.ranks if ranks is None else ranks)
    if sort_ranks:
        chosen = sorted(chosen)
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(world.ranks):
        raise ValueError(f"new_group: the ranks {chosen} are not distinct members of the world.")
    _World.made += 1
    name = str(_World.made)
    made = ProcessGroup(
        PrefixStore(f"group{name}", world.store), chosen, world._me, name, backend or world.backend
    )
    if made.rank() < 0:
        return GroupMember.NON_GROUP_MEMBER
    _World.groups.append(made)
    return made


def new_subgroups_by_enumeration(
    ranks_per_subgroup_list: Sequence[Sequence[int]],
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Groups of the ranks listed; gives this process's own, and all."""
    made = [new_group(ranks, timeout, backend, pg_options) for ranks in ranks_per_subgroup_list]
    mine = [g for g in made if g != GroupMember.NON_GROUP_MEMBER]
    return (mine[0] if mine else None), made


def new_subgroups(
    group_size: int | None = None,
    group: ProcessGroup | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Groups of `group_size` neighbours; gives this process's own, and all.

    Raises:
        ValueError: the number of processes is no multiple of it.
    """
    ranks = resolve(group).ranks
    size = len(ranks) if group_size is None else group_size
    if size <= 0 or len(ranks) % size:
        raise ValueError(f"new_subgroups: {len(ranks)} processes do not make groups of {size}.")
    parts = [ranks[k : k + size] for k in range(0, len(ranks), size)]
    return new_subgroups_by_enumeration(parts, timeout, backend, pg_options)


def split_group(
    parent_pg: ProcessGroup | None = None,
    split_ranks: Sequence[Sequence[int]] | None = None,
    timeout: timedelta | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> Any:
    """The part of a group that this process is in, where the group is split so."""
    parent = resolve(parent_pg)
    parts = [[parent.ranks[r] for r in part] for part in split_ranks or ()]
    return new_subgroups_by_enumeration(parts, timeout, None, pg_options)[0]


def shrink_group(
    ranks_to_exclude: Sequence[int],
    group: ProcessGroup | None = None,
    shrink_flags: int = 0,
    pg_options: Any = None,
) -> Any:
    """The group without some of its members."""
    found = resolve(group)
    return new_group([r for k, r in enumerate(found.ranks) if k not in ranks_to_exclude])
