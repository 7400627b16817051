"""Dtypes that an operator does not take: what PyTorch refuses, the engine refuses with that type.

The samples are the entry's own, made in a dtype that it does not list. What counts is what torch
does here: it answers some of them all the same, and then so must the engine.
"""

from __future__ import annotations

from typing import Any

from .. import exceptions
from . import forward


def applies(info: Any, dtype: Any) -> bool:
    """Every dtype that the entry does not list for the CPU."""
    return dtype not in info.supported_dtypes("cpu")


def check(sample: Any) -> None:
    """Both engines raise, with the same type, or both answer the same."""
    theirs = exceptions.raised(lambda: sample.oracle.forward)
    if theirs is None:
        forward.check(sample)
    else:
        exceptions.compare(theirs, exceptions.raised(lambda: sample.subject.forward))
