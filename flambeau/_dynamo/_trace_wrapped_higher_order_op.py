"""The mode in which PyTorch indexes with 0-d tensors inside `vmap`: it always works here.

Stands on nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(AbstractContextManager[None]):
    """A block that changes nothing: batched indices index as they are."""

    def __exit__(self, *exc: object) -> None:
        """Leave the block."""
