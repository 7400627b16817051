"""A proxy stands for a value while a program is traced: what is done to it becomes nodes.

Stands on node.
"""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail
from flambeau.fx.node import Node, map_aggregate

if TYPE_CHECKING:
    from flambeau.fx._symbolic_trace import Tracer

__all__ = ["PH", "Attribute", "Proxy", "TraceError", "proxies_in"]


class TraceError(ValueError):
    """The program asks for a value that tracing does not have."""


class _Placeholder:
    def __repr__(self) -> str:
        return "PH"


PH = _Placeholder()
"""Among `concrete_args`: this one stays an input."""


class Proxy:
    """The value of a node of the graph that is being traced.

    Args:
        node: the node.
        tracer: who records what is done to it.
    """

    def __init__(self, node: Node, tracer: Tracer) -> None:
        self.node = node
        self.tracer = tracer

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, name: str) -> Attribute:
        return Attribute(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        """Unpacking into a known number of names is indexing; a loop cannot be traced."""
        frame = sys._getframe(1)
        code = {at.offset: at for at in dis.get_instructions(frame.f_code)}
        step = code[frame.f_lasti]
        if step.opname == "UNPACK_SEQUENCE" and step.arg is not None:
            return iter([self[k] for k in range(step.arg)])  # type: ignore[index]
        return self.tracer.iter(self)

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)

    def __len__(self) -> int:
        raise fail(
            RuntimeError,
            "fx.Proxy",
            "'len' is not supported in symbolic tracing by default. If you want this call to be "
            "recorded, please call torch.fx.wrap('len') at module scope",
        )

    def keys(self) -> Any:
        """What ``**proxy`` asks for."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = proxies_in((args, kwargs or {}))
        return found[0].tracer.create_proxy("call_function", function, args, kwargs or {})


class Attribute(Proxy):
    """An attribute of a proxy: read where its value is used, a method where it is called."""

    def __init__(self, root: Proxy, name: str) -> None:
        self.root = root
        self.attr = name
        self.tracer = root.tracer
        self._read: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node that reads the attribute, made at the first use."""
        if self._read is None:
            made = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {})
            self._read = made.node
        return self._read

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def proxies_in(value: Any) -> list[Proxy]:
    """The proxies in tuples, lists and dicts."""
    found: list[Proxy] = []

    def note(each: Any) -> Any:
        if isinstance(each, Proxy):
            found.append(each)
        return each

    map_aggregate(value, note)
    return found


def _operator(name: str, function: Callable[..., Any], swapped: bool = False) -> None:
    def method(self: Proxy, *rest: Any) -> Any:
        args = (*rest, self) if swapped else (self, *rest)
        return self.tracer.create_proxy("call_function", function, args, {})

    method.__name__ = method.__qualname__ = name
    setattr(Proxy, name, method)


_BOTH_SIDES = "add sub mul floordiv truediv mod pow lshift rshift and_ or_ xor matmul".split()
for _name in (*_BOTH_SIDES, *"eq ne lt gt le ge getitem pos neg invert".split()):
    _operator(f"__{_name.rstrip('_')}__", getattr(operator, _name))
for _name in _BOTH_SIDES:
    _operator(f"__r{_name.rstrip('_')}__", getattr(operator, _name), swapped=True)
_operator("__abs__", operator.abs)
_operator("__divmod__", divmod)
Proxy.__hash__ = object.__hash__  # type: ignore[method-assign]
