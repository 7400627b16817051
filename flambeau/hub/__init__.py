"""``torch.hub``: models from a folder with a ``hubconf.py``, and state dicts from files or the web.

Code is loaded from local folders only (``source="local"``); nothing is fetched and run.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from urllib.parse import urlparse  # libraries import it from here

from flambeau.core.provenance import stack_level
from flambeau.hub.download import digest, fetch
from flambeau.serialization import load as load_file

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
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")


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
    if source not in ("github", "local"):
        raise ValueError(f"hub: Unknown source {source!r}; expected 'github' or 'local'.")
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
    needed = getattr(module, "dependencies", ())
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise RuntimeError(f"hub: Missing dependencies: {', '.join(missing)}. Install them.")
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


def list(
    github: str, force_reload: bool = False, *, source: str = "local", **named: Any
) -> builtins.list[str]:
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
    fetch(url, os.path.expanduser(dst), hash_prefix, progress=progress)


def _old_folders() -> Iterator[str]:
    """Where checkpoints lay before there was ``TORCH_HOME``."""
    zoo = os.environ.get("TORCH_MODEL_ZOO")
    if zoo:
        warnings.warn(
            "TORCH_MODEL_ZOO is deprecated, set TORCH_HOME instead.", stacklevel=stack_level()
        )
        yield os.path.expanduser(zoo)
    home = os.environ.get("TORCH_HOME", "~/.torch")
    yield os.path.join(os.path.expanduser(home), "models")


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """Load a checkpoint from the web; a file that is there already is not fetched again.

    Args:
        model_dir: where it is kept; by default ``checkpoints`` under ``get_dir()``, and a file
            that an old version left in ``~/.torch/models`` is taken too.
        check_hash: the file's name ends with the beginning of its SHA-256, as in
            ``resnet18-f37072fd.pth``. A file that is there already is loaded with a warning where
            it has another.

    Raises:
        RuntimeError: the file that came has another hash.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    name = file_name or os.path.basename(urlparse(url).path)
    folders = [folder, *_old_folders()] if model_dir is None else [folder]
    places = [os.path.join(each, name) for each in folders]
    found = HASH_REGEX.search(name) if check_hash else None
    path = next(filter(os.path.exists, places), None)
    if path is None:
        os.makedirs(folder, exist_ok=True)
        path = places[0]
        print(f'Downloading: "{url}" to {path}', file=sys.stderr)
        download_url_to_file(url, path, found[1] if found else None, progress)
    elif found and not digest(path).startswith(found[1]):
        warnings.warn(
            f"hub: {path} does not have the hash {found[1]} of its name: it is not the file of "
            f"{url}. Remove it to have it fetched again.",
            stacklevel=stack_level(),
        )
    return load_file(path, map_location=map_location, weights_only=weights_only)
