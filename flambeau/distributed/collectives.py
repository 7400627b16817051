"""What the members of a group exchange: tensors, to all, from all, from one to another.

Every call is finished when it returns; with ``async_op=True`` it gives a finished `Work`.
Reductions add in the order of ranks, so all members get the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributed.groups import GroupMember, ProcessGroup, Work, get_group_rank, resolve
from flambeau.distributed.options import RedOpType, ReduceOp, reduced

__all__ = [
    "P2POp",
    "all_gather",
    "all_gather_coalesced",
    "all_gather_into_tensor",
    "all_gather_single",
    "all_reduce",
    "all_reduce_coalesced",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "batch_isend_irecv",
    "broadcast",
    "gather",
    "irecv",
    "isend",
    "monitored_barrier",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_single",
    "reduce_scatter_tensor",
    "scatter",
    "send",
]


def _outside(group: Any) -> bool:
    return bool(group == GroupMember.NON_GROUP_MEMBER) or (
        isinstance(group, ProcessGroup) and group.rank() < 0
    )


def _done(async_op: bool, result: Any = None) -> Work | None:
    return Work(result=result) if async_op else None


def _check(name: str, *tensors: Any) -> None:
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise fail(TypeError, name, f"expected a torch.Tensor, got {type(tensor).__name__}.")


def _data(tensor: Tensor) -> bytes:
    return bytes(np.ascontiguousarray(tensor.detach()._array).tobytes())


def _array(data: bytes, like: Tensor) -> Any:
    return np.frombuffer(data, like._array.dtype).reshape(like._array.shape)


def _put(tensor: Tensor, array: Any) -> None:
    with flambeau.no_grad():
        made = flambeau.from_numpy(np.array(array, ndmin=1).view(np.uint8)).view(tensor.dtype)
        tensor.copy_(made.reshape(tensor.shape))


def _member(found: ProcessGroup, rank: int | None, group_rank: int | None, name: str) -> int:
    """The rank in the group of a process named by its global rank or its rank in the group."""
    if group_rank is not None:
        return group_rank
    if rank is None:
        raise fail(ValueError, name, "name a process: by its global rank or its rank in the group.")
    return get_group_rank(found, rank)


def all_reduce(
    tensor: Tensor, op: RedOpType = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Replace the tensor by what all members' tensors become together."""
    _check("all_reduce", tensor)
    if _outside(group):
        return None
    found = resolve(group)
    parts = found.exchange(_data(tensor), range(found.size()))
    _put(tensor, reduced([_array(part, tensor) for part in parts], op))
    return _done(async_op, [tensor])


def all_reduce_coalesced(
    tensors: Sequence[Tensor],
    op: RedOpType = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """`all_reduce` of several."""
    for tensor in tensors:
        all_reduce(tensor, op, group)
    return _done(async_op, list(tensors))


def reduce(
    tensor: Tensor,
    dst: int | None = None,
    op: RedOpType = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Replace one member's tensor by what all members' tensors become together."""
    _check("reduce", tensor)
    if _outside(group):
        return None
    found = resolve(group)
    target = _member(found, dst, group_dst, "reduce")
    mine = found.rank() == target
    parts = found.exchange(_data(tensor), range(found.size()) if mine else ())
    if mine:
        _put(tensor, reduced([_array(part, tensor) for part in parts], op))
    return _done(async_op, [tensor])


def broadcast(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Replace all members' tensors by one member's."""
    _check("broadcast", tensor)
    if _outside(group):
        return None
    found = resolve(group)
    source = _member(found, src, group_src, "broadcast")
    mine = found.rank() == source
    parts = found.exchange(_data(tensor) if mine else None, [source])
    if not mine:
        _put(tensor, _array(parts[0], tensor))
    return _done(async_op, [tensor])


def all_gather(
    tensor_list: Sequence[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Fill the list with all members' tensors."""
    _check("all_gather", tensor, *tensor_list)
    if _outside(group):
        return None
    found = resolve(group)
    parts = found.exchange(_data(tensor), range(found.size()))
    for place, part in zip(tensor_list, parts, strict=True):
        _put(place, _array(part, place))
    return _done(async_op, list(tensor_list))


def all_gather_coalesced(
    output_tensor_lists: Sequence[Sequence[Tensor]],
    input_tensor_list: Sequence[Tensor],
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """`all_gather` of several."""
    for number, tensor in enumerate(input_tensor_list):
        all_gather([places[number] for places in output_tensor_lists], tensor, group)
    return _done(async_op)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Fill one tensor with all members' tensors, joined or stacked along the first dimension."""
    _check("all_gather_into_tensor", output_tensor, input_tensor)
    if _outside(group):
        return None
    found = resolve(group)
    parts = found.exchange(_data(input_tensor), range(found.size()))
    whole = np.concatenate([_array(part, input_tensor).reshape(-1) for part in parts])
    _put(output_tensor, whole.reshape(output_tensor._array.shape))
    return _done(async_op, [output_tensor])


all_gather_single = all_gather_into_tensor


def gather(
    tensor: Tensor,
    gather_list: Sequence[Tensor] | None = None,
    dst: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Fill one member's list with all members' tensors.

    Raises:
        ValueError: that member gives no list, or another one does.
    """
    _check("gather", tensor, *(gather_list or ()))
    if _outside(group):
        return None
    found = resolve(group)
    default = None if dst is None and group_dst is None else group_dst
    target = 0 if dst is None and default is None else _member(found, dst, group_dst, "gather")
    mine = found.rank() == target
    if mine and not gather_list:
        raise fail(ValueError, "gather", "gather_list must be specified on the destination rank.")
    if not mine and gather_list:
        raise fail(
            ValueError, "gather", "gather_list must NOT be specified on non-destination ranks."
        )
    parts = found.exchange(_data(tensor), range(found.size()) if mine else ())
    for place, part in zip(gather_list or (), parts, strict=True):
        _put(place, _array(part, place))
    return _done(async_op)


def scatter(
    tensor: Tensor,
    scatter_list: Sequence[Tensor] | None = None,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Give each member one tensor of one member's list.

    Raises:
        ValueError: that member gives no list.
    """
    _check("scatter", tensor, *(scatter_list or ()))
    if _outside(group):
        return None
    found = resolve(group)
    named = src is not None or group_src is not None
    source = _member(found, src, group_src, "scatter") if named else 0
    mine = found.rank() == source
    if mine and not scatter_list:
        raise fail(ValueError, "scatter", "scatter_list must be specified on the source rank.")
    given = b"".join(_data(each) for each in scatter_list or ()) if mine else None
    whole = found.exchange(given, [source])[0]
    size = len(whole) // found.size()
    start = found.rank() * size
    _put(tensor, _array(whole[start : start + size], tensor))
    return _done(async_op)


def reduce_scatter(
    output: Tensor,
    input_list: Sequence[Tensor],
    op: RedOpType = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Give each member what all members' tensors of its number become together."""
    _check("reduce_scatter", output, *input_list)
    if _outside(group):
        return None
    flat = flambeau.cat([each.reshape(-1) for each in input_list])
    return reduce_scatter_tensor(output, flat, op, group, async_op)


def reduce_scatter_tensor(
    output: Tensor,
    input: Tensor,
    op: RedOpType = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Give each member its part of what all members' tensors become together."""
    _check("reduce_scatter_tensor", output, input)
    if _outside(group):
        return None
    found = resolve(group)
    parts = found.exchange(_data(input), range(found.size()))
    whole = reduced([_array(part, input) for part in parts], op).reshape(found.size(), -1)
    _put(output, whole[found.rank()].reshape(output._array.shape))
    return _done(async_op, [output])


reduce_scatter_single = reduce_scatter_tensor


def all_to_all(
    output_tensor_list: Sequence[Tensor],
    input_tensor_list: Sequence[Tensor],
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Give each member the tensor of its number in every member's list."""
    _check("all_to_all", *output_tensor_list, *input_tensor_list)
    if _outside(group):
        return None
    found = resolve(group)
    for number, tensor in enumerate(input_tensor_list):
        found.post(_data(tensor), number, -1)
    for number, place in enumerate(output_tensor_list):
        _put(place, _array(found.fetch(number, -1), place))
    return _done(async_op)


def all_to_all_single(
    output: Tensor,
    input: Tensor,
    output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """`all_to_all` of the parts of one tensor along its first dimension."""
    _check("all_to_all_single", output, input)
    if _outside(group):
        return None
    size = resolve(group).size()
    parts = [
        tensor.split(list(given) if given else tensor.shape[0] // size)
        for tensor, given in ((output, output_split_sizes), (input, input_split_sizes))
    ]
    return all_to_all(parts[0], parts[1], group, async_op)


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None
) -> Work | None:
    """Wait until every member is here."""
    if _outside(group):
        return None
    found = resolve(group)
    found.exchange(b"", range(found.size()))
    return _done(async_op)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """`barrier`; a member that does not come is named in the store's error."""
    barrier(group)


def send(
    tensor: Tensor,
    dst: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> None:
    """Leave a tensor for one member."""
    _check("send", tensor)
    found = resolve(group)
    target = _member(found, dst, group_dst, "send")
    if target == found.rank():
        raise fail(ValueError, "send", "Invalid destination rank: it is this process's own.")
    found.post(_data(tensor), target, tag)


def recv(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_src: int | None = None,
) -> int:
    """Take the tensor one member left, or any; gives the sender's global rank."""
    _check("recv", tensor)
    found = resolve(group)
    if src is None and group_src is None:
        source, data = found.fetch_any(tag)
    else:
        source = _member(found, src, group_src, "recv")
        data = found.fetch(source, tag)
    _put(tensor, _array(data, tensor))
    return found.ranks[source]


def isend(
    tensor: Tensor,
    dst: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> Work | None:
    """`send`; the tensor may be changed at once."""
    send(tensor, dst, group, tag, group_dst)
    return Work(result=[tensor])


def irecv(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_src: int | None = None,
) -> Work | None:
    """`recv` when the Work is waited for."""
    _check("irecv", tensor)
    return Work(lambda: recv(tensor, src, group, tag, group_src))


class P2POp:
    """One of the calls of `batch_isend_irecv`.

    Args:
        op: `isend` or `irecv`. tensor, peer, group, tag, group_peer: its arguments.
    """

    def __init__(
        self,
        op: Callable[..., Any],
        tensor: Tensor,
        peer: int | None = None,
        group: Any = None,
        tag: int = 0,
        group_peer: int | None = None,
    ) -> None:
        if op not in (isend, irecv):
            raise ValueError("P2POp: op is torch.distributed.isend or torch.distributed.irecv.")
        _check("P2POp", tensor)
        self.op, self.tensor, self.group, self.tag = op, tensor, group, tag
        self.peer, self.group_peer = peer, group_peer


def batch_isend_irecv(p2p_op_list: Sequence[P2POp]) -> list[Work]:
    """Begin several calls; what is sent goes first."""
    return [
        each.op(each.tensor, each.peer, each.group, each.tag, each.group_peer)
        for each in p2p_op_list
    ]
