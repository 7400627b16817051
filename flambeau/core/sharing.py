"""Memory that processes share: a storage moved into a memory file, and its way to another process.

A forked child shares the file's pages; others get its descriptor. The file has no name, so nothing
is left behind however a process ends. Stands on storage.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
import tempfile
import weakref
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.storage import Storage, address, root_of, storage_of
from flambeau.core.tensor import Tensor, wrap

__all__ = ["Segment", "rebuilt", "share", "taken_apart"]


class Segment:
    """A memory file that is mapped: `bytes` are its memory, `fd` passes it on."""

    __slots__ = ("__weakref__", "bytes", "fd", "storage")

    known: weakref.WeakValueDictionary[tuple[int, int], Segment] = weakref.WeakValueDictionary()
    """The segments of this process by the file's identity: what comes twice is one storage."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.bytes = np.frombuffer(mmap.mmap(fd, size), np.uint8)
        self.storage: weakref.ref[Storage] | None = None
        self.known[_identity(fd)] = self
        weakref.finalize(self, os.close, fd)

    @classmethod
    def of_size(cls, size: int) -> Segment:
        """New shared memory, all zero.

        Raises:
            RuntimeError: the system has no room for it.
        """
        try:
            if hasattr(os, "memfd_create"):
                fd = os.memfd_create("flambeau")
            else:
                with tempfile.TemporaryFile() as file:
                    fd = os.dup(file.fileno())
            os.ftruncate(fd, size)
        except OSError as error:
            raise fail(
                RuntimeError,
                "share_memory_",
                f"the system gave no shared memory of {size} bytes ({error}): raise its limit of "
                "open files or of shared memory.",
            ) from error
        return cls(fd, size)


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def share(tensor: Tensor) -> Segment | None:
    """Move the tensor's storage, and so all tensors on it, into shared memory; its segment.

    None for an empty storage. Arrays that `numpy()` gave out earlier stay where they were.
    """
    storage = storage_of(tensor)
    if storage.shared:
        return storage.shared if isinstance(storage.shared, Segment) else None
    root = root_of(tensor)
    if not root.nbytes:
        storage.shared = True
        return None
    low, high = np.lib.array_utils.byte_bounds(root)
    segment = Segment.of_size(high - low)
    ctypes.memmove(address(segment.bytes), low, high - low)
    for each in _on(root, tensor):
        array = each._array
        each._array = np.ndarray(
            array.shape, array.dtype, segment.bytes, address(array) - low, array.strides
        )
    storage.root = None
    storage.shared = segment
    segment.storage = weakref.ref(storage)
    return segment


def _on(root: np.ndarray[Any, Any], tensor: Tensor) -> list[Tensor]:
    """The tensors whose memory is `root`'s. Looks for others only where somebody else holds it."""
    holders = sys.getrefcount(root)
    alone = tensor._array is root and holders <= 5  # the tensor, two callers, this frame, the call
    if alone:
        return [tensor]
    return [
        each
        for each in gc.get_objects()
        if issubclass(type(each), Tensor)
        and type(getattr(each, "_array", None)) is np.ndarray
        and root_of(each) is root
    ]


def taken_apart(tensor: Tensor) -> tuple[Segment | None, tuple[Any, ...]]:
    """What another process needs to see the same tensor: its segment, and how it lies there.

    Raises:
        RuntimeError: the result of an operation, with its graph.
    """
    if tensor.requires_grad and not tensor.is_leaf:
        raise fail(
            RuntimeError,
            "multiprocessing",
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd "
            "does not support crossing process boundaries. If you just want to transfer the data, "
            "call detach() on the tensor before serializing (e.g., putting it on the queue).",
        )
    segment = share(tensor)
    array = tensor._array
    start = address(array) - address(segment.bytes) if segment is not None else 0
    return segment, (array.dtype.name, array.shape, array.strides, start, tensor.requires_grad)


def rebuilt(fd: int | None, size: int, cls: type[Tensor], layout: tuple[Any, ...]) -> Tensor:
    """The tensor that another process took apart; the same file gives the same storage."""
    name, shape, strides, start, requires_grad = layout
    dtype = _dtype(name)
    if fd is None:
        tensor = wrap(np.ndarray(shape, dtype))
    else:
        segment = Segment.known.get(_identity(fd))
        if segment is None:
            segment = Segment(fd, size)
        else:
            os.close(fd)
        tensor = wrap(np.ndarray(shape, dtype, segment.bytes, start, strides))
        storage = segment.storage() if segment.storage is not None else None
        if storage is None:
            storage = storage_of(tensor)
            storage.shared = segment
            segment.storage = weakref.ref(storage)
        tensor._storage = storage
    found: Tensor = tensor.as_subclass(cls) if cls is not Tensor else tensor
    return found.requires_grad_(requires_grad) if requires_grad else found


def _dtype(name: str) -> np.dtype[Any]:
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
