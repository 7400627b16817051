"""`RemovableHandle`: what registering a hook returns. Stands on nothing."""

from __future__ import annotations

import weakref
from itertools import count
from typing import Any

__all__ = ["RemovableHandle"]


class RemovableHandle:
    """Takes a hook away again: `handle.remove()`, or at the end of a `with` block.

    Args:
        hooks_dict: the table the hook stands in.
        extra_dict: further tables (one or a list) from which the same id goes.
    """

    next_id = count()

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = next(RemovableHandle.next_id)
        self.hooks_dict_ref = _reference(hooks_dict)
        extras = (
            extra_dict
            if isinstance(extra_dict, list)
            else [extra_dict]
            if extra_dict is not None
            else []
        )
        self.extra_dict_ref = tuple(_reference(each) for each in extras)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        for find in (self.hooks_dict_ref, *self.extra_dict_ref):
            table = find()
            if table is not None and self.id in table:
                del table[self.id]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def __getstate__(self) -> Any:
        return self.id, self.hooks_dict_ref()

    def __setstate__(self, state: Any) -> None:
        self.id = state[0]
        self.hooks_dict_ref = _reference(state[1] if state[1] is not None else {})
        self.extra_dict_ref = ()


def _reference(table: Any) -> Any:
    try:
        return weakref.ref(table)
    except TypeError:  # a plain dict knows no weak references: it is small, and kept
        return lambda: table
