"""LinearCrossEntropyOptions: how a linear layer and its cross entropy share the batch."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = ["LinearCrossEntropyOptions"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """Settings of PyTorch's batch-wise computation. Here they are checked and kept: the loss is
    computed in one piece, which gives the same value.

    Args:
        allow_retain_graph: allow a second backward.
        batch_chunk_size: rows a piece.
        chunking_method: 'auto', 'aspect_ratio', 'aspect_ratio:N' or None.
        acc_policy: 'auto', 'accurate', 'balanced' or 'compact'.
        acc_dtype: floating dtype of accumulators.

    Raises:
        ValueError: a value that is none of these.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = self.chunking_method.partition(":")
            number = factor if colon else "1"
            if name != "aspect_ratio" or not (number.isdigit() and int(number) > 0):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and not self.acc_dtype.is_floating_point:
            raise ValueError(f"acc_dtype must be a floating dtype or None, got {self.acc_dtype!r}")
