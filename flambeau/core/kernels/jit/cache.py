"""Files that outlive the process: finished code, one file for each key.

In ``FLAMBEAU_CACHE_DIR``, else where XDG has caches. Files are written under another name and
renamed, so that many processes may share the directory; what is broken or foreign is ignored and
written anew; where nothing can be written nothing is kept. Stands on nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["digest", "directory", "read", "write"]

LIMIT = 256
"""Megabytes that the directory may hold; the files used longest ago go first."""
MAGIC = b"flambeau kernel 1\n"


def directory() -> Path:
    """Where the files lie."""
    given = os.environ.get("FLAMBEAU_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "flambeau" / "kernels"
    except RuntimeError:  # nobody's home
        from tempfile import gettempdir

        return Path(gettempdir()) / "flambeau" / "kernels"


def _trusted(path: Path) -> bool:
    """Whether the file is the user's own: code of somebody else's making is not run."""
    if not hasattr(os, "getuid"):
        return True
    found = path.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def read(key: str) -> bytes | None:
    """What was written under the key; None where there is nothing whole."""
    path = directory() / key
    try:
        if not _trusted(path):
            return None
        found = path.read_bytes()
    except OSError:
        return None
    head = len(MAGIC) + 32
    if found[: len(MAGIC)] != MAGIC or found[len(MAGIC) : head] != digest(found[head:]):
        return None
    return found[head:]


def write(key: str, content: bytes) -> None:
    """Keep `content` under the key, if that can be done."""
    from tempfile import mkstemp

    folder = directory()
    name = None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = mkstemp(prefix=".", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + digest(content) + content)
        os.replace(name, folder / key)
        _bound(folder)
    except OSError:
        if name:
            with contextlib.suppress(OSError):
                os.unlink(name)


def digest(content: bytes) -> bytes:
    """What stands for the content: SHA-256."""
    import hashlib

    return hashlib.sha256(content).digest()


def _bound(folder: Path) -> None:
    """Take away the oldest files of a directory that has grown beyond its limit."""
    files = []
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            found = entry.stat()
            files.append((found.st_mtime, found.st_size, entry.path))
    excess = sum(size for _, size, _ in files) - LIMIT * 2**20
    for _, size, path in sorted(files):
        if excess <= 0:
            break
        with contextlib.suppress(OSError):
            os.unlink(path)
            excess -= size
