"""The archive: alignment, names, checksums, and what damaged files say."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from flambeau.serialization.archive import ALIGNMENT, ArchiveReader, ArchiveWriter

RECORDS = {"data.pkl": b"pickle", "data/0": bytes(range(256)) * 3, "data/1": b"", "version": b"3\n"}


@pytest.fixture
def archive() -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, "model")
    for name, data in RECORDS.items():
        writer.write(name, data)
    writer.close()
    return file.getvalue()


def test_zipfile_reads_it(archive):
    found = zipfile.ZipFile(io.BytesIO(archive))
    assert found.testzip() is None
    assert {n: found.read(n) for n in found.namelist()} == {
        f"model/{n}": data for n, data in RECORDS.items()
    }


def test_records_are_aligned(archive):
    reader = ArchiveReader(io.BytesIO(archive), "file")
    for name in RECORDS:
        assert reader.offset(name)[0] % ALIGNMENT == 0


def test_reader_gives_writable_bytes(archive):
    reader = ArchiveReader(io.BytesIO(archive), "file")
    for name, data in RECORDS.items():
        assert name in reader and reader.read(name) == data
    array = reader.array("data/0")
    assert array.flags.writeable and array.dtype == np.uint8


def test_compressed_archives_are_read_too():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("m/data/0", b"x" * 1000)
    reader = ArchiveReader(file, "file")
    assert reader.read("data/0") == b"x" * 1000
    with pytest.raises(RuntimeError, match="compressed and cannot be mapped"):
        reader.offset("data/0")


def test_missing_record_is_named(archive):
    with pytest.raises(RuntimeError, match=r"has no record 'data/9'"):
        ArchiveReader(io.BytesIO(archive), "file").read("data/9")


def test_every_flipped_data_bit_is_noticed(archive):
    offset, size = ArchiveReader(io.BytesIO(archive), "file").offset("data/0")
    for at in range(offset, offset + size, 97):
        broken = bytearray(archive)
        broken[at] ^= 1
        with pytest.raises(RuntimeError, match=r"'data/0' of file is damaged: its checksum"):
            ArchiveReader(io.BytesIO(broken), "file").read("data/0")


@pytest.mark.parametrize("keep", [4, 60, 500, -1, -30])
def test_truncated_archives_are_named(archive, keep):
    with pytest.raises(RuntimeError, match="truncated or damaged"):
        ArchiveReader(io.BytesIO(archive[:keep]), "file")


def test_sizes_that_lie_are_noticed(archive):
    broken = bytearray(archive)
    at = archive.index(b"PK\1\2", archive.index(b"PK\1\2") + 4)
    broken[at + 20 : at + 28] = struct.pack("<II", 1 << 30, 1 << 30)
    with pytest.raises(RuntimeError, match="damaged"):
        ArchiveReader(io.BytesIO(broken), "file").read("data/0")
