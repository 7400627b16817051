"""What generated functions must know of this process: addresses in a table, and how to make a
Python function of machine code.

Code holds no address, so that it can be kept on disk; a function finds the table behind its `self`.
Layouts of CPython's and NumPy's objects are tried on known objects before anything is trusted.
Stands on jit and NumPy.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache as once
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.build import Unavailable, available, keep, load
from flambeau.core.kernels.jit.ir import Module

__all__ = [
    "WORDS", "builtin", "lazily", "native", "numpy_function", "redirect", "trusted", "words",
]  # fmt: skip

# Where fields stand, in bytes.
REFERENCES, TYPE = 0, 8
DATA, NDIM, DIMS, STRIDES, BASE, DESCR, FLAGS = 16, 24, 32, 40, 48, 56, 64
ITEM = 40  # of a dtype: the bytes of an element
START, STOP, STEP = 16, 24, 32  # of a slice
FLOAT_VALUE = 16
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
KIND, TYPE_NUMBER = 24, 28  # of a dtype
BYTES_VALUE = 32
TUPLE_SIZE = 16
LIST_ITEMS = 24
C_CONTIGUOUS, WRITEABLE = 1, 0x400

WORDS = (
    "ndarray", "float", "double", "i1", "i64", "py_float", "py_int", "new", "incref", "decref",
    "call", "fallback", "as_long", "occurred", "clear", "release", "restore", "pool", "pool_run",
    "py_tuple", "tuple_items", "set_base", "buffer", "crowded", "none", "context",
    "enter_context", "exit_context", "enter", "i32", "u8", "py_slice", "py_list", "ellipsis",
    "half", "bf16", "i16", "i8", "spec", "tuple_of", "c8", "c16",
)  # fmt: skip
NEW_FROM_DESCR, SET_BASE = 94, 282  # their places in NumPy's table of functions
FASTCALL = 0x80


class _Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


def numpy_function(number: int) -> int:
    """The address of a function of NumPy's C interface."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    functions = ctypes.cast(
        get(np._core._multiarray_umath._ARRAY_API, None),  # type: ignore[attr-defined]
        ctypes.POINTER(ctypes.c_void_p),
    )
    return functions[number] or 0


@once
def words() -> dict[str, int]:
    """The words that are the same for every function."""
    api = ctypes.pythonapi

    def address(name: str) -> int:
        return ctypes.cast(getattr(api, name), ctypes.c_void_p).value or 0

    return {
        "ndarray": id(np.ndarray),
        "float": id(np.dtype("f4")),
        "double": id(np.dtype("f8")),
        "i1": id(np.dtype("?")),
        "i64": id(np.dtype("i8")),
        "i32": id(np.dtype("i4")),
        "u8": id(np.dtype("u1")),
        "i16": id(np.dtype("i2")),
        "i8": id(np.dtype("i1")),
        "c8": id(np.dtype("c8")),
        "c16": id(np.dtype("c16")),
        "half": id(np.dtype("f2")),
        "bf16": id(BFLOAT16),
        "py_float": id(float),
        "py_int": id(int),
        "new": numpy_function(NEW_FROM_DESCR),
        "incref": address("Py_IncRef"),
        "decref": address("Py_DecRef"),
        "call": address("PyObject_Vectorcall"),
        "as_long": address("PyLong_AsLongLong"),
        "occurred": address("PyErr_Occurred"),
        "clear": address("PyErr_Clear"),
        "release": address("PyEval_SaveThread"),
        "restore": address("PyEval_RestoreThread"),
        "pool": pool.memory(),
        "pool_run": pool.address(),
        "py_tuple": id(tuple),
        "none": id(None),
        "py_slice": id(slice),
        "py_list": id(list),
        "ellipsis": id(Ellipsis),
        "tuple_items": _tuple_items(),
        "set_base": numpy_function(SET_BASE),
        "context": memory.context(),
        "enter_context": address("PyContext_Enter"),
        "exit_context": address("PyContext_Exit"),
        "tuple_of": address("PyTuple_New"),
    }


def _read(address: int, type: Any) -> Any:
    return type.from_address(address).value


@once
def _tuple_items() -> int:
    """Where a tuple's items begin: Python 3.14 has put a hash before them. 0 where they are not."""
    pair = (SET_BASE, trusted)
    for offset in (24, 32):
        if _read(id(pair) + offset, ctypes.c_size_t) == id(SET_BASE) and (
            _read(id(pair) + offset + 8, ctypes.c_size_t) == id(trusted)
        ):
            return offset
    return 0


@once
def trusted() -> bool:
    """Whether this interpreter and this NumPy lay their objects out as the generated code reads
    them.
    """
    array = np.arange(6, dtype="f4").reshape(2, 3)
    view = array[:, ::2]
    dims = (ctypes.c_ssize_t * 2).from_address(_read(id(array) + DIMS, ctypes.c_size_t))
    steps = (ctypes.c_ssize_t * 2).from_address(_read(id(view) + STRIDES, ctypes.c_size_t))
    word, part, items = bytes(range(8)), slice(1, 2.5, "step"), [array]
    return (
        _read(id(array) + TYPE, ctypes.c_size_t) == id(np.ndarray)
        and _read(id(array) + DATA, ctypes.c_size_t) == array.ctypes.data
        and _read(id(array) + NDIM, ctypes.c_int) == 2
        and tuple(dims) == array.shape
        and tuple(steps) == view.strides
        and _read(id(array) + DESCR, ctypes.c_size_t) == id(np.dtype("f4"))
        and bool(_read(id(array) + FLAGS, ctypes.c_int) & C_CONTIGUOUS)
        and not _read(id(view) + FLAGS, ctypes.c_int) & C_CONTIGUOUS
        and _read(id(1.5) + FLOAT_VALUE, ctypes.c_double) == 1.5
        and _read(id((1, 2, 3)) + TUPLE_SIZE, ctypes.c_ssize_t) == 3
        and _read(id(view) + BASE, ctypes.c_size_t) == id(array.base)
        and [_read(id(np.dtype(t)) + ITEM, ctypes.c_ssize_t) for t in ("f4", "c16")] == [4, 16]
        and [_read(id(part) + k, ctypes.c_size_t) for k in (START, STOP, STEP)]
        == [id(part.start), id(part.stop), id(part.step)]
        and _read(id(items) + TUPLE_SIZE, ctypes.c_ssize_t) == 1
        and _read(_read(id(items) + LIST_ITEMS, ctypes.c_size_t), ctypes.c_size_t) == id(array)
        and _tuple_items() > 0
        and ctypes.string_at(id(word) + BYTES_VALUE, 8) == word
    )


def builtin(
    name: str,
    address: int,
    fallback: Callable[..., Any],
    more: dict[str, int] | None = None,
) -> Callable[..., Any]:
    """Machine code ``PyObject *(PyObject *self, PyObject *const *args, Py_ssize_t n)`` as a
    function.

    Args:
        name: what it is called in Python.
        address: where the code begins.
        fallback: called with the same arguments where the code does not serve.
        more: words of its table that other functions do without; those not in `WORDS` stand
            behind them, in the order given.

    Raises:
        Unavailable: the interpreter's or NumPy's objects are laid out otherwise.
    """
    if not trusted():
        raise Unavailable("objects of this interpreter or NumPy are laid out otherwise")
    known = words() | {"fallback": id(fallback)} | (more or {})
    names = (*WORDS, *[word for word in more or () if word not in WORDS])
    table = b"".join(known.get(word, 0).to_bytes(8, "little") for word in names)
    method = _Method(name.encode(), address, FASTCALL, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    keep(method, fallback, table)
    return make(ctypes.addressof(method), table, None)  # type: ignore[no-any-return]


def redirect(function: Callable[..., Any], fallback: Callable[..., Any]) -> None:
    """Let a function made by `builtin` call another one from here on where it does not serve."""
    place = id(function.__self__) + BYTES_VALUE + 8 * WORDS.index("fallback")
    keep(fallback)
    ctypes.c_size_t.from_address(place).value = id(fallback)


def native(
    name: str, numpy_form: Callable[..., Any], module: Callable[[], Module]
) -> Callable[..., Any]:
    """The function of that name in a module, with `numpy_form` for what it does not take; the NumPy
    form where no code can be generated.
    """
    if not available() or not trusted():
        return numpy_form
    try:
        return builtin(name, load(module())[name], numpy_form)
    except Unavailable:
        return numpy_form


def lazily(
    name: str, numpy_form: Callable[..., Any], module: Callable[[], Module]
) -> Callable[..., Any]:
    """As `native`, made at the first call."""

    def first(*args: Any) -> Any:
        nonlocal call
        call = native(name, numpy_form, module)
        return call(*args)

    call: Callable[..., Any] = first

    def lazy(*args: Any) -> Any:
        return call(*args)

    return lazy
