"""What differs from thread to thread: grad mode, and everything that slows an operation down.

One context variable answers the hot path's only question. `None` is the ordinary state (grad mode
on, nothing else); `NO_GRAD` is the other state in which an operation takes its short way; any other
`Mode` sends it to `slow`. Stands on nothing.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from itertools import count
from typing import Any

from flambeau.core.context import assign, reset

__all__ = [
    "COUNT",
    "INFERENCE",
    "NO_GRAD",
    "Mode",
    "VARIABLE",
    "current",
    "grad_enabled",
    "mode",
    "next_sequence",
    "ordinary",
    "restore",
    "switch",
    "switch_grad",
    "switch_inference",
]

COUNT = count(1)
next_sequence = COUNT.__next__
"""One number line for nodes and writes: a write that carries a larger number than a node came after
it.
"""


class Mode:
    """An immutable set of switches; `changed(...)` makes the next one."""

    __slots__ = (
        "anomaly",
        "autocast",
        "device",
        "dispatch",
        "functions",
        "grad",
        "inference",
        "levels",
        "pack",
    )

    def __init__(
        self,
        grad: bool = True,
        inference: bool = False,
        anomaly: bool | None = None,
        pack: tuple[Any, ...] = (),
        functions: tuple[Any, ...] = (),
        levels: tuple[Any, ...] = (),
        autocast: Any = None,
        device: Any = None,
        dispatch: tuple[Any, ...] = (),
    ) -> None:
        self.grad = grad
        self.inference = inference
        self.anomaly = anomaly
        self.pack = pack
        self.functions = functions
        self.levels = levels
        self.autocast = autocast
        self.device = device
        self.dispatch = dispatch

    def changed(self, **switches: Any) -> Mode | None:
        """This mode with some switches changed, in its canonical form."""
        values = {name: getattr(self, name) for name in Mode.__slots__} | switches
        if not any(values[name] for name in SPECIAL):
            return None if values["grad"] else NO_GRAD
        if values["inference"] and not values["grad"]:
            if not any(values[name] for name in SPECIAL if name != "inference"):
                return INFERENCE
        return Mode(**values)


SPECIAL = tuple(name for name in Mode.__slots__ if name != "grad")
ORDINARY = Mode()
NO_GRAD = Mode(grad=False)
INFERENCE = Mode(grad=False, inference=True)
"""The third state in which native entries serve: they mark what they make."""

VARIABLE: ContextVar[Mode | None] = ContextVar("flambeau_mode", default=None)
mode = VARIABLE.get
"""The thread's mode; None for the ordinary one. About 10 ns, a threading.local attribute takes 45.
"""


def ordinary() -> bool:
    """Whether operations may take their short way."""
    now = VARIABLE.get()
    return now is None or now is NO_GRAD


def current() -> Mode:
    """The thread's mode as an object, `ORDINARY` included."""
    return VARIABLE.get() or ORDINARY


def grad_enabled() -> bool:
    """Whether operations record a graph in this thread: under inference mode none does, not even
    inside `enable_grad`.
    """
    now = VARIABLE.get()
    return True if now is None else now.grad and not now.inference


def switch(**switches: Any) -> Token[Mode | None]:
    """Change switches for this thread; give the token to `restore`."""
    return assign(VARIABLE, current().changed(**switches))


def switch_grad(grad: bool) -> Token[Mode | None]:
    """`switch(grad=...)`, without the detour where nothing else is set."""
    now = VARIABLE.get()
    if now is None or now is NO_GRAD:
        return assign(VARIABLE, None if grad else NO_GRAD)
    return assign(VARIABLE, now.changed(grad=grad))


def switch_inference() -> Token[Mode | None]:
    """``switch(grad=False, inference=True)``, without the detour where nothing else is set."""
    now = VARIABLE.get()
    if now is None or now is NO_GRAD:
        return assign(VARIABLE, INFERENCE)
    return assign(VARIABLE, now.changed(grad=False, inference=True))


def restore(token: Token[Mode | None]) -> None:
    """Take back what a `switch` changed."""
    reset(VARIABLE, token)
