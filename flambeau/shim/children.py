"""The alias for child processes, through the environment alone.

A folder with a ``sitecustomize.py`` goes in front of ``PYTHONPATH``; Python imports it at start-up
and it installs the alias without importing NumPy. No file is written into the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

__all__ = ["SITE", "VARIABLE", "enter", "leave"]

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
VARIABLE = "FLAMBEAU_SHIM"


def mark() -> str:
    """What names this Python: another one (its own NumPy, perhaps its own torch) stays as it is."""
    return f"{sys.implementation.cache_tag}:{sys.prefix}"


def enter(environ: MutableMapping[str, str] | None = None) -> None:
    """Write the alias into ``environ`` (default: this process's); idempotent."""
    environ = os.environ if environ is None else environ
    environ[VARIABLE] = mark()
    parts = environ.get("PYTHONPATH", "").split(os.pathsep) if environ.get("PYTHONPATH") else []
    environ["PYTHONPATH"] = os.pathsep.join([SITE, *(part for part in parts if part != SITE)])


def leave(environ: MutableMapping[str, str] | None = None) -> None:
    """Take the alias out of ``environ`` again; what else stands in PYTHONPATH stays."""
    environ = os.environ if environ is None else environ
    if environ.pop(VARIABLE, None) is None:
        return
    rest = [part for part in environ.get("PYTHONPATH", "").split(os.pathsep) if part != SITE]
    if rest and rest != [""]:
        environ["PYTHONPATH"] = os.pathsep.join(rest)
    else:
        environ.pop("PYTHONPATH", None)
