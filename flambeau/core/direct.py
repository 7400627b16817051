"""In-place twins that write straight into the tensor where no graph is asked for, instead of
copying a result back.

Stands on inplace's callers: whatever is not plain goes their way. Stands on state, storage,
overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from flambeau.core.binding import MISSING
from flambeau.core.declare import ops
from flambeau.core.entry import process
from flambeau.core.kernels.native.table import BFLOAT16
from flambeau.core.overlap import overlaps
from flambeau.core.silence import quiet, run
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of
from flambeau.core.titles import entitle

__all__ = ["Small", "direct"]

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
    op = general.operation
    fills = {n: op.template[n:] for n in range(len(op.names)) if MISSING not in op.template[n:]}
    short = Small(op, name.lstrip("_"))

    def written(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not kwargs:
            t = short.call(input, *args, *fills.get(len(args) + 1, ()))
            if t is not None:
                return t  # type: ignore[no-any-return]
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


class Small:
    """``small.call(...)``: the native form of small tensors, with all the operation's arguments, a
    number where a tensor `value` may be one; None where the long way must look. Written into the
    first where there is a `title`.
    """

    __slots__ = ("call",)
    call: Callable[..., Any]

    def __init__(self, op: Any, title: str = "") -> None:
        def first(*args: Any) -> Any:
            self.call = _native(op, title) or _unserved
            return self.call(*args)

        self.call = first


def _native(op: Any, title: str) -> Callable[..., Any] | None:
    from flambeau.core.kernels.native.small_puts import PUTS, native

    if op.name not in PUTS:
        return None
    kernel, count = partial(run, op.kernel), len(op.names)

    def otherwise(*args: Any) -> Any:
        if len(args) > count:
            raise ValueError
        return kernel(*args)

    found = native(op.name, otherwise)
    numbers = sum(1 << k for k, name in enumerate(op.tensor_names) if name == "value")
    return process.several(op, found, KINDS, title, into=bool(title), mixed=1, numbers=numbers)


KINDS = tuple(np.dtype(t) for t in ("f4", "f8", "i8", "i4", "?", "c8", BFLOAT16, "f2"))


def _unserved(*args: Any) -> None:
    """There is no short way."""


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
