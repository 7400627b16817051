"""Short ways of operations of several tensors and numbers, made at their first call.

Each gives None where it does not serve. Stands on process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.entry import process
from flambeau.core.entry.into import into
from flambeau.core.kernels.native.choose import FORMULAS, resolved, short_kinds
from flambeau.core.kernels.order import ordered

__all__ = ["KINDS", "Several"]

KINDS = tuple(np.dtype(t) for t in ("f4", "f8", "i8", "i4", "?"))


class Several:
    """``result(*args)``; written into the first, ``written(*args)``; ``into(out, *args)``.

    Args:
        name: of the operation that is the result's history.
        title: what the write is called.
        formula: the name of the native kernel, which takes the array to write last.
        form: its NumPy form; raises where the long way must look.
        how: as `process.several` takes it.
    """

    def __init__(
        self, name: str, title: str, formula: str, form: Callable[..., Any], **how: int
    ) -> None:
        self.name, self.title, self.formula, self.form, self.how = name, title, formula, form, how
        self.result: Callable[..., Any] = self._first_result
        self.written: Callable[..., Any] = self._first_written
        self.into: Callable[..., Any] = self._first_into

    def _made(self, title: str, **more: int) -> Callable[..., Any]:
        from flambeau.core.declare import OPERATIONS  # which stands on the entries

        op, how = OPERATIONS[self.name], self.how | more
        kernel = resolved(self.formula, ordered(self.form), op=op)
        kinds = short_kinds(op, self.formula, len(op.names)).union(KINDS)
        return process.several(op, kernel, kinds, title, **how) or _unserved

    def _first_result(self, *args: Any) -> Any:
        self.result = self._made("", same=1)
        return self.result(*args)

    def _first_written(self, *args: Any) -> Any:
        self.written = self._made(self.title, into=1)
        return self.written(*args)

    def _first_into(self, *args: Any) -> Any:
        from flambeau.core.declare import OPERATIONS

        op, count = OPERATIONS[self.name], FORMULAS[self.formula].arity
        kinds = short_kinds(op, self.formula, count).union(KINDS)
        self.into = into(op, self.formula, count, lambda: kinds, self.title[:-1], numbers=1)
        return self.into(*args)


def _unserved(*args: Any) -> None:
    """There is no short way."""
