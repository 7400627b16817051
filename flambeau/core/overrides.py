"""`__torch_function__`: operations on Tensor subclasses and under function modes.

Stands on state and tensor; reached from `slow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flambeau.core import state
from flambeau.core.tensor import PLAIN, Tensor

__all__ = ["DISABLED", "concern", "dispatch", "overloads"]

DISABLED: Any = object()
"""Last of `Mode.functions` while `__torch_function__` is off."""


def concern(args: Iterable[Any], m: Any) -> bool:
    """Whether an argument or a mode wants to be asked first."""
    functions = m.functions if m is not None else ()
    if functions:
        return functions[-1] is not DISABLED
    for x in args:
        kind = type(x)
        if kind not in PLAIN and hasattr(kind, "__torch_function__") and (kind is not Tensor):
            return True
    return False


def overloads(args: Iterable[Any]) -> list[Any]:
    """The arguments whose types are asked, subclasses before their bases."""
    found: list[Any] = []
    kinds: list[type] = []
    for x in args:
        kind = type(x)
        if hasattr(kind, "__torch_function__") and kind not in kinds and kind not in PLAIN:
            at = next((k for k, old in enumerate(kinds) if issubclass(kind, old)), len(kinds))
            kinds.insert(at, kind)
            found.insert(at, x)
    return found


def dispatch(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Ask modes, then the arguments' types, what the call gives.

    Raises:
        TypeError: all answered NotImplemented.
    """
    args = tuple(args)
    flat = [t for a in args for t in (a if isinstance(a, (list, tuple)) else (a,))]
    asked = overloads(flat)
    kinds = tuple(type(x) for x in asked)
    now = state.current()
    if now.functions and now.functions[-1] is not DISABLED:
        handler = now.functions[-1]
        token = state.switch(functions=now.functions[:-1])
        try:
            result = handler.__torch_function__(function, kinds, args, kwargs)
        finally:
            state.restore(token)
        if result is not NotImplemented:
            return result
    for x in asked:
        result = type(x).__torch_function__(function, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    if not asked:
        return function(*args, **kwargs)
    raise TypeError(
        f"no implementation found for '{getattr(function, '__name__', function)}' on types that implement "
        f"__torch_function__: {[kind.__name__ for kind in kinds]}"
    )
