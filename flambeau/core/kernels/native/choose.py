"""Which form of a kernel is called: the native one from its first call on, where there is one.

Nothing is compiled or loaded before a kernel is called. What form runs does not depend on time: the
first call of a process loads or compiles it. Stands on formulas, build, silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import elementwise, table
from flambeau.core.kernels.native.formulas import FORMULAS
from flambeau.core.silence import run

__all__ = ["caller", "lazily", "native"]

_FOUND: dict[str, Callable[..., Any] | None] = {}


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any] | None:
    """The native function of a formula, which calls `numpy_form` where it does not serve; None
    where no code can be generated.
    """
    if not build.available() or not table.trusted():
        return None
    try:
        addresses = build.load(elementwise.module(name, FORMULAS[name]))
        return table.builtin(name, addresses[name], numpy_form)
    except build.Unavailable:
        return None


def caller(
    name: str, kernel: Callable[..., Any], settle: Callable[[Callable[..., Any]], None]
) -> Callable[..., Any]:
    """What an entry calls on arrays: ``call(*arrays)`` gives the result, no warning is given.

    Args:
        name: the operation's.
        kernel: its NumPy form.
        settle: takes what is to be called from the first call on.
    """
    quietly = partial(run, kernel)
    if name not in FORMULAS:
        return quietly

    def first(*arrays: Any) -> Any:
        found = native(name, quietly) or quietly
        settle(found)
        return found(*arrays)

    return first


def lazily(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """A function that becomes native at its first call: for gradient rules on arrays."""
    call: Callable[..., Any]

    def first(*arrays: Any) -> Any:
        nonlocal call
        call = native(name, numpy_form) or numpy_form
        return call(*arrays)

    call = first
    return lambda *arrays: call(*arrays)
