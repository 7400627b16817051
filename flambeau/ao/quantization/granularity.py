"""Words for how numbers are quantised: how many share a scale, round what, in which types."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = [
    "Granularity",
    "MappingType",
    "PerAxis",
    "PerBlock",
    "PerGroup",
    "PerRow",
    "PerTensor",
    "PerToken",
    "QuantType",
    "TorchAODType",
    "ZeroPointDomain",
    "get_block_size",
]


class QuantType(enum.IntEnum):
    """When the scale is found."""

    DYNAMIC = 0
    STATIC = 1
    QAT = 2
    WEIGHT_ONLY = 3


class MappingType(enum.Enum):
    """Where nought lies among the integers."""

    SYMMETRIC = enum.auto()
    SYMMETRIC_NO_CLIPPING_ERR = enum.auto()
    ASYMMETRIC = enum.auto()


class ZeroPointDomain(enum.Enum):
    """What a zero point is."""

    INT = enum.auto()
    FLOAT = enum.auto()
    NONE = enum.auto()


class TorchAODType(enum.Enum):
    """Integers of fewer than eight bits."""

    INT1 = enum.auto()
    INT2 = enum.auto()
    INT3 = enum.auto()
    INT4 = enum.auto()
    INT5 = enum.auto()
    INT6 = enum.auto()
    INT7 = enum.auto()


@dataclass(frozen=True)
class Granularity:
    """How many numbers share a scale."""


@dataclass(frozen=True)
class PerBlock(Granularity):
    """Blocks of one size.

    Args:
        block_size: its lengths.
    """

    block_size: tuple[int, ...]


@dataclass(frozen=True)
class PerTensor(Granularity):
    """All of them."""


@dataclass(frozen=True)
class PerAxis(Granularity):
    """Those of one index along an axis.

    Args:
        axis: which.
    """

    axis: int


@dataclass(frozen=True)
class PerGroup(Granularity):
    """Groups within a row.

    Args:
        group_size: how many are one.
    """

    group_size: int


class PerRow(Granularity):
    """Those of a row."""


class PerToken(Granularity):
    """Those of a token: a row of activations."""


def get_block_size(input_shape: tuple[int, ...], granularity: Granularity) -> tuple[int, ...]:
    """The lengths of the blocks whose numbers share a scale.

    Raises:
        AssertionError: groups of what is no matrix. ValueError: there are no blocks of this kind.
    """
    if not isinstance(granularity, Granularity):
        raise AssertionError("Please provide an instance of Granularity, not subclass of it")
    if isinstance(granularity, PerTensor):
        return input_shape
    if isinstance(granularity, PerAxis):
        sizes = list(input_shape)
        sizes[granularity.axis] = 1
        return tuple(sizes)
    if isinstance(granularity, PerRow | PerToken):
        return (1,) * (len(input_shape) - 1) + (input_shape[-1],)
    if isinstance(granularity, PerGroup):
        if len(input_shape) != 2:
            raise AssertionError(
                f"get_block_size: groups are those of a matrix's rows, the shape is {input_shape}."
            )
        return (1, granularity.group_size)
    raise ValueError(f"Unsupported Granularity: {granularity}")
