"""``torch.futures``: values that other threads set, and callbacks that wait for them.

Stands on threading alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Future(Generic[T]):
    """A value that will be there; or an exception that `wait` raises.

    Args:
        devices: accepted; there is only the CPU.
    """

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Future[T]], Any]] = []
        self._value: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        """Whether the value or the exception is there."""
        return self._done.is_set()

    def wait(self) -> T:
        """Block until the value is there and give it, or raise the exception."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]

    def value(self) -> T:
        """The value, which must be there.

        Raises:
            RuntimeError: it is not.
        """
        if not self.done():
            raise RuntimeError("Future.value: the future is not complete. Call wait()")
        return self.wait()

    def set_result(self, result: T) -> None:
        """Complete with a value.

        Raises:
            RuntimeError: it is complete already.
        """
        self._finish(result, None)

    def set_exception(self, result: BaseException) -> None:
        """Complete with an exception."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._finish(None, result)

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """A future of what `callback(self)` gives once this one is complete; what the callback
        raises waits there as a RuntimeError that tells it.
        """
        following: Future[Any] = Future()

        def run(done: Future[T]) -> None:
            try:
                following.set_result(callback(done))
            except Exception as error:
                told = RuntimeError(
                    "Got the following error when running the callback: "
                    f"{type(error).__name__}: {error}"
                )
                told.__cause__ = error
                following.set_exception(told)

        self.add_done_callback(run)
        return following

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call `callback(self)` when complete; at once where it is already. What it raises is
        logged and goes no further.
        """
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        self._call(callback)

    def _call(self, callback: Callable[[Future[T]], Any]) -> None:
        try:
            callback(self)
        except Exception:
            _log.exception("Got the following error when running the callback:")

    def __reduce__(self) -> Any:
        raise RuntimeError("Future: Can not pickle torch.futures.Future: wait() for its value")

    def _finish(self, value: Any, error: BaseException | None) -> None:
        with self._lock:
            if self.done():
                raise RuntimeError(
                    "Future: Future can only be marked completed once, and this one is complete"
                )
            self._value, self._error = value, error
            waiting, self._callbacks = self._callbacks, []
            self._done.set()
        for callback in waiting:
            self._call(callback)


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of all the given ones, complete when the last of them is: with the exception of
    the first of them that has one.

    Raises:
        TypeError: what is given is no sequence of futures. RuntimeError: one is None.
    """
    if isinstance(futures, Sequence) and any(f is None for f in futures):
        raise RuntimeError("collect_all: a future can't be None: leave it out of the list")
    if not isinstance(futures, Sequence) or not all(isinstance(f, Future) for f in futures):
        raise TypeError(
            f"collect_all: futures must be a list of Future, but is {type(futures).__name__}"
        )
    together: Future[list[Future[Any]]] = Future()
    left = [len(futures)]
    lock = threading.Lock()

    def count(_: Any) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            errors = [f._error for f in futures if f._error is not None]
            together._finish(futures, errors[0] if errors else None)

    if not futures:
        together.set_result(futures)
    for future in futures:
        future.add_done_callback(count)
    return together


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """Wait for all, and give their values in order."""
    return [future.wait() for future in collect_all(futures).wait()]
