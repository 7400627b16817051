"""What a reduction does (`ReduceOp`), how much is checked, and the options of calls as PyTorch's
lower level takes them."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "AllToAllOptions",
    "AllreduceCoalescedOptions",
    "AllreduceOptions",
    "BarrierOptions",
    "BroadcastOptions",
    "DebugLevel",
    "GatherOptions",
    "ReduceOp",
    "ReduceOptions",
    "ReduceScatterOptions",
    "ScatterOptions",
    "get_debug_level",
    "reduce_op",
    "reduced",
    "set_debug_level",
    "set_debug_level_from_env",
    "supports_complex",
]


class RedOpType(enum.Enum):
    """The kinds of reduction."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8


class ReduceOp:
    """What becomes of the processes' values: their sum, mean, product, least, greatest, or their
    bits joined."""

    SUM = RedOpType.SUM
    AVG = RedOpType.AVG
    PRODUCT = RedOpType.PRODUCT
    MIN = RedOpType.MIN
    MAX = RedOpType.MAX
    BAND = RedOpType.BAND
    BOR = RedOpType.BOR
    BXOR = RedOpType.BXOR
    PREMUL_SUM = RedOpType.PREMUL_SUM

    def __new__(cls, op: RedOpType = RedOpType.SUM) -> Any:
        """The kind itself."""
        return op


ReduceOp.RedOpType = RedOpType  # type: ignore[attr-defined]
reduce_op = ReduceOp
FUNCTIONS: dict[RedOpType, Callable[..., Any]] = {
    RedOpType.SUM: np.add,
    RedOpType.AVG: np.add,
    RedOpType.PRODUCT: np.multiply,
    RedOpType.MIN: np.minimum,
    RedOpType.MAX: np.maximum,
    RedOpType.BAND: np.bitwise_and,
    RedOpType.BOR: np.bitwise_or,
    RedOpType.BXOR: np.bitwise_xor,
}


def reduced(arrays: Sequence[Any], op: RedOpType) -> Any:
    """The arrays of all processes joined, in the order of ranks: the same bits everywhere."""
    if op not in FUNCTIONS:
        raise ValueError(f"distributed: {op} is not offered on CPUs.")
    function = FUNCTIONS[op]
    total = arrays[0].copy()
    for each in arrays[1:]:
        total = function(total, each)
    if op is RedOpType.AVG:
        whole = np.issubdtype(total.dtype, np.integer)
        total = total // len(arrays) if whole else (total / len(arrays)).astype(total.dtype)
    return total


def supports_complex(reduceOp: RedOpType) -> bool:
    """Whether complex numbers can be reduced so."""
    return reduceOp not in (
        RedOpType.MAX, RedOpType.MIN, RedOpType.PRODUCT, RedOpType.BAND, RedOpType.BOR,
        RedOpType.BXOR,
    )  # fmt: skip


class DebugLevel(enum.Enum):
    """How much is checked."""

    OFF = 0
    INFO = 1
    DETAIL = 2


class _Level:
    now = DebugLevel.OFF


def get_debug_level() -> DebugLevel:
    """How much is checked: what was set, or ``TORCH_DISTRIBUTED_DEBUG`` says."""
    return _Level.now


def set_debug_level(level: DebugLevel) -> None:
    """Say how much is checked."""
    _Level.now = level


def set_debug_level_from_env() -> None:
    """Take the level from ``TORCH_DISTRIBUTED_DEBUG``.

    Raises:
        RuntimeError: it names no level.
    """
    name = os.environ.get("TORCH_DISTRIBUTED_DEBUG", "OFF").upper()
    if name not in DebugLevel.__members__:
        raise RuntimeError(f"TORCH_DISTRIBUTED_DEBUG is {name!r}: expected OFF, INFO or DETAIL.")
    _Level.now = DebugLevel[name]


class _Options:
    """Options of one call, as attributes."""

    rootRank = 0
    rootTensor = 0
    reduceOp = RedOpType.SUM
    timeout: Any = None
    asyncOp = True


AllToAllOptions = type("AllToAllOptions", (_Options,), {})
AllreduceCoalescedOptions = type("AllreduceCoalescedOptions", (_Options,), {})
AllreduceOptions = type("AllreduceOptions", (_Options,), {})
BarrierOptions = type("BarrierOptions", (_Options,), {})
BroadcastOptions = type("BroadcastOptions", (_Options,), {})
GatherOptions = type("GatherOptions", (_Options,), {})
ReduceOptions = type("ReduceOptions", (_Options,), {})
ReduceScatterOptions = type("ReduceScatterOptions", (_Options,), {})
ScatterOptions = type("ScatterOptions", (_Options,), {})
