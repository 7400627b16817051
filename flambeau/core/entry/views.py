"""Entries of views: the result shares the input's storage and remembers its base.

Stands on record, process, storage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import slow
from flambeau.core.binding import bind
from flambeau.core.entry import process
from flambeau.core.entry.general import all_positional
from flambeau.core.entry.record import named
from flambeau.core.node import NOTHING_SAVED, OpNode
from flambeau.core.provenance import USER, user_frame
from flambeau.core.state import NO_GRAD, mode, next_sequence
from flambeau.core.storage import storage_of
from flambeau.core.tensor import PLAIN, Tensor, dead_end, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["as_view", "at_first", "looking", "nothing", "view", "view_node"]

nd = np.ndarray
_new = object.__new__
_frame = sys._getframe


def view(op: Op) -> Callable[..., Any]:
    """The entry of a view: the result shares the input's storage and remembers its base."""
    count = all_positional(op)
    varargs = op.varargs is not None
    fills = op.fills

    def first(*args: Any) -> Any:
        nonlocal short
        kernel = op.kernel.follow() if hasattr(op.kernel, "follow") else op.kernel
        short = process.native("look", op, kernel) or _look(op, kernel)
        return short(*args)

    short: Callable[..., Any] = first

    def entry(*args: Any, **kwargs: Any) -> Any:
        if varargs or kwargs or (len(args) != count and len(args) not in fills):
            args = bind(op, args, kwargs)
        elif len(args) != count:
            args += fills[len(args)]
        t = short(*args)
        return slow.view(op, args) if t is None else t

    return named(entry, op)


def _look(op: Op, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """short(input, *rest), None where it does not serve."""

    def short(*args: Any) -> Any:
        input = args[0]
        m = mode()
        if type(input) in PLAIN and (m is None or m is NO_GRAD) and type(a := input._array) is nd:
            return _as_view(op, input, kernel(a, *args[1:]), args)
        return None

    return short


def looking(op: Op, name: str) -> Callable[..., Any]:
    """``short(input, *rest)``: the operation's view by the native view function `name`; None where
    that does not serve.
    """
    from flambeau.core.kernels.native import views

    return process.native("look", op, views.native(name, nothing)) or nothing


def nothing(*args: Any) -> None:
    """The short way where there is none: the long way checks the arguments and words the errors."""


def at_first(room: dict[str, Any], name: str, make: Callable[[], Any]) -> Callable[..., Any]:
    """A function that at its first call gives its place, `name` in a module's names, to what
    `make` gives.
    """

    def first(*args: Any) -> Any:
        found = room[name] = make()
        return found(*args)

    return first


def as_view(op: Op, input: Tensor, r: Any, args: Any) -> Tensor:
    """The tensor of a view `r` of `input`'s array, in the ordinary mode or under no_grad; `args` as
    the op was called. Called by the function the user calls, and by nobody deeper.
    """
    return _show(op, input, r, args)  # type: ignore[no-any-return]


def _first(*args: Any) -> Any:
    global _show
    _show = process.made("as_view", _as_view, {"depth": id(2)}) or _as_view
    return _show(*args)


_show: Callable[..., Any] = _first


def _as_view(op: Op, input: Tensor, r: Any, args: Any) -> Tensor:
    """A view's node is made when somebody asks for it (`edge_of`): until then its edge is a tuple
    of what the node needs.
    """
    t: Tensor = _new(Tensor)
    t._array = r
    s = t._storage = input._storage or storage_of(input)
    t._grad = None
    old = input._view
    m = mode()
    if old is None:
        source: Any = input._edge
        t._view = (input, s.version, "" if m is None else "no_grad")
    else:
        source = input._edge if s.version == old[1] else edge_of(input)
        if type(source) is tuple:
            source = input
        t._view = (old[0], s.version, old[2] or ("" if m is None else "no_grad"))
    if source is None or not op.rules:
        t._edge = None
        return t
    if m is not None:  # it requires a gradient as its base does, for nobody
        dead_end(t)
        return t
    f = _frame(3)
    if id(f.f_code) not in USER:
        f = user_frame(f)
    t._edge = (op, source, args[1:], input._array.shape, f.f_code, f.f_lasti, next_sequence())
    return t


def view_node(tensor: Tensor) -> OpNode:
    """The node of a view, made from the tuple that `as_view` left."""
    op, source, args, shape, code, lasti, sequence = tensor._edge
    n: OpNode = _new(OpNode)
    tensor._edge = n
    n.op = op
    n.edges = (edge_of(source) if isinstance(source, Tensor) else source,)
    n.saved = n.stores = NOTHING_SAVED
    n.hooks = None
    n.params = (None, *args)
    n.shapes = (shape,)
    n.shape = tensor._array.shape
    n.dtype = tensor._array.dtype
    n.code = code
    n.lasti = lasti
    n.sequence = sequence
    return n
