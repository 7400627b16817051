"""The budgeted part of the databases that CI runs: every sample forward, some for derivatives.

Which samples is decided by the name alone, so that two runs and two machines agree. Torch's own
share of the whole selection (making samples, running them) is about 40 seconds on one core.
"""

from __future__ import annotations

import random
from collections.abc import Callable

# Samples per (name, dtype); aspects that are not here run on every sample.
BUDGET = {
    "grad": 16,
    "gradgrad": 3,
    "inplace": 8,
    "jvp": 3,
    "method": 4,
    "noncontiguous": 4,
    "out": 4,
    "strides": 8,
    "vmap": 3,
}


def choose(name: str) -> Callable[[str, int], set[int] | None]:
    """A chooser for `run(only=...)`: indices of the samples to run, or None for all."""

    def only(aspect: str, count: int) -> set[int] | None:
        budget = BUDGET.get(aspect)
        if budget is None or count <= budget:
            return None
        return set(random.Random(f"{name} {aspect}").sample(range(count), budget))

    return only
