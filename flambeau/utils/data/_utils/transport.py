"""Batches from process to process: arrays travel outside the pickle, in memory that has no name and
cannot leak.

A large batch goes through an anonymous memory file whose descriptor is passed along the pipe (where
the system has
those: the receiver maps it, nothing is copied, and it is gone with the last mapping, however a
process ends); a small one, and everything elsewhere, goes through the pipe itself. Stands on core's
tensors.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import socket
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor, wrap

__all__ = ["receive", "send"]

LARGE = 1 << 16
"""Bytes from which a memory file is worth its system calls."""
_ALIGN = 64
_MEMORY_FILES = hasattr(os, "memfd_create") and hasattr(socket, "send_fds")


class _Pickler(pickle.Pickler):
    """Pickles plain tensors as their arrays, which protocol 5 then leaves outside."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not Tensor or type(value._array) is not np.ndarray:
            return NotImplemented
        if value.requires_grad and not value.is_leaf:
            raise RuntimeError(
                "a batch tensor requires grad and is the result of an operation: its history "
                "cannot leave the worker "
                "process. Return it with .detach()."
            )
        array = np.ascontiguousarray(value._array)
        if array.dtype.isbuiltin == 1:
            return _tensor, (array.reshape(value._array.shape), None, value.requires_grad)
        raw = array.reshape(-1).view(np.uint8).reshape(-1)
        return _tensor, (raw, (array.dtype.name, value._array.shape), value.requires_grad)


def _tensor(array: Any, layout: tuple[str, tuple[int, ...]] | None, requires_grad: bool) -> Tensor:
    if layout is not None:
        import ml_dtypes

        array = array.view(getattr(ml_dtypes, layout[0])).reshape(layout[1])
    tensor = wrap(array)
    return tensor.requires_grad_() if requires_grad else tensor


def send(connection: Connection, value: Any) -> None:
    """Send any picklable value."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    raws = [buffer.raw() for buffer in buffers]
    sizes = [raw.nbytes for raw in raws]
    by_file = _MEMORY_FILES and sum(sizes) >= LARGE
    connection.send((by_file, sizes))
    connection.send_bytes(stream.getbuffer())
    if by_file:
        _send_file(connection, raws)
    else:
        for raw in raws:
            if raw.nbytes:
                connection.send_bytes(raw)


def receive(connection: Connection) -> Any:
    """Receive what `send` sent; its arrays are writable."""
    by_file, sizes = connection.recv()
    payload = connection.recv_bytes()
    buffers: list[Any] = []
    if by_file:
        buffers = _receive_file(connection, sizes)
    else:
        for size in sizes:
            buffer = bytearray(size)
            if size:
                connection.recv_bytes_into(buffer)
            buffers.append(buffer)
    return pickle.loads(payload, buffers=buffers)


def _offsets(sizes: list[int]) -> tuple[list[int], int]:
    offsets, end = [], 0
    for size in sizes:
        offsets.append(end)
        end += -(-size // _ALIGN) * _ALIGN
    return offsets, end


def _send_file(connection: Connection, raws: list[memoryview]) -> None:
    offsets, total = _offsets([raw.nbytes for raw in raws])
    handle = os.memfd_create("flambeau-batch")
    try:
        os.ftruncate(handle, total)
        with mmap.mmap(handle, total) as memory:
            for raw, start in zip(raws, offsets, strict=True):
                memory[start : start + raw.nbytes] = raw
        with socket.socket(fileno=os.dup(connection.fileno())) as pipe:
            socket.send_fds(pipe, [b"f"], [handle])
    finally:
        os.close(handle)


def _receive_file(connection: Connection, sizes: list[int]) -> list[Any]:
    offsets, total = _offsets(sizes)
    with socket.socket(fileno=os.dup(connection.fileno())) as pipe:
        message, handles, _, _ = socket.recv_fds(pipe, 1, 1)
    if not message or not handles:
        raise EOFError("the other process closed the pipe")
    try:
        memory = memoryview(mmap.mmap(handles[0], total))
    finally:
        os.close(handles[0])
    return [memory[start : start + size] for size, start in zip(sizes, offsets, strict=True)]
