"""Modes and helpers of `__torch_dispatch__`, by the path under which libraries find them. The
mechanism stands in core.lower.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from flambeau.core import lower, state
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import PLAIN, Tensor

__all__ = [
    "BaseTorchDispatchMode",
    "TorchDispatchMode",
    "is_in_torch_dispatch_mode",
    "is_traceable_wrapper_subclass",
    "is_traceable_wrapper_subclass_type",
    "return_and_correct_aliasing",
    "transform_subclass",
]


class TorchDispatchMode:
    """A block in which every operation below the graph asks
    ``__torch_dispatch__(func, types, args, kwargs)`` first.

    Inside that method the mode itself is off. `func` is an overload of ``torch.ops.aten``.
    """

    def __init__(self, _dispatch_key: Any = None) -> None:
        pass

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError

    def __enter__(self) -> TorchDispatchMode:
        import_module("flambeau.library.lowered")
        tokens = self.__dict__.setdefault("_tokens", [])
        tokens.append(state.switch(dispatch=(*state.current().dispatch, self)))
        return self

    def __exit__(self, *exc: object) -> None:
        state.restore(self.__dict__["_tokens"].pop())

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> TorchDispatchMode:
        """An instance, to be entered with `with` (the old form)."""
        warnings.warn(
            "`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`",
            UserWarning,
            stacklevel=stack_level(),
        )
        return cls(*args, **kwargs)


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that calls what it is asked about."""

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def _get_current_dispatch_mode() -> TorchDispatchMode | None:
    """The innermost mode."""
    modes = state.current().dispatch
    return modes[-1] if modes else None


def _get_current_dispatch_mode_stack() -> list[TorchDispatchMode]:
    """The modes, outermost first."""
    return list(state.current().dispatch)


def is_in_torch_dispatch_mode(include_infra_modes: bool = True) -> bool:
    """Whether a mode is on."""
    return bool(state.current().dispatch)


@contextmanager
def _disable_current_modes() -> Iterator[list[TorchDispatchMode]]:
    """A block without the modes; gives them."""
    modes = _get_current_dispatch_mode_stack()
    token = state.switch(dispatch=())
    try:
        yield modes
    finally:
        state.restore(token)


def is_traceable_wrapper_subclass(t: object) -> bool:
    """Whether a value is a subclass that says which tensors it is made of."""
    return (
        isinstance(t, Tensor)
        and type(t) not in PLAIN
        and hasattr(t, "__tensor_flatten__")
        and hasattr(t, "__tensor_unflatten__")
    )


def is_traceable_wrapper_subclass_type(t: type) -> bool:
    """The same of a class."""
    return (
        issubclass(t, Tensor)
        and t not in PLAIN
        and hasattr(t, "__tensor_flatten__")
        and hasattr(t, "__tensor_unflatten__")
    )


def transform_subclass(
    t: Any, callback: Callable[[str, Any], Any], outer_size: Any = None, outer_stride: Any = None
) -> Any:
    """Another instance of a traceable wrapper, of what `callback(name, tensor)` makes of its
    inner tensors.
    """
    names, context = t.__tensor_flatten__()
    inner = {name: callback(name, getattr(t, name)) for name in names}
    size = t.size() if outer_size is None else outer_size
    stride = t.stride() if outer_stride is None else outer_stride
    return type(t).__tensor_unflatten__(inner, context, size, stride)


def return_and_correct_aliasing(func: Any, args: Any, kwargs: Any, out: Any) -> Any:
    """What a handler gave; the written tensor itself for an operation that writes in place."""
    name = getattr(getattr(func, "overloadpacket", func), "__name__", "")
    if name.endswith("_") and not name.endswith("__"):
        return args[0]
    if kwargs and isinstance(kwargs.get("out"), Tensor):
        return kwargs["out"]
    return out


_disabled_torch_dispatch_impl = lower.disabled
