"""Files that are written whole or not at all: a temporary file beside, then one rename."""

from __future__ import annotations

import contextlib
import errno
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
    A device or a pipe is written directly, and so is a file in a folder that takes no new ones.

    Raises:
        RuntimeError: the folder does not exist, ``path`` is a folder, or it cannot be written.
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
    temporary = os.path.join(folder, f".{os.path.basename(name)}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = None
    if mode is None or stat.S_ISREG(mode):
        try:
            descriptor = _opened(temporary, flags, given)
        except RuntimeError as error:
            # A folder that takes no new file may hold one that can be written.
            refused = getattr(error.__cause__, "errno", None)
            if mode is None or refused not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    if descriptor is None:
        with os.fdopen(_opened(name, os.O_TRUNC | flags & ~os.O_EXCL, given), "wb") as file:
            yield file
        return
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


def _opened(name: str, flags: int, given: str) -> int:
    try:
        return os.open(name, flags, 0o666)
    except OSError as error:
        raise RuntimeError(
            f"save: {given} cannot be written: {error.strerror}. Save to a folder that is yours."
        ) from error


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
