"""A time limit around one name's checks, with warnings silenced; what is late has failed."""

from __future__ import annotations

import contextlib
import signal
import warnings
from collections.abc import Iterator
from typing import Any

from .result import Result


class Timeout(BaseException):
    """The time is up. Not an `Exception`, so that no check takes it for the engine's answer."""


@contextlib.contextmanager
def limit(seconds: int, results: list[Result]) -> Iterator[None]:
    """Run the body for at most that long; `results` that have no verdict by then fail."""

    def alarm(signum: int, frame: Any) -> None:
        raise Timeout

    previous = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Timeout:
        for result in results:
            if result.state == "open":
                result.state, result.kind = "fail", "timeout"
                result.reason = f"no result after {seconds} s"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
