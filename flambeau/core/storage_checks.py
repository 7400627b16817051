"""What a storage may be made of and asked for; the storages themselves are in ``untyped``.

Stands on device, dtypes and storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flambeau.core import dtypes
from flambeau.core.device import cuda_means_cpu
from flambeau.core.device import device as Device
from flambeau.core.errors import fail
from flambeau.core.storage import Storage

__all__ = ["check_index", "check_request", "check_resizable", "count", "in_range", "without_data"]


def without_data(name: str) -> NotImplementedError:
    """The error of a meta storage whose bytes are asked for."""
    error = fail(NotImplementedError, name, "a meta storage has a size and no data.")
    assert isinstance(error, NotImplementedError)
    return error


def count(source: Any) -> int:
    """How many elements are meant: the number itself, or as many as there are."""
    return source if isinstance(source, int) else len(source)


@contextmanager
def in_range(index: Any, storage: Any) -> Iterator[None]:
    """Word the IndexError of an access to a storage's element."""
    try:
        yield
    except IndexError:
        raise IndexError(f"index {index} out of range for storage of size {len(storage)}") from None


def check_request(source: Any, device: Any, dtype: Any, wrapped: Any, kind: type) -> None:
    """What a typed storage is made of, as PyTorch takes it.

    Raises:
        RuntimeError: bytes to be read as elements together with elements or a device, or without
            a dtype; a dtype that is none. TypeError: bytes that are no storage.
        AssertionError: a device that is not here.
    """
    if wrapped is None:
        if dtype is not None and not isinstance(dtype, dtypes.dtype):
            raise fail(
                RuntimeError,
                "TypedStorage",
                f"dtype must be a torch.dtype, not {type(dtype).__name__}.",
            )
        if device is not None and Device(device).type not in ("cpu", "meta"):
            name = Device(device).type.upper()
            if not (name == "CUDA" and cuda_means_cpu()):
                raise fail(AssertionError, "TypedStorage", f"Torch not compiled with {name}.")
        return
    if not (isinstance(source, int) and source == 0) or device is not None or dtype is None:
        raise fail(
            RuntimeError,
            "TypedStorage",
            "wrap_storage goes with a dtype, and with no elements and no device beside it.",
        )
    if not isinstance(wrapped, kind):
        raise fail(
            TypeError,
            "TypedStorage",
            f"wrap_storage must be an UntypedStorage, not {type(wrapped).__name__}.",
        )


def check_index(index: Any) -> None:
    """Whether an element or a part is named.

    Raises:
        RuntimeError: by something that is no index.
    """
    if not isinstance(index, slice) and not hasattr(index, "__index__"):
        raise fail(
            RuntimeError, "TypedStorage", f"can't index a storage with {type(index).__name__}."
        )


def check_resizable(op: str, storage: Storage) -> None:
    """Whether more memory may take the place of a storage's.

    Raises:
        RuntimeError: an array or a buffer holds it, too.
    """
    if not storage.resizable:
        raise fail(
            RuntimeError,
            op,
            "Trying to resize storage that is not resizable: its memory is also a NumPy array's or "
            "a buffer's. Resize a copy, tensor.clone().",
        )
