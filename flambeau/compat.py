"""How strictly flambeau keeps to PyTorch where it could help more, and what is said only once.

By default forms that PyTorch dropped are understood with a ``LegacyWarning`` and silent mistakes
are noticed; ``strict()`` gives PyTorch's behaviour.
"""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Hashable, Iterator
from typing import Any

from flambeau.core.errors import LegacyWarning
from flambeau.core.provenance import stack_level

__all__ = [
    "LegacyWarning",
    "is_strict",
    "retain_variables",
    "strict",
    "warn_legacy",
    "warn_once",
]

_strict: contextvars.ContextVar[bool] = contextvars.ContextVar("flambeau_strict", default=False)
_said: set[Hashable] = set()


@contextlib.contextmanager
def strict(enabled: bool = True) -> Iterator[None]:
    """Keep to PyTorch's behaviour exactly for a block: refuse what it refuses, pass what it passes.

    Example:
        >>> with strict():
        ...     is_strict()
        True
    """
    token = _strict.set(enabled)
    try:
        yield
    finally:
        _strict.reset(token)


def is_strict() -> bool:
    """Whether the current thread is inside `strict()`."""
    return _strict.get()


def warn_once(
    message: str,
    category: type[Warning] = UserWarning,
    *,
    key: Hashable = None,
    stacklevel: int = 2,
) -> None:
    """Warn the first time only; ``key`` (default: the text) says what counts as the same."""
    key = message if key is None else key
    if key in _said:
        return
    _said.add(key)
    warnings.warn(message, category, stacklevel=stacklevel + 1)


def warn_legacy(operation: str, form: str, instead: str, *, stacklevel: int = 2) -> None:
    """Accept a form that PyTorch dropped, with a warning; under `strict()` refuse it.

    Raises:
        TypeError: inside `strict()`.
    """
    message = f"{operation}: {form} is no longer accepted by PyTorch. Use {instead} instead."
    if _strict.get():
        raise TypeError(message)
    warnings.warn(message, LegacyWarning, stacklevel=stacklevel + 1)


def retain_variables(legacy: dict[str, Any], retain_graph: bool | None) -> bool | None:
    """What `backward` is to retain, given keywords it does not know: only the old
    ``retain_variables`` is understood.

    Raises:
        TypeError: any other keyword, or inside `strict()`.
    """
    for name in legacy:
        if name != "retain_variables":
            raise TypeError(f"backward() got an unexpected keyword argument '{name}'")
    warn_legacy("backward", "retain_variables=", "retain_graph=", stacklevel=stack_level())
    return bool(legacy["retain_variables"]) or retain_graph
