"""Fetching a file: it appears whole and with the right digest, or not at all.

What came before a connection broke is kept beside it and completed at the next call, where a digest
will tell that both parts are of one file. Stands on the standard library.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
import urllib.error
import urllib.request
from typing import IO, Any

__all__ = ["digest", "fetch"]

_PIECE = 1 << 18


def digest(path: str | os.PathLike[str], kind: str = "sha256") -> str:
    """A file's digest in hexadecimal; md5 and sha1 tell damage, not intent."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def fetch(
    url: str,
    path: str | os.PathLike[str],
    expected: str | None = None,
    kind: str = "sha256",
    progress: bool = True,
) -> None:
    """Fetch ``url`` as ``path``.

    Args:
        expected: how the digest begins; None: whatever came is taken.
        progress: tell of it on a terminal's standard error.

    Raises:
        RuntimeError: another digest; nothing is kept.
        ConnectionError: the connection ended early. What came is kept where a digest is known.
    """
    name = os.fspath(path)
    kept, mine = f"{name}.part", f"{name}.{secrets.token_hex(4)}.part"
    if expected:
        with contextlib.suppress(FileNotFoundError):
            os.rename(kept, mine)  # of two processes one goes on with it, the other begins anew
    try:
        _complete(url, mine, progress)
        if expected and not (found := digest(mine, kind)).startswith(expected):
            os.unlink(mine)
            raise RuntimeError(
                f"download: invalid hash value (expected {expected!r}, got {found!r}) of {url}. "
                "Nothing was kept; try again, or look at what the address gives."
            )
        os.replace(mine, name)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            if expected:
                os.replace(mine, kept)
            else:
                os.unlink(mine)
        raise


def _complete(url: str, path: str, progress: bool) -> None:
    """Fetch what ``path`` does not hold yet."""
    done = os.path.getsize(path) if os.path.exists(path) else 0
    try:
        response = _open(url, done)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not done:  # 416: no such range, the part is no part of it
            raise
        done, response = 0, _open(url, 0)
    with response:
        if getattr(response, "status", None) != 206:
            done = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else int(length) + done
        with open(path, "ab" if done else "wb") as file:
            done = _copy(response, file, done, total, progress and sys.stderr.isatty())
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done < total:
        raise ConnectionError(
            f"download: {url} ended after {done} of {total} bytes. Call again to go on."
        )


def _open(url: str, done: int) -> Any:
    headers = {"User-Agent": "flambeau"} | ({"Range": f"bytes={done}-"} if done else {})
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers))


def _copy(source: Any, file: IO[bytes], done: int, total: int | None, told: bool) -> int:
    while piece := source.read(_PIECE):
        file.write(piece)
        done += len(piece)
        if told:
            share = f"{done / total:6.1%} of {total / 2**20:.1f} MB" if total else f"{done} bytes"
            print(f"\r{share}", end="", file=sys.stderr, flush=True)
    if told:
        print(file=sys.stderr)
    return done
