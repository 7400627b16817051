"""How many threads a kernel may use, and who must be told when that changes.

Stands on nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["count", "follow", "quota", "set_count"]

_followers: list[Callable[[int], None]] = []
_count: int | None = None


def quota() -> int:
    """The processors this process may use: the affinity mask, and the cgroup's quota where there is
    one.
    """
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            limit, period = file.read().split()
        if limit != "max":
            count = min(count, max(1, -(-int(limit) // int(period))))
    except (OSError, ValueError):
        pass
    return count


def count() -> int:
    """What `set_count` said, else OMP_NUM_THREADS, else the processors allowed."""
    global _count
    if _count is None:
        named = os.environ.get("OMP_NUM_THREADS", "")
        _count = int(named) if named.isdigit() and int(named) > 0 else quota()
    return _count


def set_count(number: int) -> None:
    """Let kernels use `number` threads."""
    global _count
    _count = number
    for tell in _followers:
        tell(number)


def follow(tell: Callable[[int], None]) -> None:
    """Call `tell` with the number now, and whenever it changes."""
    _followers.append(tell)
    tell(count())
