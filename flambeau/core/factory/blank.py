"""What new memory holds where nobody wrote: anything, or, under deterministic algorithms, a value
that shows (NaN, the largest integer, True). Stands on
kernels.float8; the settings switch it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.float8 import cast
from flambeau.core.silence import quiet

__all__ = ["Unset", "marked", "switch"]


class Unset:
    """Whether memory that nobody wrote is filled: both must hold."""

    deterministic = False
    filled = True
    on = False


def switch(*, deterministic: bool | None = None, filled: bool | None = None) -> None:
    """Take a new setting."""
    Unset.deterministic = Unset.deterministic if deterministic is None else deterministic
    Unset.filled = Unset.filled if filled is None else filled
    Unset.on = Unset.deterministic and Unset.filled


def marked(array: Any) -> None:
    """Fill memory with the value that shows."""
    if type(array) is not np.ndarray:
        return
    kind = array.dtype
    value = np.iinfo(kind).max if kind.kind in "iu" else True if kind.kind == "b" else np.nan
    array[...] = quiet(cast, np.asarray(value), kind)
