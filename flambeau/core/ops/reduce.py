"""Reductions over dimensions: sum, mean, prod, max, any, norms, variance. Stands on declare and dims."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import reduction
from flambeau.core.dims import spread, unreduce, wrap_dims
from flambeau.core.dtypes import SUM

__all__: list[str] = []


@reduction(types=SUM, vjp=lambda g, shape, dim, keepdim: spread(unreduce(g, shape, dim, keepdim), shape))
def sum(input, dim: Any = None, keepdim: bool = False, *, dtype: Any = None):
    """The sum over dimensions `dim` (all of them by default)."""
    if dim is None or dim == ():
        return np.add.reduce(input, axis=None, keepdims=keepdim)
    return np.add.reduce(input, axis=wrap_dims(dim, input.ndim), keepdims=keepdim)
