"""`Timer`: runs a statement often enough to time it, within a given number of threads. Stands on
timeit."""

from __future__ import annotations

import enum
import textwrap
import timeit
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.utils.benchmark.measurement import Measurement, TaskSpec, set_torch_threads

__all__ = ["Language", "Timer", "timer"]

timer = timeit.default_timer
"""The clock: seconds. Operations have finished when they return: there is nothing to wait for."""


class Language(enum.Enum):
    """What a statement is written in."""

    PYTHON = 0
    CPP = 1


class Timer:
    """Times a statement.

    Args:
        stmt: what is timed. setup: runs before each timing, in the same scope.
        timer: the clock.
        globals: names the statement finds.
        label, sub_label, description, env: what tables call it; see `TaskSpec`.
        num_threads: the threads operations may use meanwhile.
        language: Python; there is no compiler for another.
    """

    _timer_cls = timeit.Timer

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Language | str = Language.PYTHON,
    ) -> None:
        if not isinstance(stmt, str):
            raise fail(ValueError, "Timer", "only a string is timed: pass the code as text.")
        if language not in (Language.PYTHON, "py", "python"):
            raise fail(
                ValueError,
                "Timer",
                f"language is {language!r}; flambeau times Python alone: there is no C++ compiler.",
            )
        if global_setup:
            raise fail(ValueError, "Timer", "global_setup is for C++ alone: use setup.")
        scope = dict(globals or {})
        scope.setdefault("torch", flambeau)
        self._globals = scope
        self._task_spec = TaskSpec(
            stmt=textwrap.dedent(stmt).strip(),
            setup=textwrap.dedent(setup).strip(),
            label=label,
            sub_label=sub_label,
            description=description,
            env=env,
            num_threads=num_threads,
        )
        self._timer = self._timer_cls(
            stmt=self._task_spec.stmt, setup=self._task_spec.setup, timer=timer, globals=scope
        )

    def _seconds(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)  # clocks have a grain

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One timing of `number` executions, after a short warm-up."""
        with set_torch_threads(self._task_spec.num_threads):
            self._seconds(max(number // 100, 2))
            return Measurement(number, [self._seconds(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Timer.repeat: use Timer.blocked_autorange, which chooses both.")

    def autorange(self, callback: Callable[[int, float], NoReturn] | None = None) -> None:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Timer.autorange: use Timer.blocked_autorange.")

    def _block(self, min_run_time: float) -> int:
        """How many executions make one timing: long enough that the clock's cost vanishes."""
        overhead = float(np.median([self._seconds(0) for _ in range(5)]))
        number = 1
        self._seconds(2)  # the first execution of all would pass for a long one
        while True:
            seconds = self._seconds(number)
            small = overhead / seconds <= 1e-4 and seconds >= min_run_time / 1000
            if small or seconds > min_run_time or number * 10 > 2**31:
                return number
            number *= 10

    def _runs(
        self,
        number: int,
        enough: Callable[[list[float]], bool],
        longest: float,
        callback: Callable[[int, float], Any] | None,
    ) -> list[float]:
        times: list[float] = []
        total = 0.0
        while not (times and (enough(times) or total >= longest)):
            seconds = self._seconds(number)
            if callback is not None:
                callback(number, seconds)
            times.append(seconds)
            total += seconds
        return times

    def blocked_autorange(
        self, callback: Callable[[int, float], NoReturn] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Timings of blocks of executions until `min_run_time` seconds were spent.

        Args:
            callback: called with the number and the seconds of each block.
        """
        with set_torch_threads(self._task_spec.num_threads):
            number = self._block(min_run_time)
            times = self._runs(number, lambda t: sum(t) >= min_run_time, min_run_time, callback)
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], NoReturn] | None = None,
    ) -> Measurement:
        """Timings until their quartiles lie within `threshold` of the median, or time is up."""
        with set_torch_threads(self._task_spec.num_threads):
            number = self._block(0.05)

            def settled(times: list[float]) -> bool:
                if len(times) <= 3 or sum(times) < min_run_time:
                    return False
                found = Measurement(number, times, self._task_spec)
                return found.meets_confidence(threshold)

            times = self._runs(number, settled, max_run_time, callback)
        return Measurement(number, times, self._task_spec)

    def collect_callgrind(
        self,
        number: int = 100,
        *,
        repeats: int | None = None,
        collect_baseline: bool = True,
        retain_out_file: bool = False,
    ) -> Any:
        """Instruction counts.

        Raises:
            NotImplementedError: always; they need valgrind under an interpreter built for it.
        """
        raise NotImplementedError(
            "Timer.collect_callgrind: instructions are not counted; time with blocked_autorange, "
            "or profile with torch.profiler."
        )
