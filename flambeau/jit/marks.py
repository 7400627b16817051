"""What TorchScript reads in a text: in Python the marks mean nothing, and cost nothing."""

from __future__ import annotations

import builtins
from typing import Any, Final, NamedTuple, TypeVar

__all__ = [
    "Attribute",
    "Final",
    "annotate",
    "export",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "strict_fusion",
    "unused",
]

F = TypeVar("F")


class Attribute(NamedTuple):
    """A value with the type TorchScript should give it."""

    value: Any
    type: Any


def annotate(the_type: Any, the_value: F) -> F:
    """The value."""
    return the_value


def export(fn: F) -> F:
    """The function: it would be compiled though `forward` does not call it."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function: it would stay Python. Also with arguments, as ``@ignore(drop=True)``."""
    return drop if callable(drop) else export


def unused(fn: F) -> F:
    """The function: it would raise in a compiled program."""
    return fn


def _overload(func: F) -> F:
    """The declaration of one of several signatures; the last definition is what runs."""
    return func


_overload_method = _overload


def interface(obj: F) -> F:
    """The class."""
    return obj


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether an object has a type, parameters of containers included: ``List[int]``."""
    from typing import get_args, get_origin

    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, each) for each in target_type)
    origin, inner = get_origin(target_type), get_args(target_type)
    if origin is None:
        return target_type is Any or builtins.isinstance(obj, target_type or type(None))
    if origin is dict:
        return builtins.isinstance(obj, dict) and all(
            isinstance(k, inner[0]) and isinstance(v, inner[1]) for k, v in obj.items()
        )
    if origin is tuple:
        return (
            builtins.isinstance(obj, tuple)
            and len(obj) == len(inner)
            and all(map(isinstance, obj, inner))
        )
    if origin is list:
        return builtins.isinstance(obj, list) and all(isinstance(x, inner[0]) for x in obj)
    return any(isinstance(obj, each) for each in inner)  # Optional, Union


def is_scripting() -> bool:
    """False: everything is Python."""
    return False


def is_tracing() -> bool:
    """False: nothing is traced."""
    return False


class strict_fusion:
    """A block whose operations TorchScript would have to fuse; here they just run."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: Any) -> None:
        return None
