"""The matrix library NumPy brings: how many threads it uses. Stands on NumPy; does nothing where it
is another library.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["keep_to_one", "set_threads"]

_one = False


@cache
def _setter() -> Any:
    """OpenBLAS's own function, found in the library that NumPy's wheel carries."""
    base = Path(np.__file__).resolve().parent
    for folder in (base.parent / "numpy.libs", base / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")) if folder.is_dir() else ():
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for name in (
                "scipy_openblas_set_num_threads64_",
                "openblas_set_num_threads64_",
                "openblas_set_num_threads",
            ):
                found = getattr(library, name, None)
                if found is not None:
                    return found
    return None


def set_threads(count: int) -> None:
    """Let matrix products use `count` threads; one, once `keep_to_one` was called."""
    setter = _setter()
    if setter is not None:
        setter(1 if _one else int(count))


def keep_to_one() -> None:
    """One thread from now on: its own would fight the pool of the generated kernels for the cores
    (a GPT's step 138 ms instead of 180 on two).
    """
    global _one
    if not _one:
        _one = True
        set_threads(1)
