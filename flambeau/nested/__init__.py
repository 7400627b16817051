"""``torch.nested``: several tensors of different lengths as one.

A subclass of Tensor that keeps its parts one after the other in one flat tensor, so gradients pass
from it to what it was made from. Operations run part by part; what has no meaning so is refused.
Stands on the public operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.layout import _layout
from flambeau.core.overrides import inside, without_subclasses
from flambeau.core.tensor import Tensor

__all__ = [
    "as_nested_tensor",
    "jagged",
    "masked_select",
    "narrow",
    "nested_tensor",
    "nested_tensor_from_jagged",
    "to_padded_tensor",
]


jagged = _layout("jagged")
"""The layout of nested tensors whose one uneven dimension comes second."""
# Asked of the whole, not of the parts.
WHOLE = frozenset(
    """__get__ __set__ __hash__ dim backward is_contiguous is_pinned get_device element_size
    is_floating_point is_complex is_signed register_hook retain_grad""".split()
)
REFUSED = frozenset("eq ne lt gt le ge __eq__ __ne__ __lt__ __gt__ __le__ __ge__ equal".split())
_symbols = [0]


class NestedTensor(Tensor):
    """Parts of different lengths.

    Attributes:
        _shapes: the parts' shapes.
    """

    _shapes: list[tuple[int, ...]]
    _layout: Any
    _symbol: int

    @property
    def is_nested(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """strided, or jagged."""
        return self._layout

    def _flat(self) -> Tensor:
        with without_subclasses():
            return self.as_subclass(Tensor)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The parts, as views."""
        if dim != 0:
            raise fail(RuntimeError, "unbind", "of a nested tensor is along dimension 0 alone.")
        flat = self._flat()
        sizes = [math.prod(shape) for shape in self._shapes]
        pieces = flat.split(sizes)
        return tuple(p.view(s) for p, s in zip(pieces, self._shapes, strict=True))

    def values(self) -> Tensor:
        """The parts of a jagged one, joined along the uneven dimension."""
        return self._flat().view(-1, *self._shapes[0][1:])

    def offsets(self) -> Tensor:
        """Where each part of a jagged one begins, and where the last ends."""
        lengths = flambeau.tensor([0, *(shape[0] for shape in self._shapes)])
        return lengths.cumsum(0)

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

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Any:
        raise fail(RuntimeError, "iter", "of a nested tensor: use .unbind().")

    def tolist(self) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "tolist", "of a nested tensor: use .unbind().")

    def __getitem__(self, index: Any) -> Any:
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, int):
            part = self.unbind()[first]
            return part[tuple(rest)] if rest else part
        raise fail(RuntimeError, "getitem", "a nested tensor is indexed by a part's number first.")

    def to_padded_tensor(self, padding: float, output_size: Any = None) -> Tensor:
        """All parts in one dense tensor, filled up with `padding`."""
        parts = self.unbind()
        most = [max(sizes) for sizes in zip(*self._shapes, strict=True)]
        if output_size is not None:
            most = list(output_size[1:])
        padded = []
        for part in parts:
            room = [
                x for n, m in zip(part.shape[::-1], most[::-1], strict=True) for x in (0, m - n)
            ]
            padded.append(flambeau.nn.functional.pad(part, room, value=padding))
        return flambeau.stack(padded)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        tail = ""
        if self.requires_grad:
            tail = ", requires_grad=True" if self.is_leaf else ""
        if self._layout is jagged:
            sizes = ", ".join(
                [str(len(self._shapes)), f"j{self._symbol}", *map(str, self._shapes[0][1:])]
            )
            return f"NestedTensor(size=({sizes}), offsets={self.offsets()}{tail}, contiguous=True)"
        with flambeau.no_grad():
            rows = [
                "  " + repr(part.detach().requires_grad_(bool(tail))).replace("\n", "\n  ")
                for part in self.unbind()
            ]
        return "nested_tensor([\n" + ",\n".join(rows) + f"\n]{tail})"

    __str__ = __repr__

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(getattr(func, "operation", None), "name", "") or getattr(
            func, "__name__", ""
        )
        if not name.startswith("__"):
            name = name.strip("_")
        if name in REFUSED:
            raise fail(RuntimeError, name, "does not support nested tensors: use .unbind().")
        function = inside(func) or func
        with without_subclasses():
            if name in WHOLE:
                return func(*args, **kwargs)
        nested = [a for a in (*args, *kwargs.values()) if isinstance(a, NestedTensor)]
        if not nested:
            raise fail(RuntimeError, name, "does not take nested tensors in lists: use .unbind().")
        first = nested[0]
        if first._layout is jagged and name in ("sum", "mean") and not any(args[1:]):
            return getattr(first.values(), name)()
        if any(len(n._shapes) != len(first._shapes) for n in nested):
            raise fail(RuntimeError, name, "the nested tensors have different numbers of parts.")
        rows = [n.unbind() for n in nested]
        place = {id(n): k for k, n in enumerate(nested)}
        results = []
        for number in range(len(first._shapes)):

            def part(a: Any, number: int = number) -> Any:
                return rows[place[id(a)]][number] if isinstance(a, NestedTensor) else a

            results.append(function(*map(part, args), **{k: part(v) for k, v in kwargs.items()}))
        if all(isinstance(r, Tensor) for r in results):
            return _joined(results, first._layout)
        raise fail(RuntimeError, name, "gives no tensor for each part: use .unbind().")


def _joined(parts: Sequence[Tensor], layout: Any) -> Any:
    if not parts:
        flat = flambeau.empty(0)
    else:
        flat = flambeau.cat([part.reshape(-1) for part in parts])
    with without_subclasses():
        made = flat.as_subclass(NestedTensor)
    made._shapes = [tuple(part.shape) for part in parts]
    made._layout = layout if layout is not None else flambeau.strided
    if made._layout is jagged:
        _symbols[0] += 1
        made._symbol = _symbols[0]
    return made


def _checked(name: str, tensor_list: Any, dtype: Any, layout: Any) -> list[Tensor]:
    if not isinstance(tensor_list, (list, tuple)):
        raise fail(
            TypeError,
            name,
            "Only lists (List[Tensor] and List[List...[Scalar]]) are accepted in nested_tensor.",
        )
    parts = [flambeau.as_tensor(each, dtype=dtype) for each in tensor_list]
    if len({part.dim() for part in parts}) > 1:
        raise fail(
            RuntimeError,
            name,
            "All Tensors given to nested_tensor must have the same dimension: got "
            f"{[part.dim() for part in parts]}.",
        )
    if layout is jagged and len({tuple(part.shape[1:]) for part in parts}) > 1:
        raise fail(RuntimeError, name, "parts of a jagged tensor differ in their first size alone.")
    return parts


def as_nested_tensor(
    ts: Any, dtype: Any = None, device: Any = None, layout: Any = None
) -> NestedTensor:
    """A nested tensor through which gradients reach the parts.

    Args:
        ts: the parts, or a tensor whose rows they are.
        layout: torch.strided, or torch.jagged.

    Raises:
        RuntimeError: the parts have different numbers of dimensions.
    """
    if isinstance(ts, NestedTensor):
        return ts
    if isinstance(ts, Tensor):
        ts = list(ts.unbind())
    found: NestedTensor = _joined(_checked("as_nested_tensor", ts, dtype, layout), layout)
    return found


def nested_tensor(
    tensor_list: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> NestedTensor:
    """A nested tensor of copies: a leaf.

    Args:
        tensor_list: the parts, as tensors or lists of numbers.
        layout: torch.strided, or torch.jagged.
    """
    parts = _checked("nested_tensor", tensor_list, dtype, layout)
    made: NestedTensor = _joined([part.detach() for part in parts], layout)
    if requires_grad:
        made.requires_grad_(True)
    return made


def nested_tensor_from_jagged(
    values: Tensor,
    offsets: Tensor | None = None,
    lengths: Tensor | None = None,
    jagged_dim: int | None = None,
    min_seqlen: int | None = None,
    max_seqlen: int | None = None,
) -> NestedTensor:
    """A jagged tensor of the parts of `values` that begin at `offsets`.

    Raises:
        RuntimeError: neither offsets nor lengths are given.
    """
    if offsets is None:
        if lengths is None:
            raise fail(
                RuntimeError,
                "nested_tensor_from_jagged",
                "At least one of offsets or lengths is required.",
            )
        parts = list(values.split(lengths.tolist()))
    else:
        starts = offsets.tolist()
        sizes = lengths.tolist() if lengths is not None else [None] * (len(starts) - 1)
        parts = [
            values[a : b if n is None else a + n]
            for a, b, n in zip(starts[:-1], starts[1:], sizes, strict=True)
        ]
    found: NestedTensor = _joined(parts, jagged)
    return found


def narrow(tensor: Tensor, dim: int, start: Any, length: Any, layout: Any = None) -> NestedTensor:
    """A part of each row of a tensor, from its own start and of its own length.

    Raises:
        RuntimeError: strided, with starts or lengths that are no integers.
    """
    both = [x if isinstance(x, Tensor) else [int(x)] * tensor.shape[0] for x in (start, length)]
    if layout is not jagged and any(isinstance(x, Tensor) for x in both):
        raise fail(
            RuntimeError,
            "narrow",
            "start and length must be integers for the strided layout NT impl: ask for "
            "layout=torch.jagged.",
        )
    starts, lengths = (x.tolist() if isinstance(x, Tensor) else x for x in both)
    parts = [row.narrow(dim - 1, a, n) for row, a, n in zip(tensor, starts, lengths, strict=True)]
    found: NestedTensor = _joined(parts, layout)
    return found


def masked_select(tensor: Tensor, mask: Tensor) -> NestedTensor:
    """The elements of each row where the mask is True, as a jagged tensor."""
    rows = zip(tensor, mask.expand(tensor.shape), strict=True)
    found: NestedTensor = _joined([row[keep] for row, keep in rows], jagged)
    return found


def to_padded_tensor(input: NestedTensor, padding: float, output_size: Any = None) -> Tensor:
    """All parts in one dense tensor, filled up with `padding`."""
    return input.to_padded_tensor(padding, output_size)
