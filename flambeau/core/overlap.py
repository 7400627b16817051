"""Whether a tensor's elements lie on top of one another, so that writing it would write some twice.

Stands on NumPy.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail

__all__ = ["check_writable", "overlaps"]


def overlaps(array: Any) -> bool:
    """True when two indices certainly name one element (a stride of 0 along a dimension longer than
    1).
    """
    return (
        0 in array.strides
        and array.size > 0
        and any(
            stride == 0 and size > 1
            for stride, size in zip(array.strides, array.shape, strict=True)
        )
    )


def check_writable(name: str, array: Any) -> None:
    """Refuse to write an expanded tensor, as PyTorch does.

    Raises:
        RuntimeError: elements share memory.
    """
    if overlaps(array):
        raise fail(
            RuntimeError,
            name,
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory "
            "location. Please clone() the tensor before performing the operation.",
        )
