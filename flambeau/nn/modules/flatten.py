"""Flatten and Unflatten: a range of dimensions into one, and one into several."""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Join the dimensions ``start_dim`` to ``end_dim`` into one.

    Shape:
        (*, S_start, ..., S_end, *) to (*, S_start * ... * S_end, *). By default all but the
        batch dimension are joined.
    """

    __constants__ = ["start_dim", "end_dim"]
    start_dim: int
    end_dim: int

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The input with fewer dimensions; a view where strides allow."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The range of dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split dimension ``dim`` into ``unflattened_size``.

    Args:
        dim: the dimension, a number (or a name with named sizes).
        unflattened_size: sizes whose product is that dimension's size; one may be -1.
    """

    __constants__ = ["dim", "unflattened_size"]

    def __init__(self, dim: int | str, unflattened_size: Any) -> None:
        super().__init__()
        if hasattr(dim, "__index__"):
            self._check_sizes(unflattened_size)
        elif isinstance(dim, str):
            self._check_named(unflattened_size)
        else:
            raise fail(TypeError, "Unflatten", "invalid argument type for dim parameter")
        self.dim: Any = dim
        self.unflattened_size = unflattened_size

    @staticmethod
    def _check_named(sizes: Any) -> None:
        if not isinstance(sizes, tuple):
            raise fail(
                TypeError,
                "Unflatten",
                "unflattened_size must be a tuple of tuples, but found type "
                f"{type(sizes).__name__}",
            )
        for i, entry in enumerate(sizes):
            if not isinstance(entry, tuple):
                raise fail(
                    TypeError,
                    "Unflatten",
                    "unflattened_size must be tuple of tuples, but found element of type "
                    f"{type(entry).__name__} at pos {i}",
                )

    @staticmethod
    def _check_sizes(sizes: Any) -> None:
        if not isinstance(sizes, (tuple, list)):
            raise fail(
                TypeError,
                "Unflatten",
                f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}",
            )
        for i, entry in enumerate(sizes):
            if not isinstance(entry, int):
                raise fail(
                    TypeError,
                    "Unflatten",
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(entry).__name__} at pos {i}",
                )

    def forward(self, input: Tensor) -> Tensor:
        """A view with more dimensions."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The dimension and its new sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
