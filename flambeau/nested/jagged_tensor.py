"""Nested tensors of the jagged layout: one tensor of values, and where each part begins in it.

Operations run on all values at once where they can (`jagged_operations`), else part by part. Stands
on base, ragged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.layout import _layout
from flambeau.core.tensor import Tensor
from flambeau.nested.base import NestedTensor, bare, dressed, part_by_part
from flambeau.nested.ragged import RaggedSize

__all__ = ["JaggedNestedTensor", "around", "jagged", "joined"]

jagged = _layout("jagged")
"""The layout of nested tensors of which one dimension is uneven."""


class JaggedNestedTensor(NestedTensor):
    """Parts that differ along one dimension.

    Attributes:
        _starts: where each part begins along the uneven dimension of the values, and the end.
        _counts: the parts' lengths, where they do not reach to the next part; else None.
        _ragged: which dimension is uneven, 1 or more; it is one less in the values.
        _size: that dimension's size.
    """

    _starts: Tensor
    _counts: Tensor | None
    _ragged: int
    _size: RaggedSize

    def _like(self, values: Tensor, ragged: int | None = None) -> Any:
        where = self._ragged if ragged is None else ragged
        return around(values, self._starts, self._counts, where, self._size)

    def _bounds(self) -> list[tuple[int, int]]:
        """Each part's begin and length."""
        starts = self._starts.tolist()
        ends = [b - a for a, b in zip(starts[:-1], starts[1:], strict=True)]
        counts = ends if self._counts is None else self._counts.tolist()
        return list(zip(starts[:-1], counts, strict=True))

    def _parts(self) -> list[Tensor]:
        values, dim = bare(self), self._ragged - 1
        return [values.narrow(dim, begin, length) for begin, length in self._bounds()]

    def _packed(self) -> Any:
        """The same without gaps between the parts."""
        if self._counts is None:
            return self
        return joined(self._parts(), self._ragged, self._size)

    def values(self) -> Tensor:
        """All parts' values, one after the other along the uneven dimension."""
        found: Tensor = bare(self)
        return found

    def offsets(self) -> Tensor:
        """Where each part begins, and where the last ends."""
        return self._starts

    def lengths(self) -> Tensor | None:
        """The parts' lengths where there are gaps between them."""
        return self._counts

    def dim(self) -> int:
        """One more than the parts have."""
        return int(bare(self).dim()) + 1

    ndim = property(dim)  # type: ignore[assignment]

    def numel(self) -> int:
        """The elements of all parts."""
        return int(bare(self._packed()).numel())

    nelement = numel

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or one: the uneven one is a symbol."""
        return self.shape if dim is None else self.shape[dim]

    @property
    def shape(self) -> Any:  # type: ignore[override]
        """The sizes: how many parts there are, then a part's, of which one is a symbol."""
        sizes: list[Any] = [len(self._starts) - 1, *bare(self).shape]
        sizes[self._ragged] = self._size
        return _sizes(sizes)

    def stride(self, dim: int | None = None) -> Any:
        """The steps in memory; from part to part a symbol."""
        values = bare(self)
        at = self._ragged - 1
        outer = values.stride(0) * values.shape[0] if at else values.stride(0) * self._size
        found = (outer if at == 0 else values.stride(at) * self._size, *values.stride())
        return found if dim is None else found[dim]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the values are, without gaps."""
        return self._counts is None and bool(bare(self).is_contiguous())

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: Any) -> Any:
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, int) and not isinstance(first, bool):
            part = self._parts()[first]
            return part[tuple(rest)] if rest else part
        if first is Ellipsis and all(each is not Ellipsis for each in rest):
            if len(rest) < self.dim() - self._ragged:
                return self._like(bare(self)[index])
        raise fail(
            RuntimeError,
            "getitem",
            "a jagged tensor is indexed by a part's number first, or after ... behind its uneven "
            "dimension: use .unbind().",
        )

    def _room(self, most: list[int], asked: list[int]) -> list[int]:
        return asked

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        tail = ""
        if self.requires_grad:
            tail = ", requires_grad=True" if self.is_leaf else f", grad_fn={self.grad_fn!r}"
        sizes = ", ".join(map(str, self.shape))
        return (
            f"NestedTensor(size=({sizes}), offsets={self._starts}{tail}, "
            f"contiguous={self.is_contiguous()})"
        )

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        values = bare(self.detach()).clone()
        made = self._like(values)
        return made.requires_grad_() if self.requires_grad else made

    def _run(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        from flambeau.nested.jagged_operations import OPERATIONS, pointwise

        own = OPERATIONS.get(name)
        if own is not None:
            return own(function, *args, **kwargs)
        return pointwise(name, function, self, args, kwargs)

    def _by_parts(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """An operation on each part, as a batch of one; its results have the parts' shapes."""
        results = []
        parts = self._parts()
        for part, (given, named) in zip(parts, part_by_part(args, kwargs, len(parts)), strict=True):
            found = function(*given, **named)
            several = found if isinstance(found, (tuple, list)) else (found,)
            if any(not isinstance(f, Tensor) or f.shape != (1, *part.shape) for f in several):
                raise fail(NotImplementedError, name, "of a jagged tensor: use .unbind().")
            results.append([f.squeeze(0) for f in several])
        made = [joined(list(each), self._ragged, self._size) for each in zip(*results, strict=True)]
        return made[0] if len(made) == 1 else tuple(made)


def _sizes(sizes: list[Any]) -> Any:
    return tuple.__new__(flambeau.Size, sizes)


def around(
    values: Tensor, starts: Tensor, counts: Tensor | None, ragged: int, size: RaggedSize | None
) -> JaggedNestedTensor:
    """A jagged tensor of these values; a new symbol where no size is given."""
    made: JaggedNestedTensor = dressed(values, JaggedNestedTensor)
    made._starts, made._counts, made._ragged = starts, counts, ragged
    made._size = RaggedSize() if size is None else size
    made._layout = jagged
    return made


def joined(parts: Sequence[Tensor], ragged: int, size: RaggedSize | None) -> JaggedNestedTensor:
    """A jagged tensor of the parts, through which gradients reach them."""
    lengths = [0, *(part.shape[ragged - 1] for part in parts)]
    starts = flambeau.tensor(lengths, dtype=flambeau.int64).cumsum(0)
    return around(flambeau.cat(list(parts), ragged - 1), starts, None, ragged, size)


JaggedNestedTensor.__name__ = JaggedNestedTensor.__qualname__ = "NestedTensor"
