"""Questions about sizes not known yet. Here every size is an int, so each has its plain answer."""

from __future__ import annotations

from typing import Any

__all__ = [
    "free_symbols",
    "guard_or_false",
    "guard_or_true",
    "guard_size_oblivious",
    "has_free_symbols",
    "statically_known_true",
]


def guard_or_false(a: Any) -> bool:
    """Whether it is so."""
    return bool(a)


guard_or_true = guard_size_oblivious = statically_known_true = guard_or_false


def free_symbols(val: Any) -> set[Any]:
    """The unknowns in a value: none."""
    return set()


def has_free_symbols(val: Any) -> bool:
    """Whether a value has unknowns: no."""
    return False
