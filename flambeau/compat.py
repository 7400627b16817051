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

from flambeau.core.context import assign, reset
from flambeau.core.dtypes import uint8
from flambeau.core.errors import LegacyWarning
from flambeau.core.provenance import stack_level

__all__ = [
    "LegacyWarning",
    "bool_mask",
    "forget",
    "is_strict",
    "retain_variables",
    "strict",
    "understood",
    "warn_always",
    "warn_legacy",
    "warn_once",
]

_strict: contextvars.ContextVar[bool] = contextvars.ContextVar("flambeau_strict", default=False)
_said: set[Hashable] = set()
_always = [False]


@contextlib.contextmanager
def strict(enabled: bool = True) -> Iterator[None]:
    """Keep to PyTorch's behaviour exactly for a block: refuse what it refuses, pass what it passes.

    Example:
        >>> with strict():
        ...     is_strict()
        True
    """
    token = assign(_strict, enabled)
    try:
        yield
    finally:
        reset(_strict, token)


def is_strict() -> bool:
    """Whether the current thread is inside `strict()`."""
    return _strict.get()


def warn_once(
    message: str,
    category: type[Warning] = UserWarning,
    *,
    key: Hashable = None,
) -> None:
    """Warn, at the user's line, the first time only; ``key`` (default: the text) says what counts
    as the same.
    """
    key = message if key is None else key
    if key in _said and not _always[0]:
        return
    _said.add(key)
    warnings.warn(message, category, stacklevel=stack_level())


def warn_always(enabled: bool) -> None:
    """Whether warnings that come once come always (`torch.set_warn_always`)."""
    _always[0] = enabled


def forget() -> None:
    """What was said once is said again when it comes again."""
    _said.clear()


def warn_legacy(operation: str, form: str, instead: str) -> None:
    """Accept a form that PyTorch dropped, with a warning the first time; refuse it in `strict()`.

    Raises:
        TypeError: inside `strict()`.
    """
    message = f"{operation}: {form} is no longer accepted by PyTorch. Use {instead} instead."
    if _strict.get():
        raise TypeError(message)
    warn_once(message, LegacyWarning)


def understood(operation: str, form: str, instead: str) -> bool:
    """Whether to understand a dropped form, told of by `warn_legacy`; False inside `strict()`."""
    if _strict.get():
        return False
    warn_legacy(operation, form, instead)
    return True


def bool_mask(operation: str, mask: Any) -> Any:
    """A mask of bytes, which comparisons gave before PyTorch 1.2, as bools; others as they are."""
    if getattr(mask, "dtype", None) is not uint8 or not understood(
        operation, "a mask of bytes", "a bool mask (mask != 0)"
    ):
        return mask
    return mask != 0


def retain_variables(
    operation: str, legacy: dict[str, Any], retain_graph: bool | None
) -> bool | None:
    """What a backward is to retain, given keywords it does not know: only the old
    ``retain_variables`` is understood.

    Raises:
        TypeError: any other keyword, or inside `strict()`.
    """
    for name in legacy:
        if name != "retain_variables":
            raise TypeError(f"{operation}() got an unexpected keyword argument '{name}'")
    warn_legacy(operation, "retain_variables=", "retain_graph=")
    return bool(legacy["retain_variables"]) or retain_graph
