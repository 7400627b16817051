"""Bad input: what PyTorch refuses, the engine refuses with the same exception type.

The samples are those of the database's `error_inputs`. What counts is what torch raises here, not
what the database says. An engine with `compat.strict()` is asked in both modes:
nothing that the databases hold as an error is understood by default either.
"""

from __future__ import annotations

import contextlib
from typing import Any

from .. import exceptions


def applies(info: Any, dtype: Any) -> bool:
    """Every entry that comes with error inputs; they do not depend on the dtype."""
    return info.error_inputs_func is not None


def modes(engine: Any) -> list[contextlib.AbstractContextManager[Any]]:
    """How the engine is asked: by default, and strictly where it knows the difference."""
    compat = getattr(engine.module, "compat", None)
    strict = [compat.strict()] if hasattr(compat, "strict") else []
    return [contextlib.nullcontext(), *strict]


def check(sample: Any) -> None:
    """Both engines raise, and with the same type."""
    theirs = exceptions.raised(lambda: sample.oracle.forward)
    for mode in modes(sample.case.engine):
        with mode:
            ours = exceptions.raised(lambda: sample.subject.forward)
        exceptions.compare(theirs, ours)
