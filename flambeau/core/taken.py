"""Which dtypes a kernel takes, said by kinds: what PyTorch has no kernel for is refused.

Rules of promotion are dtypes' own. Stands on dtypes and errors.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from flambeau.core.dtypes import of
from flambeau.core.errors import fail

__all__ = ["SINGLE_OR_DOUBLE", "refuse_dtype"]

SINGLE_OR_DOUBLE = ("float32", "float64")
_WIDTHS = {"f": (2, 4, 8), "u": (1,)}  # no float8, no unsigned integers wider than a byte
_ANY = (1, 2, 4, 8, 16)


@cache  # NumPy puts a dtype's name together at each look, which costs 2 us
def _taken(dtype: np.dtype[Any], allowed: str, also: tuple[str, ...]) -> bool:
    kind = "f" if dtype.name == "bfloat16" else dtype.kind
    return dtype.name in also or (kind in allowed and dtype.itemsize in _WIDTHS.get(kind, _ANY))


def refuse_dtype(op: str, dtype: np.dtype[Any], allowed: str, also: tuple[str, ...] = ()) -> None:
    """Refuse a dtype whose kind is not ``allowed`` (bfloat16 counts as f), nor its name ``also``.

    Raises:
        NotImplementedError: as PyTorch's dispatch does.
    """
    if _taken(dtype, allowed, also):
        return
    raise fail(
        NotImplementedError,
        op,
        f"\"{op}\" not implemented for '{of(dtype).legacy}'. Convert the input with .float() "
        "first.",
    )
