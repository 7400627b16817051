"""One line of the report, and the wording of what went wrong.

A result belongs to (database, name, dtype, aspect). It is `open` while samples run, then `pass`,
`fail` or `void` (torch itself could not run a single sample). Reasons are short and stable, so
that equal causes group together.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .compare import Mismatch
from .engine import Missing
from .resolve import Private


@dataclass
class Result:
    """The verdict on one (name, dtype, aspect)."""

    db: str
    name: str
    dtype: str
    aspect: str
    state: str = "open"
    samples: int = 0
    skipped: int = 0  # samples that torch itself refuses
    kind: str = ""
    reason: str = ""
    where: str = ""
    sample: str = ""
    truth: str = ""  # which side is nearer to float64's

    @property
    def key(self) -> tuple[str, str, str]:
        """What the list of known failures calls this result."""
        return (self.name, self.dtype, self.aspect)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary without empty fields."""
        return {key: value for key, value in asdict(self).items() if value != ""}

    def close(self) -> None:
        """All samples are done: `pass`, or `void` where torch could run none of them."""
        if self.state == "open":
            self.state = "pass" if self.samples else "void"

    def fail(self, error: BaseException, engine: str, sample: str = "") -> Result:
        """Mark as failed because of that exception."""
        self.state = "fail"
        self.kind = kind_of(error)
        self.reason = one_line(error)
        self.where = last_frame(error, engine)
        self.sample = sample[:300]
        return self


def died(db: str, name: str, planned: Iterable[tuple[str, Any]], why: str) -> list[Result]:
    """The results of a job whose process died: `planned` are its dtypes and aspects."""
    kind, _, reason = why.partition(": ")
    return [
        Result(db, name, dtype, getattr(aspect, "name", aspect), "fail", kind=kind, reason=reason)
        for dtype, aspect in planned
    ]


def kind_of(error: BaseException) -> str:
    """`missing`, a kind of `Mismatch`, or the exception's type."""
    if isinstance(error, Mismatch):
        return error.kind
    if isinstance(error, Missing):
        return "missing"
    if isinstance(error, Private):
        return "private"
    if isinstance(error, AttributeError) and "has no attribute" in str(error):
        return "missing"
    return type(error).__name__


def one_line(error: BaseException) -> str:
    """The first line of the message, cut to a readable length."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, Missing):
        text = f"no {text}"
    return re.sub(r"\s+", " ", text)[:200]


def last_frame(error: BaseException, engine: str) -> str:
    """`core/ops/reduce.py:41`: the innermost line of the engine that raised."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        folder = f"/{engine}/"
        if folder in frame.filename:
            return f"{frame.filename.rpartition(folder)[2]}:{frame.lineno}"
    return ""


def cause(result: Result) -> tuple[str, str, str]:
    """What makes two failures the same cause: numbers and names in quotes do not count."""
    text = result.reason
    if result.kind not in ("missing", "private"):
        text = re.sub(r"^\S+\.py:\d+:?", "", text)
        text = re.sub(r"-?\b\d+(\.\d+)?(e[+-]?\d+)?j?\b|\bnan\b|\binf\b", "#", text)
        text = re.sub(r"\[[#,\s]*\]|\([#,\s]*\)", "#", text)
    if result.kind in ("value", "rounding", "strides"):
        text = re.sub(r"\[?#.*", "", text)
    return result.kind, text[:120], result.where
