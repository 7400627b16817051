"""Files that are written whole or not at all: a temporary file beside, then one rename."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from typing import IO

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open ``path`` for writing so that readers see the old file or the new one, never a part.

    The bytes go to a hidden file in the same folder, are forced to the disk, and the file is
    renamed over ``path`` when the block ends without an exception; otherwise it is removed.
    A device or a pipe is written directly.

    Raises:
        RuntimeError: the folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    given = os.fspath(path)
    name = os.path.realpath(given)
    folder = os.path.dirname(name)
    if not os.path.isdir(folder):
        raise RuntimeError(
            f"save: Parent directory {os.path.dirname(given) or folder} does not exist. "
            "Make it first, with os.makedirs(..., exist_ok=True)."
        )
    if os.path.isdir(name):
        raise RuntimeError(f"save: {given} is a folder; expected the name of a file.")
    mode = None
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(name).st_mode
    if mode is not None and not stat.S_ISREG(mode):
        with open(name, "wb") as file:
            yield file
        return
    temporary = os.path.join(folder, f".{os.path.basename(name)}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, name)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Make the rename itself durable, where folders can be synced (not on Windows)."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
