"""In-place twins that write straight into the tensor where no graph is asked for, instead of
copying a result back.

Stands on inplace's callers: whatever is not plain goes their way. Stands on state, storage,
overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.declare import ops
from flambeau.core.overlap import overlaps
from flambeau.core.silence import quiet
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of
from flambeau.core.titles import entitle

__all__ = ["direct"]

nd = np.ndarray


def direct(name: str, write: Callable[..., None]) -> None:
    """Let the in-place operation `name` call ``write(target, ...)`` on arrays where that is all
    there is to do.

    Args:
        name: an in-place operation already declared.
        write: takes the operation's arguments, positional, with arrays for tensors; writes its
            row-major first.
    """
    general = getattr(ops, name)

    def written(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        m = mode()
        if not kwargs and (m is None or m is NO_GRAD) and type(input) in PLAIN:
            a = input._array
            if (
                type(a) is nd
                and a.flags.c_contiguous
                and (m is not None or edge_of(input) is None)
                and not overlaps(a)
            ):
                arrays = _plain(a, args, m)
                if arrays is not None:
                    quiet(write, a, *arrays)
                    touch(input, name.lstrip("_"))
                    return input
        return general(input, *args, **kwargs)  # type: ignore[no-any-return]

    written.__name__ = general.__name__
    entitle(written, general.__qualname__)
    written.__doc__ = general.__doc__
    written.operation = general.operation  # type: ignore[attr-defined]
    setattr(ops, name, written)
    if getattr(Tensor, name, None) is general:
        setattr(Tensor, name, written)


def _plain(target: Any, args: tuple[Any, ...], m: Any) -> list[Any] | None:
    """The arguments with arrays for tensors; None where one wants a graph, shares the target's
    memory or is no array.
    """
    found = []
    for x in args:
        if isinstance(x, Tensor):
            a = x._array
            if type(x) not in PLAIN or type(a) is not nd or (m is None and edge_of(x) is not None):
                return None
            if np.may_share_memory(a, target):
                return None
            x = a
        found.append(x)
    return found
