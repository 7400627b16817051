"""Nested tensors of the strided layout: an operation runs part by part, each a batch of one.

So dimensions are counted as the user counts them. What has no meaning so is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.overrides import each_of
from flambeau.core.tensor import Tensor
from flambeau.nested.base import NestedTensor, bare, dressed, part_by_part

__all__ = ["StridedNestedTensor", "joined"]

REFUSED = frozenset("eq ne lt gt le ge equal flatten".split())
SIZES = frozenset("reshape view expand".split())
"""Operations whose first size is the number of parts."""


class StridedNestedTensor(NestedTensor):
    """Parts of any shapes of one number of dimensions.

    Attributes:
        _shapes: the parts' shapes.
    """

    _shapes: list[tuple[int, ...]]

    def _like(self, values: Tensor) -> Any:
        return _around(values, self._shapes)

    def _parts(self) -> list[Tensor]:
        pieces = bare(self).split([math.prod(shape) for shape in self._shapes])
        return [p.view(s) for p, s in zip(pieces, self._shapes, strict=True)]

    def dim(self) -> int:
        """One more than the parts have."""
        return len(self._shapes[0]) + 1 if self._shapes else 1

    ndim = property(dim)  # type: ignore[assignment]

    def numel(self) -> int:
        """The elements of all parts."""
        return sum(math.prod(shape) for shape in self._shapes)

    def size(self, dim: int | None = None) -> Any:
        """The size of one dimension.

        Raises:
            RuntimeError: the parts differ there, or all sizes were asked for.
        """
        if dim is None:
            raise fail(
                RuntimeError, "size", "a nested tensor has no one shape: ask for a dimension."
            )
        dim = dim % self.dim()
        if dim == 0:
            return len(self._shapes)
        found = {shape[dim - 1] for shape in self._shapes}
        if len(found) != 1:
            raise fail(
                RuntimeError,
                "size",
                f"Given dimension {dim} is irregular and does not have a size.",
            )
        return found.pop()

    @property
    def shape(self) -> Any:  # type: ignore[override]
        """Not one.

        Raises:
            RuntimeError: always; ask `size` for a dimension.
        """
        return self.size()

    def _nested_tensor_size(self) -> Tensor:
        """The parts' shapes, a row for each."""
        return flambeau.tensor(self._shapes)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """True: parts lie one after the other."""
        return True

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Any:
        raise fail(RuntimeError, "iter", "of a nested tensor: use .unbind().")

    def __getitem__(self, index: Any) -> Any:
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, int):
            part = self._parts()[first]
            return part[tuple(rest)] if rest else part
        raise fail(RuntimeError, "getitem", "a nested tensor is indexed by a part's number first.")

    def _room(self, most: list[int], asked: list[int]) -> list[int]:
        if any(room < size for room, size in zip(asked, most, strict=True)):
            raise fail(
                RuntimeError,
                "to_padded_tensor",
                f"Value in output_size is less than NestedTensor padded size: {asked} and {most}. "
                "Truncation is not supported.",
            )
        return asked

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        tail = ", requires_grad=True" if self.requires_grad and self.is_leaf else ""
        with flambeau.no_grad():
            rows = [
                "  " + repr(part.detach().requires_grad_(bool(tail))).replace("\n", "\n  ")
                for part in self._parts()
            ]
        return "nested_tensor([\n" + ",\n".join(rows) + f"\n]{tail})"

    __str__ = __repr__

    def _run(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if name in REFUSED:
            raise fail(RuntimeError, name, "does not support nested tensors: use .unbind().")
        if name == "select" and args[1] == 0:
            return self._parts()[args[2]]
        count = len(self._shapes)
        if name in SIZES:
            sizes = args[1] if isinstance(args[1], (list, tuple)) else args[1:]
            args = (args[0], (1, *sizes[1:]))
        given = each_of((*args, *kwargs.values()))
        if any(len(a) != count for a in given if isinstance(a, NestedTensor)):
            message = "the nested tensors have different numbers of parts."
            raise fail(RuntimeError, name, message)

        def dense(a: Any, number: int) -> Any:
            whole = isinstance(a, Tensor) and not isinstance(a, NestedTensor)
            if whole and a.dim() == self.dim() and a.shape[0] == count:
                return a[number : number + 1]
            return a

        parts = part_by_part(args, kwargs, count, dense)
        return _gathered(name, [function(*each, **named) for each, named in parts])


def _gathered(name: str, results: list[Any]) -> Any:
    """The parts' results, each a batch of one, as nested tensors."""
    if results and isinstance(results[0], (list, tuple)):
        return tuple(_gathered(name, list(each)) for each in zip(*results, strict=True))
    if all(isinstance(r, Tensor) and r.dim() and r.shape[0] == 1 for r in results):
        return joined([r.squeeze(0) for r in results])
    raise fail(RuntimeError, name, "gives no tensor for each part: use .unbind().")


def joined(parts: Sequence[Tensor]) -> StridedNestedTensor:
    """A nested tensor of the parts, through which gradients reach them."""
    flat = flambeau.cat([part.reshape(-1) for part in parts]) if parts else flambeau.empty(0)
    return _around(flat, [tuple(part.shape) for part in parts])


def _around(flat: Tensor, shapes: list[tuple[int, ...]]) -> StridedNestedTensor:
    made: StridedNestedTensor = dressed(flat, StridedNestedTensor)
    made._shapes = shapes
    made._layout = flambeau.strided
    return made
