"""``save``: an object and the storages it refers to, as one file.

Reference: the record layout is that of PyTorch 2.13 (``data.pkl``, ``data/<key>``, ``version``).
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
from typing import IO, Any

from flambeau.serialization.archive import ALIGNMENT, ArchiveWriter
from flambeau.serialization.options import options
from flambeau.serialization.pickle_tensor import legacy_storage_name
from flambeau.serialization.pickler import CheckpointPickler
from flambeau.serialization.writing import replacing

__all__ = ["MAGIC_NUMBER", "PROTOCOL_VERSION", "save"]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


def save(
    obj: Any,
    f: str | os.PathLike[str] | IO[bytes],
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Save an object to a file that `load`, here and in PyTorch, reads.

    A file given by name is written whole or not at all. Tensors that share memory still share it
    after loading; the whole storage of a view is saved.

    Args:
        obj: tensors, modules, ``state_dict``s, and containers of them.
        f: a file's name, or an object with a ``write`` method.
        pickle_protocol: of the pickle inside; 2 is what ``weights_only`` loading expects.

    Raises:
        AttributeError: ``f`` is neither.
        RuntimeError: the folder does not exist, or two tensors view one memory as two types.
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError(
            "save: expected 'f' to be string, path, or a file-like object with a 'write' "
            f"attribute, got {type(f).__name__}."
        )
    buffer = io.BytesIO()
    writer = CheckpointPickler(buffer, pickle_protocol, not _use_new_zipfile_serialization)
    writer.dump(obj)
    data = buffer.getvalue()
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file:
            _write(file, _archive_name(f), data, writer, _disable_byteorder_record)
        return
    _write(f, "archive", data, writer, _disable_byteorder_record)
    if hasattr(f, "flush"):
        f.flush()


def _archive_name(path: str | os.PathLike[str]) -> str:
    stem = os.path.splitext(os.path.basename(os.fspath(path)))[0]
    return stem if stem and stem.isascii() else "archive"


def _write(
    file: IO[bytes], name: str, data: bytes, writer: CheckpointPickler, no_byteorder: bool
) -> None:
    if writer.legacy:
        _write_legacy(file, data, writer)
        return
    archive = ArchiveWriter(file, name)
    skipped = options.skip_data
    archive.write("data.pkl", data)
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(ALIGNMENT).encode())
    if not no_byteorder:
        archive.write("byteorder", sys.byteorder.encode())
    for key, storage in writer.storages.items():
        archive.write(f"data/{key}", bytes(storage.nbytes()) if skipped else storage.array)
    archive.write("version", b"3\n")
    archive.write(".data/serialization_id", f"{archive.checksum():040d}".encode())
    archive.close()


def _write_legacy(file: IO[bytes], data: bytes, writer: CheckpointPickler) -> None:
    """The stream format before 1.6: pickles one after the other, then the storages' bytes."""
    sizes = {"short": 2, "int": 4, "long": struct.calcsize("l")}
    system = {
        "protocol_version": PROTOCOL_VERSION,
        "little_endian": sys.byteorder == "little",
        "type_sizes": sizes,
    }
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, system):
        pickle.dump(part, file, protocol=2)
    file.write(data)
    keys = sorted(writer.storages)
    pickle.dump(keys, file, protocol=2)
    for key in keys:
        dtype, storage = writer.dtypes[key], writer.storages[key]
        typed = dtype is not None and legacy_storage_name(dtype) is not None
        item = dtype.numpy.itemsize if typed else 1
        file.write(struct.pack("<q", storage.nbytes() // item))
        file.write(storage.array.data)
