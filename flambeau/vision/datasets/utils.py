"""Fetching, checking and unpacking of data sets. Stands on ``hub``'s downloads."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterable
from typing import Any

from flambeau.hub.download import digest, fetch
from flambeau.serialization.writing import replacing

__all__ = [
    "calculate_md5",
    "check_integrity",
    "check_md5",
    "download_and_extract_archive",
    "download_url",
    "extract_archive",
    "list_dir",
    "list_files",
    "iterable_to_str",
    "one_of",
    "verify_str_arg",
]

Path = str | os.PathLike[str]
_OPEN: dict[str, Any] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
_TAR = (".tar", ".tgz", ".tbz", ".tbz2", ".tar.gz", ".tar.bz2", ".tar.xz")


def one_of(value: Any, name: str, valid: Iterable[str]) -> Any:
    """The value, if it is one of these.

    Raises:
        ValueError: it is not.
    """
    if value not in valid:
        raise ValueError(
            f"Unknown value '{value}' for argument {name}. Valid values are: {', '.join(valid)}."
        )
    return value


def iterable_to_str(iterable: Iterable[Any]) -> str:
    """The elements in quotes, with commas between."""
    return "'" + "', '".join(str(each) for each in iterable) + "'"


def verify_str_arg(
    value: Any,
    arg: str | None = None,
    valid_values: Iterable[str] | None = None,
    custom_msg: str | None = None,
) -> Any:
    """A text, if it is one (of the valid ones), as own data sets ask it of their arguments.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str):
        place = "" if arg is None else f" for argument {arg}"
        raise ValueError(f"Expected type str{place}, but got type {type(value)}.")
    if valid_values is None or value in (valid := tuple(valid_values)):
        return value
    if custom_msg is not None:
        raise ValueError(custom_msg)
    return one_of(value, str(arg), valid)


def calculate_md5(fpath: Path, chunk_size: int = 1024 * 1024) -> str:
    """A file's MD5 in hexadecimal."""
    return digest(fpath, "md5")


def check_md5(fpath: Path, md5: str, **kwargs: Any) -> bool:
    """Whether the file's MD5 is this."""
    return calculate_md5(fpath) == md5


def check_integrity(fpath: Path, md5: str | None = None) -> bool:
    """Whether the file is there, with this MD5 where one is given."""
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


def download_url(
    url: str,
    root: Path,
    filename: Path | None = None,
    md5: str | None = None,
    max_redirect_hops: int = 3,
) -> None:
    """Fetch a file into ``root``, unless it is there and right already; whole or not at all.

    Raises:
        RuntimeError: what came has another MD5.
    """
    folder = os.path.expanduser(root)
    path = os.path.join(folder, filename or os.path.basename(url))
    os.makedirs(folder, exist_ok=True)
    if not check_integrity(path, md5):
        fetch(url, path, md5, "md5")


def _unpacked(path: str, target: str) -> None:
    """Each of an archive's files under ``target``, none of them elsewhere."""
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(target)
    else:
        with tarfile.open(path) as tar:
            tar.extractall(target, filter="data")


def extract_archive(
    from_path: Path, to_path: Path | None = None, remove_finished: bool = False
) -> str:
    """Unpack a tar or zip archive, or a gz, bz2 or xz file, by its suffix.

    Raises:
        RuntimeError: another suffix.
    """
    source = os.fspath(from_path)
    suffix = os.path.splitext(source)[1]
    if source.endswith((*_TAR, ".zip")):
        target = os.path.dirname(source) if to_path is None else os.fspath(to_path)
        _unpacked(source, target)
    elif suffix in _OPEN:
        target = source.removesuffix(suffix) if to_path is None else os.fspath(to_path)
        with _OPEN[suffix](source) as packed, replacing(target) as file:
            shutil.copyfileobj(packed, file)
    else:
        raise RuntimeError(
            f"extract_archive: {source} has the suffix {suffix!r}; expected zip, tar, gz, bz2, xz."
        )
    if remove_finished:
        os.remove(source)
    return target


def download_and_extract_archive(
    url: str,
    download_root: Path,
    extract_root: Path | None = None,
    filename: Path | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """``download_url``, then ``extract_archive`` into ``extract_root``."""
    folder = os.path.expanduser(download_root)
    name = os.fspath(filename or os.path.basename(url))
    download_url(url, folder, name, md5)
    path, target = os.path.join(folder, name), os.path.expanduser(extract_root or folder)
    if os.path.splitext(name)[1] in _OPEN and not name.endswith(_TAR):
        target = os.path.join(target, os.path.splitext(name)[0])
    extract_archive(path, target, remove_finished)


def _listed(root: Path, prefix: bool, wanted: Any) -> list[str]:
    folder = os.path.expanduser(root)
    names = [name for name in os.listdir(folder) if wanted(os.path.join(folder, name))]
    return [os.path.join(folder, name) for name in names] if prefix else names


def list_dir(root: Path, prefix: bool = False) -> list[str]:
    """The folders under ``root``."""
    return _listed(root, prefix, os.path.isdir)


def list_files(root: Path, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """The files under ``root`` that end with ``suffix``."""
    return _listed(root, prefix, lambda path: os.path.isfile(path) and path.endswith(suffix))
