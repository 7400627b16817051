"""``torch.storage``: the old names of typed storages (``torch.FloatStorage(4)``), and memory from
files and buffers.

An old name stands for "elements of float32": instances are TypedStorages, `isinstance` looks at
the dtype. The storages themselves live in ``core.untyped``.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.storage import storage_of
from flambeau.core.tensor import Tensor, wrap
from flambeau.core.untyped import OLD_NAMES, StorageBase, TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]

_StorageBase = StorageBase


class _StorageType(type):
    """The metaclass of the old names: calling one makes a TypedStorage of its dtype."""

    _given: dtypes.dtype | None

    @property
    def dtype(cls) -> dtypes.dtype:
        """The dtype of the elements; of plain ``Storage`` the default one."""
        return cls._given or dtypes.default()

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype

    def __call__(cls, *source: Any, wrap_storage: Any = None, **no: Any) -> Any:
        if no or len(source) > 1:
            raise fail(
                RuntimeError,
                cls.__name__,
                "takes one number of elements or one sequence, or wrap_storage: "
                "TypedStorage takes a dtype and a device too.",
            )
        return TypedStorage(*source, dtype=cls.dtype, wrap_storage=wrap_storage)

    def from_buffer(cls, *args: Any, **kwargs: Any) -> TypedStorage:
        """The elements of a buffer, copied; see `read_buffer`."""
        return TypedStorage.from_buffer(*args, dtype=cls.dtype, **kwargs)

    def from_file(cls, filename: str, shared: bool = False, size: int = 0) -> TypedStorage:
        """The first elements of a file; see `map_file`."""
        return TypedStorage.from_file(filename, shared, size, dtype=cls.dtype)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(TypedStorage, name)


def _named(name: str, dtype: dtypes.dtype | None) -> type:
    what = "the default dtype" if dtype is None else str(dtype)
    doc = f"The old name of a `TypedStorage` of {what}: calling it makes one."
    return _StorageType(name, (), {"_given": dtype, "__module__": "torch", "__doc__": doc})


BFloat16Storage = _named("BFloat16Storage", dtypes.bfloat16)
BoolStorage = _named("BoolStorage", dtypes.bool)
ByteStorage = _named("ByteStorage", dtypes.uint8)
CharStorage = _named("CharStorage", dtypes.int8)
ComplexDoubleStorage = _named("ComplexDoubleStorage", dtypes.complex128)
ComplexFloatStorage = _named("ComplexFloatStorage", dtypes.complex64)
DoubleStorage = _named("DoubleStorage", dtypes.float64)
FloatStorage = _named("FloatStorage", dtypes.float32)
HalfStorage = _named("HalfStorage", dtypes.float16)
IntStorage = _named("IntStorage", dtypes.int32)
LongStorage = _named("LongStorage", dtypes.int64)
ShortStorage = _named("ShortStorage", dtypes.int16)
Storage = _named("Storage", None)


def _get_dtype_from_pickle_storage_type(name: str) -> dtypes.dtype | None:
    """The dtype that an old name in a checkpoint means."""
    return {f"{old}Storage": dtype for dtype, old in OLD_NAMES.items()}.get(name)


def read_buffer(
    buffer: Any,
    byte_order: str | None = None,
    count: int = -1,
    offset: int = 0,
    *,
    dtype: dtypes.dtype | None = None,
) -> UntypedStorage:
    """The bytes of a buffer, copied.

    Args:
        byte_order: what the buffer's elements have: "native", "little" or "big".
        count, offset: how many elements, from which byte; -1: all that are left.
        dtype: the elements'.

    Raises:
        ValueError: the byte order is unknown, or the buffer too short.
        RuntimeError: the dtype is missing.
    """
    if dtype is None:
        raise fail(RuntimeError, "from_buffer", "argument 'dtype' cannot be None: name one.")
    if byte_order is not None and not isinstance(byte_order, str):
        raise fail(
            TypeError,
            "from_buffer",
            f"byte_order is a string, got {type(byte_order).__name__}: name count and offset.",
        )
    if byte_order not in ("native", "little", "big") and dtype.itemsize > 1:
        raise fail(
            ValueError,
            "from_buffer",
            f"invalid byte_order {byte_order!r} (expected 'big', 'little', or 'native').",
        )
    given = np.frombuffer(buffer, np.uint8)
    left = given.size - offset
    if not 0 <= offset <= given.size or count * dtype.itemsize > left:
        raise fail(
            ValueError,
            "from_buffer",
            f"buffer has only {max(left, 0)} bytes after offset {offset}, but "
            f"{count} elements of {dtype.itemsize} bytes were asked for.",
        )
    if count < 0 and left % dtype.itemsize:
        raise fail(
            ValueError,
            "from_buffer",
            f"buffer size ({left}) must be a multiple of element size ({dtype.itemsize}).",
        )
    stop = given.size if count < 0 else offset + count * dtype.itemsize
    made = UntypedStorage(wrap(given[offset:stop].copy()))
    if byte_order not in (None, "native", sys.byteorder):
        made.byteswap(dtype)
    return made


def map_file(filename: str, shared: bool, nbytes: int) -> UntypedStorage:
    """The first bytes of a file; shared: it grows to that size, and writes reach it.

    Raises:
        RuntimeError: the file cannot be opened, or is too short.
    """
    try:
        if shared:
            with open(filename, "ab") as file:
                if file.tell() < nbytes:
                    file.truncate(nbytes)
        size = os.path.getsize(filename)
        if size < nbytes:
            raise fail(
                RuntimeError,
                "from_file",
                f"file <{filename}> has {size} bytes, {nbytes} were asked for.",
            )
        array = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,))
    except OSError as error:
        raise fail(
            RuntimeError, "from_file", f"unable to open file <{filename}>: {error.strerror}."
        ) from None
    root = array.view(np.ndarray)
    tensor = wrap(root)
    storage_of(tensor).root = root
    made = UntypedStorage(tensor)
    made.filename = filename if shared else None
    return made


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A 1-D tensor on the memory of a file.

    Args:
        filename: raw elements, as ``numpy.ndarray.tofile`` writes them.
        shared: writes reach the file, which grows where it is short.
        size: how many elements.
    """
    kind = dtype or dtypes.default()
    made = map_file(os.fspath(filename), bool(shared), int(size or 0) * kind.itemsize).tensor(kind)
    return made.requires_grad_(requires_grad)
