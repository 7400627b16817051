"""Whether a tensor's elements lie on top of one another, so that writing it would write some twice,
or on top of another's that is read meanwhile.

Stands on layout and NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.layout import is_non_overlapping_and_dense

__all__ = ["check_apart", "check_writable", "meets", "overlaps"]

nd = np.ndarray


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


def meets(written: Any, read: Any) -> bool:
    """True when two arrays without gaps share memory, but not element by element: what is read was
    written already. Of arrays with gaps nothing is said, as in PyTorch.
    """
    if type(written) is not nd or written is read:
        return False
    if written.base is None and read.base is None:
        return False
    if not np.may_share_memory(written, read):
        return False
    if not _dense(written) or not _dense(read):
        return False
    here, there = (a.__array_interface__["data"][0] for a in (written, read))
    same = here == there and written.nbytes == read.nbytes
    return not (same and written.strides == read.strides)


def _dense(array: Any) -> bool:
    return array.flags.forc or is_non_overlapping_and_dense(
        array.shape, [s // array.itemsize for s in array.strides]
    )


def check_apart(name: str, written: Any, read: Iterable[Any], whole: bool = False) -> None:
    """Refuse to write an array that meets one that is read, as PyTorch does.

    Args:
        name: the operation's.
        written: the array.
        read: what else there is; arrays count.
        whole: whether the very same elements are refused too.

    Raises:
        RuntimeError: they share memory.
    """
    if type(written) is not nd:
        return
    for a in read:
        if type(a) is not nd or not np.may_share_memory(written, a):
            continue
        if meets(written, a) or (whole and _dense(written) and _dense(a) and a.size):
            raise fail(
                RuntimeError,
                name,
                "unsupported operation: some elements of the input tensor and the written-to "
                "tensor refer to a single memory location. Please clone() the tensor before "
                "performing the operation.",
            )
