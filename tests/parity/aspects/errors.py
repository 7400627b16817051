"""The aspect of bad input: what PyTorch refuses, the engine refuses with the same exception type.

`check` is given a sample made from an `ErrorInput`; its `error_type` is what torch raises. Where
torch raises another type than the database says, torch itself is believed.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..compare import Mismatch
from ..sample import OracleRaises


def applies(info: Any, dtype: Any) -> bool:
    """Every entry that comes with error inputs; they do not depend on the dtype."""
    return info.error_inputs_func is not None


def _strict(engine: Any) -> contextlib.AbstractContextManager[Any]:
    compat = getattr(engine.module, "compat", None)
    return compat.strict() if hasattr(compat, "strict") else contextlib.nullcontext()


def check(sample: Any) -> None:
    """Both engines raise, and with the same type (or a subclass of torch's)."""
    theirs = _raised(sample.oracle)
    if theirs is None:
        raise OracleRaises("torch accepts the input on this machine")
    with _strict(sample.case.engine):
        ours = _raised(sample.subject)
    if ours is None:
        raise Mismatch(
            "accepted", f"accepted, torch raises {type(theirs).__name__}: {theirs}"[:160]
        )
    if not isinstance(ours, type(theirs)) and type(ours).__name__ != type(theirs).__name__:
        text = f"{type(ours).__name__} ({ours}), torch raises {type(theirs).__name__} ({theirs})"
        raise Mismatch("exception", text[:240])
    if not str(ours):
        raise Mismatch("message", f"{type(ours).__name__} without a message")


def _raised(side: Any) -> Exception | None:
    try:
        _ = side.forward
    except Exception as error:
        return error
    return None
