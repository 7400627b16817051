"""The place where users find a function, as the function itself says it. A pickle holds that place
alone: a layer that keeps `torch.relu` as its activation saves and loads. Stands on nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["entitle", "written_in"]


def entitle(function: Callable[..., Any], title: str, room: str = "flambeau") -> None:
    """Name the public place of a function: `room` is a module, `title` the way from there."""
    function.__module__, function.__qualname__ = room, title


def written_in(function: Callable[..., Any]) -> str:
    """The module that defines a function, whatever place it names; of a wrapper, the wrapped's."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return str(getattr(function, "__globals__", {}).get("__name__", ""))
