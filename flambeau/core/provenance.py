"""Which line of the user's code did it: frames are noted as (code, instruction offset) and resolved
only for a message.

Stands on nothing else in the package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType

__all__ = [
    "INNER",
    "LIBRARY",
    "MODULE_CALLS",
    "USER",
    "Where",
    "line_of",
    "module_frames",
    "place",
    "stack_level",
    "user_frame",
    "where",
]

Where = tuple[CodeType, int]

LIBRARY = str(Path(__file__).resolve().parent.parent) + "/"
USER: dict[int, CodeType] = {}
"""Code objects known to be the user's, by id (and kept alive, so that an id stays true)."""
INNER: dict[int, CodeType] = {}
MODULE_CALLS: set[CodeType] = set()
"""The code of `Module.__call__`: frames in which `self` is a module on the way to the operation."""

_frame = sys._getframe


def user_frame(frame: FrameType) -> FrameType:
    """The nearest frame from `frame` outward that is not the library's own; the outermost one if
    there is none.
    """
    while True:
        code = frame.f_code
        key = id(code)
        if key in USER:
            return frame
        if key not in INNER:
            if code.co_filename.startswith(LIBRARY):
                INNER[key] = code
            else:
                USER[key] = code
                return frame
        if frame.f_back is None:
            return frame
        frame = frame.f_back


def where() -> Where:
    """The user's place right now."""
    frame = user_frame(_frame(1))
    return frame.f_code, frame.f_lasti


def line_of(spot: Where) -> tuple[str, int]:
    """File name and line number of a noted place."""
    code, offset = spot
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
            break
    return code.co_filename, line


def place(spot: Where | None) -> str:
    """`train.py:12 (`h = a * b`)`: file, line and the text of the line where it can be read."""
    if spot is None:
        return "an unknown line"
    import linecache

    name, number = line_of(spot)
    text = linecache.getline(name, number).strip()
    short = f"{Path(name).name}:{number}"
    return f"{short} (`{text}`)" if text else short


def module_frames(frame: FrameType | None) -> list[object]:
    """The modules whose call is under way, outermost first."""
    found: list[object] = []
    while frame is not None:
        if frame.f_code in MODULE_CALLS:
            found.append(frame.f_locals.get("self"))
        frame = frame.f_back
    return found[::-1]


def stack_level() -> int:
    """The `stacklevel` with which a warning points at the user's line."""
    frame = _frame(1)
    level = 0
    while frame is not None and frame.f_code.co_filename.startswith(LIBRARY):
        frame = frame.f_back  # type: ignore[assignment]
        level += 1
    return level + 1
