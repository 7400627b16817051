"""What the native entries must know of this process: where slots lie in tensors and nodes, and the
addresses of the objects they touch.

Slots are found through their descriptors and tried on a known tensor before anything is trusted.
Stands on kernels.native.table, tensor, node, storage, state, provenance.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable
from functools import cache as once
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flambeau.core import slow, state
from flambeau.core.entry.dying import elided, elided_alone
from flambeau.core.entry.mixed import of_operation, own_types
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import table
from flambeau.core.node import NOTHING_SAVED, ElementNode, ManyNode, OpNode, Port
from flambeau.core.provenance import INNER, USER, user_frame
from flambeau.core.size import Size
from flambeau.core.storage import Inferred, Storage, saved_storage, silent, storage_of
from flambeau.core.tensor import PLAIN, Tensor, dead_end, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "BFLOAT16_BIT", "BITS", "CODES", "EXTRA", "JOIN_SLOTS", "KNOWN", "OUT", "PARAMS", "PARTS_SLOTS",
    "SHAPES",
    "SLOTS", "SUMS", "TENSORS", "Slots", "be_plain", "made", "native", "offset", "own_node",
    "several",
]  # fmt: skip

EXTRA = (
    # of the process
    "tensor", "element_node", "storage", "mode", "no_grad", "get_variable", "count", "iter_next",
    "getframe", "frame_back", "one", "frame_code", "frame_lasti", "from_long", "new_object",
    "nothing", "new_tuple", "slice", "get_attribute", "set_attribute", "compare", "plus",
    "matches", "exception", "value_error", "shared", "user_frame", "storage_of", "edge_of",
    "saved_storage", "inferred",
    "settle", "silent", "false", "version", "written", "changed", "writing", "writer", "origin",
    "inference", "rules", "no_text", "no_grad_text", "op_node", "many_node", "port", "size",
    "hooks", "new_copy", "copy_into", "from_scalar", "is_subtype", "generic", "nothing_saved",
    "zero", "root", "multi_text", "elided", "elided_alone", "inference_mode", "endless", "true",
    # of the operation
    "op", "kernel", "depth", "has_rules", "keeps", "kept_nothing", "numbers", "title", "chooses",
    "places", "optional", "tensors", "arguments", "same", "mixed", "params", "dtype_at", "kinds",
    "into", "types", "fill", "converts", "copying", "again",
    "own_node", "own_slots", "stacks", "outputs", "differentiable", "kind", "pattern", "blank",
    "like", "elides", "dead_end", "draw", "trailing",
)  # fmt: skip
KNOWN = 4
"""Words of the shared memory before the codes known to be the user's, behind which stand the
library's; there stand the classes of plain tensors."""
CODES = 256
TENSORS, OUTPUTS = 5, 4
"""Tensors at most that an operation of the native entries takes, and gives."""
SUMS = 2
"""`same` for results that are int64 where the operand is not floating."""
BITS = 12
"""In a word, of what one gradient may need: the operands,"""
OUT = 1 << TENSORS
"""the outputs from here on,"""
PARAMS = OUT << OUTPUTS
SHAPES = PARAMS << 1
"""the parameters, and the operands' shapes."""
PARTS_SLOTS = ("base_dtype", "base_shape", "dim", "label", "outputs", "sizes")
JOIN_SLOTS = ("op", "shapes", "values")
"""What the nodes behind parts and joined tensors have beside every node's slots."""
NEW_COPY, COPY_INTO, FROM_SCALAR = 85, 50, 61  # their places in NumPy's table of functions
_NEW = 65  # the number of the slot `tp_new` in CPython's stable interface


class Slots(NamedTuple):
    """Bytes from an object's start."""

    tensor: dict[str, int]
    node: dict[str, int]
    port: dict[str, int]
    storage: dict[str, int]
    tuple_items: int


def offset(kind: type, name: str) -> int:
    """Where a member of a class's ``__slots__`` lies: the descriptor refers to a struct of name,
    type and offset.
    """
    member = ctypes.c_size_t.from_address(id(getattr(kind, name)) + 40).value
    return ctypes.c_ssize_t.from_address(member + 16).value


@once
def SLOTS() -> Slots:
    """Where slots lie.

    Raises:
        Unavailable: elsewhere than their descriptors say.
    """
    words = table.words()
    names = ("_array", "_edge", "_grad", "_storage", "_view")
    tensor = {name: offset(Tensor, name) for name in names}
    node = {
        name: offset(ManyNode, name)
        for name in ("code", "dtype", "edges", "hooks", "lasti", "op", "outputs", "params",
                     "saved", "sequence", "shape", "shapes", "stores")
    }  # fmt: skip
    port = {name: offset(Port, name) for name in ("node", "number")}
    storage = {
        name: offset(Storage, name)
        for name in ("changed", "inference", "origin", "version", "writer", "writing", "written")
    }
    for kind, slots in ((Tensor, tensor), (ManyNode, node), (Port, port), (Storage, storage)):
        known: Any = object.__new__(kind)
        for name, at in slots.items():
            mark = object()
            setattr(known, name, mark)
            if not 16 <= at <= kind.__basicsize__ - 8 or (
                ctypes.c_size_t.from_address(id(known) + at).value != id(mark)
            ):
                raise build.Unavailable("slots of this interpreter lie otherwise")
    kinds = [np.dtype(t) for t in ("f4", "i8", "?")]
    letters = [ctypes.c_char.from_address(id(t) + table.KIND).value for t in kinds]
    codes = [ctypes.c_int.from_address(id(t) + table.TYPE_NUMBER).value for t in kinds]
    if letters != [b"f", b"i", b"b"] or codes != [t.num for t in kinds]:
        raise build.Unavailable("dtypes of this NumPy are laid out otherwise")
    return Slots(tensor, node, port, storage, words["tuple_items"])


_shared = (ctypes.c_size_t * (KNOWN + 2 * CODES))()
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
    while frame is not found and frame.f_back is not None:
        code = frame.f_code
        if id(code) in INNER:
            _shared[KNOWN + CODES + ((id(code) >> 6) & (CODES - 1))] = id(code)
        frame = frame.f_back
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
        "none": None, "tensor": Tensor, "element_node": ElementNode, "op_node": OpNode,
        "many_node": ManyNode,
        "port": Port, "size": Size, "storage": Storage, "nothing_saved": NOTHING_SAVED,
        "mode": state.VARIABLE, "no_grad": state.NO_GRAD, "count": state.COUNT,
        "getframe": sys._getframe, "one": 1, "zero": 0, "nothing": (), "exception": Exception,
        "value_error": ValueError,
        "user_frame": _known_frame, "storage_of": storage_of, "dead_end": dead_end,
        "saved_storage": saved_storage, "inferred": Inferred, "edge_of": edge_of,
        "settle": slow.settle, "elided": elided, "elided_alone": elided_alone, "silent": silent,
        "false": False, "true": True, "endless": sys.maxsize, "inference_mode": state.INFERENCE,
        "no_text": "", "generic": np.generic, "no_grad_text": sys.intern("no_grad"),
        "multi_text": sys.intern("multi"),
    }  # fmt: skip
    for name in ("version", "written", "changed", "writing", "writer", "origin", "inference",
                 "rules", "hooks", "root"):  # fmt: skip
        objects[name] = sys.intern(name)
    build.keep(*objects.values())
    return {name: id(thing) for name, thing in objects.items()} | {
        "get_variable": address("PyContextVar_Get"),
        "iter_next": address("PyIter_Next"),
        "frame_code": address("PyFrame_GetCode"),
        "frame_back": address("PyFrame_GetBack"),
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
        "is_subtype": address("PyType_IsSubtype"),
        "from_scalar": table.numpy_function(FROM_SCALAR),
        "new_copy": table.numpy_function(NEW_COPY),
        "copy_into": table.numpy_function(COPY_INTO),
        "shared": ctypes.addressof(_shared),
    }


BFLOAT16_BIT = 32
"""In the word of dtypes: beyond those that NumPy numbers itself."""


def _bits(kinds: Iterable[Any]) -> int:
    """A bit for each dtype, by NumPy's number."""
    return sum(1 << (k.num if k.num < BFLOAT16_BIT else BFLOAT16_BIT) for k in set(kinds))


@once
def _addresses() -> dict[str, int]:
    """Where the native functions begin."""

    def make() -> Any:
        from flambeau.core.entry.native import module

        return module()

    here = Path(__file__).parent
    kernels = here.parent / "kernels"
    sources = [*sorted(here.glob("*.py")), kernels / "jit/ir.py", here.parent / "dtypes.py"]
    sources += [
        kernels / f"native/{name}.py" for name in ("elementwise", "geometry", "objects", "table")
    ]
    return build.load_made("entries", sources, repr((SLOTS(), sys.version_info)), make)


def own_node(kind: type, names: Iterable[str]) -> dict[str, int]:
    """The words of a native function that makes nodes of a class of its operation's own: the class,
    and a byte for each slot by name that says where it lies.
    """
    slots = sum(offset(kind, name) << (8 * k) for k, name in enumerate(names))
    return {"own_node": id(kind), "own_slots": slots}


def made(name: str, fallback: Any, more: dict[str, int] | None = None) -> Any:
    """The native function `name` of ``entry/native``; None where there is none.

    Args:
        name: unary, binary, look, write_unary, write_binary or as_view.
        fallback: what it calls where it does not serve, if it calls anything.
        more: words of the operation.
    """
    if not build.available() or not table.trusted():
        return None
    try:
        addresses = _addresses()
        given = dict.fromkeys(EXTRA, 0) | _words() | {"depth": id(1)} | (more or {})
        return table.builtin(name, addresses[name], fallback, given)
    except build.Unavailable:
        return None


def native(
    name: str,
    op: Op,
    kernel: Callable[..., Any],
    title: str = "",
    kinds: Iterable[Any] | None = None,
    **numbers: Any,
) -> Callable[..., Any] | None:
    """The native entry of an operation; None where no code can be generated.

    Args:
        name: which of the entries.
        op: the operation.
        kernel: what computes on arrays.
        title: its name as a writer.
        kinds: the dtypes that take the short way; the operation's own where not given.
        numbers: of `has_rules`, `keeps`, `numbers` those that are not 0; the object
            `kept_nothing`. `elides`: the kernel may write over an operand. `converts`: the second
            operand is cast to the first's dtype, whatever that is.
    """
    nothing = numbers.pop("kept_nothing", None)
    title = sys.intern(title)
    build.keep(op, kernel, nothing, title)
    # 1: the entry called the native function, and the user the entry.
    more = {"op": id(op), "kernel": id(kernel), "kept_nothing": id(nothing), "title": id(title)}
    kinds = tuple(getattr(op, "fast", ()) if kinds is None else kinds)
    build.keep(kinds)
    more["kinds"] = _bits(kinds)
    rows = own_types() if numbers.get("converts") else of_operation(op)
    if rows is not None:
        fill = rows.fill
        build.keep(rows, fill)
        more |= {"types": ctypes.addressof(rows.words), "fill": id(fill)}
    return made(name, None, more | {key: int(value) for key, value in numbers.items()})


def several(
    op: Op, kernel: Callable[..., Any], kinds: Iterable[Any], title: str = "", *,
    arguments: int = 0, params: Any = None, **numbers: int,
) -> Callable[..., Any] | None:  # fmt: skip
    """The native entry of an operation of a few tensors and plain parameters; written into the
    first where there is a title. None where none can be.

    Args:
        op: the operation.
        kernel: computes on arrays and parameters.
        kinds: the dtypes that take the short way.
        title: its name as a writer.
        arguments: how many it is called with; all of the operation's where not given.
        params: what rules see as the arguments, where fewer are given.
        numbers: `chooses`: the first is a condition; `mixed`: dtypes may differ; `same`: the result
            has the operands', or SUMS; `numbers`, `optional`: bits of the tensors that may be a
            number, None; `dtype_at`: the argument that must be None, counted from 1.
    """
    count = len(op.tensor_names)
    if not 1 <= count <= TENSORS or len(op.names) > 12 or op.lists or op.varargs:
        return None
    if len(op.outputs) > OUTPUTS or (op.multiple and title):
        return None
    places = [i for i, _ in op.tensors] + [255] * (TENSORS - count)
    if places[0] != 0:
        return None
    keeps = 0
    for rule in op.rules:
        need = sum(1 << k if k < count else OUT << (k - count) for k in rule.saves)
        need |= PARAMS if any(kind == 1 for kind, _ in rule.getters) else 0
        need |= SHAPES if any(kind == 2 for kind, _ in rule.getters) else 0
        for target in rule.targets:
            keeps |= need << (BITS * target)
    title = sys.intern(title)
    kinds = tuple(kinds)
    build.keep(op, kernel, title, params, kinds)
    more = {
        "op": id(op), "kernel": id(kernel), "title": id(title), "has_rules": bool(op.rules),
        "keeps": keeps, "places": sum(place << (8 * t) for t, place in enumerate(places)),
        "tensors": count, "arguments": arguments or len(op.names),
        "params": 0 if params is None else id(params), "outputs": len(op.outputs),
        "differentiable": sum(1 << k for k in op.differentiable), **numbers,
    }  # fmt: skip
    more["kinds"] = _bits(kinds)
    return made("write_several" if title else "several", None, more)  # type: ignore[no-any-return]
