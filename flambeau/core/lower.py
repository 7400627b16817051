"""`__torch_dispatch__`: operations below the graph, offered to subclasses of Tensor and to modes.

Where `overrides` asks about what the user called, this asks about the operations that come of it:
their gradient is recorded here as always, their values are what the handler gives. Names and
arguments are PyTorch's, which `translator` knows. Nobody pays who
defines no such class and enters no such mode. Stands on state, tensor, node; reached from `slow`.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flambeau.core import state
from flambeau.core.context import assign, reset
from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.ir.abstract import Abstract
from flambeau.core.node import Node, OpNode, Port
from flambeau.core.overrides import each_of
from flambeau.core.provenance import user_frame
from flambeau.core.rules import Packed
from flambeau.core.state import next_sequence
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import Tensor, edge_of, wrap_like_view

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "CLASSES",
    "Kept",
    "LIVE",
    "OUTER",
    "Shell",
    "ask",
    "concern",
    "disabled",
    "dispatch",
    "learn",
    "named",
    "ones_like",
    "own_slots",
    "twin",
]

CLASSES: set[type] = set()
"""The subclasses of Tensor that have a handler of their own."""

LIVE: weakref.WeakSet[Node] = weakref.WeakSet()
"""The nodes of operations that handlers answered: while there are any, a backward hands gradients
on as Tensors, so that subclasses and modes see its operations too."""


OUTER: ContextVar[bool] = ContextVar("flambeau_outer_grad", default=True)
"""Whether gradients were recorded where the operation was called that a handler answers."""


class Kept(Packed):
    """A saved Tensor of a class with a handler: it keeps its class and its attributes."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(twin(tensor), _itself)

    def again(self, tensor: Tensor) -> Tensor:
        """Another one each time: rules hang an edge on it."""
        return twin(tensor)


class Shell(Abstract):
    """What a wrapper subclass has for an array: the geometry that it shows, and its device."""

    __slots__ = ("device",)


def disabled(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """As a class's `__torch_dispatch__`: it is not asked, its instances are plain tensors."""
    given: list[tuple[Tensor, Tensor]] = []

    def plain(x: Any) -> Any:
        if type(x) in (list, tuple):
            return type(x)(plain(each) for each in x)
        if type(x) not in CLASSES or type(x._array) is Shell:
            return x
        for old, same in given:
            if old is x:
                return same
        given.append((x, wrap_like_view(x._array, x)))
        return given[-1][1]

    named = {name: plain(x) for name, x in (kwargs or {}).items()}
    found = func(*(plain(x) for x in args), **named)
    # What was written in place is given back as it came.
    return next((old for old, same in given if same is found), found)


Tensor.__torch_dispatch__ = staticmethod(disabled)  # type: ignore[method-assign]


def learn(cls: type) -> None:
    """Take note of a subclass of Tensor, if it has a handler."""
    handler = getattr(cls, "__torch_dispatch__", disabled)
    if handler is not disabled:
        import_module("flambeau.library.lowered")
        CLASSES.add(cls)


def concern(args: Iterable[Any], m: Any) -> bool:
    """Whether an argument's class or a mode wants to be asked."""
    if m is not None and m.dispatch:
        return True
    if not CLASSES:
        return False
    for x in args:
        if type(x) in CLASSES or (
            isinstance(x, (list, tuple)) and any(type(each) in CLASSES for each in x)
        ):
            return True
    return False


translator: Any = None
"""What knows PyTorch's names: ``flambeau.library.lowered``, once a class or a mode needs it. Its
`translate` gives function, arguments and keyword arguments for a call of an operation, or a
callable that makes the call of others where PyTorch has no such operation; its `overload_named`
gives ``torch.ops.aten.<name>.default``."""


def ask(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What the innermost mode, or else the arguments' classes, make of a call.

    Raises:
        TypeError: all answered NotImplemented.
    """
    flat = each_of((*args, *kwargs.values()))
    asked: list[type] = []
    for x in flat:
        kind = type(x)
        if kind in CLASSES and kind not in asked:
            at = next((k for k, old in enumerate(asked) if issubclass(kind, old)), len(asked))
            asked.insert(at, kind)
    kinds = tuple(asked)
    modes = state.current().dispatch
    handlers: list[tuple[Any, Any]] = [(kind, modes) for kind in kinds]
    if modes:
        handlers.insert(0, (modes[-1], modes[:-1]))
    for handler, left in handlers:
        outer = assign(OUTER, state.grad_enabled())
        token = state.switch(dispatch=left, grad=False)
        try:
            result = handler.__torch_dispatch__(function, kinds, args, kwargs)
        finally:
            state.restore(token)
            reset(OUTER, outer)
        if result is not NotImplemented:
            return result
    raise TypeError(
        f"Multiple dispatch failed for '{function}'; all __torch_dispatch__ handlers returned "
        f"NotImplemented: {[kind.__name__ for kind in kinds]}"
    )


def dispatch(op: Op, args: Any, out: Any = None, inplace: bool = False) -> Any:
    """An operation that a mode or an argument's class answers."""
    found = translator.translate(op, args, inplace)
    if callable(found):
        return found()
    function, given, named = found
    if out is not None:
        named["out"] = out
    edges, mask = _edges(op, args)
    recording = bool(mask) and state.grad_enabled() and out is None
    title = op.name.lstrip("_") + "_"
    if inplace:
        from flambeau.core.inplace import check_inplace

        check_inplace(title, args[0], recording)
        if recording and 0 in op.plan(mask)[0]:
            with_original = _untracked(lambda: args[0].clone())
            args = [with_original, *args[1:]]
    result = ask(function, given, named)
    if inplace:
        result = args[0] if not isinstance(result, Tensor) else given[0]
    if not recording or not (op.rules or op.lists):
        return result
    if any(result is x for x in given) and not inplace:
        result = twin(result)
    return _record(op, args, edges, mask, result, inplace)


def named(name: str, *args: Any) -> Any:
    """What handlers make of PyTorch's operation of that name, outside the graph."""
    return ask(translator.overload_named(name), args, {})


def ones_like(tensor: Tensor) -> Tensor:
    """The gradient that a backward starts with, of the tensor's own class."""
    function = translator.overload_named("ones_like")
    from flambeau.core.layout import preserve_format

    options = {"pin_memory": False, "memory_format": preserve_format}
    return ask(function, (tensor,), options)  # type: ignore[no-any-return]


def _untracked(call: Callable[[], Any]) -> Any:
    token = state.switch(grad=False)
    try:
        return call()
    finally:
        state.restore(token)


def _edges(op: Op, args: Any) -> tuple[list[Any], int]:
    edges: list[Any] = []
    mask = 0
    for i, bit in op.tensors:
        x = args[i]
        for each in x if op.names[i] in op.lists and x is not None else (x,):
            edge = edge_of(each) if isinstance(each, Tensor) else None
            edges.append(edge)
            if edge is not None:
                mask |= bit
    return edges, mask


def _record(op: Op, args: Any, edges: Any, mask: int, result: Any, inplace: bool) -> Any:
    """Hang a node on what a handler gave."""
    results = result if isinstance(result, (tuple, list)) else (result,)
    if op.lists:
        from flambeau.core.lists import record_lower

        record_lower(op, args, edges, result)
        return result
    node = OpNode()
    inputs, outputs, _, _ = op.plan(mask)
    count = len(op.tensors)
    saved: list[Any] = [None] * (count + len(results))
    stores: list[Any] = [None] * (count + len(results))
    for k in inputs:
        saved[k], stores[k] = _kept(args[op.tensors[k][0]])
    for k in outputs:
        saved[count + k], stores[count + k] = _kept(results[k])
    node.saved, node.stores = saved, stores
    node.params = [None if isinstance(a, Tensor) else a for a in args]
    node.shapes = tuple(
        getattr(getattr(args[i], "_array", None), "shape", ()) for i, _ in op.tensors
    )
    node.op = op
    node.edges = tuple(edges)
    node.hooks = None
    several = op.multiple
    node.shape = tuple(t._array.shape for t in results) if several else results[0]._array.shape
    node.dtype = tuple(t._array.dtype for t in results) if several else results[0]._array.dtype
    if several:
        node.outputs = len(results)
    frame = user_frame(sys._getframe(2))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    node.sequence = next_sequence()
    LIVE.add(node)
    if inplace:
        from flambeau.core.inplace import rebase

        rebase(results[0], node)
        return result
    for k in op.differentiable:
        if results[k]._array.dtype.kind in FLOATING_KINDS:
            results[k]._edge = Port(node, k) if several else node
    return result


def _kept(value: Any) -> tuple[Any, Any]:
    """A value as a node saves it: a Tensor of its own class without history."""
    if not isinstance(value, Tensor):
        return value, None
    return Kept(value), saved_storage(value)


def _itself(tensor: Tensor) -> Tensor:
    return tensor


def twin(tensor: Tensor) -> Tensor:
    """The same tensor once more, of its class and with its attributes, without history."""
    cls = type(tensor)
    fresh: Tensor = object.__new__(cls)
    fresh.__dict__ = tensor.__dict__
    fresh._array, fresh._storage = tensor._array, tensor._storage
    for name, value in own_slots(tensor).items():
        setattr(fresh, name, value)
    fresh._edge = fresh._view = fresh._grad = None
    return fresh


def own_slots(tensor: Tensor) -> dict[str, Any]:
    """What the user's class keeps in ``__slots__`` of its own."""
    found: dict[str, Any] = {}
    for base in type(tensor).__mro__:
        if base is Tensor:
            break
        names = base.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if not name.startswith("__") and hasattr(tensor, name):
                found[name] = getattr(tensor, name)
    return found
