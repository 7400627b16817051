"""Timing: a function mode that times each operation, and ranges named by the user. Stands on
core.state, core.overrides."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from flambeau.autograd.events import EventList, FunctionEvent
from flambeau.core import state
from flambeau.core.overrides import WHOLE, through
from flambeau.core.tensor import Tensor

__all__ = ["Recorder", "record_function"]


KNOWN_AS = {
    "_addmm_linear": ("linear", "addmm"),
    "_attention": ("scaled_dot_product_attention",),
    "_basic": ("slice",),
    "_cross_entropy": ("cross_entropy_loss",),
    "_fill_in_place": ("fill_",),
    "_index_one": ("index",),
    "_index_pair": ("index",),
    "_mm_linear": ("linear", "mm"),
    "_zero": ("zero_",),
    "convolved": ("convolution",),
    "setitem": ("copy_",),
}
"""PyTorch's names of operations that are called otherwise here, the outer one first: a linear layer
is one operation, and whoever looks for ``addmm`` finds it inside."""


class Recorder:
    """Collects events while it is in force; `__torch_function__` sees every operation."""

    def __init__(self, shapes: bool) -> None:
        self.shapes = shapes
        self.within: list[Any] = []
        self.events: list[FunctionEvent] = []
        self.open: list[FunctionEvent] = []

    def start(self) -> None:
        active.recorder = self
        state.switch(functions=(*state.current().functions, self))

    def stop(self) -> None:
        """Stop; ranges that are still open end here."""
        while self.open:
            self.end()
        state.switch(functions=tuple(f for f in state.current().functions if f is not self))
        active.recorder = None

    def in_order(self) -> EventList:
        """What was recorded, by when it began."""
        return EventList(sorted(self.events, key=lambda event: event.start_ns))

    def begin(self, name: str, shapes: Any = (), user: bool = False) -> None:
        event = FunctionEvent(
            name,
            len(self.events) + len(self.open),
            threading.get_ident(),
            perf_counter_ns(),
            shapes,
            user,
        )
        if self.open:
            event.cpu_parent = self.open[-1]
            self.open[-1].cpu_children.append(event)
        self.open.append(event)

    def end(self) -> None:
        event = self.open.pop()
        event.end_ns = perf_counter_ns()
        self.events.append(event)

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function in WHOLE and function not in self.within:
            return through(self, function, args, kwargs)
        name = getattr(function, "__name__", "") or str(function)
        shapes = (
            [list(a.shape) if isinstance(a, Tensor) else [] for a in args] if self.shapes else ()
        )
        names = KNOWN_AS.get(name) or (name.lstrip("_"),)
        for each in names:
            self.begin("aten::" + each, shapes)
        try:
            return function(*args, **(kwargs or {}))
        finally:
            for _ in names:
                self.end()


class _Active(threading.local):
    recorder: Recorder | None = None


active = _Active()


class record_function:
    """A named range in the profile: a context manager and a decorator.

    Args:
        name: the label. args: kept with it, a string.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self.recorder: Recorder | None = None

    def __enter__(self) -> record_function:
        self.recorder = active.recorder
        if self.recorder is not None:
            self.recorder.begin(self.name, user=True)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.recorder is not None and self.recorder is active.recorder:
            self.recorder.end()
        self.recorder = None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return decorated
