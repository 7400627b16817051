"""`ThroughputBenchmark`: how many calls a second a module serves from several threads."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flambeau.core.errors import fail
from flambeau.nn import Module

__all__ = ["ExecutionStats", "ThroughputBenchmark", "format_time"]


def format_time(
    time_us: float | None = None, time_ms: float | None = None, time_s: float | None = None
) -> str:
    """A time in the unit that suits it; exactly one is given."""
    if sum(each is not None for each in (time_us, time_ms, time_s)) != 1:
        raise AssertionError("format_time: give one of time_us, time_ms and time_s.")
    if time_us is None:
        time_us = time_ms * 1e3 if time_ms is not None else (time_s or 0.0) * 1e6
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if time_us >= size:
            return f"{time_us / size:.3f}{unit}"
    return f"{time_us:.3f}us"


class ExecutionStats:
    """What a benchmark measured.

    Args:
        latency: the mean time of a call in milliseconds. num_iters: how many there were, of all
            threads. threads: how many those are.
    """

    def __init__(self, latency: float, num_iters: int, threads: int) -> None:
        self.latency_avg_ms, self.num_iters, self._threads = latency, num_iters, threads

    @property
    def iters_per_second(self) -> float:
        """Calls in a second, of all threads together."""
        return self.num_iters / self.total_time_seconds

    @property
    def total_time_seconds(self) -> float:
        """The whole time."""
        return self.num_iters * self.latency_avg_ms / 1000.0 / self._threads

    def __str__(self) -> str:
        return "\n".join(
            [
                "Average latency per example: " + format_time(time_ms=self.latency_avg_ms),
                f"Total number of iterations: {self.num_iters}",
                "Total number of iterations per second (across all threads): "
                f"{self.iters_per_second:.2f}",
                "Total time: " + format_time(time_s=self.total_time_seconds),
            ]
        )


class ThroughputBenchmark:
    """Calls a module from several threads, with inputs drawn from those that were added.

    Args:
        module: the module.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise fail(
                TypeError,
                "ThroughputBenchmark",
                f"expected a module, got {type(module).__name__}",
            )
        self._module = module
        self._inputs: list[tuple[Any, Any]] = []

    def add_input(self, *args: Any, **kwargs: Any) -> None:
        """One more input for the calls."""
        self._inputs.append((args, kwargs))

    def run_once(self, *args: Any, **kwargs: Any) -> Any:
        """The module's result for this input."""
        return self._module(*args, **kwargs)

    def benchmark(
        self,
        num_calling_threads: int = 1,
        num_warmup_iters: int = 10,
        num_iters: int = 100,
        profiler_output_path: str = "",
    ) -> ExecutionStats:
        """Measure.

        Args:
            num_calling_threads: threads that call at once; one calls the module as it is.
            num_warmup_iters: calls of each thread before time is taken.
            num_iters: calls that are timed, of all threads together.

        Raises:
            RuntimeError: no input was added.
        """
        if not self._inputs:
            raise fail(
                RuntimeError, "ThroughputBenchmark", "there is no input: call add_input() first"
            )
        draws = random.Random(0)
        left = iter(draws.choices(self._inputs, k=num_iters))
        lock = threading.Lock()

        def call(first: list[tuple[Any, Any]]) -> float:
            for args, kwargs in first:
                self._module(*args, **kwargs)
            spent = 0.0
            while True:
                with lock:
                    given = next(left, None)
                if given is None:
                    return spent
                start = time.perf_counter()
                self._module(*given[0], **given[1])
                spent += time.perf_counter() - start

        warm = [draws.choices(self._inputs, k=num_warmup_iters) for _ in range(num_calling_threads)]
        with ThreadPoolExecutor(num_calling_threads) as pool:
            spent = list(pool.map(call, warm))
        return ExecutionStats(1000.0 * sum(spent) / num_iters, num_iters, num_calling_threads)
