"""What nested tensors of both layouts share: their parts, padding, and how a function arrives.

Stands on the public operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.overrides import cover, each_of, inside, without_subclasses
from flambeau.core.tensor import Tensor

__all__ = ["NestedTensor", "bare", "dressed", "part_by_part", "plain_args"]


def dressed(values: Tensor, kind: type[Any]) -> Any:
    """The values as a nested tensor, which shares their history."""
    cover()  # so that a function arrives as the user called it, not as the operations it is made of
    with without_subclasses():
        return values.as_subclass(kind)


# Asked of the whole, not of the parts.
WHOLE = frozenset(
    """__get__ __set__ __hash__ dim backward is_pinned get_device element_size is_floating_point
    is_complex is_signed register_hook retain_grad requires_grad is_inference nelement numel size
    stride is_contiguous unbind tolist __repr__ __len__ to_padded_tensor values offsets lengths
    storage_offset data_ptr untyped_storage is_set_to requires_grad_ numpy item""".split()
)


def bare(x: Any) -> Any:
    """The tensor under a nested one, which carries its history; anything else as it is."""
    if not isinstance(x, NestedTensor):
        return x
    with without_subclasses():
        return x.as_subclass(Tensor)


def plain_args(args: Any, change: Callable[[Any], Any]) -> Any:
    """Arguments with `change` made to every nested tensor, in lists too."""
    if isinstance(args, dict):
        return {key: plain_args(value, change) for key, value in args.items()}
    if isinstance(args, (list, tuple)) and not isinstance(args, flambeau.Size):
        return type(args)(plain_args(each, change) for each in args)
    return change(args) if isinstance(args, NestedTensor) else args


def part_by_part(
    args: Any, kwargs: Any, count: int, dense: Callable[[Any, int], Any] = lambda a, number: a
) -> Iterator[tuple[Any, Any]]:
    """The arguments of an operation for each of `count` parts: a nested tensor's part as a batch of
    one, of anything else what `dense` gives.
    """
    rows: dict[int, list[Tensor]] = {}

    def keep(nested: NestedTensor) -> NestedTensor:
        rows[id(nested)] = nested._parts()
        return nested

    plain_args((args, kwargs), keep)
    for number in range(count):

        def one(nested: NestedTensor, number: int = number) -> Tensor:
            return rows[id(nested)][number].unsqueeze(0)

        given = [dense(a, number) for a in args]
        named = {key: dense(value, number) for key, value in kwargs.items()}
        yield plain_args(given, one), plain_args(named, one)


class NestedTensor(Tensor):
    """Parts of different lengths, one after the other in one tensor."""

    _layout: Any

    @property
    def is_nested(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """strided, or jagged."""
        return self._layout

    @property
    def grad(self) -> Any:  # type: ignore[override]
        """The gradient, nested as the tensor is."""
        found = bare(self).grad if self._grad is None else self._grad
        if found is None or isinstance(found, NestedTensor):
            return found
        return self._like(found)

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = bare(value)

    @property
    def data(self) -> Any:  # type: ignore[override]
        """The same memory without history."""
        return self._like(bare(self).data)

    def _like(self, values: Tensor) -> Any:
        """A nested tensor of this one's shape around `values`."""
        raise NotImplementedError

    def _parts(self) -> list[Tensor]:
        """The parts, as views."""
        raise NotImplementedError

    def unbind(self, dim: int = 0, *, axis: int | None = None) -> tuple[Tensor, ...]:
        """The parts, as views.

        Raises:
            RuntimeError: a dimension other than the first.
        """
        if (dim if axis is None else axis) not in (0, -self.dim()):
            raise fail(RuntimeError, "unbind", "of a nested tensor is along dimension 0 alone.")
        return tuple(self._parts())

    def __iter__(self) -> Any:
        return iter(self._parts())

    def tolist(self) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "tolist", "of a nested tensor: use .unbind().")

    def numpy(self, *, force: bool = False) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "numpy", "of a nested tensor: use .values() or .unbind().")

    def to_padded_tensor(self, padding: float, output_size: Any = None) -> Tensor:
        """All parts in one dense tensor, filled up with `padding`.

        Raises:
            RuntimeError: `output_size` is smaller than a part of a strided one.
        """
        parts = self._parts()
        most = [max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True)]
        if output_size is not None:
            most = self._room(most, list(output_size[1:]))
        padded = []
        for part in parts:
            room = [
                x for n, m in zip(part.shape[::-1], most[::-1], strict=True) for x in (0, m - n)
            ]
            padded.append(flambeau.nn.functional.pad(part, room, value=padding))
        return flambeau.stack(padded)

    def _room(self, most: list[int], asked: list[int]) -> list[int]:
        """The padded parts' sizes that were asked for, checked."""
        raise NotImplementedError

    def _run(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """An operation of which this is the first nested argument."""
        raise NotImplementedError

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        operation = getattr(func, "operation", None)
        name = getattr(operation, "name", "") or getattr(func, "__name__", "")
        own = getattr(func, "__name__", name)
        if name in WHOLE or own in WHOLE:
            with without_subclasses():
                method = getattr(cls, own, None) if isinstance(args[0], cls) else None
                return (method if callable(method) else func)(*args, **kwargs)
        given = each_of((*args, *kwargs.values()))
        first = next(each for each in given if isinstance(each, NestedTensor))
        written = own.endswith("_") and not own.startswith("__")
        function = inside(func) or func
        if written:
            with without_subclasses():
                function(*plain_args(args, bare), **plain_args(kwargs, bare))
            return args[0]
        return first._run(name.strip("_"), function, args, kwargs)
