"""What the native entries must know of this process: where slots lie in tensors and nodes, and the
addresses of the objects they touch.

Slots are found through their descriptors and tried on a known tensor before anything is trusted.
Stands on kernels.native.table, tensor, node, storage, state, provenance.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache as once
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flambeau.core import slow, state
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import table
from flambeau.core.node import ElementNode, OpNode
from flambeau.core.provenance import USER, user_frame
from flambeau.core.storage import Storage, silent, storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["EXTRA", "KNOWN", "SLOTS", "Slots", "be_plain", "made", "native"]

EXTRA = (
    # of the process
    "tensor", "element_node", "storage", "mode", "no_grad", "get_variable", "count", "iter_next",
    "getframe", "one", "frame_code", "frame_lasti", "from_long", "new_object", "nothing",
    "new_tuple", "slice", "get_attribute", "set_attribute", "compare", "plus", "matches",
    "exception", "shared", "user_frame", "storage_of", "edge_of", "settle", "silent", "int32",
    "false", "version", "written", "changed", "writing", "writer", "origin", "inference", "rules",
    "no_text", "no_grad_text",
    # of the operation
    "op", "kernel", "depth", "has_rules", "keeps", "kept_nothing", "numbers", "title",
    "fast0", "fast1", "fast2", "fast3", "fast4",
)  # fmt: skip
KNOWN = 4
"""Words of the shared memory before the codes known to be the user's; there stand the classes of
plain tensors."""
CODES = 256
_NEW = 65  # the number of the slot `tp_new` in CPython's stable interface


class Slots(NamedTuple):
    """Bytes from an object's start."""

    tensor: dict[str, int]
    node: dict[str, int]
    tuple_items: int


def _offset(descriptor: Any) -> int:
    """Where a member of ``__slots__`` lies: the descriptor refers to a struct of name, type and
    offset.
    """
    member = ctypes.c_size_t.from_address(id(descriptor) + 40).value
    return ctypes.c_ssize_t.from_address(member + 16).value


@once
def SLOTS() -> Slots:
    """Where slots lie.

    Raises:
        Unavailable: elsewhere than their descriptors say.
    """
    words = table.words()
    names = ("_array", "_edge", "_grad", "_storage", "_view")
    tensor = {name: _offset(Tensor.__dict__[name]) for name in names}
    node = {
        name: _offset(getattr(OpNode, name))
        for name in ("code", "dtype", "edges", "lasti", "op", "saved", "sequence", "shape",
                     "stores")
    }  # fmt: skip
    for kind, slots in ((Tensor, tensor), (ElementNode, node)):
        known: Any = object.__new__(kind)
        for name, offset in slots.items():
            mark = object()
            setattr(known, name, mark)
            if not 16 <= offset <= kind.__basicsize__ - 8 or (
                ctypes.c_size_t.from_address(id(known) + offset).value != id(mark)
            ):
                raise build.Unavailable("slots of this interpreter lie otherwise")
    return Slots(tensor, node, words["tuple_items"])


_shared = (ctypes.c_size_t * (KNOWN + CODES))()
_shared[0] = id(Tensor)


def be_plain(kind: type[Tensor]) -> None:
    """From here on tensors of this class take the short way."""
    PLAIN.add(kind)
    _shared[len(PLAIN) - 1] = id(kind)
    assert len(PLAIN) <= KNOWN


def _known_frame(frame: FrameType) -> FrameType:
    """`user_frame`, which tells the native functions whose code it was."""
    found = user_frame(frame)
    code = found.f_code
    if id(code) in USER:  # and so kept alive
        _shared[KNOWN + ((id(code) >> 6) & (CODES - 1))] = id(code)
    return found


@once
def _words() -> dict[str, int]:
    """The words that are the same for every operation."""
    api = ctypes.pythonapi

    def address(name: str) -> int:
        return ctypes.cast(getattr(api, name), ctypes.c_void_p).value or 0

    api.PyType_GetSlot.restype = ctypes.c_void_p
    api.PyType_GetSlot.argtypes = [ctypes.py_object, ctypes.c_int]
    objects = {
        "none": None, "tensor": Tensor, "element_node": ElementNode, "storage": Storage,
        "mode": state.VARIABLE, "no_grad": state.NO_GRAD, "count": state.COUNT,
        "getframe": sys._getframe, "one": 1, "nothing": (), "exception": Exception,
        "user_frame": _known_frame, "storage_of": storage_of, "edge_of": edge_of,
        "settle": slow.settle, "silent": silent, "int32": np.dtype("i4"), "false": False,
        "no_text": "", "no_grad_text": sys.intern("no_grad"),
    }  # fmt: skip
    for name in ("version", "written", "changed", "writing", "writer", "origin", "inference",
                 "rules"):  # fmt: skip
        objects[name] = sys.intern(name)
    build.keep(*objects.values())
    return {name: id(thing) for name, thing in objects.items()} | {
        "get_variable": address("PyContextVar_Get"),
        "iter_next": address("PyIter_Next"),
        "frame_code": address("PyFrame_GetCode"),
        "frame_lasti": address("PyFrame_GetLasti"),
        "from_long": address("PyLong_FromLongLong"),
        "new_object": api.PyType_GetSlot(object, _NEW) or 0,
        "new_tuple": address("PyTuple_New"),
        "slice": address("PyTuple_GetSlice"),
        "get_attribute": address("PyObject_GetAttr"),
        "set_attribute": address("PyObject_SetAttr"),
        "compare": address("PyObject_RichCompareBool"),
        "plus": address("PyNumber_Add"),
        "matches": address("PyErr_ExceptionMatches"),
        "shared": ctypes.addressof(_shared),
    }


def made(name: str, fallback: Any, more: dict[str, int] | None = None) -> Any:
    """The native function `name` of ``entry/native``; None where there is none.

    Args:
        name: unary, binary, look, write_unary, write_binary or as_view.
        fallback: what it calls where it does not serve, if it calls anything.
        more: words of the operation.
    """
    if not build.available() or not table.trusted():
        return None
    from flambeau.core.entry.native import module

    try:
        SLOTS()
        addresses = build.load(module())
        given = dict.fromkeys(EXTRA, 0) | _words() | {"depth": id(1)} | (more or {})
        return table.builtin(name, addresses[name], fallback, given)
    except build.Unavailable:
        return None


def native(
    name: str, op: Op, kernel: Callable[..., Any], title: str = "", **numbers: Any
) -> Callable[..., Any] | None:
    """The native entry of an operation; None where no code can be generated.

    Args:
        name: which of the entries.
        op: the operation.
        kernel: what computes on arrays.
        title: its name as a writer.
        numbers: of `has_rules`, `keeps`, `numbers` those that are not 0; the object
            `kept_nothing`.
    """
    nothing = numbers.pop("kept_nothing", None)
    title = sys.intern(title)
    build.keep(op, kernel, nothing, title)
    # 1: the entry called the native function, and the user the entry.
    more = {"op": id(op), "kernel": id(kernel), "kept_nothing": id(nothing), "title": id(title)}
    more |= {f"fast{k}": id(kind) for k, kind in enumerate(op.fast)} if hasattr(op, "fast") else {}
    return made(name, None, more | {key: int(value) for key, value in numbers.items()})
