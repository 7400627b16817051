"""What is compared of an operator: one small module for each aspect, and the table of them.

An aspect says to which (operator, dtype) it applies, which samples it runs on, and checks one
sample. `check` raises `Mismatch` (or whatever the engine raised) where the engine differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import errors, forward, grad, gradgrad, jvp, noncontiguous, refused, strides, variants, vmap


@dataclass(frozen=True)
class Aspect:
    """One property of an operator that is held against torch's."""

    name: str
    check: Callable[[Any], None]
    applies: Callable[[Any, Any], bool] = lambda info, dtype: True
    samples: str = "plain"  # key of cases.SOURCES


TABLE = {
    aspect.name: aspect
    for aspect in (
        Aspect("forward", forward.check),
        Aspect("strides", strides.check),
        Aspect("grad", grad.check, grad.applies),
        Aspect("gradgrad", gradgrad.check, gradgrad.applies),
        Aspect("noncontiguous", noncontiguous.check, noncontiguous.applies),
        Aspect("method", variants.check_method, variants.has_method),
        Aspect("inplace", variants.check_inplace, variants.has_inplace),
        Aspect("out", variants.check_out, variants.has_out),
        Aspect("jvp", jvp.check, jvp.applies),
        Aspect("vmap", vmap.check, vmap.applies),
        Aspect("errors", errors.check, errors.applies, "errors"),
        Aspect("refused", refused.check, refused.applies, "refused"),
    )
}
