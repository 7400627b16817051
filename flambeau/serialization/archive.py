"""The zip archive of a checkpoint: stored records, each starting at a multiple of 64 bytes.

Writes the layout PyTorch's writer gives (padding in the local header's extra field, a data
descriptor after each record), so that its offset arithmetic and mmap loading work on our files.
Knows bytes and names; what the records mean is said in ``saving`` and ``loading``.

Reference: PKWARE, .ZIP File Format Specification, APPNOTE 6.3.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, Any

import numpy as np

__all__ = ["ALIGNMENT", "ArchiveReader", "ArchiveWriter"]

ALIGNMENT = 64
_FLAGS = 0x0808  # a data descriptor follows; the name is UTF-8
_LIMIT = 0xFFFFFFFF


class ArchiveWriter:
    """Writes records one after the other to a file that need not be seekable."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._offset = 0
        self._entries: list[tuple[bytes, int, int, int]] = []  # name, crc, size, header's offset

    def _put(self, data: Any) -> None:
        self._file.write(data)
        self._offset += len(data)

    def write(self, record: str, data: Any) -> None:
        """Add a record; ``data`` is bytes or a flat array of bytes."""
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        name = f"{self._name}/{record}".encode()
        size, crc, start = len(view), zlib.crc32(view), self._offset
        large = size >= _LIMIT or start >= _LIMIT
        extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
        body = start + 30 + len(name) + len(extra) + 4
        padding = -body % ALIGNMENT
        extra += struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        header = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 0, 0, _FLAGS, 0, 0, 0, 0, 0, 0, 0)
        if large:
            header = header[:18] + struct.pack("<II", _LIMIT, _LIMIT)
        self._put(header[:26] + struct.pack("<HH", len(name), len(extra)) + name + extra)
        self._put(view)
        if size:
            form = "<4sIQQ" if large else "<4sIII"
            self._put(struct.pack(form, b"PK\7\x08", crc, size, size))
        self._entries.append((name, crc, size, start))

    def checksum(self) -> int:
        """A number that depends on every record written so far."""
        text = b"".join(name + struct.pack("<I", crc) for name, crc, _, _ in self._entries)
        return zlib.crc32(text) << 32 | zlib.adler32(text)

    def close(self) -> None:
        """Write the directory; the file itself stays open."""
        start = self._offset
        for name, crc, size, offset in self._entries:
            extra = b""
            if size >= _LIMIT or offset >= _LIMIT:
                extra = struct.pack("<HHQQQ", 1, 24, size, size, offset)
                size = offset = _LIMIT
            flags = _FLAGS if size else _FLAGS & ~8
            head = (b"PK\1\2", 0, 0, flags, 0, 0, 0, crc, size, size, len(name), len(extra))
            self._put(struct.pack("<4sHHHHHHIIIHHHHHII", *head, 0, 0, 0, 0, offset) + name + extra)
        count, size, end = len(self._entries), self._offset - start, self._offset
        self._put(
            struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 0x031E, 45, 0, 0, count, count, size, start)
        )
        self._put(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        few, size, start = min(count, 0xFFFF), min(size, _LIMIT), min(start, _LIMIT)
        self._put(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, size, start, 0))


class ArchiveReader:
    """Reads records by name, checks their checksums, says which one is damaged.

    Raises:
        RuntimeError: the archive or a record is damaged or missing.
    """

    def __init__(self, file: IO[bytes], label: str) -> None:
        self._file = file
        self._label = label
        try:
            self._zip = zipfile.ZipFile(file)
            names = self._zip.namelist()
        except (zipfile.BadZipFile, struct.error, ValueError, OSError, EOFError) as error:
            raise RuntimeError(
                f"load: {label} begins as a checkpoint archive, but its directory cannot be read "
                f"({error}). The file is truncated or damaged; save or copy it again."
            ) from None
        if not names:
            raise RuntimeError(f"load: {label} is an empty archive, not a checkpoint.")
        self._prefix = names[0].partition("/")[0] + "/"
        self._infos = {info.filename: info for info in self._zip.infolist()}

    def __contains__(self, record: str) -> bool:
        return self._prefix + record in self._infos

    def _find(self, record: str) -> tuple[zipfile.ZipInfo, int]:
        info = self._infos.get(self._prefix + record)
        if info is None:
            raise RuntimeError(
                f"load: {self._label} has no record {record!r}. It is not a checkpoint that "
                "`save` wrote, or it was repacked."
            )
        if info.compress_type != zipfile.ZIP_STORED:
            return info, -1
        self._file.seek(info.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise self._damaged(record, "its header is not where the directory says")
        name, extra = struct.unpack("<HH", header[26:])
        return info, info.header_offset + 30 + name + extra

    def _damaged(self, record: str, cause: str) -> RuntimeError:
        return RuntimeError(
            f"load: record {record!r} of {self._label} is damaged: {cause}. "
            "Save or copy the file again."
        )

    def offset(self, record: str) -> tuple[int, int]:
        """Where a record's bytes start in the file, and how many there are."""
        info, offset = self._find(record)
        if offset < 0:
            raise RuntimeError(
                f"load: record {record!r} of {self._label} is compressed and cannot be mapped. "
                "Load with mmap=False."
            )
        return offset, info.file_size

    def array(self, record: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """A record's bytes as a new, writable array."""
        info, offset = self._find(record)
        if offset < 0:
            try:
                return np.frombuffer(bytearray(self._zip.read(info)), np.uint8)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise self._damaged(record, str(error)) from None
        self._file.seek(0, 2)
        if offset + info.file_size > self._file.tell():
            raise self._damaged(record, f"the file ends before its {info.file_size} bytes do")
        self._file.seek(offset)
        data = np.empty(info.file_size, np.uint8)
        if read_into(self._file, data) != info.file_size:
            raise self._damaged(record, f"the file ends before its {info.file_size} bytes do")
        if zlib.crc32(data.data) != info.CRC:
            raise self._damaged(record, "its checksum does not match its bytes")
        return data

    def read(self, record: str) -> bytes:
        """A record's bytes."""
        return self.array(record).tobytes()


def read_into(file: IO[bytes], data: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    """Fill ``data`` from the file; how many bytes there were."""
    view, done = data.data, 0
    readinto = getattr(file, "readinto", None)
    while done < len(view):
        if readinto is not None:
            count = readinto(view[done:])
        else:
            piece = file.read(len(view) - done)
            count = len(piece)
            view[done : done + count] = piece
        if not count:
            break
        done += count
    return done
