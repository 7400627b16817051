"""A checkpoint is written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

import pytest

from flambeau.serialization.writing import replacing


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["model.pt"]


def test_readers_never_see_a_part(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["model.pt"]


@pytest.mark.skipif(os.name == "nt", reason="modes and links are POSIX's")
def test_mode_and_link_are_kept(tmp_path):
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    with replacing(tmp_path / "fresh.pt") as file:
        file.write(b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "fresh.pt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_devices_are_written_directly():
    with replacing(os.devnull) as file:
        file.write(b"x")


def test_missing_folder_and_folder(tmp_path):
    with (
        pytest.raises(RuntimeError, match="Parent directory .* does not exist"),
        replacing(tmp_path / "no" / "x.pt"),
    ):
        pass
    with pytest.raises(RuntimeError, match="is a folder"), replacing(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_takes_no_new_file(tmp_path, monkeypatch, code):
    """A file that is there is written all the same, unless the disk is full."""
    path = tmp_path / "model.pt"
    path.write_bytes(b"the old one")
    opened = os.open

    def refuse(name, flags, *mode):
        if flags & os.O_EXCL:
            raise OSError(code, os.strerror(code))
        return opened(name, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    full = code == errno.ENOSPC
    with (
        pytest.raises(RuntimeError, match="model.pt cannot be written: No space")
        if full
        else (contextlib.nullcontext()),
        replacing(path) as file,
    ):
        file.write(b"new")
    assert path.read_bytes() == (b"the old one" if full else b"new")
    with (
        pytest.raises(RuntimeError, match="fresh.pt cannot be written"),
        replacing(tmp_path / "fresh.pt"),
    ):
        pass
