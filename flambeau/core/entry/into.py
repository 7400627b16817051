"""``out=``: results of elementwise operations computed into the tensor that is given.

What is written where it lies, resized, cast or refused goes the long way: a result, then a copy
(``filling.written_out``), or ``core/output``. Stands on process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core.entry import process
from flambeau.core.kernels.native.choose import FORMULAS, resolved

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["into"]

MOST = 4
"""Operands at most."""


def into(
    op: Op, name: str, count: int, kinds: Callable[[], Iterable[Any]], title: str = "", **how: int
) -> Callable[..., Any]:
    """``write(out, *operands)``, made at its first call; None where it does not serve.

    Args:
        op: the operation.
        name: of its formula.
        count: of operands.
        kinds: gives the dtypes of the short way.
        title: what the write is called; the operation's name by default.
        how: `numbers`: operands after the first may be numbers; `chooses`: the first is a
            condition.
    """

    def first(*args: Any) -> Any:
        nonlocal short
        short = _unserved
        if count <= MOST and (name.lstrip("_") in FORMULAS or type(op.kernel) is np.ufunc):
            kernel = resolved(name, _refused, count, op)
            label = f"{title or op.name.lstrip('_')} (out=)"
            short = process.native("write_out", op, kernel, label, kinds(), **how) or _unserved
        return short(*args)

    short: Callable[..., Any] = first
    return lambda *args: short(*args)


def _refused(*arrays: Any) -> Any:
    """The NumPy form would resize nothing and broadcast into what is larger."""
    raise ValueError("the long way makes a result first, and asks what may be written")


def _unserved(*args: Any) -> None:
    """There is no short way."""
