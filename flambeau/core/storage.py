"""The memory that views share: its version, its last writer, its bytes.

A tensor gets its `Storage` at first need (a save, a view, a write); results that nothing refers to
never pay for one. Stands on state and provenance.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.provenance import USER, Where, user_frame
from flambeau.core.state import next_sequence

if TYPE_CHECKING:
    from flambeau.core.tensor import Tensor

__all__ = [
    "Inferred", "Storage", "address", "mark_inference", "marked_storage", "saved_storage", "silent",
    "silently_written", "storage_of", "touch",
]  # fmt: skip

_frame = sys._getframe


class Storage:
    """Shared by a tensor, its views and its `detach()`. What every write moves and every save asks
    stands in slots, where native functions find it; the rest are class attributes until they are
    set.
    """

    __slots__ = (
        "__dict__", "__weakref__", "changed", "inference", "origin", "version", "writer", "writing",
        "written",
    )  # fmt: skip

    version: int
    written: int
    """Sequence number of the last write; compared with a node's to see that a saved value changed.
    """
    changed: int
    """The later of `written` and `silent`: what a backward looks at first."""
    writer: Where | None
    writing: str
    inference: bool
    origin: Storage | None
    """For the storage of `x.data`: the storage of x, whose `silent` counter its writes move."""
    silent = 0
    """The same for writes PyTorch does not see (through `.data`)."""
    silent_writer: Where | None = None
    root: np.ndarray[Any, Any] | None = None
    """The array that owns the memory, where it is known; else found from a tensor's array."""
    resizable = True
    """Whether more memory may take the place of this: not where others hold it, too."""
    shared: Any = False
    """The segment of shared memory that holds it (`core.sharing`)."""

    def __init__(self) -> None:
        self.version = self.written = self.changed = 0
        self.writer = self.origin = None
        self.writing = ""
        self.inference = False

    def mark(self, array: Any) -> None:
        """Only `exported.Exported` takes fingerprints."""

    def differs(self, sequence: int, value: Any) -> bool:
        """Whether a value saved at `sequence` was written by other hands: no others hold it."""
        return False


class Inferred(Storage):
    """Memory made under inference mode: falsy, so that who saves a value on it comes to
    `saved_storage`.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


def mark_inference(storage: Storage) -> None:
    """Memory made under inference mode: nothing may save it."""
    storage.inference = True
    if type(storage) is Storage:
        storage.__class__ = Inferred
    storage.written = storage.changed = sys.maxsize


def storage_of(tensor: Tensor) -> Storage:
    """The tensor's storage, made now if it has none yet."""
    found: Storage | None = tensor._storage
    if found is None:
        found = tensor._storage = Storage()
    return found


def marked_storage(tensor: Tensor) -> Storage:
    """The same for who saves a value on it: of memory that others can write, what it holds now is
    noted.
    """
    found = storage_of(tensor)
    if not found:  # exported: falsy, so that this is reached whenever a value is saved
        found.mark(tensor._array)
    return found


def saved_storage(tensor: Tensor) -> Storage:
    """The storage of a tensor that a node saves.

    Raises:
        RuntimeError: it was made under inference mode.
    """
    found = marked_storage(tensor)
    if found.inference:
        raise fail(
            RuntimeError,
            "autograd",
            "Inference tensors cannot be saved for backward: a tensor of shape "
            f"{list(tensor._array.shape)} was made under torch.inference_mode(), and the gradient "
            "of this operation needs it. clone() it outside first, or make it under no_grad().",
        )
    return found


def touch(tensor: Tensor, name: str = "") -> None:
    """Note a write: the version goes up, the writer's line is remembered. Called by library
    functions only.
    """
    storage = tensor._storage or storage_of(tensor)
    storage.version += 1
    storage.written = storage.changed = next_sequence()
    frame = _frame(2)
    if id(frame.f_code) not in USER:
        frame = user_frame(frame)
    storage.writer = (frame.f_code, frame.f_lasti)
    storage.writing = name
    if storage.origin is not None:
        silent(storage, tensor._array)


MANY = 64
"""Writes through `.data` whose places are remembered; after more the whole counts as written."""


def silent(storage: Storage, array: Any = None) -> None:
    """Tell the storage behind `x.data` that `array` in it was written (None: all)."""
    origin = storage.origin
    while origin is not None:
        places = origin.__dict__.setdefault("places", [])
        if places and _same(places[-1][1], array):
            places.pop()
        elif len(places) == MANY:
            places[:] = [(storage.written, None)]
        places.append((storage.written, array))
        origin.silent = origin.changed = storage.written
        origin.silent_writer = storage.writer
        origin = origin.origin


def _same(a: Any, b: Any) -> bool:
    """Whether two arrays are the same elements."""
    return type(a) is type(b) is np.ndarray and (
        a.shape == b.shape and a.strides == b.strides and address(a) == address(b)
    )


def silently_written(storage: Storage, sequence: int, value: Any) -> bool:
    """Whether a write through `.data` after `sequence` touched the elements of `value`."""
    for number, array in storage.__dict__.get("places", ()):
        if number > sequence and (
            type(array) is not np.ndarray
            or type(value) is not np.ndarray
            or np.may_share_memory(array, value)
            and _shares(array, value)
        ):
            return True
    return False


def _shares(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    try:
        return np.shares_memory(a, b, max_work=10000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def address(array: np.ndarray[Any, Any]) -> int:
    """Where the first element lies."""
    if type(array) is not np.ndarray and hasattr(array, "address"):
        return int(array.address)
    return int(array.__array_interface__["data"][0])


def root_of(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The array that owns the tensor's memory."""
    storage = tensor._storage
    if storage is not None and storage.root is not None:
        return storage.root
    array = tensor._array
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
