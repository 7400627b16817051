"""Causal masks by name: `causal_upper_left`, `causal_lower_right`, for attention between queries
and keys of different numbers.

A `CausalBias` is a boolean tensor that any operation takes as such. Stands on core.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.overrides import without_subclasses
from flambeau.core.tensor import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """Which corner the diagonal of a mask that is not square starts from."""

    UPPER_LEFT = auto()
    LOWER_RIGHT = auto()


class CausalBias(Tensor):
    """A causal mask: True where a query may see a key.

    Args:
        variant: the corner at which the diagonal starts.
        seq_len_q, seq_len_kv: how many queries and keys.
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise fail(AssertionError, "CausalBias", f"expected a CausalVariant, got {variant!r}")
        shift = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
        mask = ops.ones(seq_len_q, seq_len_kv, dtype=dtypes.bool).tril(shift)
        made: CausalBias = mask.as_subclass(cls)
        made.variant, made.seq_len_q, made.seq_len_kv = variant, seq_len_q, seq_len_kv
        return made

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        with without_subclasses():
            return func(*map(_plain, args), **{k: _plain(v) for k, v in (kwargs or {}).items()})


def _plain(value: Any) -> Any:
    return value.as_subclass(Tensor) if isinstance(value, CausalBias) else value


def causal_upper_left(*size: int) -> CausalBias:
    """The mask whose diagonal starts at the first query and the first key.

    Args:
        size: numbers of queries and keys.
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_pair(size))


def causal_lower_right(*size: int) -> CausalBias:
    """The mask whose diagonal ends at the last query and the last key, as with a cache of keys."""
    return CausalBias(CausalVariant.LOWER_RIGHT, *_pair(size))


def _pair(size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise fail(RuntimeError, "causal mask", f"expected two sizes, got {len(size)}")
    return size  # type: ignore[return-value]
