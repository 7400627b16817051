"""Bad input: what PyTorch refuses, the engine refuses with the same exception type.

The samples are those of the database's `error_inputs`. What counts is what torch raises here, not
what the database says. Where the engine has `compat.strict()`, the check runs under it.
"""

from __future__ import annotations

import contextlib
from typing import Any

from .. import exceptions


def applies(info: Any, dtype: Any) -> bool:
    """Every entry that comes with error inputs; they do not depend on the dtype."""
    return info.error_inputs_func is not None


def _strict(engine: Any) -> contextlib.AbstractContextManager[Any]:
    compat = getattr(engine.module, "compat", None)
    return compat.strict() if hasattr(compat, "strict") else contextlib.nullcontext()


def check(sample: Any) -> None:
    """Both engines raise, and with the same type."""
    theirs = exceptions.raised(lambda: sample.oracle.forward)
    with _strict(sample.case.engine):
        ours = exceptions.raised(lambda: sample.subject.forward)
    exceptions.compare(theirs, ours)
