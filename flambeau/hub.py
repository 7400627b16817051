"""``torch.hub``: models from a folder with a ``hubconf.py``, and state dicts from files or the web.

Code is loaded from local folders only (``source="local"``); nothing is fetched and run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import urllib.parse
import urllib.request
import warnings
from types import ModuleType
from typing import Any

from flambeau.serialization import load as load_file
from flambeau.serialization.writing import replacing

__all__ = [
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]

_dir: str | None = None
_HASH = re.compile(r"-([a-f0-9]*)\.")


def get_dir() -> str:
    """The folder of downloaded files: ``$TORCH_HOME/hub``, by default ``~/.cache/torch/hub``."""
    if _dir is not None:
        return _dir
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Set the folder of downloaded files."""
    global _dir
    _dir = os.path.expanduser(os.fspath(d))


def _entry_points(repo: str, source: str) -> ModuleType:
    if source != "local":
        raise RuntimeError(
            f"hub: expected source='local', got {source!r}: flambeau does not fetch code and run "
            "it. Clone the repository, look at it, and give its folder with source='local'."
        )
    path = os.path.join(repo, "hubconf.py")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    if not os.path.exists(path) or spec is None or spec.loader is None:
        raise FileNotFoundError(f"hub: {repo} has no hubconf.py.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, repo)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(repo)
    return module


def _entry(repo: str, model: str, source: str) -> Any:
    function = getattr(_entry_points(repo, source), model, None)
    if not callable(function):
        raise RuntimeError(f"hub: Cannot find callable {model} in {repo}'s hubconf.py.")
    return function


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """Call the entry point ``model`` of a folder's ``hubconf.py``.

    Raises:
        RuntimeError: ``source`` is not "local", or there is no such entry point.
    """
    for name in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(name, None)
    return _entry(repo_or_dir, model, source)(*args, **kwargs)


def list(github: str, force_reload: bool = False, *, source: str = "local", **named: Any) -> Any:
    """The entry points of a folder's ``hubconf.py``."""
    module = _entry_points(github, source)
    return [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]


def help(
    github: str, model: str, force_reload: bool = False, *, source: str = "local", **named: Any
) -> Any:
    """The docstring of an entry point."""
    return _entry(github, model, source).__doc__


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetch a file; it appears whole, with the right hash, or not at all.

    Raises:
        RuntimeError: the SHA-256 of what came does not begin with ``hash_prefix``.
    """
    digest = hashlib.sha256()
    with urllib.request.urlopen(url) as response, replacing(dst) as file:
        total, done = int(response.headers.get("Content-Length") or 0), 0
        while piece := response.read(1 << 18):
            digest.update(piece)
            file.write(piece)
            done += len(piece)
            if progress and total and sys.stderr.isatty():
                print(f"\r{done / total:6.1%} of {total >> 20} MB", end="", file=sys.stderr)
        found = digest.hexdigest()
        if hash_prefix and not found.startswith(hash_prefix):
            raise RuntimeError(
                f"hub: invalid hash value (expected {hash_prefix!r}, got {found!r}) of {url}."
            )


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """Load a checkpoint from the web; a file already in ``model_dir``, or where PyTorch kept such
    files before 1.1 (``$TORCH_MODEL_ZOO``, ``~/.torch/models``), is not fetched again.
    """
    if os.getenv("TORCH_MODEL_ZOO"):
        warnings.warn(
            "TORCH_MODEL_ZOO is deprecated, please use env TORCH_HOME instead", stacklevel=2
        )
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    name = file_name or os.path.basename(urllib.parse.urlparse(url).path)
    path = os.path.join(folder, name)
    if model_dir is None and not os.path.exists(path):
        old = os.path.join(
            os.path.expanduser(os.getenv("TORCH_MODEL_ZOO", "~/.torch/models")), name
        )
        if os.path.exists(old):
            return load_file(old, map_location=map_location, weights_only=weights_only)
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(path):
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found[1] if found else None, progress)
    return load_file(path, map_location=map_location, weights_only=weights_only)
