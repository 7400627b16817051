"""The matrix library NumPy brings: how many threads it uses. Stands on NumPy; does nothing where it
is another library.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["set_threads"]


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
    """Let matrix products use `count` threads."""
    setter = _setter()
    if setter is not None:
        setter(int(count))
