"""Activations: relu, sigmoid, gelu and their kin. Stands on declare."""

from __future__ import annotations

import numpy as np

from flambeau.core.declare import elementwise
from flambeau.core.dtypes import REAL

__all__: list[str] = []


def _relu(input):
    return np.maximum(input, 0)


@elementwise(types=REAL, kernel=_relu, inplace_function=True, vjp=lambda g, out: g * (out > 0))
def relu(input):
    """``max(input, 0)``; NaN stays NaN."""
    return np.maximum(input, 0)
