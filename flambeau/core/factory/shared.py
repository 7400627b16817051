"""Tensors on memory that is somebody else's: from_numpy, from_dlpack, frombuffer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from flambeau.core.declare import composite
from flambeau.core.errors import fail
from flambeau.core.exported import SHOWN, export
from flambeau.core.factory.nested import native
from flambeau.core.provenance import stack_level
from flambeau.core.storage import storage_of
from flambeau.core.tensor import Tensor, wrap

__all__ = ["from_dlpack", "from_numpy", "frombuffer"]


@composite()
def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor on the array's memory: a write to either is seen by both.

    Raises:
        TypeError: not an array, or a dtype PyTorch does not have. ValueError: negative strides,
            foreign byte order.
    """
    if type(ndarray) is np.ndarray and ndarray.dtype in SHOWN:
        flags = ndarray.flags
        if flags.writeable and (flags.c_contiguous or min(ndarray.strides) >= 0):
            return _lent(ndarray)
    if not isinstance(ndarray, np.ndarray):
        raise fail(TypeError, "from_numpy", f"expected np.ndarray (got {type(ndarray).__name__})")
    array = native(ndarray, "from_numpy")
    if array.strides and min(array.strides) < 0:
        raise fail(
            ValueError,
            "from_numpy",
            "at least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not supported. "
            "Make a copy of it: array.copy().",
        )
    if not array.flags.writeable:
        _warn_of_readers("NumPy array")
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    return _lent(array)


def _warn_of_readers(what: str) -> None:
    warnings.warn(
        f"The given {what} is not writable, and PyTorch does not support non-writable tensors. "
        f"Writing to this tensor is undefined behavior: copy the {what.split()[-1]} first.",
        UserWarning,
        stacklevel=stack_level(),
    )


def _lent(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor on an array whose owner may write it."""
    found = wrap(array.view())
    export(found)
    found._storage.root = array  # type: ignore[union-attr]
    return found


@composite()
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an object that speaks DLPack (another engine's, an array)."""
    if isinstance(ext_tensor, Tensor):
        return ext_tensor.clone() if copy else ext_tensor.detach()
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor)
    if copy:
        array = array.copy()
    found = wrap(array if array.flags.writeable or copy else _writable(array))
    storage = storage_of(found)
    storage.root, storage.resizable = found._array, False
    return found


class _Capsule:
    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def _writable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """NumPy marks what it takes through DLPack read-only; the memory is its owner's to lend."""
    interface = dict(array.__array_interface__)
    interface["data"] = (interface["data"][0], False)

    class Holder:
        __array_interface__ = interface
        owner = array

    return np.asarray(Holder())


@composite()
def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-D tensor on the memory of an object with the buffer protocol.

    Raises:
        ValueError: no buffer, or one that is empty or too small.
    """
    try:
        view = memoryview(buffer)
    except TypeError:
        raise fail(
            ValueError,
            "frombuffer",
            f"object does not implement Python buffer protocol: {type(buffer).__name__}",
        ) from None
    size = dtype.numpy.itemsize
    if not view.nbytes:
        raise fail(ValueError, "frombuffer", "both buffer length (0) and count (-1) must not be 0")
    if not 0 <= offset < view.nbytes:
        raise fail(
            ValueError,
            "frombuffer",
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({view.nbytes} bytes) minus 1",
        )
    if count == 0 or count < -1:
        raise fail(ValueError, "frombuffer", f"count must be positive or -1, got {count}")
    if count > 0 and offset + count * size > view.nbytes:
        raise fail(
            ValueError,
            "frombuffer",
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({view.nbytes} bytes)",
        )
    if count < 0 and (view.nbytes - offset) % size:
        raise fail(
            ValueError,
            "frombuffer",
            f"buffer length ({view.nbytes - offset} bytes) after offset ({offset} bytes) must be "
            f"a multiple of element size ({size})",
        )
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    if view.readonly:
        _warn_of_readers("buffer")
    found = wrap(array if array.flags.writeable else _writable(array))
    storage_of(found).resizable = False
    return found.requires_grad_() if requires_grad else found
