"""`Size`: the tuple of ints that `tensor.shape` gives. Stands on nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import index
from typing import Any, Self, SupportsIndex, overload

__all__ = ["Size"]


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints that prints as ``torch.Size([2, 3])``.

    Slices and sums with tuples are Sizes again.

    Raises:
        TypeError: an element is no integer.
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Self:
        if type(sizes) is Size:
            return tuple.__new__(cls, sizes)
        sizes = tuple(sizes)
        try:
            return tuple.__new__(cls, map(index, sizes))
        except TypeError:
            for i, size in enumerate(sizes):
                if not hasattr(type(size), "__index__") or getattr(size, "ndim", False):
                    raise TypeError(
                        "torch.Size() takes an iterable of 'int' "
                        f"(item {i} is '{type(size).__name__}')"
                    ) from None
            raise

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def numel(self) -> int:
        """The number of elements of a tensor of this shape: the product, 1 for no dimensions."""
        return math.prod(self)

    @overload
    def __getitem__(self, at: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Size: ...
    def __getitem__(self, at: Any) -> Any:
        found = tuple.__getitem__(self, at)
        return tuple.__new__(Size, found) if type(at) is slice else found

    def __add__(self, other: Any) -> Any:
        if type(other) is Size:
            return tuple.__new__(Size, tuple.__add__(self, other))
        if not isinstance(other, tuple):
            if hasattr(type(other), "__radd__"):
                return NotImplemented
            raise TypeError(
                f'can only concatenate tuple (not "{type(other).__name__}") to torch.Size'
            )
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, self))

    def __mul__(self, times: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[int, ...]]]:
        return Size, (tuple(self),)
