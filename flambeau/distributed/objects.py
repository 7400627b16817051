"""What the members of a group exchange besides tensors: anything that pickles. Only among processes
of the same program: unpickling runs code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flambeau.core.errors import fail
from flambeau.distributed.collectives import _member, _outside
from flambeau.distributed.groups import resolve
from flambeau.distributed.store import dumped, loaded

__all__ = [
    "all_gather_object",
    "broadcast_object_list",
    "gather_object",
    "recv_object_list",
    "scatter_object_list",
    "send_object_list",
]


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Fill the list with all members' objects."""
    if _outside(group):
        return
    found = resolve(group)
    object_list[:] = map(loaded, found.exchange(dumped(obj), range(found.size())))


def gather_object(
    obj: Any,
    object_gather_list: list[Any] | None = None,
    dst: int | None = None,
    group: Any = None,
    group_dst: int | None = None,
) -> None:
    """Fill one member's list with all members' objects.

    Raises:
        ValueError: that member gives no list.
    """
    if _outside(group):
        return
    found = resolve(group)
    named = dst is not None or group_dst is not None
    target = _member(found, dst, group_dst, "gather_object") if named else 0
    mine = found.rank() == target
    if mine and object_gather_list is None:
        raise fail(ValueError, "gather_object", "the destination needs object_gather_list.")
    parts = found.exchange(dumped(obj), range(found.size()) if mine else ())
    if mine and object_gather_list is not None:
        object_gather_list[:] = map(loaded, parts)


def broadcast_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: Any = None,
    device: Any = None,
    group_src: int | None = None,
) -> None:
    """Replace all members' lists by one member's."""
    if _outside(group):
        return
    found = resolve(group)
    named = src is not None or group_src is not None
    source = _member(found, src, group_src, "broadcast_object_list") if named else 0
    mine = found.rank() == source
    data = found.exchange(dumped(list(object_list)) if mine else None, [source])[0]
    if not mine:
        object_list[:] = loaded(data)


def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: Sequence[Any] | None = None,
    src: int | None = None,
    group: Any = None,
    group_src: int | None = None,
) -> None:
    """Give each member one object of one member's list, as the first of its own."""
    if _outside(group):
        return
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError("Expected argument scatter_object_output_list to be a non-empty list.")
    found = resolve(group)
    named = src is not None or group_src is not None
    source = _member(found, src, group_src, "scatter_object_list") if named else 0
    mine = found.rank() == source
    given = dumped(list(scatter_object_input_list or ())) if mine else None
    scatter_object_output_list[0] = loaded(found.exchange(given, [source])[0])[found.rank()]


def send_object_list(
    object_list: list[Any],
    dst: int | None = None,
    group: Any = None,
    device: Any = None,
    group_dst: int | None = None,
    use_batch: bool = False,
) -> None:
    """Leave a list for one member."""
    found = resolve(group)
    found.post(dumped(list(object_list)), _member(found, dst, group_dst, "send_object_list"), -2)


def recv_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: Any = None,
    device: Any = None,
    group_src: int | None = None,
    use_batch: bool = False,
) -> int:
    """Take the list one member left, or any; gives the sender's global rank."""
    found = resolve(group)
    if src is None and group_src is None:
        source, data = found.fetch_any(-2)
    else:
        source = _member(found, src, group_src, "recv_object_list")
        data = found.fetch(source, -2)
    object_list[:] = loaded(data)
    return found.ranks[source]
