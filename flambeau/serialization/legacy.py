"""The formats before PyTorch 1.6: a stream of pickles with the storages behind, and a tar file."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from flambeau.serialization.archive import read_into
from flambeau.serialization.location import Restore
from flambeau.serialization.pickle_tensor import StorageBytes, TypedBytes, rebuild_strided
from flambeau.serialization.saving import MAGIC_NUMBER, PROTOCOL_VERSION
from flambeau.serialization.unpickler import SafeUnpickler

__all__ = ["load", "text"]

Unpickle = Callable[[IO[bytes], Callable[[Any], Any]], Any]


def text(word: Any) -> str:
    """A word that Python 2 may have written as bytes."""
    return word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)


def _none(pid: Any) -> Any:
    raise pickle.UnpicklingError("load: a reference to a storage where none can stand.")


def _plain(file: IO[bytes]) -> Any:
    """One pickle of numbers and text."""
    return SafeUnpickler(file, _none).load()


def load(file: IO[bytes], label: str, restore: Restore, unpickle: Unpickle) -> Any:
    """Read either format; the errors of both say that the file is no checkpoint."""
    start = file.tell()
    head = file.read(512)
    file.seek(start)
    if head[257:262] == b"ustar" or (len(head) == 512 and head[:8] == b"storages"):
        return _load_tar(file, restore, unpickle)
    try:
        magic = _plain(file)
    except (pickle.UnpicklingError, EOFError, ValueError) as error:
        raise pickle.UnpicklingError(
            f"load: {label} is not a checkpoint: Weights only load failed, it begins with "
            f"{head[:8]!r}, neither an archive nor a pickle of torch.save ({error})."
        ) from None
    if magic != MAGIC_NUMBER:
        raise RuntimeError(
            f"load: Invalid magic number in {label}; it is no checkpoint or damaged."
        )
    version = _plain(file)
    if version != PROTOCOL_VERSION:
        raise RuntimeError(
            f"load: Invalid protocol version {version}; expected {PROTOCOL_VERSION}."
        )
    system = _plain(file)
    order = "<" if system.get("little_endian", True) else ">"
    storages: dict[Any, StorageBytes] = {}
    roots: dict[Any, tuple[StorageBytes, int]] = {}

    def persistent(pid: Any) -> Any:
        if text(pid[0]) == "module":  # a class with the source it had; the source is not compared
            return pid[1]
        _, kind, key, location, count, *view = pid
        key = text(key)  # encoding="bytes" leaves the words of Python 2 as they are
        item = kind.dtype.numpy.itemsize
        if key not in storages:
            # The bytes follow the pickle: the tensors are built on memory that is filled later.
            data = StorageBytes(_allocate(file, count * item))
            data.waiting = []
            roots[key] = (data, item)
            storages[key] = restore(data, text(location))
        if not view or view[0] is None:
            return TypedBytes(storages[key], kind.dtype)
        name, offset, size = view[0]
        if name not in storages:
            part = storages[key].array[offset * item : (offset + size) * item]
            storages[name] = StorageBytes(part)
            storages[name].waiting = storages[key].waiting
        return TypedBytes(storages[name], kind.dtype)

    result = unpickle(file, persistent)
    for key in map(text, _plain(file)):
        if key not in roots:
            raise RuntimeError(f"load: {label} holds a storage {key!r} that nothing refers to.")
        _fill(file, *roots[key], order)
    for data, _ in roots.values():
        for act in data.waiting or ():
            act()
        data.waiting = None
    return result


def _allocate(file: IO[bytes], nbytes: int) -> np.ndarray[Any, Any]:
    """Memory for a storage, refused when the rest of the file cannot hold its bytes."""
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    if not 0 <= nbytes <= end - here:
        raise RuntimeError(
            f"load: the checkpoint names a storage of {nbytes} bytes, {end - here} are left in "
            "the file. It is truncated or damaged."
        )
    return np.zeros(nbytes, np.uint8)


def _fill(file: IO[bytes], data: StorageBytes, item: int, order: str) -> None:
    head = file.read(8)
    count = struct.unpack(order + "q", head)[0] if len(head) == 8 else -1
    if count * item != data.nbytes() or read_into(file, data.array) != data.nbytes():
        raise RuntimeError(
            f"load: a storage of {data.nbytes()} bytes is not whole in the file. It is truncated "
            "or damaged."
        )
    if order == ">" and item > 1:
        data.array[:] = data.array.view(f"u{min(item, 8)}").byteswap().view(np.uint8)


def _load_tar(file: IO[bytes], restore: Restore, unpickle: Unpickle) -> Any:
    """The format of 2016: a tar of storages, tensors, and a pickle that refers to them."""
    with tarfile.open(fileobj=file, mode="r:") as tar:
        parts = {}
        for name in ("storages", "tensors", "pickle"):
            member = tar.extractfile(name)
            if member is None:
                raise RuntimeError(f"load: the tar checkpoint has no file {name!r}.")
            parts[name] = io.BytesIO(member.read())
    known: dict[int, Any] = {}
    storages = parts["storages"]
    for _ in range(_plain(storages)):
        key, location, kind = _plain(storages)
        (count,) = struct.unpack("<q", storages.read(8))
        item = kind.dtype.numpy.itemsize
        data = StorageBytes(_allocate(storages, count * item))
        read_into(storages, data.array)
        known[key] = TypedBytes(restore(data, text(location)), kind.dtype)
    for target, root, offset, count in _plain(storages):
        whole, item = known[root].bytes, known[root].dtype.numpy.itemsize
        part = whole.array[offset * item : (offset + count) * item]
        known[target] = TypedBytes(StorageBytes(part, whole.storage), known[root].dtype)
    tensors = parts["tensors"]
    for _ in range(_plain(tensors)):
        key, storage, _ = _plain(tensors)
        (ndim, _) = struct.unpack("<ii", tensors.read(8))
        numbers = struct.unpack(f"<{2 * ndim + 1}q", tensors.read(8 * (2 * ndim + 1)))
        typed = known[storage]
        size, stride, offset = numbers[:ndim], numbers[ndim : 2 * ndim], numbers[-1]
        known[key] = rebuild_strided(typed.bytes, typed.dtype, offset, size, stride, False)
    return unpickle(parts["pickle"], lambda pid: pid[0] if type(pid) is tuple else known[int(pid)])
