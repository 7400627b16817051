"""Setting context variables so that a garbage collection in the middle does no harm.

Before Python 3.12 a collection may start while `ContextVar.set` copies the map of all variables,
and a finalizer that sets one itself (a generator under `no_grad` that is closed) frees the map that
is being copied (https://github.com/python/cpython/issues/148891). Whoever holds a copy of the
context holds that map. Stands on nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar, Token, copy_context
from typing import TypeVar

__all__ = ["alone", "assign", "reset"]

T = TypeVar("T")

if sys.version_info >= (3, 12):  # collections wait for the end of a call

    def assign(variable: ContextVar[T], value: T) -> Token[T]:
        """``variable.set(value)``."""
        return variable.set(value)

    def reset(variable: ContextVar[T], token: Token[T]) -> None:
        """``variable.reset(token)``."""
        variable.reset(token)

    def alone(function: Callable[[], None]) -> None:
        """Call what a finalizer calls."""
        function()

else:

    def assign(variable: ContextVar[T], value: T) -> Token[T]:
        """``variable.set(value)``."""
        held = copy_context()  # noqa: F841
        return variable.set(value)

    def reset(variable: ContextVar[T], token: Token[T]) -> None:
        """``variable.reset(token)``."""
        held = copy_context()  # noqa: F841
        variable.reset(token)

    def alone(function: Callable[[], None]) -> None:
        """Call what a finalizer calls, so that what it sets frees nothing of this context: somebody
        else's `ContextVar.set` may have been cut.
        """
        copy_context().run(function)
