"""What the user has declared safe: the globals that checkpoints may name beyond the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from flambeau.serialization import names

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "safe_globals",
    "user_allowed",
]

Safe = Callable[..., Any] | tuple[Callable[..., Any], str]
_marked: list[Safe] = []


def add_safe_globals(safe_globals: Sequence[Safe]) -> None:
    """Let `load` with ``weights_only=True`` use these classes and functions.

    Args:
        safe_globals: classes or functions, or pairs of one and the full path by which files
            name it.
    """
    _marked.extend(thing for thing in safe_globals if thing not in _marked)


def get_safe_globals() -> list[Safe]:
    """What was declared safe so far."""
    return list(_marked)


def clear_safe_globals() -> None:
    """Forget everything that was declared safe."""
    _marked.clear()


class safe_globals:
    """Context manager: `add_safe_globals` for the time of a block.

    Example:
        >>> with safe_globals([range]):
        ...     get_safe_globals()
        [<class 'range'>]
    """

    def __init__(self, safe_globals: Iterable[Safe]) -> None:
        self.safe_globals = list(safe_globals)

    def __enter__(self) -> None:
        self._added = [thing for thing in self.safe_globals if thing not in _marked]
        add_safe_globals(self._added)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for thing in self._added:
            if thing in _marked:
                _marked.remove(thing)


def user_allowed() -> dict[str, Any]:
    """The declared things by the full paths under which files may name them.

    Raises:
        ValueError: a tuple that is not a pair.
        TypeError: the second of a pair is not a string.
    """
    table: dict[str, Any] = {}
    for thing in _marked:
        if isinstance(thing, tuple):
            if len(thing) != 2:
                raise ValueError(
                    "add_safe_globals: expected a pair (global, its full path in the file), got "
                    f"a tuple of length {len(thing)}."
                )
            if not isinstance(thing[1], str):
                raise TypeError(
                    "add_safe_globals: expected the full path in the file as a str, got "
                    f"{type(thing[1]).__name__}."
                )
            table[thing[1]] = thing[0]
            continue
        table[f"{thing.__module__}.{thing.__qualname__}"] = thing
        known = names.written(thing)
        if known is not None:
            table[".".join(known)] = thing
    return table
