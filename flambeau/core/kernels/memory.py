"""Memory for large arrays that is not given back to the system between two uses of it.

Pages that are touched for the first time cost more than most of what is computed in them (5 of the
11 ms of a layer normalisation of 4 million numbers). Arrays made here are NumPy's own in every way;
they remember by whom their memory is to be freed. Stands on jit.blocks and NumPy.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextvars import Context
from functools import cache as once
from math import prod
from typing import Any

import numpy as np

from flambeau.core.errors import no_memory
from flambeau.core.kernels.jit import blocks, build

__all__ = ["LARGE", "context", "empty", "empty_like", "release", "statistics"]

LARGE = 1 << 16
"""Bytes from which on an array's memory is kept."""
SLACK = 64 << 20
"""Bytes that may wait beyond what has been in use at one time."""
SET_HANDLER = 304  # its place in NumPy's table of functions


class _Allocator(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p) for name in ("state", "malloc", "calloc", "realloc", "free")
    ]


class _Handler(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("allocator", _Allocator),
    ]


class _Kept:
    """The state of the blocks, the handler that NumPy gets, and a context where it is in force."""

    def __init__(self) -> None:
        functions = build.load(blocks.module())
        self.words = (ctypes.c_int64 * (len(blocks.WORDS) + blocks.HEADS))()
        library = ctypes.CDLL(None)
        for name in ("mmap", "munmap", "madvise"):
            self.set(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0)
        self.set("slack", SLACK)
        self.set("most", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)
        order = (functions[name] for name in ("allocate", "clear", "change", "give_back"))
        allocator = _Allocator(ctypes.addressof(self.words), *order)
        self.handler = _Handler(b"flambeau", 1, allocator)
        make = ctypes.pythonapi.PyCapsule_New
        make.restype = ctypes.py_object
        make.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        self.label = b"mem_handler"
        self.capsule = make(ctypes.addressof(self.handler), self.label, None)
        signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        trim = signature(functions["trim"])
        self.trim = lambda allowed: trim(ctypes.addressof(self.words), allowed)
        self.context = Context()
        set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(_set_handler_address())
        self.context.run(set_handler, self.capsule)
        build.keep(self)  # arrays may outlive everything else

    def set(self, name: str, value: int) -> None:
        self.words[blocks.WORDS.index(name)] = value

    def get(self, name: str) -> int:
        return int(self.words[blocks.WORDS.index(name)])


def _set_handler_address() -> int:
    """Where NumPy's ``PyDataMem_SetHandler`` begins."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = get(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    return int(ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[SET_HANDLER] or 0)


@once
def _kept() -> _Kept | None:
    """None where memory is left to NumPy."""
    if sys.platform != "linux" or not build.available():
        return None
    try:
        return _Kept()
    except build.Unavailable:
        return None


def context() -> int:
    """The address of the context where NumPy's new arrays get kept memory; 0 where there is none.
    Entering it allocates nothing, as setting NumPy's context variable would.
    """
    kept = _kept()
    return 0 if kept is None else id(kept.context)


def empty(shape: Any, dtype: Any) -> Any:
    """An array whose content is undefined."""
    if dtype.itemsize * (shape if type(shape) is int else prod(shape)) < LARGE:
        return np.empty(shape, dtype)
    kept = _kept()
    try:
        return np.empty(shape, dtype) if kept is None else kept.context.run(np.empty, shape, dtype)
    except (MemoryError, ValueError) as error:
        raise no_memory(error) from None


def empty_like(array: Any) -> Any:
    """A contiguous array of the same shape and dtype whose content is undefined."""
    return empty(array.shape, array.dtype)


def release() -> None:
    """Return to the system what nobody uses."""
    kept = _kept()
    if kept is not None:
        kept.trim(0)


def statistics() -> dict[str, int]:
    """How much is in use and waiting, in bytes and blocks, under the names that PyTorch gives the
    statistics of its caching allocators; empty where memory is left to NumPy.
    """
    kept = _kept()
    if kept is None:
        return {}
    live, peak = kept.get("live"), kept.get("peak")
    return {
        "active.all.allocated": kept.get("allocated"),
        "active.all.current": kept.get("blocks"),
        "active.all.freed": kept.get("freed"),
        "active_bytes.all.current": live,
        "active_bytes.all.peak": peak,
        "allocated_bytes.all.current": live,
        "allocated_bytes.all.peak": peak,
        "inactive_split_bytes.all.current": kept.get("waiting"),
        "num_device_alloc": kept.get("misses"),
        "num_device_free": kept.get("returned"),
        "reserved_bytes.all.current": live + kept.get("waiting"),
    }
