"""A builder of native functions that handle CPython's objects: words, slots, references, calls.

Offsets of slots are compiled in, addresses come from the table behind `self`. Stands on
kernels.jit.ir, kernels.native.table, process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flambeau.core.entry.process import EXTRA, SLOTS
from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table

__all__ = ["Writer"]

SIGNATURE = (("ptr", "self"), ("ptr", "args"), ("i64", "n"))
NAMES = (*table.WORDS, *EXTRA)


class Writer:
    """A function under construction, with the words of CPython's objects."""

    def __init__(self, made: Module, name: str, *arguments: str, returns: str = "ptr") -> None:
        self.made = made
        named = tuple(("ptr", a) for a in arguments)
        how: dict[str, Any] = {"internal": True, "attributes": "noinline"} if arguments else {}
        given = (("ptr", "self"), *named) if arguments else SIGNATURE
        self.f: Function = made.function(name, given, returns, **how)
        self.arguments = [self.f.argument[a] for a in arguments]
        self.inferring: Value | None = None
        """Whether inference mode holds, once the mode was asked."""

    def word(self, name: str) -> Value:
        """A word of the table."""
        f = self.f
        at = f.at(f.argument["self"], table.BYTES_VALUE + 8 * NAMES.index(name), "i8")
        return f.load("ptr", at)

    def field(self, thing: Value, offset: int, type: str = "ptr") -> Value:
        """What stands in an object."""
        return self.f.load(type, self.f.at(thing, offset, "i8"))

    def put(self, thing: Value, offset: int, value: Value) -> None:
        """Fill a slot of a new object; takes the reference."""
        self.f.store(value, self.f.at(thing, offset, "i8"))

    def type_of(self, thing: Value) -> Value:
        """The type of an object."""
        return self.field(thing, table.TYPE)

    def is_none(self, thing: Value) -> Value:
        """Whether it is None."""
        return thing.eq(self.word("none"))

    def held(self, thing: Value) -> Value:
        """The object, with one reference more."""
        f = self.f
        if sys.version_info < (3, 12):  # later ones have objects that are not counted
            f.store(f.load("i64", thing) + 1, thing)
        else:
            f.call(self.word("incref"), "void", thing)
        return thing

    def drop(self, thing: Value) -> None:
        """One reference less."""
        self.f.call(self.word("decref"), "void", thing)

    def invoke(self, function: Value, *given: Value) -> Value:
        """Call a Python object; NULL for an error."""
        f = self.f
        room = f.memory("ptr", len(given))
        for k, x in enumerate(given):
            f.store(x, room, f.index(k))
        null = f.value("ptr", 0)
        return f.call(self.word("call"), "ptr", function, room, f.index(len(given)), null)

    def own(self, name: str, *given: Value, returns: str = "ptr") -> Value:
        """Call a function of the module."""
        return self.f.call(f"@{name}", returns, self.f.argument["self"], *given)

    def make(self, kind: str | Value) -> Value:
        """A new object of a class that takes no arguments; its slots are empty."""
        f = self.f
        null = f.value("ptr", 0)
        kind = self.word(kind) if isinstance(kind, str) else kind
        made = f.call(self.word("new_object"), "ptr", kind, self.word("nothing"), null)
        self.unless(made.eq(0))
        return made

    def tuple(self, *items: Value) -> Value:
        """A new tuple; takes the references."""
        f = self.f
        made = f.call(self.word("new_tuple"), "ptr", f.index(len(items)))
        self.unless(made.eq(0))
        for k, x in enumerate(items):
            f.store(x, self.items(made), f.index(k))
        return made

    def items(self, given: Value) -> Value:
        """Where a tuple's items lie."""
        return self.f.at(given, SLOTS().tuple_items, "i8")

    def unless(self, condition: Value, way: str = "lost") -> None:
        """Leave where it holds."""
        k = self.f.fresh()
        self.f.branch(condition, way, f"on{k}")
        self.f.label(f"on{k}")

    def require(self, condition: Value, way: str = "other") -> None:
        """Leave where it does not hold."""
        k = self.f.fresh()
        self.f.branch(condition, f"on{k}", way)
        self.f.label(f"on{k}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition:``."""
        with self.f.when(condition):
            yield

    def fall_back(self) -> None:
        """The ways out: an error; the Python form."""
        f = self.f
        f.label("lost")
        f.ret(f.value(f.returns, 0))
        f.label("other")
        args, n, null = f.argument["args"], f.argument["n"], f.value("ptr", 0)
        f.ret(f.call(self.word("call"), "ptr", self.word("fallback"), args, n, null))

    def end(self, *, other: bool = True) -> None:
        """The ways out: an error; None where the short way does not serve."""
        f = self.f
        f.label("lost")
        f.ret(f.value(f.returns, 0))
        if other:
            f.label("other")
            f.ret(self.held(self.word("none")))
