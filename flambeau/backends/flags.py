"""Switches that scripts read and set: checked, kept, and without effect on NumPy's kernels."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

__all__ = ["Flags"]


class Flags(ModuleType):
    """A module of switches: only the known names can be set, each to its own type.

    Raises:
        RuntimeError: a value of another type, or a name that is no switch.
    """

    def __init__(self, name: str, doc: str, switches: dict[str, Any], **functions: Any) -> None:
        super().__init__(name, doc)
        self.__dict__["_switches"] = dict(switches)
        self.__dict__.update(functions)
        self.__dict__["__all__"] = sorted([*switches, *functions])
        sys.modules[name] = self

    def __getattr__(self, name: str) -> Any:
        switches = self.__dict__.get("_switches", {})
        if name in switches:
            return switches[name]
        from flambeau.shim.suggest import missing

        known = [*switches, *(key for key in self.__dict__ if not key.startswith("_"))]
        raise missing(self.__name__, name, known)

    def __setattr__(self, name: str, value: Any) -> None:
        switches = self.__dict__["_switches"]
        if name not in switches:
            if name.startswith("__") or isinstance(value, ModuleType):
                super().__setattr__(name, value)
                return
            from flambeau.shim.suggest import missing

            raise missing(self.__name__, name, switches)
        kept = switches[name]
        if isinstance(kept, bool) and not isinstance(value, bool):
            room = self.__name__.replace("flambeau", "torch")
            raise RuntimeError(
                f"{room}.{name} expected a bool, got {value!r} ({type(value).__name__})."
            )
        switches[name] = value

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self._switches})

    def set_flags(self, **values: Any) -> tuple[Any, ...]:
        """Set the switches that are not None; their values before, in the order given."""
        before = tuple(getattr(self, name) for name in values)
        for name, value in values.items():
            if value is not None:
                setattr(self, name, value)
        return before

    @contextlib.contextmanager
    def flags(self, **values: Any) -> Iterator[None]:
        """Set switches for the time of a block."""
        before = dict(zip(values, self.set_flags(**values), strict=True))
        try:
            yield
        finally:
            self.__dict__["_switches"].update(before)
