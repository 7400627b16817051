"""What all tensors with a meaning share: how they are made, and which results keep the meaning.

Stands on ``core.overrides``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flambeau as torch
from flambeau.core.overrides import without_subclasses
from flambeau.core.tensor import Tensor

__all__ = ["TVTensor", "set_return_type"]

_keeps_all = False


class set_return_type:
    """Whether operations on these tensors give ``"Tensor"`` (at first) or ``"TVTensor"``.

    As a call it holds from then on, as a context manager in its block.

    Raises:
        ValueError: another name.
    """

    def __init__(self, return_type: str) -> None:
        global _keeps_all
        kind = return_type.lower()
        if kind not in ("tensor", "tvtensor"):
            raise ValueError(
                f"set_return_type: return_type must be 'TVTensor' or 'Tensor', got {return_type}."
            )
        self._before = _keeps_all
        _keeps_all = kind == "tvtensor"

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        global _keeps_all
        _keeps_all = self._before


class TVTensor(Tensor):
    """A tensor with a meaning; made from what ``torch.as_tensor`` takes."""

    @staticmethod
    def _to_tensor(
        data: Any, dtype: Any = None, device: Any = None, requires_grad: bool | None = None
    ) -> Tensor:
        if requires_grad is None:
            requires_grad = data.requires_grad if isinstance(data, Tensor) else False
        made: Tensor = torch.as_tensor(data, dtype=dtype, device=device)
        return made.requires_grad_(requires_grad)

    @classmethod
    def _like(cls, tensor: Tensor, first: Any, **changed: Any) -> Any:
        """``tensor`` with the meaning of ``first``, but for what ``changed`` names."""
        return tensor.as_subclass(cls)

    @classmethod
    def __torch_function__(  # type: ignore[override]
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if not all(issubclass(cls, kind) for kind in types):
            return NotImplemented
        with without_subclasses():
            output = func(*args, **(kwargs or {}))
            if _keeps_all:
                first = _first_of(cls, args)
                return output if first is None else cls._kept(output, first)
            return output.as_subclass(Tensor) if isinstance(output, cls) else output

    @classmethod
    def _kept(cls, output: Any, first: Any) -> Any:
        if isinstance(output, Tensor):
            own = isinstance(output, cls) and vars(output).keys() >= vars(first).keys()
            return output if own else cls._like(output, first)
        if isinstance(output, (tuple, list)) and not hasattr(output, "_fields"):
            return type(output)(cls._kept(each, first) for each in output)
        return output

    # The methods that keep the meaning; as functions (torch.clone) they do not.
    def clone(self, *args: Any, **kwargs: Any) -> Any:
        """A copy of the same meaning."""
        with without_subclasses():
            return type(self)._like(Tensor.clone(self, *args, **kwargs), self)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype or on another device, of the same meaning."""
        with without_subclasses():
            output = Tensor.to(self, *args, **kwargs)
            return self if output is self else type(self)._like(output, self)

    def detach(self) -> Any:
        """Without its history, of the same meaning."""
        with without_subclasses():
            return type(self)._like(Tensor.detach(self), self)

    def _told(self, **extra: Any) -> str:
        """The representation, with what else is known."""
        # As a subclass already: the plain tensor's text under this class's name.
        with without_subclasses():
            text = Tensor.__repr__(self)
        text = text.rpartition(")")[0]
        return f"{text}, {', '.join(f'{name}={value}' for name, value in extra.items())})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        with without_subclasses():
            plain = self.detach().clone().requires_grad_(self.requires_grad)
        return type(self)._like(plain, self)

    def __copy__(self) -> Any:
        return copy.deepcopy(self)


def _first_of(cls: type, values: Any) -> Any:
    """The first value of the class, also within sequences."""
    for value in values:
        if isinstance(value, cls):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str):
            found = _first_of(cls, value)
            if found is not None:
                return found
        if isinstance(value, Mapping):
            found = _first_of(cls, value.values())
            if found is not None:
                return found
    return None
